"""Every tab stands whatever is missing: objects go while somebody looks, and no tab may end the screen so."""

from contextlib import suppress
from functools import cache
from itertools import product

import pytest

from kubealive_tui.experiments import Experiment, NotNow, Scene, discover
from kubealive_tui.model import Batch, Change, Frame, Kind, Signal, Size, Table
from kubealive_tui.store import Store
from tests.tui.recordings import signals

# Late enough in each recording for runs to have ended and one to be under way.
UNTIL_S = 60.0


@cache
def recording(name: str) -> tuple[Signal, ...]:
    return tuple(signals(name, until_s=UNTIL_S))


def recorded(lab: Experiment) -> Store:
    """The experiment in the middle of its recording on a real cluster."""
    store = Store({lab.name: lab.stopwatches})
    for signal in recording(lab.name):
        store.apply(signal)
    return store


def take_away(store: Store, kinds: set[Kind]) -> None:
    """Delete every object of these kinds."""
    gone = tuple(Change(kind, uid, None) for kind in kinds for uid in tuple(store._objects[kind]))
    store.apply(Frame(store.epoch, store.sequence + 1, store.now_us + 1_000, Batch(gone)))


def drawn(scene: Scene) -> None:
    """Do all that the screen does with a scene."""
    for view in scene.experiment.views(scene):
        if isinstance(view, Table):
            for key in view.keys:
                view.row(key)
    scene.experiment.explanation(scene)
    scene.experiment.details(scene)
    scene.experiment.samples(scene)
    for command in scene.experiment.commands:
        with suppress(NotNow):
            command.run(scene)
        with suppress(NotNow):
            _ = command.choose(scene) if command.choose else ()


@pytest.mark.parametrize(
    "kinds", [set(), *({kind} for kind in Kind), set(Kind)], ids=["nothing", *(kind.name for kind in Kind), "all"]
)
@pytest.mark.parametrize("lab", discover(), ids=lambda lab: lab.name)
def test_a_tab_stands_without(lab: Experiment, kinds: set[Kind]) -> None:
    """Views, explanation, details, samples and keys take what there is; a key says why it means nothing."""
    store = recorded(lab)
    rows = [key for view in lab.views(Scene(store, lab)) if isinstance(view, Table) for key in view.keys]
    take_away(store, kinds)

    for selected, size in product((None, rows[0], rows[-1]), (Size(80, 24), Size(160, 50))):
        drawn(Scene(store, lab, settings=lab.settings(), selected=selected, size=size))
