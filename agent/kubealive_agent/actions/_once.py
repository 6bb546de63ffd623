"""Each request is carried out once, however often it arrives.

A client that lost its connection cannot know whether its key press was heard, and sends it again. The second
request gets the first one's answer, also while the first is still under way; and an action that has begun
goes on when whoever asked for it is gone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent._errors import RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["MAX_REMEMBERED", "MAX_UNDERWAY", "Once"]

MAX_REMEMBERED = 1024
"""Answers kept: a redial takes seconds, and nobody presses a thousand keys meanwhile."""

MAX_UNDERWAY = 32
"""Actions at once: each holds a connection to the API server."""

_Answer = TypeVar("_Answer")


class Once(Generic[_Answer]):
    """Runs a coroutine per id, and remembers what it returned. Owns the tasks; `close` cancels them."""

    def __init__(self, *, max_remembered: int = MAX_REMEMBERED, max_underway: int = MAX_UNDERWAY) -> None:
        self._max_remembered = max_remembered
        self._max_underway = max_underway
        self._underway: dict[str, asyncio.Task[_Answer]] = {}
        self._answers: dict[str, _Answer] = {}

    async def run(self, key: str, work: Callable[[], Coroutine[None, None, _Answer]]) -> _Answer:
        """The answer of `work` for this key, which is called the first time only.

        Raises RefusalError when too many are under way. What `work` raises reaches all who wait for it and is
        not remembered.
        """
        if key in self._answers:
            return self._answers[key]
        task = self._underway.get(key)
        if task is None:
            if len(self._underway) >= self._max_underway:
                raise RefusalError(
                    Refusal.REASON_REJECTED,
                    f"{self._max_underway} actions are under way, the most at once; try again in a moment",
                )
            task = asyncio.create_task(work(), name=f"action {key}")
            self._underway[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        return await asyncio.shield(task)

    def _finish(self, key: str, task: asyncio.Task[_Answer]) -> None:
        self._underway.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        self._answers[key] = task.result()
        if len(self._answers) > self._max_remembered:
            del self._answers[next(iter(self._answers))]

    async def close(self) -> None:
        """Cancel what is under way and wait for its end."""
        tasks = list(self._underway.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
