"""Advised commands act in the namespace where they were advised, whichever part of the program says them."""

import re
from collections.abc import Iterator

import pytest

from kubealive_tui.experiments import Command, Experiment, NotNow, Scene, discover
from kubealive_tui.hints import kubectl_command, own_command, up_command
from kubealive_tui.model import Bar, Info, Lines, LinkEvent, LinkState, Rail, Sentence, Size, Table, View, plain
from kubealive_tui.store import Store
from tests.tui.signals import EPOCH, snapshot

# DNS is the cluster's own, in a namespace of its own.
SYSTEM = "kubectl -n kube-system "

HERE = "class-7"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (up_command(namespace="kubealive"), "kubealive up"),
        (up_command("balance", namespace="lab"), "kubealive up balance -n lab"),
        (own_command("doctor", namespace=""), "kubealive doctor"),
        (kubectl_command("describe", "pvc", namespace="lab"), "kubectl describe pvc -n lab"),
    ],
    ids=["default", "elsewhere", "not known", "kubectl"],
)
def test_a_command(command: str, words: str) -> None:
    """A namespace is named where the command would take another one by itself."""
    assert command == words


def said_by(lab: Experiment, scene: Scene) -> Iterator[str]:
    """All that an experiment says of a scene: its views, its explanation, and why keys mean nothing now."""
    for view in lab.views(scene):
        yield from shown(view)
    yield from (plain(words) for words in (*lab.explanation(scene), *lab.details(scene)))
    for command in lab.commands:
        yield from answers(command, scene)


def shown(view: View) -> Iterator[str]:
    match view:
        case Table():
            yield plain(view.empty)
            rows = (view.row(key) for key in view.keys)
            yield from (plain(cell) for row in rows for cell in row.cells if not isinstance(cell, Bar))
        case Sentence(text=text) | Rail(hint=text):
            yield plain(text)
        case Lines(heading=heading):
            yield plain(heading.figures) if heading else ""
        case _:
            pass


def answers(command: Command, scene: Scene) -> Iterator[str]:
    try:
        yield from (effect for effect in command.run(scene) if isinstance(effect, str))
        yield from (option.help for option in (command.choose(scene) if command.choose else ()))
    except NotNow as why:
        yield str(why)


@pytest.mark.parametrize("size", [Size(80, 24), Size(160, 50)], ids=["small", "wide"])
@pytest.mark.parametrize("lab", discover(), ids=lambda lab: lab.name)
def test_what_an_experiment_advises_acts_where_it_is_looked_at(lab: Experiment, size: Size) -> None:
    """With nothing of it in the cluster, each tab says how to get it, in the namespace of the screen."""
    store = Store()
    store.apply(LinkEvent(LinkState.CONNECTED, info=Info("0.1.0", EPOCH, namespace=HERE)))
    store.apply(snapshot())
    scene = Scene(store, lab, settings=lab.settings(), size=size, namespace=HERE)

    said = " ".join(said_by(lab, scene)).replace(SYSTEM, "")
    advised = re.findall(r"kube(?:alive|ctl) (?:up|down|reset|describe|get)\b[^`.,:;]*", said)

    assert all(f"-n {HERE}" in command for command in advised), advised


def test_some_experiments_do_advise() -> None:
    """The test above would say nothing of tabs that say nothing."""
    store = Store()
    store.apply(snapshot())
    labs = discover()
    scenes = [(lab, Scene(store, lab, settings=lab.settings(), namespace=HERE)) for lab in labs]

    advising = {lab.name for lab, scene in scenes if f"-n {HERE}" in " ".join(said_by(lab, scene))}

    assert {"update", "scale", "service", "state", "daemon"} <= advising
