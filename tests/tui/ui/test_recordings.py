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

# Seconds into the recording at which each of its moments is on screen.
MOMENTS = {"load": 18.0, "kill": 27.0, "readiness": 34.0}


def on_tab(colours: Colours) -> Callable[[UiOptions], UiOptions]:
    def change(options: UiOptions) -> UiOptions:
        return replace(options, tab="balance", actor="root@vm", profile=Profile(colours=colours))

    return change


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("size", "colours"),
    [
        pytest.param((80, 24), Colours.TRUECOLOR, id="80x24"),
        pytest.param((160, 50), Colours.TRUECOLOR, id="160x50"),
        pytest.param((80, 24), Colours.NONE, id="no-colour"),
    ],
)
async def test_a_recorded_moment(moment: str, size: tuple[int, int], colours: Colours) -> None:
    """What a real cluster did looks as it looked."""
    async with stage(size=size, change=on_tab(colours), live=False) as it:
        await it.deliver(*signals("balance", until_s=MOMENTS[moment]))
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
