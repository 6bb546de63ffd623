"""The terminal's input: waited for, not looked for."""

import os
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest
from textual import events

from kubealive_tui.ui._driver import Ending, listen

PATIENCE_S = 10.0


class Stage:
    """A listening thread; `type` types, `heard` is the next key."""

    def __init__(self) -> None:
        self._terminal, self._keyboard = os.pipe()
        self._heard: SimpleQueue[object] = SimpleQueue()
        self._ending = Ending()
        self._thread = threading.Thread(target=listen, args=(self._terminal, self._ending, self._heard.put))
        self._thread.start()

    def type(self, *pieces: bytes) -> None:
        for piece in pieces:
            os.write(self._keyboard, piece)

    def hang_up(self) -> None:
        os.close(self._keyboard)
        self._keyboard = -1

    def heard(self) -> str:
        message = self._heard.get(timeout=PATIENCE_S)
        return message.key if isinstance(message, events.Key) else type(message).__name__

    def end(self) -> bool:
        self._ending.set()
        self._thread.join(PATIENCE_S)
        return not self._thread.is_alive()

    def close(self) -> None:
        self.end()
        self._ending.clear()
        self._ending.close()
        for each in {self._terminal, self._keyboard} - {-1}:
            os.close(each)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A thread that listens, and is gone after the test."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.mark.parametrize(
    ("pieces", "heard"),
    [
        ((b"ab",), ["a", "b"]),
        ((b"\x1b[A",), ["up"]),
        ((b"\xc3", b"\xa4"), ["ä"]),
        ((b"\x1b",), ["escape"]),
        ((b"\x1b[2;3R",), ["CursorPosition"]),
    ],
    ids=["letters", "a sequence", "a character in two pieces", "a lone escape", "an answer"],
)
def test_hears_what_is_typed(stage: Stage, pieces: tuple[bytes, ...], heard: list[str]) -> None:
    """Each key and each answer of the terminal comes; an escape does not wait for the next key."""
    stage.type(*pieces)
    assert [stage.heard() for _ in heard] == heard


def test_ends_while_nobody_types(stage: Stage) -> None:
    """A thread that sleeps without an end in time is woken by being told to end."""
    assert stage.end()


def test_ends_after_the_terminal(stage: Stage) -> None:
    """Where nothing can be typed any more it still waits to be told to end."""
    stage.type(b"q")
    stage.hang_up()
    assert (stage.heard(), stage.end()) == ("q", True)
