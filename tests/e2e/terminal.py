"""A real terminal at the far end of a pseudo-terminal, read as a person reads it."""

import fcntl
import os
import pty
import selectors
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import pyte

# What a terminal says when it is asked where its cursor is.
ASKED, ANSWER = b"\x1b[6n", b"\x1b[1;1R"
LEAVE_S = 10.0


class Terminal:
    """A program on a terminal of this size. `environ` replaces the environment."""

    def __init__(self, words: Sequence[str], *, columns: int, rows: int, environ: dict[str, str]) -> None:
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.program = subprocess.Popen(
            words, stdin=far, stdout=far, stderr=far, env=environ, start_new_session=True, close_fds=True
        )
        os.close(far)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._near, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self.program.poll() is None:
            self.program.send_signal(signal.SIGTERM)
            self.ended()
        self._selector.close()
        os.close(self._near)

    @property
    def text(self) -> str:
        """The screen as it stands."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            os.write(self._near, key.encode())
            self._read(0.05)

    def until(self, *words: str, without: str = "\0", within: float = 30.0) -> str:
        """Read until all words are on the screen, and one is not; fails with the screen as it stood."""
        deadline = time.monotonic() + within
        while without in self.text or not all(word in self.text for word in words):
            assert time.monotonic() < deadline, f"{words} did not come within {within} s:\n{self.text}"
            self._read(0.1)
        return self.text

    def ended(self) -> int:
        """Wait for the program's end; its exit code."""
        deadline = time.monotonic() + LEAVE_S
        while self.program.poll() is None:
            if time.monotonic() > deadline:
                self.program.kill()
            self._read(0.05)
        return self.program.returncode

    def _read(self, wait_s: float) -> None:
        if not self._selector.select(wait_s):
            return
        try:
            got = os.read(self._near, 65536)
        except OSError:
            return
        for _ in range(got.count(ASKED)):
            os.write(self._near, ANSWER)
        self._stream.feed(got)
