"""A program in a process group of its own, which dies with the sandbox and takes its group along."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, SubprocessStreamProtocol
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubealive_sandbox.kubelet._programs import program
from kubealive_sandbox.kubelet._reaping import Reaper

__all__ = ["PIECE", "Spawned"]

# Of a program's output at a time, as the kubelet copies it.
PIECE = 32 * 1024


class _Protocol(SubprocessStreamProtocol):
    """Tells of the end at once: asyncio's own word waits for everybody who has inherited the output."""

    def __init__(self) -> None:
        super().__init__(limit=PIECE, loop=asyncio.get_running_loop())
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        """Take asyncio's word that the program itself is gone."""
        self.exited.set()
        super().process_exited()


class Spawned:
    """A running program and its pipes: no `stdin` if it has none, no `stderr` if its errors go with its output."""

    def __init__(self, transport: asyncio.SubprocessTransport, protocol: _Protocol, reaper: Reaper) -> None:
        self.pid: int = transport.get_pid() or 0
        self.stdin = protocol.stdin
        self.stdout = protocol.stdout or asyncio.StreamReader()
        self.stderr = protocol.stderr
        self._transport = transport
        self._exited = protocol.exited
        self._reaper = reaper
        reaper.add(self.pid)

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        folder: Path,
        reaper: Reaper,
        stdin: bool = False,
        stderr: bool = False,
    ) -> "Spawned":
        """Start it, with those pipes beside that of its output. Raises OSError where it cannot be run."""
        transport, protocol = await asyncio.get_running_loop().subprocess_exec(
            _Protocol,
            *program(argv),
            stdin=PIPE if stdin else DEVNULL,
            stdout=PIPE,
            stderr=PIPE if stderr else STDOUT,
            env={**env, "SANDBOX_FOLDER": str(reaper.folder), "SANDBOX_PIPE": str(reaper.pipe)},
            pass_fds=(reaper.pipe,),
            cwd=folder,
            start_new_session=True,
        )
        return cls(transport, protocol, reaper)

    async def wait(self) -> int:
        """Wait for its end, which its group shares; its exit code, 128 + signal if it was killed."""
        await self._exited.wait()
        self.signal(signal.SIGKILL)
        self._reaper.remove(self.pid)
        code = self._transport.get_returncode() or 0
        return 128 - code if code < 0 else code

    def signal(self, number: int) -> None:
        """Send a signal: SIGKILL to its whole group, every other to the program."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def close(self) -> None:
        """Let go of its pipes, whoever else may hold them."""
        self._transport.close()
