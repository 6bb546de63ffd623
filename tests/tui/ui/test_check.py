"""Checks started from the overview: asked for once, one after another, with their verdicts in the table."""

from collections.abc import Callable
from dataclasses import replace

from kubealive_tui.errors import RefusedError
from kubealive_tui.experiments import Drive, Experiment, Finding, Verdict
from kubealive_tui.model import SetLoad, StopLoad, Target
from kubealive_tui.ui import UiOptions
from tests.tui.ui.stage import Stage, stage


def _with(experiment: Experiment) -> Callable[[UiOptions], UiOptions]:
    return lambda options: replace(options, experiments=(experiment,))


def _lab() -> Experiment:
    return Experiment("balance", order=1, title="Balance", long_title="Load balancing", lesson="Look.")


async def _start(it: Stage) -> None:
    await it.press("C")
    assert "Run the checks" in it.text
    await it.press("y")


async def test_a_check_waits_for_the_store() -> None:
    """While it waits it says for what; when the store shows it, the verdict stands in the table."""
    lab = _lab()

    @lab.check
    async def check(drive: Drive) -> Verdict:
        await drive.ask(StopLoad("balance"))
        found = await drive.until("a load", lambda: drive.store.load("balance"), within=30.0)
        return Verdict.of([Finding("load", "runs", "runs", kept=found is not None)])

    async with stage(change=_with(lab)) as it:
        await _start(it)
        assert "checking balance: waiting for a load" in it.text
        assert "○ running" in it.text
        assert it.feed.asked == [StopLoad("balance")]
        assert it.feed.interests[-1].experiments == {"balance"}
        await it.deliver(it.script.loaded())
        assert "● passed" in it.text


async def test_a_refused_check_has_failed_and_says_why() -> None:
    """An agent that refuses makes a failed verdict with its sentence, not a crash."""
    lab = _lab()

    @lab.check
    async def check(drive: Drive) -> Verdict:
        await drive.ask(StopLoad("balance"))
        return Verdict.of([])

    async with stage(change=_with(lab), refuse=RefusedError("not now")) as it:
        await _start(it)
        assert "✕ failed" in it.text
        assert "balance: not now" in it.text


async def test_a_check_that_ends_early_stops_its_load() -> None:
    """The load of a check that broke off does not run on behind its verdict."""
    lab = _lab()
    load = SetLoad("balance", Target(service="getip"), rate=100.0)

    @lab.check
    async def check(drive: Drive) -> Verdict:
        await drive.ask(load)
        raise RefusedError("the pod is gone")

    async with stage(change=_with(lab)) as it:
        await _start(it)
        assert "✕ failed" in it.text
        assert it.feed.asked == [load, StopLoad("balance")]
