"""What stood behind a Service's name a while ago: without it a late answer cannot be told from a wrong one."""

from collections import deque
from dataclasses import dataclass

from kubealive_tui.model import Service, Slice

__all__ = ["Backing", "Backings"]

# Changes that one name's caches may still speak of: two rollouts of a dozen pods within a cache's half minute.
MOST_PAST = 64
# Names remembered: the experiments have about twenty.
MOST_NAMES = 256


@dataclass(frozen=True, slots=True)
class Backing:
    """A Service and its EndpointSlices as they stood until `until_us`, or stand now; no Service where none is."""

    service: Service | None
    slices: tuple[Slice, ...] = ()
    until_us: int | None = None


class Backings:
    """The past of each Service of the namespace, by its name."""

    def __init__(self) -> None:
        self._past: dict[str, deque[Backing]] = {}

    def changed(self, name: str, before: Backing) -> None:
        """Take how it stood before a change."""
        past = self._past.pop(name, None) or deque(maxlen=MOST_PAST)
        past.append(before)
        self._past[name] = past
        if len(self._past) > MOST_NAMES:
            del self._past[next(iter(self._past))]

    def past(self, name: str) -> tuple[Backing, ...]:
        """How it stood before each change, newest first."""
        return tuple(reversed(self._past.get(name, ())))
