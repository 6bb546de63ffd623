"""A recording on the screen: its keys move the play head, and going back begins with an empty store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from kubealive_tui.model import LinkEvent, LinkState, Signal
from kubealive_tui.ui import UiOptions
from tests.tui.ui.scripts import LIVE, Script
from tests.tui.ui.stage import stage


class FakePlayer:
    """A minute of recording whose play head moves only when told."""

    duration_us = 60_000_000
    ended = False

    def __init__(self, rewound: Callable[[], None]) -> None:
        self.rewound = rewound
        self.position_us = 10_000_000
        self.paused = False
        self.speed = 1.0

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        deliver(replace(LIVE, state=LinkState.REPLAYING))
        deliver(Script().snapshot())
        await asyncio.Event().wait()

    def play(self) -> None:
        self.paused = False

    def pause(self) -> None:
        self.paused = True

    def set_speed(self, speed: float) -> float:
        self.speed = speed
        return speed

    def seek(self, position_us: int) -> None:
        if position_us < self.position_us:
            self.rewound()
        self.position_us = position_us


def _replay(players: list[FakePlayer]) -> Callable[[UiOptions], UiOptions]:
    def make(rewound: Callable[[], None]) -> FakePlayer:
        players.append(FakePlayer(rewound))
        return players[-1]

    return lambda options: replace(options, feed=None, replay=make)


async def test_replay_keys() -> None:
    """Space plays and pauses, < and > change the speed, arrows seek five seconds."""
    players: list[FakePlayer] = []
    async with stage(change=_replay(players), live=False) as it:
        player = players[0]
        await it.press("space")
        assert player.paused
        assert "paused" in it.lines[0]
        await it.press("greater_than_sign", "greater_than_sign", "less_than_sign", "right")
        assert (player.speed, player.position_us) == (2.0, 15_000_000)
        assert "space play" in it.lines[-1]


async def test_the_first_minute_of_a_recording_names_no_key_that_means_nothing() -> None:
    """It plays by another key, and kills nobody."""
    async with stage(change=_replay([]), live=False) as it:
        first = [text.strip() for text in it.lines[2:6]]
        assert first[2] == "space plays it. Press 1 and look on, e explains it: this is a recording."
        assert first[3].startswith("? lists keys")


async def test_going_back_empties_the_store() -> None:
    """What was shown from the time after is gone."""
    players: list[FakePlayer] = []
    async with stage(change=_replay(players), live=False) as it:
        await it.press("1")
        assert "47vpv" in it.text
        await it.press("left")
        assert "47vpv" not in it.text
        assert players[0].position_us == 5_000_000


async def test_help_says_pairs_whole() -> None:
    """A line with two keys says what each of them does."""
    async with stage(change=_replay([]), live=False, size=(80, 60)) as it:
        await it.press("question_mark")
        assert "< >  play slower, faster" in it.text
        assert "← →  5 s back, ahead" in it.text
        assert "ask once a session" not in it.text


async def test_a_recording_has_no_triggers() -> None:
    """Keys that would act mean nothing, and are not offered."""
    players: list[FakePlayer] = []
    async with stage(change=_replay(players), live=False) as it:
        await it.press("1", "x", "l")
        assert "SURE?" not in it.text
        assert "x kill" not in it.lines[-1]
        assert "l did nothing: this is a recording" in it.text


async def test_the_end_of_a_recording_is_not_stale() -> None:
    """The last screen stands, and the header says that it is the end."""
    players: list[FakePlayer] = []
    async with stage(change=_replay(players), live=False) as it:
        await it.press("1")
        it.app.pump.deliver(LinkEvent(LinkState.ENDED))
        await it.pilot.pause()
        assert "end of recording" in it.lines[0]
        assert not it.app.session.model(it.app.session.size).stale
