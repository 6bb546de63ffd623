"""Recordings: what is written comes back, up to wherever the file was cut."""

import errno
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubealive.v1 import agent_pb2, facts_pb2, state_pb2
from kubealive_tui.errors import RecordingError
from kubealive_tui.feed import Head, Recorder, Recording, _convert
from kubealive_tui.feed._format import FORMAT_VERSION, MAGIC, Kind, entry_bytes
from kubealive_tui.model import Info, LinkEvent, LinkState, Signal
from tests.tui.feed.fakes import FakeClock

HEAD = Head("kind-lab", "kubealive", 1_700_000_000_000_000, "0.1.0")


def message(sequence: int) -> agent_pb2.WatchResponse:
    fact = facts_pb2.Fact(sequence=sequence, note=facts_pb2.AgentNote(message=f"note {sequence}"))
    pod = state_pb2.Change(kind=state_pb2.KIND_POD, uid="u", pod=state_pb2.Pod(name=f"getip-{sequence}"))
    body = agent_pb2.Batch(changes=[pod], facts=[fact])
    return agent_pb2.WatchResponse(epoch=1, sequence=sequence, time_us=sequence * 1_000, batch=body)


def record(path: Path, count: int = 5) -> list[tuple[int, Signal]]:
    """Record one link event and so many frames, half a second apart; returns what has to come back."""
    clock, troubles = FakeClock(), list[str]()
    recorder = Recorder.create(path, HEAD, on_trouble=troubles.append, clock=clock)
    info = agent_pb2.GetInfoResponse(version="0.1.0", epoch=1)
    event = LinkEvent(LinkState.CONNECTED, round_trip_ms=2.5, info=_convert.info(info))
    recorder.link(event, info)
    wanted: list[tuple[int, Signal]] = [(0, event)]
    for sequence in range(1, count + 1):
        clock.now += 0.5
        recorder.frame(message(sequence))
        wanted.append((sequence * 500_000, _convert.frame(message(sequence))))
    recorder.close()
    assert troubles == []
    return wanted


def played(path: Path) -> list[tuple[int, Signal]]:
    recording = Recording.open(path)
    found = list(recording)
    recording.close()
    return found


