"""Time as feeds use it: injected, so that tests neither wait nor race."""

import asyncio
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock", "wait_for"]


class Clock(Protocol):
    """Seconds that never go back, and a way to let them pass."""

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let others run for so long."""
        ...


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let others run for so long."""
        await asyncio.sleep(seconds)


async def wait_for(event: asyncio.Event, clock: Clock, seconds: float | None) -> bool:
    """Wait until `event` is set, at most so many seconds (None: for ever); whether it was set."""
    if seconds is None or event.is_set():
        return await event.wait()
    waiting = asyncio.ensure_future(event.wait())
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        sleeping.cancel()
    return event.is_set()
