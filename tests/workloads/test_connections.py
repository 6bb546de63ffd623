"""Connections at their limits: cut, slow, idle, too many, and programs that answer late or not at all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from kubealive_workloads import _port, _server
from kubealive_workloads._connection import IDLE, PATIENCE, READING
from kubealive_workloads._http import text
from tests.workloads.harness import Clock, connected, get, read_all, read_reply, serving, status_of

if TYPE_CHECKING:
    from kubealive_workloads._deferred import Deferred
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._router import Routes
    from kubealive_workloads.programs import Context

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
KEPT = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_answers_the_same_wherever_the_request_is_cut() -> None:
    """Every way to send a request in two pieces gets the same reply."""
    with serving() as server:
        for cut in range(1, len(REQUEST)):
            with connected(server.port) as sock:
                sock.sendall(REQUEST[:cut])
                sock.sendall(REQUEST[cut:])
                assert status_of(sock) == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n" + b"x" * 100_000, 400),
        (b"GET /" + b"a" * 100_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000, 413),
    ],
    ids=["malformed", "head too large", "body too large"],
)
def test_a_refusal_reaches_a_client_that_goes_on_sending(sent: bytes, status: int) -> None:
    """The refusal is not reset away by what the client had sent on top."""
    with serving() as server:
        with connected(server.port) as sock:
            sock.sendall(sent)
            assert status_of(sock) == status
        server.wait_until(lambda: server.server.main.open_connections == 0)


@pytest.mark.parametrize(
    ("sent", "seconds", "received"),
    [
        (b"", PATIENCE[READING][1], b""),
        (b"GET / HT", PATIENCE[READING][1], b"HTTP/1.1 408 Request Timeout"),
        (KEPT, PATIENCE[IDLE][1], b""),
    ],
    ids=["says nothing", "half a request", "idle after a reply"],
)
def test_a_connection_has_an_age(sent: bytes, seconds: float, received: bytes) -> None:
    """A connection that brings no request in its time is ended, and told so if it had begun one."""
    clock = Clock()
    with serving(clock=clock) as server, connected(server.port) as sock:
        sock.sendall(sent)
        if sent == KEPT:
            assert read_reply(sock).status == 200
        server.wait_until(lambda: server.server.main.open_connections == 1)
        server.wait_until(lambda: bool(sent != b"GET / HT" or server.server.main.owed()))
        clock.now += seconds - 2
        server.on_loop(clock)
        assert server.on_loop(lambda: server.server.main.open_connections) == 1
        clock.now += 2 + _port.SWEEP_SECONDS
        server.on_loop(clock)
        assert read_all(sock).startswith(received)


def test_makes_room_for_new_clients(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond the limit the oldest connection without a request in work gives way, and the log says so."""
    monkeypatch.setattr(_server, "MAX_CONNECTIONS", 2)
    with serving() as server, connected(server.port) as first, connected(server.port) as second:
        for sock in (first, second):
            sock.sendall(KEPT)
            assert read_reply(sock).status == 200
        assert get(server.port, "/").status == 200
        assert first.recv(1) == b""
        second.sendall(KEPT)
        assert read_reply(second).status == 200
    assert capsys.readouterr().err.startswith("1 connections without a request")


def test_never_drops_a_request_in_work_for_a_new_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every place taken by a request in work, a new client waits for one of them to end."""
    monkeypatch.setattr(_server, "MAX_CONNECTIONS", 1)
    with serving() as server, connected(server.port) as first:
        server.fault("hang")
        first.sendall(REQUEST)
        server.wait_until(lambda: server.server.main.owed() == 1)
        with connected(server.port) as second:
            second.sendall(REQUEST)
            server.fault("cure")
            assert [status_of(first), status_of(second)] == [200, 200]


def test_a_handler_that_fails_costs_one_reply(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception in a program is 500 for that request, a trace on stderr, and nothing for the others."""

    def routes(_context: Context) -> Routes:
        def fail(_request: Request) -> Response:
            raise LookupError("no such thing")

        return {("GET", "/"): fail}

    with serving(routes) as server:
        assert [get(server.port, path).status for path in ("/", "/livez")] == [500, 200]
    assert "LookupError: no such thing" in capsys.readouterr().err


def test_a_program_answers_from_another_thread() -> None:
    """A deferred reply is completed by any thread, while other requests are served."""
    go = threading.Event()
    workers: list[threading.Thread] = []

    def routes(context: Context) -> Routes:
        def finish(later: Deferred) -> None:
            go.wait(10)
            later.complete(text("done"))

        def work(_request: Request) -> Deferred:
            later = context.defer()
            workers.append(threading.Thread(target=finish, args=(later,)))
            workers[-1].start()
            return later

        return {("GET", "/"): work}

    with serving(routes) as server:
        with connected(server.port) as sock:
            sock.sendall(REQUEST)
            assert get(server.port, "/livez").status == 200
            go.set()
            assert read_all(sock).endswith(b"\r\n\r\ndone\n")
        with connected(server.port) as sock:
            sock.sendall(REQUEST)
            server.wait_until(lambda: len(workers) == 2)
        for worker in workers:
            worker.join()
        assert get(server.port, "/livez").status == 200


def test_a_large_reply_reaches_a_slow_reader() -> None:
    """What does not fit the client's window is sent as the client reads."""
    body = "x" * 8_000_000

    def routes(_context: Context) -> Routes:
        return {("GET", "/"): lambda _request: text(body)}

    with serving(routes) as server, connected(server.port) as sock:
        sock.sendall(REQUEST)
        assert get(server.port, "/livez").status == 200
        assert len(read_all(sock)) > len(body)
