"""Screens from recordings of a real cluster: at both sizes, and without colour."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kubealive_tui.experiments import discover
from kubealive_tui.model import Ending
from kubealive_tui.store import Store
from kubealive_tui.ui import Colours, Profile, UiOptions
from tests.tui.recordings import signals
from tests.tui.ui.screens import assert_golden
from tests.tui.ui.stage import stage

# Moments by recording: the seconds into it at which each is on screen, and the key that moves the pointer there.
MOMENTS = {
    "balance": {"load": (18.0, ""), "kill": (27.0, ""), "readiness": (34.0, "")},
    "heal": {"infect": (13.0, ""), "back-off": (26.0, ""), "hang": (62.0, "")},
}
ALL = [(tab, moment) for tab, moments in MOMENTS.items() for moment in moments]


def on_tab(tab: str, colours: Colours) -> Callable[[UiOptions], UiOptions]:
    def change(options: UiOptions) -> UiOptions:
        labs = tuple(lab for lab in discover() if lab.name == tab)
        return replace(options, experiments=labs, tab=tab, actor="root@vm", profile=Profile(colours=colours))

    return change


@pytest.mark.parametrize(("tab", "moment"), ALL, ids=[f"{tab} {moment}" for tab, moment in ALL])
@pytest.mark.parametrize(
    ("size", "colours"),
    [
        pytest.param((80, 24), Colours.TRUECOLOR, id="80x24"),
        pytest.param((160, 50), Colours.TRUECOLOR, id="160x50"),
        pytest.param((80, 24), Colours.NONE, id="no-colour"),
    ],
)
async def test_a_recorded_moment(tab: str, moment: str, size: tuple[int, int], colours: Colours) -> None:
    """What a real cluster did looks as it looked."""
    async with stage(size=size, change=on_tab(tab, colours), live=False) as it:
        until_s, key = MOMENTS[tab][moment]
        await it.deliver(*signals(tab, until_s=until_s))
        if key:
            await it.press(key)
        name = f"recorded-{moment}-{size[0]}x{size[1]}{'' if colours is Colours.TRUECOLOR else '-none'}"
        assert_golden(name, it.app.canvas.shown.strips)


def test_the_recorded_runs_are_whole() -> None:
    """The recording holds a kill and both ways of readiness, each timed to its end and with nothing lost."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    for signal in signals("balance", until_s=120):
        store.apply(signal)

    runs = store.ledger("balance").runs.ended[-3:]
    assert [run.title.rpartition(" ")[0] for run in runs] == ["KILL", "READINESS OFF", "READINESS ON"]
    assert all(run.ending is Ending.COMPLETE and run.measured and not run.incomplete for run in runs)


def test_the_recorded_faults_are_whole() -> None:
    """The recording holds four faults, one of them with a back-off, and the kill that made a pod fresh."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    for signal in signals("heal", until_s=120):
        store.apply(signal)

    runs = store.ledger("heal").runs.ended
    assert [run.title.rpartition(" ")[0] for run in runs] == ["INFECT", "OOM", "CRASH exit 1", "KILL", "HANG"]
    assert all(run.ending is Ending.COMPLETE and run.measured and not run.incomplete for run in runs)
    assert [run.seconds("back-off 10 s") is not None for run in runs] == [False, False, True, False, False]
