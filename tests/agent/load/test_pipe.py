"""The child's ends of the pipe."""

import os
from collections.abc import Iterator

import pytest

from kubealive_agent.load import Refused
from kubealive_agent.load._pipe import MAX_UNREAD_BYTES, Commands, PipeError, Reports
from kubealive_agent.load._wire import MAX_LINE_BYTES, Stop, encoder

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """The two ends of a pipe, read end first."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_commands_may_come_in_pieces(pipe: Pipe) -> None:
    """A command is known once its line is whole; several may come at once."""
    commands = Commands(pipe[0])
    line = encoder.encode(Stop(load_id=7)) + b"\n"
    os.write(pipe[1], line + line[:5])
    assert commands.read() == [Stop(load_id=7)]
    os.write(pipe[1], line[5:])
    assert commands.read() == [Stop(load_id=7)]
    assert not commands.closed


def test_command_line_is_bounded(pipe: Pipe) -> None:
    """A line without end is refused and not collected."""
    commands = Commands(pipe[0])
    for _ in range(MAX_LINE_BYTES // 65_536):
        os.write(pipe[1], b"x" * 65_536)
        assert commands.read() == []
    os.write(pipe[1], b"x")
    with pytest.raises(PipeError, match="longer than"):
        commands.read()


def test_reports_do_not_wait_for_the_reader(pipe: Pipe) -> None:
    """A full pipe keeps the rest for the next flush, in order and without loss."""
    reports = Reports(pipe[1])
    for number in range(3):
        reports.write(Refused(load_id=number, why="x" * 60_000))
    received = b""
    reports.flush()
    rounds = 0
    while reports.pending:
        rounds += 1
        received += os.read(pipe[0], 65_536)
        reports.flush()
    received += os.read(pipe[0], 65_536)
    assert rounds
    assert [line[:29] for line in received.splitlines()] == [
        b'{"type":"Refused","load_id":%d' % number for number in range(3)
    ]


def test_unread_reports_are_bounded(pipe: Pipe) -> None:
    """An agent that has stopped reading ends the child, and with it its load."""
    reports = Reports(pipe[1])
    reports.write(Refused(load_id=1, why="x" * (MAX_UNREAD_BYTES + 100_000)))
    with pytest.raises(PipeError, match="unread"):
        reports.flush()


def test_gone_reader_is_told() -> None:
    """A pipe without a reader ends the child."""
    reader, writer = os.pipe()
    os.close(reader)
    reports = Reports(writer)
    reports.write(Refused(load_id=1, why=""))
    with pytest.raises(PipeError, match="nobody reads"):
        reports.flush()
    os.close(writer)
