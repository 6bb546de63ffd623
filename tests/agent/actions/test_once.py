"""Requests that arrive more than once."""

from __future__ import annotations

import asyncio

import pytest

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent._errors import RefusalError
from kubealive_agent.actions._once import Once


class Work:
    """Counts its runs and ends when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.gate = asyncio.Event()

    async def __call__(self) -> int:
        self.runs += 1
        await self.gate.wait()
        return self.runs


async def test_duplicates_share_one_run() -> None:
    """Two requests of one id at the same time, and a third afterwards, are one run with one answer."""
    once: Once[int] = Once()
    work = Work()
    both = [asyncio.create_task(once.run("a", work)) for _ in range(2)]
    await asyncio.sleep(0)
    work.gate.set()

    assert await asyncio.gather(*both) == [1, 1]
    assert await once.run("a", work) == 1
    assert work.runs == 1


async def test_an_action_outlives_whoever_asked_for_it() -> None:
    """A client that goes away in the middle cancels its wait, not the action."""
    once: Once[int] = Once()
    work = Work()
    asking = asyncio.create_task(once.run("a", work))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.sleep(0)
    work.gate.set()

    assert await once.run("a", work) == 1


async def test_memory_is_bounded() -> None:
    """The oldest answer is forgotten first."""
    once: Once[int] = Once(max_remembered=2)
    work = Work()
    work.gate.set()
    for key in "abc":
        await once.run(key, work)

    assert await once.run("c", work) == 3
    assert await once.run("a", work) == 4


async def test_too_many_at_once_are_refused() -> None:
    """Beyond the bound a request is refused, and close cancels those under way."""
    once: Once[int] = Once(max_underway=1)
    asking = asyncio.create_task(once.run("a", Work()))
    await asyncio.sleep(0)

    with pytest.raises(RefusalError, match="under way"):
        await once.run("b", Work())
    await once.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_refused_run_is_tried_again() -> None:
    """What raised is no answer to remember: the same id may succeed later."""
    once: Once[int] = Once()

    async def fail() -> int:
        raise RefusalError(Refusal.REASON_INVALID, "no")

    with pytest.raises(RefusalError):
        await once.run("a", fail)
    work = Work()
    work.gate.set()
    assert await once.run("a", work) == 1
