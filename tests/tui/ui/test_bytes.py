"""Bytes on a real pseudo-terminal, 80x24 in true colour: the budget of slow lines."""

import fcntl
import os
import pty
import selectors
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

ROOT = Path(__file__).parents[3]
# What a modern terminal says of synchronised output and in-band resizing, and of its cursor.
ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[6n": b"\x1b[1;1R"}
QUIET_S = 0.6
DEADLINE_S = 15.0


class Terminal:
    """The far end of a pseudo-terminal: reads, counts, and answers as a terminal does."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._selector = selectors.DefaultSelector()
        self._selector.register(descriptor, selectors.EVENT_READ)

    def close(self) -> None:
        """Read no more."""
        self._selector.close()

    def press(self, key: str) -> bytes:
        """Press a key; what was written until it is quiet again."""
        os.write(self._descriptor, key.encode())
        return self.until_quiet()

    def until(self, words: bytes) -> bytes:
        """Read until the words appear."""
        seen, deadline = b"", time.monotonic() + DEADLINE_S
        while words not in seen:
            assert time.monotonic() < deadline, f"{words!r} did not come; the terminal got {seen[-500:]!r}"
            seen += self._read(0.1)
        return seen

    def until_quiet(self, quiet_s: float = QUIET_S) -> bytes:
        """Read until nothing has come for a while."""
        seen, deadline = b"", time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline and (got := self._read(quiet_s)):
            seen += got
        return seen

    def _read(self, wait_s: float) -> bytes:
        if not self._selector.select(wait_s):
            return b""
        try:
            got = os.read(self._descriptor, 65536)
        except OSError:
            return b""
        for question, answer in ANSWERS.items():
            for _ in range(got.count(question)):
                os.write(self._descriptor, answer)
        return got


@contextmanager
def screen(*program_words: str) -> Iterator[tuple[Terminal, Popen[bytes]]]:
    """The app on a terminal; what its agent does: see `pty_app`, which other words of Python may stand for."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "SSH_CONNECTION"}}
    environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": os.pathsep.join(sys.path)}
    program = Popen(
        [sys.executable, *(program_words or ("-m", "tests.tui.ui.pty_app"))],
        stdin=far, stdout=far, stderr=far, env=environ, cwd=ROOT,
    )  # fmt: skip
    os.close(far)
    terminal = Terminal(near)
    try:
        yield terminal, program
    finally:
        program.terminate()
        terminal.until_quiet(0.2)
        program.wait(10)
        terminal.close()
        os.close(near)


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal of this kind is POSIX")
def test_one_cell_is_cheap_and_idling_is_free() -> None:
    """One pod that changes one cell costs at most 800 bytes; nothing at all costs none, ticks included."""
    with screen() as (terminal, _):
        terminal.until(b"Running")
        terminal.until_quiet()
        assert terminal.until_quiet(2.5) == b""
        changed = terminal.press("l")
        assert 0 < len(changed) <= 800, f"{len(changed)} bytes: {changed!r}"


# What a screen does whose last bytes a terminal that is gone never takes.
STUCK = """
import asyncio, time
from kubealive_tui import ending
from kubealive_tui.ui import run
from kubealive_tui.ui._app import KubealiveApp
from tests.tui.ui.pty_app import OPTIONS
ending.END_S = 0.1
KubealiveApp.leave = lambda app: time.sleep(60)
asyncio.run(run(OPTIONS))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal of this kind is POSIX")
def test_a_screen_that_hangs_at_its_end_is_cut_short() -> None:
    """A hang-up ends the program even if its screen waits for ever, with the signal's exit code."""
    with screen("-c", STUCK) as (terminal, program):
        terminal.until(b"Running")
        program.send_signal(signal.SIGHUP)

        assert program.wait(20) == 128 + signal.SIGHUP
