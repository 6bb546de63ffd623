"""The one clock that every fact of an agent's life stands on.

A wall clock can be set back while somebody measures an outage; a monotonic one has no meaning outside this
machine. So agent time is the wall clock as it was when the agent started plus what the monotonic clock has
counted since. The load engine runs in its own process and is handed the same offset, so that its times and
the agent's can be subtracted from each other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

__all__ = ["AgentClock", "Clock"]


class Clock(Protocol):
    """What tells agent time: microseconds since the Unix epoch, never going back."""

    def now_us(self) -> int:
        """Agent time now."""
        ...


@dataclass(frozen=True, slots=True)
class AgentClock:
    """Agent time from the operating system's monotonic clock; `offset_us` + CLOCK_MONOTONIC is agent time."""

    offset_us: int

    @classmethod
    def start(cls) -> AgentClock:
        """Fix the offset from the wall clock as it is now."""
        return cls(offset_us=(time.time_ns() - time.monotonic_ns()) // 1000)

    def now_us(self) -> int:
        """Agent time now."""
        return time.monotonic_ns() // 1000 + self.offset_us
