"""How often a watch is read, over a transport that only keeps what it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest

from kubealive_agent.kube import _http
from kubealive_agent.kube._http import Connection


class Transport:
    """A socket that is read while it is not paused."""

    def __init__(self) -> None:
        self.paused = False
        self.pauses = 0
        self.resumed = asyncio.Event()
        self.read_limit: int | None = None

    def get_extra_info(self, _name: str) -> Any:
        return self

    def setsockopt(self, *_: int) -> None:
        pass

    def set_read_buffer_limits(self, *, high: int) -> None:
        self.read_limit = high

    def pause_reading(self) -> None:
        self.paused = True
        self.pauses += 1
        self.resumed.clear()

    def resume_reading(self) -> None:
        self.paused = False
        self.resumed.set()

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass


@asynccontextmanager
async def watching(taken: list[bytes]) -> AsyncIterator[tuple[Connection, Transport]]:
    """A connection whose answer has begun, and is being watched."""
    connection, transport = Connection(), Transport()
    connection.connection_made(cast("asyncio.BaseTransport", transport))
    connection._chunked = True
    connection.end_when_silent(60)
    task = asyncio.create_task(connection.watch(taken.append))
    await asyncio.sleep(0)
    try:
        yield connection, transport
    finally:
        connection.close()
        task.cancel()
        with suppress(asyncio.CancelledError, ConnectionResetError):
            await task


@pytest.fixture
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three reads in a row, then one in 20 ms."""
    monkeypatch.setattr(_http, "_READS_IN_A_ROW", 3)
    monkeypatch.setattr(_http, "_READS_PER_S", 50.0)


@pytest.mark.usefixtures("_clock")
async def test_a_storm_is_read_at_intervals() -> None:
    """The first reads are taken as they come; one too many is followed by a rest, and nothing is left out."""
    taken: list[bytes] = []
    async with watching(taken) as (connection, transport):
        now = 0.0
        connection._now = lambda: now
        connection._heard = now
        connection._reads_left = 3.0
        for read in range(3):
            connection.data_received(b"1\r\n%d\r\n" % read)
            assert not transport.paused
        connection.data_received(b"1\r\n3\r\n")
        assert transport.paused
        async with asyncio.timeout(5):
            await transport.resumed.wait()
        now += 0.02
        connection.data_received(b"1\r\n4\r\n")
        assert transport.pauses == 2
    assert taken == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.usefixtures("_clock")
async def test_a_calm_watch_is_read_as_it_comes() -> None:
    """As many reads as are allowed a second never rest, and a pause allows a few in a row again."""
    taken: list[bytes] = []
    async with watching(taken) as (connection, transport):
        now = 0.0
        connection._now = lambda: now
        connection._heard = now
        for _ in range(20):
            now += 0.02
            connection.data_received(b"1\r\nx\r\n")
        now += 10
        for _ in range(3):
            connection.data_received(b"1\r\ny\r\n")
        assert transport.pauses == 0
    assert len(taken) == 23


async def test_a_rest_ends_with_its_connection() -> None:
    """A connection that was closed is not read again."""
    async with watching([]) as (connection, transport):
        connection._reads_left = 0.0
        connection.data_received(b"1\r\nx\r\n")
        assert transport.paused
        connection.connection_lost(None)
        connection._rested()
        assert transport.paused


async def test_a_pause_reaches_the_socket() -> None:
    """With TLS nothing is received ahead of what is read."""
    async with watching([]) as (_, transport):
        assert transport.read_limit == 1
