"""One signal that any number of tasks can wait for, without a queue for each.

Whoever waits looks at shared state again after each ring; a ring while nobody waits is lost on purpose. One
event loop: between a look at the state and the wait no other task runs, so no ring can slip in between.
"""

from __future__ import annotations

import asyncio

__all__ = ["Bell"]


class Bell:
    """Wakes all tasks that wait; costs nothing when none does."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake every task that waits now."""
        if self._waiting is not None:
            self._waiting.set_result(None)
            self._waiting = None

    async def wait(self, seconds: float) -> bool:
        """Wait for the next ring, at most so many seconds; False when there was none."""
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait((self._waiting,), timeout=seconds)
        return bool(done)
