"""Waiting: how long, and on whose clock.

Time and chance come in from outside, so that a test of an hour's back-off takes a millisecond.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock and the dice: seconds that only go up, a sleep, a uniform number between two bounds."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform


class Backoff:
    """Full jitter: each wait is drawn between nothing and a bound that doubles from `first` to `most` seconds.

    Many agents that lost the same API server then come back spread out, not in waves.
    """

    __slots__ = ("_bound", "_first", "_most", "_timing")

    def __init__(self, timing: Timing, *, first: float = 0.5, most: float) -> None:
        self._timing = timing
        self._first = first
        self._most = most
        self._bound = first

    def reset(self) -> None:
        """Begin again with the shortest wait; for after a success that lasted."""
        self._bound = self._first

    async def wait(self) -> None:
        """Sleep for the drawn time and double the bound."""
        delay = self._timing.uniform(0.0, self._bound)
        self._bound = min(self._bound * 2, self._most)
        await self._timing.sleep(delay)
