"""A terminal for the program under measurement: a real pty whose bytes are counted and timed as they come out.

What is drawn is read by a terminal emulator, so that "on the screen" means what a person would see.
"""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator

import pyte

from bench._process import BenchError, environment

__all__ = ["COLUMNS", "ROWS", "Terminal", "kubealive", "terminal"]

COLUMNS, ROWS = 80, 24

# A question for the cursor's position, which any terminal answers and which paces the program's frames.
_ASKED, _ANSWER = b"\x1b[6n", b"\x1b[1;1R"
_CHUNK = 1 << 16


class Terminal:
    """80x24; `fd` can be waited for, `take` reads what is there. `pid` is the program's."""

    def __init__(self, fd: int, *, pid: int) -> None:
        self.fd = fd
        self.pid = pid
        self.bytes = 0
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def take(self) -> None:
        """Read once, draw it, and answer what the program asked. Raises BenchError when the program has ended."""
        try:
            data = os.read(self.fd, _CHUNK)
        except OSError as exc:
            raise BenchError(f"the program has ended; its last screen: {self.text.strip()[:300]}") from exc
        self.bytes += len(data)
        os.write(self.fd, _ANSWER * data.count(_ASKED))
        self._stream.feed(data)

    @property
    def text(self) -> str:
        """The screen's lines as they stand."""
        return "\n".join(self._screen.display)

    def await_text(self, text: str, *, within: float) -> float:
        """Read until `text` is on the screen; the monotonic second in which it was. Raises BenchError."""
        deadline = time.monotonic() + within
        at = time.monotonic()
        while text not in self.text:
            if not select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise BenchError(f"{text!r} was not on the screen within {within:g} s: {self.text.strip()[:300]}")
            at = time.monotonic()
            self.take()
        return at

    def settle(self, *, quiet: float, within: float) -> None:
        """Read until nothing came for `quiet` seconds. Raises BenchError when that never happens."""
        deadline = time.monotonic() + within
        while select.select([self.fd], [], [], quiet)[0]:
            self.take()
            if time.monotonic() > deadline:
                raise BenchError(f"the screen was not quiet for {quiet:g} s within {within:g} s")

    def count(self, seconds: float) -> int:
        """The bytes that come in so many seconds."""
        before, deadline = self.bytes, time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                self.take()
        return self.bytes - before


def kubealive(*arguments: str) -> list[str]:
    """The command line `kubealive ARGUMENTS`, of this repository."""
    return [sys.executable, "-c", "import sys; from kubealive_tui.cli import main; sys.exit(main())", *arguments]


@contextlib.contextmanager
def terminal(command: list[str], **more: str) -> Iterator[Terminal]:
    """Run a command in a terminal of its own, with more variables, and end it with the block."""
    env = environment(TERM="xterm-256color", COLORTERM="truecolor", **more)
    env.pop("SSH_CONNECTION", None)
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execve(command[0], command, env)  # noqa: S606 - a terminal's program is started so
    try:
        yield Terminal(fd, pid=pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
