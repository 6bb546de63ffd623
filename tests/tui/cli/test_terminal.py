"""Questions at a real terminal: answered by a word, and left by Ctrl-C."""

import asyncio
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kubealive_tui.cli._terminal import Terminal


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a terminal at which a person types; inside a test, since fixtures have another stdin."""
    master, slave = os.openpty()
    with os.fdopen(slave, encoding="utf-8") as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        monkeypatch.setattr(sys, "stderr", _Screen())
        yield master
    os.close(master)


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y", True), ("Yes", True), ("n", False), ("", False)], ids=["y", "yes", "no", "nothing"]
)
async def test_only_a_word_for_yes_agrees(monkeypatch: pytest.MonkeyPatch, typed: str, *, agreed: bool) -> None:
    """Whatever else is typed is a no."""
    with keyboard(monkeypatch) as hand:
        os.write(hand, f"{typed}\n".encode())
        assert await Terminal().confirm("Sure?") is agreed


async def test_a_question_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled, as by Ctrl-C, it leaves no thread behind that waits for Enter."""
    before = threading.active_count()
    with keyboard(monkeypatch):
        asking = asyncio.ensure_future(Terminal().confirm("Sure?"))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert threading.active_count() == before
