"""The drive over a scripted feed, and what the runner makes of each way a check can end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from kubealive_tui.check import CheckDrive, check, driving
from kubealive_tui.errors import LinkError, RefusedError
from kubealive_tui.experiments import Drive, Experiment, Finding, Verdict, VerdictWord, discover
from kubealive_tui.model import (
    Act,
    Action,
    DeletePod,
    Interest,
    LinkEvent,
    LinkState,
    Phase,
    Request,
    SetLoad,
    Signal,
    StopLoad,
    Target,
)
from kubealive_tui.store import Store
from tests.tui.feed.fakes import FakeClock, settle
from tests.tui.signals import connected, deletion, fact, frame, getip, pod, pod_change, snapshot

if TYPE_CHECKING:
    from kubealive_tui.reports import Result

T = TypeVar("T")
LOAD = SetLoad("balance", Target(service="getip"), rate=100.0)


class ScriptedFeed:
    """Delivers what it is given; `on_ask` answers requests."""

    def __init__(self, *signals: Signal, on_ask: Callable[[Request], Awaitable[str]] | None = None) -> None:
        self.signals = signals
        self.on_ask = on_ask
        self.asked: list[Request] = []
        self.interests: list[Interest] = []
        self.deliver: Callable[[Signal], None] = lambda _: None

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        self.deliver = deliver
        for signal in self.signals:
            deliver(signal)
        await asyncio.Event().wait()

    async def ask(self, request: Request) -> str:
        self.asked.append(request)
        return await self.on_ask(request) if self.on_ask else "a1"

    def interest(self, interest: Interest) -> None:
        self.interests.append(interest)


LIVE = (connected(), snapshot(getip(), pod_change(pod("p1"))))


class Bench:
    """A drive, its feed, its clock, and what it told."""

    def __init__(self, feed: ScriptedFeed, drive: CheckDrive, clock: FakeClock, told: list[str]) -> None:
        self.feed, self.drive, self.clock, self.told = feed, drive, clock, told
        self.results: list[Result] = []

    async def passing(self, work: Coroutine[Any, Any, T], *, seconds: float) -> T:
        """The result of `work` while so much time passes."""
        task = asyncio.ensure_future(work)
        await self.clock.advance(seconds)
        return await task

    def lab(self, function: Callable[[Drive], Awaitable[Verdict]], name: str = "balance") -> Experiment:
        lab = Experiment(name, order=1, title="T", long_title="T", lesson="L")
        lab.check(function)
        return lab

    async def check(self, *labs: Experiment) -> None:
        await check(labs, self.drive, done=self.results.append, clock=self.clock)


@asynccontextmanager
async def bench(
    *signals: Signal, on_ask: Callable[[Request], Awaitable[str]] | None = None
) -> AsyncIterator[Bench]:
    feed, clock, told = ScriptedFeed(*(signals or LIVE), on_ask=on_ask), FakeClock(), list[str]()
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    async with driving(feed, store, tell=lambda *words: told.append(" ".join(words)), clock=clock) as drive:
        await settle()
        yield Bench(feed, drive, clock, told)


FINE = Finding("f", "1", "1", kept=True)


async def passes(drive: Drive) -> Verdict:
    return Verdict.of([FINE])


# ---- opening


async def test_opened_once_live_and_whole() -> None:
    """An agent that is live with its snapshot is enough."""
    async with bench() as on:
        await on.drive.opened()
    assert any("link live" in line for line in on.told)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        pytest.param(LinkState.NOT_INSTALLED, "install it with `kubealive up`", id="not installed"),
        pytest.param(LinkState.FAILED, "you may not list pods", id="denied"),
    ],
)
async def test_what_is_hopeless_is_said_at_once(state: LinkState, words: str) -> None:
    """Without an agent or a right nothing is waited for."""
    async with bench(LinkEvent(state, reason=words)) as on:
        with pytest.raises(LinkError, match=words):
            await on.drive.opened()


async def test_an_agent_that_does_not_come_is_given_up() -> None:
    """After its time the last reason of the link is the sentence."""
    async with bench(LinkEvent(LinkState.RECONNECTING, reason="image not there")) as on:
        with pytest.raises(LinkError, match="not reached within 30 s, reconnecting: image not there"):
            await on.passing(on.drive.opened(), seconds=31)


# ---- driving


async def test_until_looks_after_each_signal() -> None:
    """What a signal brings is seen without waiting for time to pass."""
    async with bench() as on:
        waiting = asyncio.ensure_future(on.drive.until("a second pod", lambda: on.drive.store.pod("p2"), within=5))
        await settle()
        assert not waiting.done()
        on.feed.deliver(frame(5, 1, changes=(pod_change(pod("p2")),)))
        assert (await waiting) == pod("p2")
    assert any("waiting for a second pod, at most 5 s" in line for line in on.told)


async def test_until_ends_with_none() -> None:
    """When the time is over there is no answer, and no error."""
    async with bench() as on:
        waited = on.drive.until("a pod that never comes", lambda: on.drive.store.pod("p9"), within=5)
        assert await on.passing(waited, seconds=6) is None


async def test_asking_waits_for_a_link_that_is_away() -> None:
    """A request during a short break is sent when the link is back, not failed."""
    async with bench() as on:
        on.feed.deliver(LinkEvent(LinkState.RECONNECTING, reason="agent replaced"))
        asking = asyncio.ensure_future(on.drive.ask(LOAD))
        await settle()
        assert not on.feed.asked
        on.feed.deliver(connected())
        assert await asking == "a1"


# ---- ends


SLOW = Finding("successor serves", "31.00 s", "within 30 s", kept=False)
GAP = Finding("facts of that run", "the agent was blind", "none missing", False, blind=True)


@pytest.mark.parametrize(
    ("tries", "word", "reasons", "earlier"),
    [
        pytest.param([[GAP], [FINE]], VerdictWord.PASSED, (), True, id="whole at the second try"),
        pytest.param([[GAP, FINE], [SLOW]], VerdictWord.FAILED,
                     ("successor serves: 31.00 s, wanted within 30 s",), True,
                     id="failed at the second try"),
        pytest.param([[GAP], [GAP]], VerdictWord.FAILED,
                     ("facts of that run: the agent was blind, wanted none missing",), True,
                     id="never a third time"),
        pytest.param([[SLOW, GAP]], VerdictWord.FAILED,
                     ("successor serves: 31.00 s, wanted within 30 s",
                      "facts of that run: the agent was blind, wanted none missing"), False,
                     id="a broken limit is not tried away"),
    ],
)  # fmt: skip
async def test_what_only_the_lab_missed_is_measured_once_more(
    tries: list[list[Finding]], word: VerdictWord, reasons: tuple[str, ...], *, earlier: bool
) -> None:
    """Missing facts alone say nothing about the cluster: one more try decides, and the first one is kept."""
    left = list(tries)

    async def tried(drive: Drive) -> Verdict:
        await drive.ask(LOAD)
        return Verdict.of(left.pop(0))

    async with bench() as on:
        await on.check(on.lab(tried))

    result = on.results[0]
    assert not left
    assert (result.verdict.word, result.verdict.reasons) == (word, reasons)
    assert (result.earlier is not None and result.earlier.verdict.findings == tuple(tries[0])) == earlier
    assert on.feed.asked == [LOAD, StopLoad("balance")] * len(tries)
    assert any("measured once more: the agent was blind" in t for t in on.told) == earlier


async def test_the_runs_of_both_tries_are_kept_apart() -> None:
    """The report tells which run belongs to which try."""
    actions = iter(("a1", "a2"))

    async def answer(request: Request) -> str:
        action = next(actions)
        second = 5 if action == "a1" else 50
        on.feed.deliver(frame(second, second, fact(second, second, deletion(request_id=action), action_id=action)))
        return action

    async def tried(drive: Drive) -> Verdict:
        action = await drive.ask(Act("balance", "p1", "getip-x", DeletePod()))
        return Verdict.of([GAP if action == "a1" else FINE])

    async with bench(on_ask=answer) as on:
        await on.check(on.lab(tried))

    result = on.results[0]
    assert result.earlier is not None
    assert [[run.action_id for run in each.runs] for each in (result.earlier, result)] == [["a1"], ["a2"]]


async def test_each_way_to_end_has_its_verdict() -> None:
    """Passed, refused, broken and not installed: each is a verdict, and none stops the next."""

    async def refused(drive: Drive) -> Verdict:
        raise RefusedError("the pod is gone; choose another")

    async def broken(drive: Drive) -> Verdict:
        raise ValueError("oops")

    async with bench() as on:
        await on.check(on.lab(refused), on.lab(broken), on.lab(passes), on.lab(passes, name="heal"))

    words = [(r.verdict.word, " ".join(r.verdict.reasons)) for r in on.results]
    assert words == [
        (VerdictWord.FAILED, "the pod is gone; choose another"),
        (VerdictWord.FAILED, "the check itself broke, please report it: ValueError: oops"),
        (VerdictWord.PASSED, ""),
        (VerdictWord.SKIPPED, "not installed: `kubealive up heal` installs it"),
    ]
    assert on.feed.interests == [Interest(frozenset({"balance"})), Interest(frozenset({"heal"}))]


async def test_a_check_that_hangs_fails_at_its_limit() -> None:
    """The experiment's limit holds, and the load of the hanging check is stopped."""

    async def hangs(drive: Drive) -> Verdict:
        await drive.ask(LOAD)
        await asyncio.Event().wait()
        raise AssertionError

    async with bench() as on:
        await on.passing(on.check(on.lab(hangs)), seconds=301)

    assert on.results[0].verdict.reasons == ("not done within 300 s",)
    assert on.feed.asked == [LOAD, StopLoad("balance")]


