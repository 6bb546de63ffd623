"""When samples are asked: for as long as somebody wants them, each once, at its period."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from kubealive.v1.agent_pb2 import DnsSample, Sample
from kubealive_agent.sampling import Recorder, Sampler
from kubealive_agent.sampling._sampler import MAX_IN_FLIGHT, MAX_SAMPLES
from tests.agent.fakes import Lab
from tests.agent.sampling.fakes import Naps, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from kubealive_agent.sampling._errands import Errand


def sample(name: str, *, period_ms: int = 0, experiment: str = "dns") -> Sample:
    return Sample(experiment=experiment, period_ms=period_ms, dns=DnsSample(name=name, type="A"))


class Counting:
    """Stands for Errands: counts what is asked; an errand ends at once, or when its gate opens."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate: asyncio.Event | None = None
        self.broken = False
        self.senseless = False

    def of(self, wanted: Sample) -> Mapping[str, Errand]:
        if self.senseless:
            raise KeyError(wanted.dns.name)

        async def ask() -> None:
            self.asked.append(wanted.dns.name)
            if self.broken:
                raise RuntimeError("a bug")
            if self.gate is not None:
                await self.gate.wait()

        return {"": ask}


class Bench:
    def __init__(self) -> None:
        self.lab = Lab()
        self.naps = Naps()
        self.asking = Counting()
        self.wanted: list[Sample] = []
        self.phase = 0.0
        self.sampler = Sampler(
            self.asking,  # type: ignore[arg-type]  # what is used of it
            Recorder(self.lab.journal, self.lab.clock),
            wanted=lambda: self.wanted,
            sleep=self.naps.sleep,
            phase=lambda _: self.phase,
        )

    async def want(self, *samples: Sample) -> None:
        self.wanted = list(samples)
        self.sampler.interest_changed()
        await settle()


@asynccontextmanager
async def running() -> AsyncIterator[Bench]:
    bench = Bench()
    task = asyncio.create_task(bench.sampler.run())
    await settle()
    try:
        yield bench
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_nothing_is_asked_that_nobody_wants() -> None:
    """An agent alone is silent, and is silent again at once when the last one stops looking."""
    async with running() as bench:
        assert bench.asking.asked == []
        await bench.want(sample("a"))
        await bench.naps.over()
        assert bench.asking.asked == ["a", "a"]
        await bench.want()
        await bench.naps.over()
        assert bench.asking.asked == ["a", "a"]


async def test_equal_samples_are_asked_once_at_the_shortest_period() -> None:
    """Two viewers of one tab cost no more than one."""
    async with running() as bench:
        await bench.want(sample("a", period_ms=5000), sample("a", period_ms=1000))

        assert (bench.asking.asked, bench.naps.wanted) == (["a"], [1.0])


@pytest.mark.parametrize(
    ("period_ms", "seconds"), [(0, 1.0), (1, 0.2), (250, 0.25), (10_000_000, 60.0)], ids=["0", "1", "250", "long"]
)
async def test_periods_are_bounded(period_ms: int, seconds: float) -> None:
    """Not below 200 ms, 1 s where nothing is said."""
    async with running() as bench:
        await bench.want(sample("a", period_ms=period_ms))

        assert bench.naps.wanted == [seconds]


async def test_a_tabs_questions_are_spread() -> None:
    """The first time within a second, then at a place of its own within the period, for as long as it is asked."""
    async with running() as bench:
        bench.phase = 0.5
        await bench.want(sample("a", period_ms=5000))
        assert bench.asking.asked == []
        for _ in range(3):
            await bench.naps.over()

    assert bench.naps.wanted == [0.5, 7.0, 5.0, 5.0]
    assert bench.asking.asked == ["a", "a", "a"]


async def test_what_is_still_wanted_goes_on_undisturbed() -> None:
    """A change of interest does not ask the samples anew that were there before."""
    async with running() as bench:
        await bench.want(sample("a"))
        await bench.want(sample("a"), sample("b"))

        assert bench.asking.asked == ["a", "b"]


async def test_nothing_is_asked_twice_at_the_same_time() -> None:
    """A question that hangs is waited for; its period goes on, and it is asked again once it has ended."""
    async with running() as bench:
        bench.asking.gate = asyncio.Event()
        await bench.want(sample("a"))
        await bench.naps.over()
        assert bench.asking.asked == ["a"]
        bench.asking.gate.set()
        await bench.naps.over()
        await bench.naps.over()
        assert len(bench.asking.asked) >= 2


async def test_questions_on_their_way_are_bounded() -> None:
    """Beyond the most at once, the others wait for a place."""
    async with running() as bench:
        bench.asking.gate = asyncio.Event()
        await bench.want(*(sample(str(n)) for n in range(MAX_IN_FLIGHT + 8)))

        assert len(bench.asking.asked) == MAX_IN_FLIGHT
        bench.asking.gate.set()
        await settle()
        assert len(bench.asking.asked) == MAX_IN_FLIGHT + 8


async def test_samples_are_bounded_and_the_rest_is_said() -> None:
    """More than the agent takes on: the first are asked, and a note counts."""
    async with running() as bench:
        await bench.want(*(sample(str(n)) for n in range(MAX_SAMPLES + 1)))

        assert len(bench.asking.asked) <= MAX_SAMPLES
        assert "513 samples are wanted" in bench.lab.facts("note")[0].note.message


async def test_a_bug_in_one_answer_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the sample is asked again."""
    async with running() as bench:
        bench.asking.broken = True
        await bench.want(sample("a"))
        await bench.naps.over()

        assert bench.asking.asked == ["a", "a"]
        assert "a sample failed" in caplog.text


async def test_a_bug_before_the_question_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be made a question is logged, and tried again at its next time."""
    async with running() as bench:
        bench.asking.senseless = True
        await bench.want(sample("a"))
        bench.asking.senseless = False
        await bench.naps.over()

        assert bench.asking.asked == ["a"]
        assert "a sample could not be asked" in caplog.text
