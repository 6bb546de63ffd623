"""Answers as a DNS server keeps them, like CoreDNS's cache before its other parts: it asks nobody again meanwhile.

What exists and what does not are kept alike, by question, for as long as their TTL allows; the TTL that is left is
told to whoever asks. So a change is seen late, by up to a TTL, which is what a cluster teaches first about names.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kubealive_sandbox.network import _wire as wire

__all__ = ["Answer", "Cache"]

# A laboratory asks some two hundred questions; who makes up names pushes out the oldest, which costs a look at the
# objects. CoreDNS keeps 9,984 of either kind.
MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A code, and the records that answer, that say who is responsible, and that may be of use."""

    code: int
    records: list[wire.Record] = field(default_factory=list)
    authority: list[wire.Record] = field(default_factory=list)
    extra: list[wire.Record] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    at: float
    ttl: int


class Cache:
    """Answers by name and type. `now` gives seconds that only grow."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: dict[tuple[str, int], _Kept] = {}

    def get(self, name: str, kind: int) -> Answer | None:
        """The answer that is still good, each record with the whole seconds that it has left; else None."""
        kept = self._kept.get((name, kind))
        left = kept.ttl - int(self._now() - kept.at) if kept else 0
        return _with_ttl(kept.answer, left) if kept and left > 0 else None

    def put(self, name: str, kind: int, answer: Answer) -> None:
        """Keep an answer for the shortest TTL of its records."""
        records = (*answer.records, *answer.authority, *answer.extra)
        self._kept.pop((name, kind), None)
        self._kept[name, kind] = _Kept(answer, self._now(), min((each.ttl for each in records), default=0))
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]


def _with_ttl(answer: Answer, ttl: int) -> Answer:
    def told(records: list[wire.Record]) -> list[wire.Record]:
        return [replace(each, ttl=ttl) for each in records]

    return Answer(answer.code, told(answer.records), told(answer.authority), told(answer.extra))
