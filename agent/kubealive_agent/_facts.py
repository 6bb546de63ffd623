"""The facts of the last minutes, in order: the newest as they came, older ones pressed together.

A steady load is ten facts a second that differ in little but their times, so a block of them takes a fifth of its
room when it is compressed. Whoever keeps up reads the newest only; a block is unpressed for those who come late.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BLOCK_FACTS", "FACT_OVERHEAD", "Facts", "Stored"]

BLOCK_FACTS = 64
"""Facts pressed at a time: larger blocks become hardly smaller, and this many are pressed in a third of a
millisecond. As many again are held as they came, for the readers that keep up."""

FACT_OVERHEAD = 128
"""What a viewer's memory adds to the bytes of each fact, counted so that many small ones are bounded too."""

_FASTEST = 1
"""Level of compression: the best one saves a seventh more, for eight times the work."""


class Stored(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """A fact or a change as the journal keeps it; ordered by sequence."""

    sequence: int
    time_us: int
    record: bytes
    is_fact: bool


_SEQUENCE = attrgetter("sequence")
_LAST = attrgetter("last")
_READ = msgspec.msgpack.Decoder(list[Stored])


class _Block(msgspec.Struct, frozen=True, gc=False):
    last: int
    newest_us: int
    size: int
    pressed: bytes

    def facts(self) -> list[Stored]:
        return _READ.decode(zlib.decompress(self.pressed))


class Facts:
    """A bounded memory of facts. What is let go is let go from the oldest end, a block at a time."""

    def __init__(self, *, max_bytes: int) -> None:
        self.bytes = 0
        """Of all facts as they are sent, with FACT_OVERHEAD each: the bound is on this, and memory is below it."""
        self.count = 0
        self.dropped = 0
        self.lost_through = 0
        """The newest fact that has been let go; 0 while none has."""
        self._max_bytes = max_bytes
        self._blocks: list[_Block] = []
        self._newest: list[Stored] = []

    def append(self, fact: Stored) -> None:
        """Take the next fact, and press the older ones once there are enough of them."""
        self._newest.append(fact)
        self.bytes += _size(fact)
        self.count += 1
        if len(self._newest) >= 2 * BLOCK_FACTS:
            self._press()

    def since(self, sequence: int) -> Iterator[Stored]:
        """Give the facts after `sequence`, oldest first. Nothing may be appended or forgotten meanwhile."""
        for block in self._blocks[bisect_right(self._blocks, sequence, key=_LAST) :]:
            yield from _after(block.facts(), sequence)
        yield from _after(self._newest, sequence)

    def forget(self, horizon_us: int) -> None:
        """Let go what was stored before that time, and the oldest as long as all are beyond the bound."""
        while self._blocks and (self._blocks[0].newest_us < horizon_us or self.bytes > self._max_bytes):
            block = self._blocks.pop(0)
            self._let_go(block.last, count=BLOCK_FACTS, size=block.size)
        if self._blocks:
            return
        while self._newest and (self._newest[0].time_us < horizon_us or self.bytes > self._max_bytes):
            oldest = self._newest.pop(0)
            self._let_go(oldest.sequence, count=1, size=_size(oldest))

    def _let_go(self, last: int, *, count: int, size: int) -> None:
        self.lost_through = last
        self.bytes -= size
        self.count -= count
        self.dropped += count

    def _press(self) -> None:
        older = self._newest[:BLOCK_FACTS]
        del self._newest[:BLOCK_FACTS]
        self._blocks.append(
            _Block(
                last=older[-1].sequence,
                newest_us=older[-1].time_us,
                size=sum(map(_size, older)),
                pressed=zlib.compress(msgspec.msgpack.encode(older), _FASTEST),
            )
        )


def _size(fact: Stored) -> int:
    return len(fact.record) + FACT_OVERHEAD


def _after(facts: list[Stored], sequence: int) -> list[Stored]:
    """Those after `sequence`, which is nearly always all or only the last few of them."""
    return facts[bisect_right(facts, sequence, key=_SEQUENCE) :]