async def test_a_link_that_fails_for_good_skips_the_rest() -> None:
    """The experiment that was running has failed, with the sentence; those after it are skipped."""

    async def loses(drive: Drive) -> Verdict:
        on.feed.deliver(LinkEvent(LinkState.FAILED, reason="credentials expired"))
        await drive.until("anything", lambda: None, within=5)
        raise AssertionError

    async with bench() as on:
        await on.check(on.lab(loses), on.lab(passes))

    words = [(r.verdict.word, r.verdict.reasons) for r in on.results]
    assert words == [
        (VerdictWord.FAILED, ("credentials expired",)),
        (VerdictWord.SKIPPED, ("not run: credentials expired",)),
    ]


async def test_an_interrupted_check_stops_its_load() -> None:
    """Cancelled in the middle, the drive still stops what it started before it lets go."""

    async def loads(drive: Drive) -> Verdict:
        await drive.ask(LOAD)
        await asyncio.Event().wait()
        raise AssertionError

    feeds: list[ScriptedFeed] = []

    async def session() -> None:
        async with bench() as on:
            feeds.append(on.feed)
            await on.check(on.lab(loads))

    task = asyncio.ensure_future(session())
    await settle()
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert feeds[0].asked == [LOAD, StopLoad("balance")]


async def test_a_stop_that_hangs_is_bounded() -> None:
    """An agent that does not answer the stop holds nobody for longer than five seconds."""

    async def answer(request: Request) -> str:
        if isinstance(request, StopLoad):
            await asyncio.Event().wait()
        return "l1"

    async with bench(on_ask=answer) as on:
        await on.drive.ask(LOAD)
        await on.passing(on.drive.release(), seconds=6)
    assert any("was not stopped" in line for line in on.told)


