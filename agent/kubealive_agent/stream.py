"""One viewer's stream: which frame comes next, and when.

The first change leaves at once; after each frame the stream rests, so that a storm of changes becomes a few
frames a second with the newest state and every fact. A second without anything to say is filled by a tick,
which is how the other side tells a quiet cluster from a dead link.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import Goodbye, Tick, WatchResponse
from kubealive_agent.reader import Reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubealive.v1.agent_pb2 import WatchRequest
    from kubealive_agent.clock import Clock
    from kubealive_agent.journal import Journal
    from kubealive_agent.sessions import Stream
    from kubealive_agent.status import StatusBoard

__all__ = ["Feed", "Pace"]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between a stream's frames at least, and at most."""

    rest: float = 0.05
    tick: float = 1.0


_PACE = Pace()


class Feed:
    """Makes streams from the journal and the status board."""

    def __init__(self, journal: Journal, clock: Clock, board: StatusBoard, *, pace: Pace = _PACE) -> None:
        self._journal = journal
        self._clock = clock
        self._board = board
        self._pace = pace

    async def frames(self, request: WatchRequest, stream: Stream) -> AsyncIterator[bytes]:
        """Encoded WatchResponses for one client, until `stream` is told to end; the last is then a Goodbye."""
        reader = Reader(self._journal, self._clock)
        resumed = request.HasField("resume") and reader.resume(request.resume)
        status_sent = -1
        if not resumed:
            for frame in reader.snapshot():
                yield frame
        while not stream.ended:
            if status_sent != self._board.revision:
                status_sent = self._board.revision
                yield reader.message(WatchResponse(status=self._board.message()))
            if reader.fell_behind:
                for frame in reader.snapshot():
                    yield frame
            news = reader.advance()
            if news is not None:
                yield news
                await asyncio.sleep(self._pace.rest)
            elif not await self._news(stream, status_sent):
                yield reader.message(WatchResponse(tick=Tick()))
        yield reader.message(WatchResponse(goodbye=Goodbye(reason=stream.ended)))

    async def _news(self, stream: Stream, status_sent: int) -> bool:
        """Wait for anything new; False after a tick's time without."""
        if stream.ended or status_sent != self._board.revision:
            return True
        return await self._journal.bell.wait(self._pace.tick)
