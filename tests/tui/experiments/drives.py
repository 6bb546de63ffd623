"""Drives for the checks of experiments."""

from collections.abc import Callable
from typing import TypeVar

from kubealive_tui.model import Request
from kubealive_tui.store import Store

__all__ = ["Still"]

T = TypeVar("T")


class Still:
    """A drive on a store in which nothing happens any more; it notes what is asked, and answers `answer`."""

    def __init__(self, store: Store, *, answer: str = "a1") -> None:
        self.store = store
        self.asked: list[Request] = []
        self._answer = answer

    async def ask(self, request: Request) -> str:
        self.asked.append(request)
        return self._answer

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        return look()
