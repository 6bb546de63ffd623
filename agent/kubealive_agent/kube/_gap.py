"""The time in which the cluster cannot be watched, told once for all watches.

An API server that goes away takes every watch along. What happens meanwhile is seen late or never, and whoever
measures by it has to know; that is one piece of news when it begins and one when it is over, not two a kind.
"""

import asyncio

from kubealive.v1 import facts_pb2
from kubealive_agent.kube._pace import Timing
from kubealive_agent.kube._sink import Sink

# How long after the first broken watch the others are waited for, so that the note can count them. A server that
# ends closes all its connections within some milliseconds.
GATHER_S = 0.5


class Gap:
    """Knows which watches are broken; `tell` writes the notes."""

    def __init__(self, sink: Sink, *, timing: Timing) -> None:
        self._sink = sink
        self._timing = timing
        self._broken: set[str] = set()
        # What broke since the gap began, in order, each with its first reason.
        self._reasons: dict[str, str] = {}
        self._since = 0.0
        self._began = asyncio.Event()
        self._mended = asyncio.Event()

    def broke(self, what: str, reason: str) -> None:
        """Take that this cannot be watched now; the first such call begins a gap."""
        if not self._reasons:
            self._since = self._timing.monotonic()
        self._reasons.setdefault(what, reason)
        self._broken.add(what)
        self._mended.clear()
        self._began.set()

    def back(self, what: str) -> None:
        """Take that this is watched again, or is given up; the last such call ends the gap."""
        self._broken.discard(what)
        if not self._broken:
            self._mended.set()

    async def tell(self) -> None:
        """Write a note when a gap begins and one when it is over, until cancelled."""
        while True:
            await self._began.wait()
            await self._timing.sleep(GATHER_S)
            self._sink.note(self._beginning(), gap=facts_pb2.AgentNote.WATCH_GAP_BEGAN)
            while self._broken:
                await self._mended.wait()
            self._sink.note(self._end(), gap=facts_pb2.AgentNote.WATCH_GAP_ENDED)
            self._reasons.clear()
            self._began.clear()

    def _beginning(self) -> str:
        first = next(iter(self._reasons.values()))
        return first if len(self._reasons) == 1 else f"{len(self._reasons)} watches broke; the first: {first}"

    def _end(self) -> str:
        seconds = max(1, round(self._timing.monotonic() - self._since))
        return f"the agent watches the cluster again, after {seconds} s"
