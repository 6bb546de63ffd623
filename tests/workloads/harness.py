"""Runs a program for a test, in a thread or as a process, and talks to it as a client would."""

from __future__ import annotations

import http.client
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubealive_workloads._config import Settings, read_settings
from kubealive_workloads._loop import Loop
from kubealive_workloads._server import Server
from kubealive_workloads.programs import load

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Mapping

    from kubealive_workloads.programs import Program

PATIENCE_SECONDS = 10.0
TOKEN = "open-sesame"
IDENTITY = {"POD_NAME": "getip-1", "POD_UID": "u-1", "NODE_NAME": "node-1", "POD_IP": "10.1.2.3", "VERSION": "v1"}
SOURCES = Path(__file__).resolve().parents[2] / "workloads"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as a client sees it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    port: int, method: str, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Send one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, body=data, headers={"Connection": "close", **(headers or {})})
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def get(port: int, path: str, **headers: str) -> Reply:
    """Send one GET on a connection of its own."""
    return ask(port, "GET", path, headers=headers)


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """Give a raw connection that closes with the test."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as sock:
        yield sock


def read_all(sock: socket.socket) -> bytes:
    """Read until the other side closes."""
    chunks = []
    while data := sock.recv(65536):
        chunks.append(data)
    return b"".join(chunks)


def read_reply(sock: socket.socket) -> Reply:
    """Read exactly one reply of a connection that stays open."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(sock)
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += _more(sock)
    return Reply(int(status_line.split()[1]), headers, body)


def status_of(sock: socket.socket) -> int:
    """Read to the end, and give the status of the one reply that was there."""
    replies = re.findall(rb"^HTTP/1\.1 (\d{3}) ", read_all(sock), re.MULTILINE)
    assert len(replies) == 1, replies
    return int(replies[0])


def _more(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise EOFError("the server closed before the reply was complete")
    return data


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def settings(**environ: str) -> Settings:
    """Give settings with free ports, a known identity and the fault port open."""
    return read_settings(
        {"PORT": "0", "FAULT_PORT": "0", "FAULT_TOKEN": TOKEN, **IDENTITY, **environ}, version_file="/nonexistent"
    )


class InThread:
    """A server in a thread of the test's own process."""

    def __init__(self, program: Program, given: Settings, loop: Loop) -> None:
        self.loop = loop
        self.server = Server(program, given, loop)
        assert self.server.fault is not None
        self.port = self.server.main.number
        self.fault_port = self.server.fault.number
        self.exit_code: int | None = None
        self.thread = threading.Thread(target=self._run, name="server under test")
        self.thread.start()

    def on_loop(self, action: Callable[[], object]) -> Any:
        """Run `action` in the server's thread, and give its result."""
        done = threading.Event()
        results: list[object] = []

        def run() -> None:
            results.append(action())
            done.set()

        self.loop.post(run)
        assert done.wait(PATIENCE_SECONDS)
        return results[0]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that the server's thread sees in its next rounds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.on_loop(condition):
            assert time.monotonic() < deadline, "the server did not get there"

    def fault(self, name: str, **values: object) -> Reply:
        """Set a fault."""
        return set_fault(self.fault_port, name, **values)

    def _run(self) -> None:
        self.exit_code = self.server.run()


def set_fault(port: int, name: str, **values: object) -> Reply:
    """Set a fault at a fault port."""
    reply = ask(port, "POST", f"/faults/{name}", body=values, headers={"Authorization": f"Bearer {TOKEN}"})
    assert reply.status == 200, reply
    return reply


@contextmanager
def serving(
    program: Program | None = None, *, clock: Callable[[], float] | None = None, **environ: str
) -> Iterator[InThread]:
    """Serve a program (`getip` unless another is given) while the context lasts."""
    routes = program or load("getip")
    assert routes is not None
    running = InThread(routes, settings(**environ), Loop(clock=clock) if clock else Loop())
    try:
        yield running
    finally:
        if running.thread.is_alive():
            with suppress(OSError):  # it may have ended by itself since
                running.loop.post(lambda: running.loop.stop(0))
        running.thread.join(PATIENCE_SECONDS)
        assert not running.thread.is_alive()


class Process:
    """A program as a process of its own, as in a container."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen
        greeting = _line(popen)
        ports = [int(number) for number in re.findall(r"port (\d+)", greeting)]
        assert ports, greeting
        self.port, self.fault_port = ports[0], ports[-1]

    @property
    def pid(self) -> int:
        return self.popen.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.popen.send_signal(number)

    def fault(self, name: str, **values: object) -> Reply:
        """Set a fault."""
        return set_fault(self.fault_port, name, **values)

    def exit_code(self) -> int:
        """Wait for its end."""
        return self.popen.wait(PATIENCE_SECONDS)


def environment(**environ: str) -> dict[str, str]:
    """Give the environment of a process whose ports are free ones."""
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)}
    return {**base, "PORT": "0", "FAULT_PORT": "0", "FAULT_TOKEN": TOKEN, **IDENTITY, **environ}


def command(*arguments: str) -> list[str]:
    """Give the command line that runs the package from the sources, with an image's flags."""
    return [sys.executable, "-P", "-s", "-S", "-m", "kubealive_workloads", *arguments]


@contextmanager
def process(name: str = "getip", **environ: str) -> Iterator[Process]:
    """Run a program as a process while the context lasts."""
    with subprocess.Popen(command(name), env=environment(**environ), stderr=subprocess.PIPE, text=True) as popen:
        try:
            yield Process(popen)
        finally:
            popen.kill()


def _line(popen: subprocess.Popen[str]) -> str:
    assert popen.stderr is not None
    with selectors.DefaultSelector() as selector:
        selector.register(popen.stderr, selectors.EVENT_READ)
        assert selector.select(PATIENCE_SECONDS), "the program said nothing at its start"
    return popen.stderr.readline()
