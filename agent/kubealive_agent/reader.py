"""A reader's place in the journal, and the frames that take it to the newest end.

A reader is given a snapshot first unless it resumes, then whatever is new. It holds numbers only and, during
a snapshot, the keys that the snapshot will name: a reader that stalls keeps no data alive.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

from kubealive.v1.agent_pb2 import Loss, WatchResponse
from kubealive_agent._wire import batch_body, snapshot_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubealive.v1.agent_pb2 import Cursor
    from kubealive_agent._facts import Stored
    from kubealive_agent.clock import Clock
    from kubealive_agent.journal import Journal

__all__ = ["CHUNK_BYTES", "Reader"]

CHUNK_BYTES = 512 * 1024
"""Bound of a frame: well under gRPC's 4 MiB, and half a second on a line of 1 MB/s."""


class _Cut(NamedTuple):
    """What fits into one frame; `through` is the newest sequence in it, 0 when there is none."""

    changes: list[bytes]
    facts: list[bytes]
    through: int


class Reader:
    """Cursor of one stream. Each frame carries the place that a client resumes from once it has it."""

    def __init__(self, journal: Journal, clock: Clock, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._journal = journal
        self._clock = clock
        self._chunk_bytes = chunk_bytes
        self.position = 0
        """Everything up to here has been sent; 0 until a snapshot is whole."""
        self._told: int | None = None
        """Facts up to here were given, or were announced as lost. None: the reader was promised nothing."""

    def resume(self, cursor: Cursor) -> bool:
        """Stand where the client stands; False when it has to be given a snapshot first.

        A client of this epoch that is too far behind gets a snapshot and is told in it which facts it missed.
        """
        journal = self._journal
        if cursor.epoch != journal.epoch or not 0 < cursor.sequence <= journal.sequence:
            return False
        self._told = cursor.sequence
        if cursor.sequence < journal.lost_through or not journal.resumable(cursor.sequence):
            return False
        self.position = cursor.sequence
        return True

    @property
    def fell_behind(self) -> bool:
        """Deletions that this reader has not seen are forgotten: only a snapshot tells it what is gone."""
        return not self._journal.resumable(self.position)

    def snapshot(self) -> Iterator[bytes]:
        """The whole state and the retained facts in frames, the last of which is marked.

        Other tasks may write between two frames: objects that appear meanwhile come in the batches after, an
        object that changes meanwhile may come twice, newest last, and facts let go meanwhile come as a Loss.
        """
        journal = self._journal
        self.position, end = 0, journal.sequence
        for index, records in enumerate(self._chunks(journal.records(journal.objects()))):
            yield self._frame(snapshot_body(records, (), first=index == 0, last=False))
        if (missed := self._restart_facts()) is not None:
            yield missed
        while (told := self._told or 0) < end:
            cut = self._cut((), (fact for fact in journal.facts_since(told) if fact.sequence <= end))
            self._told = cut.through or end
            yield self._frame(snapshot_body((), cut.facts, first=False, last=False))
            if (missed := self._loss()) is not None:
                yield missed
        self.position = end
        yield self._frame(snapshot_body((), (), first=False, last=True))

    def advance(self) -> bytes | None:
        """The next bounded frame, or None when the reader has everything. A gap is told before what follows."""
        missed = self._loss()
        if missed is not None:
            return missed
        journal = self._journal
        if self.position >= journal.sequence:
            return None
        cut = self._cut(journal.changes_since(self.position), journal.facts_since(self.position))
        self.position = cut.through or journal.sequence
        self._told = max(self._told or 0, self.position)
        return self._frame(batch_body(cut.changes, cut.facts)) if cut.through else None

    def message(self, response: WatchResponse) -> bytes:
        """`response` (a status, a tick, a goodbye) encoded as from this reader's place."""
        response.epoch = self._journal.epoch
        response.sequence = self.position
        response.time_us = self._clock.now_us()
        return response.SerializeToString()

    def _restart_facts(self) -> bytes | None:
        """Begin to give the retained facts anew; what a resuming client missed before them is a Loss."""
        lost = self._journal.lost_through
        missed = None if self._told is None else self._loss()
        self._told = lost
        return missed

    def _loss(self) -> bytes | None:
        told, lost = self._told or 0, self._journal.lost_through
        if lost <= told:
            return None
        self._told = lost
        # `from` is a keyword of Python and cannot be written as an argument's name.
        return self.message(WatchResponse(loss=Loss(**{"from": told + 1, "to": lost})))

    def _chunks(self, records: Iterable[bytes]) -> Iterator[list[bytes]]:
        """Bounded lists of `records`; one empty list when there are none."""
        chunk: list[bytes] = []
        size = 0
        for item in records:
            if chunk and size + len(item) > self._chunk_bytes:
                yield chunk
                chunk, size = [], 0
            chunk.append(item)
            size += len(item)
        yield chunk

    def _cut(self, changes: Iterable[Stored], facts: Iterable[Stored]) -> _Cut:
        taken_changes: list[bytes] = []
        taken_facts: list[bytes] = []
        size = through = 0
        for stored in heapq.merge(changes, facts):
            size += len(stored.record)
            if through and size > self._chunk_bytes:
                break
            (taken_facts if stored.is_fact else taken_changes).append(stored.record)
            through = stored.sequence
        return _Cut(taken_changes, taken_facts, through)

    def _frame(self, body: bytes) -> bytes:
        header = WatchResponse(epoch=self._journal.epoch, sequence=self.position, time_us=self._clock.now_us())
        return header.SerializeToString() + body
