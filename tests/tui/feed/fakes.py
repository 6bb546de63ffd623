"""A clock that a test moves by hand."""

import asyncio
import heapq


async def settle(rounds: int = 20) -> None:
    """Let every task run that can."""
    for _ in range(rounds):
        await asyncio.sleep(0)


class FakeClock:
    """Time stands still until `advance`; sleepers wake in order."""

    def __init__(self) -> None:
        self.now = 100.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, a sleeper at a time."""
        until = self.now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
                await settle()
        self.now = until
        await settle()
