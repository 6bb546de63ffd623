"""Commands that ask first, and scripts: a tab of a test's own under the app."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kubealive_tui.experiments import Command, Drive, Effect, Experiment, NotNow, Option, Scene, Script
from kubealive_tui.model import Act, DeletePod, DnsSample, Sample, Scale
from kubealive_tui.ui import UiOptions
from tests.tui.ui.stage import Stage, read_only, stage

UID = "getip-1"


def _scale(scene: Scene) -> Sequence[Effect]:
    if not scene.given.isdigit():
        raise NotNow(f"{scene.given!r} is no number: type 0 to 10")
    return (Act(scene.name, UID, "getip", Scale(int(scene.given))),)


def _version(scene: Scene) -> Sequence[Effect]:
    return (scene.settings.choose("version", scene.given), f"staged {scene.given}")


def _versions(scene: Scene) -> Sequence[Option]:
    if scene.settings.choices.get("version") == "v3":
        raise NotNow("there is nothing newer than v3")
    return [Option("v2", "v2"), Option("v3", "v3", "the newest")]


async def _twice(drive: Drive) -> str:
    first = await drive.ask(Act("balance", UID, "getip", DeletePod()))
    await drive.until("the answer", lambda: first or None, within=1)
    await drive.ask(Act("balance", UID, "getip", Scale(2)))
    return "deleted and scaled"


def tab() -> Experiment:
    lab = Experiment("balance", order=1, title="Test", long_title="A test", lesson="A tab of this test.")
    lab.use(
        Command("a", "amount", "amount", "scale to a number", _scale, ask="how many replicas?"),
        Command("v", "version", "version", "stage a version", _version, choose=_versions, triggers=False),
        Command(
            "F", "twice", "twice", "delete, then scale", lambda _: (Script("getip", _twice),), danger="delete pod"
        ),
    )
    lab.sample(lambda scene: [Sample(scene.name, DnsSample(f"getip.{scene.namespace}", "A"))])
    return lab


def on_tab(options: UiOptions) -> UiOptions:
    return replace(options, experiments=[tab()], tab="balance")


def verbs(it: Stage) -> list[object]:
    return [act.verb for act in it.feed.acts()]


async def test_a_typed_value_reaches_the_command() -> None:
    """The question stands over the tab; enter sends what was typed."""
    async with stage(change=on_tab) as it:
        await it.press("a", "7")
        assert "how many replicas?" in it.text
        await it.press("enter")
        assert verbs(it) == [Scale(7)]


async def test_a_refused_value_can_be_mended() -> None:
    """The sentence stands beneath the line, and nothing that was typed is lost."""
    async with stage(change=on_tab) as it:
        await it.press("a", "7", "x", "enter")
        assert "'7x' is no number: type 0 to 10" in it.text
        await it.press("backspace", "enter")
        assert verbs(it) == [Scale(7)]


async def test_a_chosen_value_reaches_the_command() -> None:
    """The list says what there is; the choice is staged with the tab's settings."""
    async with stage(change=on_tab) as it:
        await it.press("v")
        assert "the newest" in it.text
        await it.press("down", "enter")
        assert "staged v3" in it.text
        await it.press("v")
        assert "there is nothing newer than v3" in it.text


@pytest.mark.parametrize("key", ["a", "F"], ids=["typed", "script"])
async def test_read_only_refuses_before_it_asks(key: str) -> None:
    """Nobody types a value that cannot be used."""
    async with stage(change=lambda options: read_only(on_tab(options))) as it:
        await it.press(key)
        assert "read-only:" in it.text
        assert "how many" not in it.text
        assert it.feed.acts() == []


async def test_a_script_is_confirmed_and_told() -> None:
    """It asks once, acts step by step, and says at the end what came of it."""
    async with stage(change=on_tab) as it:
        await it.press("F")
        assert "Delete pod getip?" in it.text
        await it.press("y")
        await it.pilot.pause()
        assert verbs(it) == [DeletePod(), Scale(2)]
        assert "deleted and scaled" in it.text


async def test_what_is_sampled_follows_the_tab() -> None:
    """The agent asks for the tab that is looked at, and for nothing once it is left."""
    async with stage(change=on_tab) as it:
        assert it.feed.interests[-1].samples == {Sample("balance", DnsSample("getip.kubealive", "A"))}
        await it.press("0")
        assert it.feed.interests[-1].samples == frozenset()
