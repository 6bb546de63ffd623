"""A program that a client has started beside a container's own, and a client's hold on the container's own."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from kubealive_sandbox.kubelet._process import Log
from kubealive_sandbox.kubelet._reaping import Reaper
from kubealive_sandbox.kubelet._spawn import PIECE, Spawned

__all__ = ["Attached", "Command"]

# Nothing has come for so long since the program's end: others hold its output, and they are not waited for.
LAST_WORDS_S = 0.5
_STDOUT, _STDERR = 1, 2

Said = Callable[[int, bytes], Awaitable[None]]


class Command:
    """One `kubectl exec`: a program that runs as long as somebody awaits `run`."""

    def __init__(self, spawned: Spawned) -> None:
        self.pid = spawned.pid
        self._spawned = spawned
        self._carried = 0
        self._carrying = 0

    @classmethod
    async def start(
        cls, argv: Sequence[str], *, env: Mapping[str, str], folder: Path, reaper: Reaper, stdin: bool
    ) -> "Command":
        """Start it. Raises OSError where it cannot be run."""
        return cls(await Spawned.start(argv, env=env, folder=folder, reaper=reaper, stdin=stdin, stderr=True))

    async def run(self, said: Said) -> int:
        """Have it say what it says, by the number of its stream, until all is said; its exit code.

        It waits for a slow listener. Cancelled, it is killed.
        """
        streams = {_STDOUT: self._spawned.stdout, _STDERR: self._spawned.stderr}
        readers = [asyncio.create_task(self._carry(*each, said)) for each in streams.items()]
        try:
            code = await self._spawned.wait()
            while not all(reader.done() for reader in readers):
                before = self._carried
                await asyncio.wait(readers, timeout=LAST_WORDS_S)
                if self._carried == before and not self._carrying:
                    break
            return code
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
            self.kill()
            self._spawned.close()

    async def feed(self, data: bytes) -> None:
        """Give it more to read; one that does not read any more is not told."""
        await _feed(self._spawned.stdin, data)

    def end_input(self) -> None:
        """There will be no more to read."""
        _end(self._spawned.stdin)

    def kill(self) -> None:
        """End it at once, with its group."""
        self._spawned.signal(signal.SIGKILL)

    async def _carry(self, number: int, source: asyncio.StreamReader | None, said: Said) -> None:
        while source and (piece := await source.read(PIECE)):
            self._carrying += 1
            try:
                await said(number, piece)
            finally:
                self._carrying -= 1
            self._carried += len(piece)


class Attached:
    """One `kubectl attach`: what the container's own program says, from its start or from now on."""

    def __init__(self, log: Log, stdin: asyncio.StreamWriter | None, *, since_start: bool, once: bool) -> None:
        self._log = log
        self._stdin = stdin
        self._tail = None if since_start else 0
        self._once = once

    async def run(self, said: Said) -> int:
        """Have it say what it says until its end. Cancelled, it is let go."""
        try:
            async for line in self._log.read(tail=self._tail, follow=True, timestamps=False):
                await said(_STDOUT, line)
        finally:
            if self._once:
                self.end_input()
        return 0

    async def feed(self, data: bytes) -> None:
        """Give it more to read."""
        await _feed(self._stdin, data)

    def end_input(self) -> None:
        """There will be no more to read."""
        _end(self._stdin)


async def _feed(stdin: asyncio.StreamWriter | None, data: bytes) -> None:
    if stdin is not None and not stdin.is_closing():
        with contextlib.suppress(ConnectionError):
            stdin.write(data)
            await stdin.drain()


def _end(stdin: asyncio.StreamWriter | None) -> None:
    if stdin is not None:
        stdin.close()
