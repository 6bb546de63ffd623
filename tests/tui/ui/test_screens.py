"""Whole screens against their golden files, from a scripted cluster."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from kubealive_tui.model import LinkEvent, LinkState
from kubealive_tui.ui import Colours, Profile, Theme, UiOptions
from tests.tui.ui.screens import assert_golden
from tests.tui.ui.stage import Stage, stage

Play = Callable[[Stage], Awaitable[None]]


async def _overview(it: Stage) -> None:
    await it.deliver(it.script.loaded())


async def _nothing_yet(it: Stage) -> None:
    """Nobody has pressed a key so far."""


async def _run(it: Stage) -> None:
    await it.press("1")
    await it.deliver(it.script.loaded(), it.script.traffic(10))
    await it.deliver(it.script.killed(), it.script.terminating(), it.script.traffic(1, failed=2), it.script.gone())


async def _stale(it: Stage) -> None:
    await _run(it)
    it.app.pump.silence_s = lambda: 5.0  # type: ignore[method-assign]  # the one reading of a real clock
    await it.lose_link()


async def _confirm(it: Stage) -> None:
    await it.press("1", "x")


async def _help(it: Stage) -> None:
    await it.press("1", "question_mark")


async def _details(it: Stage) -> None:
    await _run(it)
    await it.press("enter")


async def _palette(it: Stage) -> None:
    await it.press("1", "colon", "s", "c", "a")


async def _kubectl(it: Stage) -> None:
    await it.press("1", "l", "y")


async def _filter(it: Stage) -> None:
    await it.press("1", "slash", "x", "8")


SCREENS: dict[str, tuple[Play, tuple[int, int]]] = {
    "first-minute": (_nothing_yet, (80, 24)),
    "first-minute-wide": (_nothing_yet, (160, 50)),
    "overview": (_overview, (80, 24)),
    "run": (_run, (80, 24)),
    "run-wide": (_run, (160, 50)),
    "stale": (_stale, (80, 24)),
    "confirm": (_confirm, (80, 24)),
    "help": (_help, (80, 24)),
    "details": (_details, (80, 24)),
    "palette": (_palette, (80, 24)),
    "kubectl": (_kubectl, (80, 24)),
    "filter": (_filter, (80, 24)),
}


@pytest.mark.parametrize("name", SCREENS)
async def test_screen(name: str) -> None:
    """The screen is as it was when somebody last looked at it."""
    play, size = SCREENS[name]
    async with stage(size=size) as it:
        await play(it)
        assert_golden(name, it.app.canvas.shown.strips)


@pytest.mark.parametrize("state", [LinkState.NOT_INSTALLED, LinkState.FAILED, LinkState.FINDING])
async def test_screen_without_data(state: LinkState) -> None:
    """The screens that say why there is nothing to see."""
    async with stage(live=False) as it:
        it.app.pump.waited_s = lambda: 12.0  # type: ignore[method-assign]  # the one reading of a real clock
        await it.deliver(LinkEvent(state, reason="the reason, as the link tells it"))
        assert_golden(state.name.lower().replace("_", "-"), it.app.canvas.shown.strips)


@pytest.mark.parametrize("theme", list(Theme), ids=lambda theme: theme.value)
@pytest.mark.parametrize("colours", [Colours.ANSI16, Colours.NONE], ids=lambda colours: colours.value)
async def test_colours_change_no_word(colours: Colours, theme: Theme) -> None:
    """Without colour, and in either theme, the screen says the same in the same places."""

    def change(options: UiOptions) -> UiOptions:
        return replace(options, profile=Profile(colours=colours, theme=theme))

    async with stage() as coloured, stage(change=change) as other:
        await _run(coloured)
        await _run(other)
        assert other.text == coloured.text
