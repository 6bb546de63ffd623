"""What a check drives when it is started from the screen: the same store and the same link as the tabs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kubealive_tui.model import Request
from kubealive_tui.store import Store
from kubealive_tui.ui._pump import Pump

__all__ = ["PumpDrive"]

T = TypeVar("T")


class PumpDrive:
    """An `experiments.Drive` over the pump; `send` asks the agent, `progress` takes what is waited for."""

    def __init__(
        self, pump: Pump, send: Callable[[Request], Awaitable[str]], *, progress: Callable[[str], None]
    ) -> None:
        self._pump = pump
        self._send = send
        self._progress = progress

    @property
    def store(self) -> Store:
        """The store that the tabs are drawn from."""
        return self._pump.store

    async def ask(self, request: Request) -> str:
        """Give a request to the agent; raises RefusedError with a sentence."""
        return await self._send(request)

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        """Wait until `look` gives something, looking after each signal; None after `within` seconds."""
        self._progress(what)
        news = asyncio.Event()
        unwatch = self._pump.watch(news.set)
        try:
            async with asyncio.timeout(within):
                while (found := look()) is None:
                    news.clear()
                    await news.wait()
                return found
        except TimeoutError:
            return None
        finally:
            unwatch()
