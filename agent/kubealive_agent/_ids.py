"""Names for actions and loads, unlike those that an agent before this one gave."""

from __future__ import annotations

from itertools import count

__all__ = ["Ids"]

_EPOCH_DIGITS = 0xFFFF_FFFF
"""Part of the epoch in a name: two agents within the hour of a recording never share it."""


class Ids:
    """Counts upwards within one epoch."""

    def __init__(self, epoch: int) -> None:
        self._suffix = f"{epoch & _EPOCH_DIGITS:08x}"
        self._count = count(1)

    def next(self, prefix: str) -> str:
        """A name that nothing else has."""
        return f"{prefix}{next(self._count)}-{self._suffix}"
