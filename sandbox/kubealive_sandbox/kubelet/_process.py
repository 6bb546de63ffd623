"""One run of a container: its process, what is said to it, and what it says."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kubealive_sandbox.kubelet._reaping import Reaper
from kubealive_sandbox.kubelet._spawn import Spawned

__all__ = ["Log", "Process"]

# Of a container's output; what is older is gone, as behind the kubelet's rotation.
MOST_LINES = 2000
LONGEST_LINE = 16 * 1024
# What a program has said when it ends is read within that; a longer holder of its output is not waited for.
LAST_WORDS_S = 0.2


class Log:
    """The lines of one run, with their times."""

    def __init__(self) -> None:
        self._lines: deque[tuple[datetime, bytes]] = deque(maxlen=MOST_LINES)
        self._written = 0
        self._news = asyncio.Event()
        self.ended = False

    def write(self, line: bytes) -> None:
        """Keep a line."""
        self._lines.append((datetime.now(UTC), line))
        self._written += 1
        self._news.set()

    def end(self) -> None:
        """There will be no more."""
        self.ended = True
        self._news.set()

    async def read(
        self, *, tail: int | None = None, since: datetime | None = None, follow: bool, timestamps: bool
    ) -> AsyncIterator[bytes]:
        """The lines kept, then, to follow, those that come until the run is over."""
        lines = [each for each in self._lines if since is None or each[0] >= since]
        for moment, line in lines if tail is None else lines[max(0, len(lines) - tail) :]:
            yield _shown(moment, line, timestamps=timestamps)
        sent = self._written
        while follow:
            for moment, line in list(self._lines)[
                len(self._lines) - min(self._written - sent, len(self._lines)) :
            ]:
                yield _shown(moment, line, timestamps=timestamps)
            sent = self._written
            if self.ended:
                return
            self._news.clear()
            await self._news.wait()


def _shown(moment: datetime, line: bytes, *, timestamps: bool) -> bytes:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ ").encode() + line if timestamps else line


class Process:
    """A running program. `wait` gives its exit code as a container's: 128 + signal for one that was killed."""

    def __init__(self, spawned: Spawned) -> None:
        self.pid = spawned.pid
        self.log = Log()
        self.gone = asyncio.Event()
        self._spawned = spawned
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, argv: Sequence[str], *, env: Mapping[str, str], folder: Path, reaper: Reaper, stdin: bool = False
    ) -> "Process":
        """Start it, with an open standard input or none. Raises OSError where there is no such program."""
        return cls(await Spawned.start(argv, env=env, folder=folder, reaper=reaper, stdin=stdin))

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        """Its standard input, if it was started with one."""
        return self._spawned.stdin

    async def wait(self) -> int:
        """Wait for its end; what is left of its group goes with it."""
        code = await self._spawned.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reading, LAST_WORDS_S)
        self._spawned.close()
        self.log.end()
        self.gone.set()
        return code

    def signal(self, number: int) -> None:
        """Send a signal: SIGTERM to the program, SIGKILL to its whole group."""
        self._spawned.signal(number)

    async def _read(self) -> None:
        rest = b""
        while piece := await self._spawned.stdout.read(LONGEST_LINE):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self.log.write(line + b"\n")
            if len(rest) >= LONGEST_LINE:
                self.log.write(rest + b"\n")
                rest = b""
        if rest:
            self.log.write(rest)
