"""The probe port: two words, and nothing else."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from kubealive_agent.health import Health
from tests.agent.fakes import FakeClock


async def ask(port: int, request: bytes) -> bytes:
    """All that the port says to `request`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(2):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("line", "ready", "late", "status"),
    [
        (b"GET /livez HTTP/1.1", True, 0, 200),
        (b"GET /livez HTTP/1.1", True, 11, 503),
        (b"GET /readyz HTTP/1.1", True, 0, 200),
        (b"GET /readyz?verbose HTTP/1.1", False, 0, 503),
        (b"HEAD /livez HTTP/1.1", True, 0, 200),
        (b"POST /livez HTTP/1.1", True, 0, 405),
        (b"GET / HTTP/1.1", True, 0, 404),
        (b"GET", True, 0, 404),
        (b"", True, 0, 405),
    ],
    ids=["live", "stalled", "ready", "not ready", "head", "post", "elsewhere", "no path", "nothing"],
)
def test_answers(line: bytes, *, ready: bool, late: int, status: int) -> None:
    """The loop's beat decides liveness, the core's word readiness."""
    clock = FakeClock()
    health = Health(clock)
    health.ready = ready
    clock.advance(late)

    assert health.answer(line)[0] == status


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - what a pod listens on
async def test_it_speaks_http(host: str) -> None:
    """A probe gets a whole HTTP answer and a closed connection."""
    async with Health(FakeClock()).serving(host, 0) as port:
        reply = await ask(port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")

    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert reply.endswith(b"Content-Length: 2\r\nConnection: close\r\n\r\nok")


async def test_too_long_a_request_is_closed_without_an_answer() -> None:
    """What is no probe costs four kilobytes and is gone."""
    async with Health(FakeClock()).serving("127.0.0.1", 0) as port:
        reply = b""
        with suppress(ConnectionError):
            reply = await ask(port, b"GET /livez HTTP/1.1\r\n" + b"x" * 20_000)

    assert reply == b""


async def test_an_error_beside_it_goes_through() -> None:
    """Whatever ends the agent while it listens is told as itself."""
    with pytest.raises(OSError, match="disk"):
        async with Health(FakeClock()).serving("0.0.0.0", 0):  # noqa: S104 - what a pod listens on
            raise OSError("disk")
