"""What the agent knows: the newest state of each object, and the facts of the last minutes, in one order.

State and facts share one counter, so that a single number says where a reader stands. State is kept by
object in the order of its last change: what changed since a reader's place is a walk from the newest end.
Facts are kept in a ring until they are too old or too many; a reader that falls off its end is told which
sequences it lost. Readers are cursors: one that stalls holds nothing back and costs the others nothing.

Everything is encoded once, on the way in (see `_wire`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kubealive_agent._bell import Bell
from kubealive_agent._facts import Facts, Stored
from kubealive_agent._wire import change_record, record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.message import Message

    from kubealive.v1.facts_pb2 import Fact
    from kubealive.v1.state_pb2 import Kind
    from kubealive_agent.clock import Clock

__all__ = ["MAX_FACT_BYTES", "MAX_TOMBSTONES", "RETENTION_US", "Journal", "Object"]

RETENTION_US = 15 * 60 * 1_000_000
"""How long facts and tombstones are kept: the longest run (a scale-down) fits in twice over."""

MAX_FACT_BYTES = 8 * 1024 * 1024
"""Of facts as a new reader is sent them: 15 minutes of one load's bins are 6 MiB. They take a fifth of it here."""

MAX_TOMBSTONES = 10_000
"""Deleted objects remembered for readers that resume; a 5,000-pod namespace may be replaced twice."""

Object: TypeAlias = "tuple[Kind.ValueType, str]"
"""An object's key in the journal: its kind and its UID."""


class Journal:
    """The agent's memory. One writer at a time (the event loop); any number of readers."""

    def __init__(
        self,
        *,
        clock: Clock,
        epoch: int,
        retention_us: int = RETENTION_US,
        max_fact_bytes: int = MAX_FACT_BYTES,
        max_tombstones: int = MAX_TOMBSTONES,
    ) -> None:
        self.epoch = epoch
        self.sequence = 0
        self.bell = Bell()
        self.forgotten_through = 0
        """The newest deletion that has been let go: a reader before it needs a snapshot."""
        self._clock = clock
        self._retention_us = retention_us
        self._max_tombstones = max_tombstones
        self._state: dict[Object, Stored] = {}
        self._tombstones: dict[Object, Stored] = {}
        self._facts = Facts(max_bytes=max_fact_bytes)

    # Writing

    def put(self, kind: Kind.ValueType, uid: str, value: Message) -> int:
        """Take the newest state of an object; returns the sequence given to it."""
        return self._change(self._state, kind, uid, value)

    def drop(self, kind: Kind.ValueType, uid: str) -> int:
        """Take that an object is gone; returns the sequence given to that."""
        return self._change(self._tombstones, kind, uid, None)

    def _change(self, where: dict[Object, Stored], kind: Kind.ValueType, uid: str, value: Message | None) -> int:
        key = kind, uid
        self._state.pop(key, None)
        if self._tombstones:
            self._tombstones.pop(key, None)
        now = self._clock.now_us()
        where[key] = Stored(self._next(), now, change_record(kind, uid, value), is_fact=False)
        self._forget(now)
        self.bell.ring()
        return self.sequence

    def add(self, fact: Fact, *, time_us: int | None = None) -> int:
        """Append a fact; its sequence is set here, and its time too unless the caller knows better.

        The message is changed in place and must not be used for another fact.
        """
        now = self._clock.now_us()
        fact.sequence = self._next()
        fact.time_us = now if time_us is None else time_us
        stored = Stored(fact.sequence, now, record(fact), is_fact=True)
        self._facts.append(stored)
        self._forget(now)
        self.bell.ring()
        return stored.sequence

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence

    # Reading

    @property
    def fact_count(self) -> int:
        """Facts that can still be given."""
        return self._facts.count

    @property
    def fact_bytes(self) -> int:
        """What they are counted as, of MAX_FACT_BYTES."""
        return self._facts.bytes

    @property
    def facts_dropped(self) -> int:
        """Facts that have been let go."""
        return self._facts.dropped

    @property
    def lost_through(self) -> int:
        """The newest fact that has been let go; 0 while none has."""
        return self._facts.lost_through

    def resumable(self, sequence: int) -> bool:
        """Whether a reader that stands at `sequence` of this epoch can be given every change since."""
        return self.forgotten_through <= sequence <= self.sequence

    def objects(self) -> list[Object]:
        """The keys of all objects that exist now."""
        return list(self._state)

    def records(self, keys: Iterable[Object]) -> Iterator[bytes]:
        """The newest records of those of `keys` that still exist."""
        for key in keys:
            stored = self._state.get(key)
            if stored is not None:
                yield stored.record

    def changes_since(self, sequence: int) -> list[Stored]:
        """Objects whose last change came after `sequence`, deletions among them, oldest first."""
        changed = _newer(self._state, sequence)
        gone = _newer(self._tombstones, sequence)
        return sorted(changed + gone) if changed and gone else changed or gone

    def facts_since(self, sequence: int) -> Iterator[Stored]:
        """Retained facts after `sequence`, oldest first. Nothing may be written while this is walked."""
        return self._facts.since(sequence)

    # Forgetting

    def _forget(self, now: int) -> None:
        horizon = now - self._retention_us
        self._facts.forget(horizon)
        if self._tombstones:
            self._forget_tombstones(horizon)

    def _forget_tombstones(self, horizon: int) -> None:
        while self._tombstones:
            key = next(iter(self._tombstones))
            oldest = self._tombstones[key]
            if oldest.time_us >= horizon and len(self._tombstones) <= self._max_tombstones:
                return
            del self._tombstones[key]
            self.forgotten_through = oldest.sequence


def _newer(stored: dict[Object, Stored], sequence: int) -> list[Stored]:
    newer: list[Stored] = []
    for entry in reversed(stored.values()):
        if entry.sequence <= sequence:
            break
        newer.append(entry)
    newer.reverse()
    return newer