async def test_load_that_the_check_stopped_is_not_stopped_again() -> None:
    """A check that cleans up after itself leaves nothing to do."""
    async with bench() as on:
        await on.drive.ask(LOAD)
        await on.drive.ask(StopLoad("balance"))
        await on.drive.release()
    assert on.feed.asked == [LOAD, StopLoad("balance")]


async def test_only_runs_that_the_check_began_are_its_own() -> None:
    """A run that somebody else triggered meanwhile is not in the report."""
    async with bench() as on:
        on.drive.begin("balance")
        await on.drive.ask(Act("balance", "p1", "getip-x", DeletePod()))
        on.feed.deliver(frame(5, 1, fact(5, 1, deletion(), action_id="a0")))
        on.feed.deliver(frame(6, 2, fact(6, 2, deletion(request_id="r2"), action_id="a1")))
        assert [run.action_id for run in on.drive.runs()] == ["a1"]


async def test_runs_of_loads_are_the_checks_own_from_its_first_load_on() -> None:
    """A load's answer names the load and no action, so its run is known by its time."""
    load = Action("", "me@here", "set_load", Phase.REQUESTED, parameters={"load": "run", "cpu": "0.5"})
    async with bench() as on:
        on.drive.begin("scale")
        on.feed.deliver(frame(5, 1, fact(5, 1, load, action_id="a0", experiment="scale")))
        on.feed.deliver(frame(6, 20))
        await on.drive.ask(SetLoad("scale", Target(service="cpuhog"), cpu=0.5))
        on.feed.deliver(frame(7, 21, fact(7, 21, load, action_id="a1", experiment="scale")))
        assert [run.action_id for run in on.drive.runs()] == ["a1"]