def test_a_recording_plays_what_was_recorded(tmp_path: Path) -> None:
    """Frames and link events come back equal, in order, with their offsets; the head too."""
    path = tmp_path / "run.kar"
    wanted = record(path)
    assert played(path) == wanted
    recording = Recording.open(path)
    assert (recording.head, recording.cut, recording.duration_us) == (HEAD, False, 2_500_000)
    recording.close()


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_cut_file_plays_up_to_the_cut(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever the byte at which a file ends, every entry that is whole is played, and the cut is told."""
    path = tmp_path_factory.mktemp("cut") / "run.kar"
    wanted = record(path)
    raw = path.read_bytes()
    begin = len(raw) - sum(len(part) for part in entries(raw))
    cut = data.draw(st.integers(begin, len(raw)))
    path.write_bytes(raw[:cut])
    recording = Recording.open(path)
    whole = list(recording)
    assert whole == wanted[: len(whole)]
    assert recording.cut == (recording.good_bytes < cut)
    assert len(whole) == len(wanted) or cut < len(raw)
    recording.close()


def entries(raw: bytes) -> list[bytes]:
    """The entries of a recording, by reading it."""
    head_end = Head.read(raw, "x")[1]
    recording = Recording(Path("x"), HEAD, raw, head_end)
    return [raw[entry.begin - 17 : entry.end] for entry in recording._entries]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_ends_a_recording_before_it(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A byte that changed is never played: entries before it are, and the rest counts as cut."""
    path = tmp_path_factory.mktemp("damage") / "run.kar"
    wanted = record(path)
    raw = bytearray(path.read_bytes())
    begin = len(raw) - sum(len(part) for part in entries(bytes(raw)))
    at = data.draw(st.integers(begin, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(raw))
    recording = Recording.open(path)
    whole = list(recording)
    assert whole == wanted[: len(whole)]
    assert len(whole) < len(wanted)
    assert recording.cut
    recording.close()


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "is empty"),
        (b"apiVersion: v1\nkind: List\n", "is not a kubealive recording"),
        (MAGIC + b"\xff\x7f" + bytes(8), f"reads up to {FORMAT_VERSION}; install a newer kubealive"),
        (MAGIC + b"\x01", "was cut within its head"),
        (HEAD.to_bytes()[:-6], "was cut within its head"),
        (HEAD.to_bytes()[:-1] + b"\x00", "is damaged in its head"),
    ],
    ids=["empty", "other file", "newer format", "cut version", "cut head", "damaged head"],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, raw: bytes, sentence: str) -> None:
    """Each sort of wrong file gets its own sentence, with its name."""
    path = tmp_path / "file"
    path.write_bytes(raw)
    with pytest.raises(RecordingError, match=sentence) as caught:
        Recording.open(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The system's word for it, and which file."""
    with pytest.raises(RecordingError, match="No such file"):
        Recording.open(tmp_path / "none")


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    """A file that holds anything is left alone; an empty one is taken."""
    path = tmp_path / "run.kar"
    path.write_bytes(b"precious")
    with pytest.raises(RecordingError, match="exists and is not empty"):
        Recorder.create(path, HEAD, on_trouble=print)
    assert path.read_bytes() == b"precious"
    path.write_bytes(b"")
    record(path)
    assert len(played(path)) == 6


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Recording into nowhere fails before anything begins."""
    with pytest.raises(RecordingError, match="cannot record to"):
        Recorder.create(tmp_path / "no" / "run.kar", HEAD, on_trouble=print)


class FullDisk(BytesIO):
    """Takes so many bytes, then fails as a full disk does: with an error, or with a short write."""

    def __init__(self, room: int, *, short: bool) -> None:
        super().__init__()
        self.room, self.short = room, short

    def write(self, raw: Any) -> int:
        if self.tell() + len(raw) <= self.room:
            return super().write(raw)
        if self.short:
            return super().write(raw[: self.room - self.tell()])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("short", [True, False], ids=["short write", "error"])
def test_a_full_disk_ends_the_recording_alone(*, short: bool) -> None:
    """One sentence is said, later entries are ignored, and nothing is raised."""
    troubles: list[str] = []
    file = FullDisk(100, short=short)
    recorder = Recorder(file, Path("run.kar"), clock=FakeClock(), on_trouble=troubles.append)
    for sequence in range(20):
        recorder.frame(message(sequence))
    assert len(troubles) == 1
    assert "recording to run.kar ended" in troubles[0]
    assert not recorder.recording
    assert file.closed


def test_kinds_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    """An entry of a kind that is not known here does not end the recording."""
    path = tmp_path / "run.kar"
    known = entry_bytes(Kind.FRAME, 5, message(1).SerializeToString())

    class Later:
        value = ord("Z")

    later = entry_bytes(Later, 6, b"?")  # type: ignore[arg-type]
    path.write_bytes(HEAD.to_bytes() + known + later + known)
    assert len(played(path)) == 2


def test_a_frame_that_no_kubealive_wrote_is_told(tmp_path: Path) -> None:
    """A payload with a sound checksum and no sense is an error with its place, not a crash."""
    path = tmp_path / "run.kar"
    path.write_bytes(HEAD.to_bytes() + entry_bytes(Kind.LINK, 0, b"{}"))
    with pytest.raises(RecordingError, match="no kubealive wrote"):
        played(path)


def test_the_agents_info_is_recorded_with_the_event(tmp_path: Path) -> None:
    """What the agent said of itself comes back with the event that brought it."""
    path = tmp_path / "run.kar"
    record(path)
    event = played(path)[0][1]
    assert isinstance(event, LinkEvent)
    assert event.info == Info(version="0.1.0", epoch=1)
