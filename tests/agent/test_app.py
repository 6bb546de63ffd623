"""The whole agent as a process, against an API server that has nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from kubealive.v1 import agent_pb2, agent_pb2_grpc
from tests.agent.fakes import watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]
ENVIRON = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("proto", "agent"))}
LIST = json.dumps({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}).encode()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Empty lists, watches that stay silent, no metrics API."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split(b" ")[1]
            if b"watch=1" in target:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                await reader.read()
                return
            status = b"404 Not Found" if b"metrics" in target else b"200 OK"
            body = b'{"gitVersion": "v1.34.0"}' if target == b"/version" else LIST
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


class Running:
    """An agent's process with the ports that it said it listens on."""

    def __init__(self, process: asyncio.subprocess.Process, grpc_port: int, health_port: int) -> None:
        self.process = process
        self.grpc_port = grpc_port
        self.health_port = health_port

    async def probe(self, path: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.health_port)
        writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        status = (await reader.readline()).decode().split(" ")[1]
        writer.close()
        return status

    async def log(self, words: str) -> None:
        """Read the log up to a line with these words."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            if words in line.decode():
                return
        raise AssertionError(f"the agent ended without saying {words!r}")


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kubealive_agent", *arguments),
        env=ENVIRON,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def agent() -> AsyncIterator[Running]:
    """An agent that is ready."""
    async with asyncio.timeout(20), await asyncio.start_server(answer, "127.0.0.1", 0) as api:
        url = f"http://127.0.0.1:{api.sockets[0].getsockname()[1]}"
        process = await start(
            *("--namespace", "lab", "--api", url, "--grpc", "127.0.0.1:0", "--health", "127.0.0.1:0")
        )
        try:
            assert process.stderr is not None
            while not (
                ports := re.search(
                    r"grpc 127.0.0.1:(\d+), health port (\d+)", line := (await process.stderr.readline()).decode()
                )
            ):
                assert line, "the agent ended before it listened"
            running = Running(process, int(ports[1]), int(ports[2]))
            await running.log("ready")
            yield running
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def test_sigterm_says_goodbye_and_exits_0() -> None:
    """Ready, a stream with snapshot and status; on SIGTERM a Goodbye, the end of the stream, exit 0."""
    bodies: list[str | None] = []
    async with agent() as running:
        assert [await running.probe(path) for path in ("/livez", "/readyz")] == ["200", "200"]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.grpc_port}") as channel:
            stub = agent_pb2_grpc.AgentServiceStub(channel)
            info = await stub.GetInfo(agent_pb2.GetInfoRequest(), timeout=5)
            async for response in stub.Watch(watch("s"), timeout=10):
                bodies.append(response.WhichOneof("body"))
                if bodies[-1] == "status" and "goodbye" not in bodies:
                    running.process.send_signal(signal.SIGTERM)
        code = await running.process.wait()

    assert (info.namespace, info.kubernetes_version) == ("lab", "v1.34.0")
    assert bodies[0] == "snapshot"
    assert bodies[-1] == "goodbye"
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--namespace", "n", "--grpc", "0.0.0.0:1"), "loopback only"),
        (("--namespace", "n", "--api", "nonsense"), "'nonsense' is no address"),
        (("--namespace", "n"), "KUBERNETES_SERVICE_HOST"),
    ],
    ids=["grpc address", "api address", "no cluster"],
)
async def test_bad_values_exit_2(arguments: tuple[str, ...], words: str) -> None:
    """One sentence on standard error, no traceback."""
    async with asyncio.timeout(20):
        process = await start(*arguments)
        _, errors = await process.communicate()

    assert process.returncode == 2
    assert words in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_the_agent_stays_light() -> None:
    """It loads neither a screen nor the official client, and none of the modules that cost most."""
    heavy = ("textual", "rich", "kubernetes", "aiohttp", "psutil", "yaml", "requests", "email", "http.client")
    script = f"import sys, kubealive_agent.app; print([name for name in {heavy!r} if name in sys.modules])"
    async with asyncio.timeout(20):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", script), env=ENVIRON, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()

    assert output.decode().strip() == "[]"
