"""Replays: the play head, its speed, and going back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from kubealive_tui.feed import Recording, Replay
from kubealive_tui.model import Frame, LinkEvent, LinkState, Signal
from tests.tui.feed.fakes import FakeClock, settle
from tests.tui.feed.test_recording import record


class Stage:
    """A replay of six signals half a second apart, and what it has delivered since the last rewind."""

    def __init__(self, path: Path) -> None:
        record(path)
        self.recording = Recording.open(path)
        self.clock = FakeClock()
        self.rewinds = 0
        self.heard: list[Signal] = []
        self.replay = Replay(self.recording, clock=self.clock, on_rewind=self._rewind)
        self.task = asyncio.ensure_future(self.replay.run(self.heard.append))

    def _rewind(self) -> None:
        self.rewinds += 1
        self.heard.clear()

    @property
    def frames(self) -> list[int]:
        return [signal.sequence for signal in self.heard if isinstance(signal, Frame)]

    @property
    def link(self) -> list[LinkState]:
        return [signal.state for signal in self.heard if isinstance(signal, LinkEvent)]


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "run.kar")
    await settle()
    yield stage
    stage.task.cancel()
    await asyncio.gather(stage.task, return_exceptions=True)
    stage.recording.close()


async def test_signals_come_at_their_recorded_times(stage: Stage) -> None:
    """Nothing comes early, and everything has come at the end, which is told."""
    assert (stage.frames, stage.link) == ([], [LinkState.REPLAYING])
    await stage.clock.advance(0.49)
    assert stage.frames == []
    await stage.clock.advance(0.02)
    assert stage.frames == [1]
    await stage.clock.advance(5)
    assert stage.frames == [1, 2, 3, 4, 5]
    assert stage.link == [LinkState.REPLAYING, LinkState.ENDED]
    assert stage.replay.position_us == stage.replay.duration_us == 2_500_000


@pytest.mark.parametrize(
    ("asked", "taken", "heard"),
    [(2.0, 2.0, [1, 2, 3, 4]), (0.5, 0.5, [1]), (100.0, 16.0, [1, 2, 3, 4, 5]), (0.01, 0.25, [])],
    ids=["twice", "half", "too fast", "too slow"],
)
async def test_speed_changes_the_pace(stage: Stage, asked: float, taken: float, heard: list[int]) -> None:
    """A second of the viewer's time is so many of the recording's, within bounds."""
    assert stage.replay.set_speed(asked) == taken
    await stage.clock.advance(1.01)
    assert stage.frames == heard


async def test_a_paused_replay_stands_still(stage: Stage) -> None:
    """Time that passes while paused is not played later."""
    await stage.clock.advance(0.6)
    stage.replay.pause()
    await stage.clock.advance(60)
    assert (stage.frames, stage.replay.position_us, stage.replay.paused) == ([1], 600_000, True)
    stage.replay.play()
    await stage.clock.advance(0.5)
    assert stage.frames == [1, 2]


async def test_seeking_forward_delivers_what_lies_between(stage: Stage) -> None:
    """Nothing is skipped, so that the store stays true."""
    stage.replay.seek(1_700_000)
    await settle()
    assert (stage.frames, stage.rewinds) == ([1, 2, 3], 0)


async def test_seeking_back_starts_anew(stage: Stage) -> None:
    """The owner of the store is told, then everything up to that point comes again."""
    await stage.clock.advance(2.1)
    stage.replay.seek(1_100_000)
    await settle()
    assert (stage.rewinds, stage.frames, stage.link) == (1, [1, 2], [LinkState.REPLAYING])
    await stage.clock.advance(0.5)
    assert stage.frames == [1, 2, 3]


async def test_seeking_while_paused_shows_that_moment(stage: Stage) -> None:
    """The play head moves and stays there."""
    stage.replay.pause()
    stage.replay.seek(10**12)
    await stage.clock.advance(1)
    assert (stage.frames, stage.replay.position_us) == ([1, 2, 3, 4, 5], 2_500_000)
    stage.replay.seek(-5)
    await settle()
    assert (stage.frames, stage.replay.position_us) == ([], 0)


async def test_playing_at_the_end_begins_again(stage: Stage) -> None:
    """A recording that has ended can be played once more."""
    await stage.clock.advance(5)
    stage.replay.play()
    await settle()
    assert (stage.rewinds, stage.frames) == (1, [])
    await stage.clock.advance(0.6)
    assert stage.frames == [1]


async def test_the_end_of_a_cut_file_says_so(tmp_path: Path) -> None:
    """Where a file was cut, the end of the replay tells what is missing."""
    path = tmp_path / "run.kar"
    record(path)
    path.write_bytes(path.read_bytes()[:-3])
    heard: list[Signal] = []
    recording, clock = Recording.open(path), FakeClock()
    task = asyncio.ensure_future(Replay(recording, clock=clock).run(heard.append))
    await clock.advance(10)
    assert heard[-1] == LinkEvent(
        LinkState.ENDED, reason="the file was cut after 2.0 s; what came then is missing"
    )
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    recording.close()
