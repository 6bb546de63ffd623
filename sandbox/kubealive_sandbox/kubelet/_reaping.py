"""The reaper's near end: a process that outlives the sandbox for a moment, to leave nothing behind.

It is told of every process group and of the sandbox's folder, over a pipe. When the pipe ends, however the
sandbox ended, it kills the groups, removes the folder, and is gone. Should it be killed too, the processes of pods
notice by themselves (`inside._life`): they watch another pipe, which nothing is ever written to.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["Reaper"]

_PROGRAM = Path(__file__).with_name("_reap.py")


class Reaper:
    """A handle on the reaper of one sandbox, whose folder it removes. `pipe` is for pods to watch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pipe, self._held = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", str(_PROGRAM), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def add(self, group: int) -> None:
        """Kill that group at the end."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """That group is gone already, and its number may be anybody's."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Have it do its work now, and wait for it."""
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait(10)
        os.close(self._held)
        os.close(self.pipe)

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()
