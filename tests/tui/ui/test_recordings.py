"""Screens from recordings of a real cluster: at both sizes, and without colour."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kubealive_tui.experiments import discover
from kubealive_tui.experiments.scale._autoscaling import earliest_scale_down
from kubealive_tui.model import Ending, LinkEvent
from kubealive_tui.store import Store
from kubealive_tui.ui import Colours, Profile, UiOptions
from tests.tui.recordings import signals
from tests.tui.ui.screens import assert_golden
from tests.tui.ui.stage import stage

# Moments by recording: the seconds into it at which each is on screen, and the keys that move the pointer there.
MOMENTS = {
    "balance": {"load": (18.0, ""), "kill": (27.0, ""), "readiness": (34.0, "")},
    "update": {"rolling": (5.6, ""), "drained": (15.6, ""), "undrained": (36.0, "")},
    "scale": {"decision": (71.0, ""), "target": (100.0, ""), "window": (158.0, "")},
    "heal": {"infect": (13.0, ""), "back-off": (26.0, ""), "hang": (62.0, "")},
    "downward": {"told": (5.0, ""), "label": (11.0, ""), "successor": (22.0, "")},
    "service": {"local": (16.5, ""), "by-name": (40.0, ""), "emptied": (51.5, "")},
    "dns": {"named": (9.0, ""), "late": (22.0, "j j j j"), "follows": (45.0, "j j j j")},
    "daemon": {"cordoned": (6.0, ""), "overdue": (32.0, "j"), "replaced": (45.0, "j"), "away": (100.0, "G")},
    "state": {"stored": (9.0, "j"), "stale": (16.0, "j"), "reborn": (40.0, "j"), "lost": (54.0, "G")},
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
            await it.press(*key.split())
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


def test_the_recorded_updates_are_whole() -> None:
    """The recording holds a graceful update, the change to none, and what that costs at both ends of a pod."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    for signal in signals("update", until_s=120):
        store.apply(signal)

    runs = store.ledger("update").runs.ended
    assert [run.title for run in runs] == ["UPDATE v1 → v2", "UPDATE v2 → v3", "UPDATE v3 → v4"]
    assert all(run.ending is Ending.COMPLETE and run.measured and not run.incomplete for run in runs)
    assert [run.failed for run in runs] == [0, 0, 70]
    assert [run.given["drain"] for run in runs] == ["on", "off", "off"]
    assert all(milestone.at_us is not None for milestone in runs[0].milestones)


def recorded_scaling(*, until_s: float) -> Store:
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    for signal in signals("scale", until_s=until_s):
        store.apply(signal)
    return store


def test_the_recorded_load_is_timed_up_and_down() -> None:
    """The recording holds a load to the target and its end to the fewest pods."""
    up, down = recorded_scaling(until_s=300).ledger("scale").runs.ended
    assert [milestone.words for milestone in (*up.milestones, *down.milestones)] == [
        "seen",
        "desired 1 → 3",
        "new pod ready",
        "at the target",
        "seen",
        "scale-down 5 → 4",
        "at minimum",
    ]
    assert all(run.ending is Ending.COMPLETE and not run.incomplete for run in (up, down))


def test_the_recorded_scale_down_came_about_when_it_was_told() -> None:
    """Each time that was shown for a step down was its time, or a tick of the autoscaler before it, 15 s."""
    steps = [
        at
        for at, sample in recorded_scaling(until_s=300).scaling("scale").backwards()
        if sample.previous_desired_replicas and sample.desired_replicas < sample.previous_desired_replicas
    ]
    assert len(steps) >= 3
    for step in steps:
        before = Store()
        for signal in signals("scale", until_s=300):
            if not isinstance(signal, LinkEvent) and signal.time_us >= step - 1_000_000:
                break
            before.apply(signal)
        told = earliest_scale_down(before.scaling("scale"), 60)
        assert told is not None
        assert -1_000_000 <= step - told <= 16_000_000


def test_the_recorded_names_are_whole() -> None:
    """The recording holds a kill that DNS followed while the caches of two servers let go one after the other."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    for signal in signals("dns", until_s=120):
        store.apply(signal)

    run = store.ledger("dns").runs.ended[-1]
    assert run.ending is Ending.COMPLETE
    assert not run.incomplete
    assert [run.seconds(label) is not None for label in ("successor in it", "last old answer", "DNS follows")] == [
        True,
        True,
        True,
    ]


def test_the_recorded_rebirth_is_whole() -> None:
    """The recording holds two kills: a numbered pod whose value is read back, and a Deployment's that loses it."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    for signal in signals("state", until_s=120):
        store.apply(signal)

    kept, lost = store.ledger("state").runs.ended
    assert all(run.ending is Ending.COMPLETE and not run.incomplete for run in (kept, lost))
    assert kept.seconds("value read back") is not None
    assert lost.seconds("by name") is not None
    assert lost.seconds("value read back") is None


def test_the_recorded_node_is_lost_and_found() -> None:
    """The recording holds a kill that is timed to its end, and a node that goes and comes back with its pod."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    seen: list[str] = []
    for signal in signals("daemon", until_s=400):
        store.apply(signal)
        state = next((node.state for node in store.nodes() if node.name == "node-3"), "")
        seen += [state] if state not in seen[-1:] else []

    (run,) = store.ledger("daemon").runs.ended
    assert (run.ending, run.incomplete) == (Ending.COMPLETE, "")
    assert run.seconds("port answers again") is not None
    assert [state for state in seen if state] == ["Ready", "Unknown", "Ready"]


@pytest.mark.parametrize(
    ("tab", "titles"), [("downward", ["LABEL mood=bright ON", "KILL"]), ("service", ["KILL", "SCALE backend TO"])]
)
def test_the_recorded_runs_by_name_are_whole(tab: str, titles: list[str]) -> None:
    """Each run of these tabs was seen to its end, with no fact missing."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    for signal in signals(tab, until_s=120):
        store.apply(signal)

    runs = store.ledger(tab).runs.ended
    assert [run.title.rpartition(" ")[0] for run in runs] == titles
    assert all(run.ending is Ending.COMPLETE and not run.incomplete for run in runs)
