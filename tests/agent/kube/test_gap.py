"""One cut of the API is one gap: two notes, however many watches it takes along."""

import asyncio
from contextlib import suppress
from typing import Any, Self

import pytest

from kubealive.v1.facts_pb2 import AgentNote
from kubealive_agent.kube import (
    RESOURCES,
    ForbiddenError,
    Query,
    StatusError,
    UnreachableError,
    reflect_all,
)
from kubealive_agent.kube._gap import Gap
from tests.agent.kube.fakes import FakeSink, FakeTime, ScriptedApi, page, reflect

BEGAN, ENDED = AgentNote.WATCH_GAP_BEGAN, AgentNote.WATCH_GAP_ENDED
CUT = UnreachableError("cut")
FORBIDDEN = ForbiddenError(403, reason="Forbidden", message="no")


async def settle() -> None:
    """Let every task do what it can."""
    for _ in range(200):
        await asyncio.sleep(0)


class Bench:
    """A gap, whose notes are told as they come."""

    def __init__(self) -> None:
        self.sink, self.time = FakeSink(), FakeTime()
        self.gap = Gap(self.sink, timing=self.time.timing())

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.gap.tell())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def test_many_watches_that_break_together_are_one_gap() -> None:
    """The first note counts them and gives the first reason; the last to come back ends the gap."""
    async with Bench() as bench:
        for name in ("pods", "nodes", "events"):
            bench.gap.broke(name, f"the watch of {name} broke: cut")
        await settle()
        bench.time.now = 12.0
        for name in ("events", "pods", "nodes"):
            await settle()
            bench.gap.back(name)
        await settle()

    assert bench.sink.notes == [
        "3 watches broke; the first: the watch of pods broke: cut",
        "the agent watches the cluster again, after 12 s",
    ]
    assert bench.sink.gaps == [BEGAN, ENDED]


async def test_one_watch_is_called_by_its_name() -> None:
    """A gap of one kind alone says which."""
    async with Bench() as bench:
        bench.gap.broke("pods in namespace lab", "the watch of pods in namespace lab broke: cut")
        await settle()
        bench.gap.back("pods in namespace lab")
        await settle()

    assert bench.sink.notes == [
        "the watch of pods in namespace lab broke: cut",
        "the agent watches the cluster again, after 1 s",
    ]


async def test_a_watch_that_breaks_again_within_a_gap_is_no_second_one() -> None:
    """A gap lasts until no watch is broken."""
    async with Bench() as bench:
        bench.gap.broke("pods", "cut")
        bench.gap.broke("nodes", "cut")
        await settle()
        bench.gap.back("pods")
        bench.gap.broke("pods", "cut again")
        bench.gap.back("nodes")
        await settle()
        assert bench.sink.gaps == [BEGAN]
        bench.gap.back("pods")
        await settle()
        bench.gap.broke("pods", "another")
        await settle()

    assert bench.sink.gaps == [BEGAN, ENDED, BEGAN]
    assert bench.sink.notes[-1] == "another"


async def test_a_gap_that_is_over_at_once_is_told() -> None:
    """What came meanwhile came late all the same."""
    async with Bench() as bench:
        bench.gap.broke("pods", "cut")
        bench.gap.back("pods")
        await settle()

    assert bench.sink.gaps == [BEGAN, ENDED]


async def test_what_never_broke_ends_nothing() -> None:
    """A watch that opens for the first time is no news."""
    async with Bench() as bench:
        bench.gap.back("pods")
        await settle()

    assert bench.sink.notes == []


@pytest.mark.parametrize(
    ("lists", "gaps"),
    [
        pytest.param([CUT, CUT, page(version=5)], [BEGAN, ENDED], id="failures"),
        pytest.param([CUT, FORBIDDEN, CUT, page(version=5)], [BEGAN, ENDED], id="refused while it starts"),
        pytest.param([CUT, FORBIDDEN, FORBIDDEN], [BEGAN], id="perhaps still starting"),
        pytest.param([CUT, *[FORBIDDEN] * 5], [BEGAN, ENDED], id="right taken away"),
        pytest.param([FORBIDDEN, page(version=5)], [], id="never broken"),
        pytest.param([page(version=5)], [], id="never troubled"),
    ],
)
async def test_what_a_reflector_calls_a_gap(lists: list[bytes | Exception], gaps: list[int]) -> None:
    """Failures are a gap until the watch is open; a right that is missing for good is none."""
    sink = await reflect(ScriptedApi(lists=lists))
    await settle()

    assert sink.gaps == gaps


async def test_a_cut_of_the_api_makes_two_notes() -> None:
    """All kinds lose their watch at the same time, and one note says so for all."""

    class Api(ScriptedApi):
        down = False

        async def request(self, method: str, path: str, *, query: Query | None = None) -> bytes:
            return page(version=5)

        def watch(self, path: str, *, query: Query, idle_deadline: float) -> Any:
            if self.down:
                raise StatusError(503, reason="", message="down")
            return super().watch(path, query=query, idle_deadline=idle_deadline)

        async def _wait(self) -> None:
            """Each watch ends with the next cut."""
            self.waiting = getattr(self, "waiting", None) or asyncio.Event()
            await self.waiting.wait()
            raise CUT

    api, sink = Api(lists=[]), FakeSink()
    time, listed = FakeTime(), asyncio.Event()
    task = asyncio.create_task(reflect_all(api, namespace="lab", sink=sink, listed=listed, timing=time.timing()))
    async with asyncio.timeout(5):
        await listed.wait()
        await settle()
        waiting, api.waiting, api.down = api.waiting, asyncio.Event(), True
        waiting.set()
        await settle()
        api.down = False
        await settle()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert sink.gaps == [BEGAN, ENDED]
    assert sink.notes[0].startswith(f"{len(RESOURCES)} watches broke; the first: the watch of ")
    assert sink.notes[0].endswith(" broke: cut")
