"""The agent's hold on the load child: starts it, checks the caps, hands on its reports, outlives its death."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from kubealive_agent.load._limits import why_rate_refused, why_refused
from kubealive_agent.load._ports import port_memory
from kubealive_agent.load._wire import (
    MAX_LINE_BYTES,
    AnyCommand,
    AnyReport,
    ChildDied,
    Rate,
    Refused,
    Start,
    Stop,
    Stopped,
    encoder,
    report_decoder,
)

WRITE_DEADLINE_S: Final = 2.0
"""A child that leaves a hundred-byte command unread for so long keeps no time either, and is ended."""

CLOSE_DEADLINE_S: Final = 2.0
"""Between the end of the child's stdin, which it notices at once, and SIGKILL."""

IDLE_S: Final = 140.0
"""A child without load is ended after so long, for its memory; people mostly pause less between two loads."""

_CHILD: Final = (sys.executable, "-P", "-m", "kubealive_agent.load")

_logger = logging.getLogger(__name__)


class LoadError(Exception):
    """Base of what the load package raises."""


class LoadRefusedError(LoadError):
    """The load is beyond a cap; the sentence names the value, the cap and what to do."""


class LoadEngineError(LoadError):
    """The child cannot be started or does not take commands; the next load starts a new one."""


class LoadSupervisor:
    """All measured load of one agent; belongs to the loop that runs it.

    `on_report` is called in that loop with each report, in order; it must not block and must not raise. A load
    ends with Stopped, Refused, or ChildDied. `clock_offset_us` is agent time less CLOCK_MONOTONIC, so that the
    child's times are the agent's. `argv` is the child's command, to which the offset is appended, and what source
    ports are owed, which outlives each child. A child that has had no load for `idle_s` seconds is ended.
    """

    def __init__(
        self,
        *,
        clock_offset_us: int,
        on_report: Callable[[AnyReport], None],
        argv: Sequence[str] = _CHILD,
        idle_s: float = IDLE_S,
    ) -> None:
        self._clock_offset_us = clock_offset_us
        self._on_report = on_report
        self._argv = (*argv, "--clock-offset-us", str(clock_offset_us))
        self._ports_fd: int | None = None
        self._loads: dict[int, Start] = {}
        self._child: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._idle_s = idle_s
        self._retiring: asyncio.Task[None] | None = None
        self._retired = False
        self._closed = False

    @property
    def loads(self) -> Mapping[int, Start]:
        """The loads that run, by id, each with its present rate; 0 for one that was asked to end."""
        return MappingProxyType(self._loads)

    @property
    def pid(self) -> int | None:
        """The child's process id, for those who measure its memory; None while there is no child."""
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Start the child ahead of the first load. Raises LoadEngineError."""
        await self._ensure_child()

    async def run_load(self, start: Start) -> None:
        """Begin a load under the id of the caller's choice. Raises LoadRefusedError, LoadEngineError."""
        why = why_refused(
            start,
            now_us=time.monotonic_ns() // 1000 + self._clock_offset_us,
            running_rate=self._running_rate(),
            running_loads=len(self._loads),
        )
        if start.load_id in self._loads:
            why = f"load {start.load_id} runs already; stop it first or change its rate"
        if why:
            raise LoadRefusedError(why)
        self._loads[start.load_id] = start
        try:
            await self._ensure_child()
            await self._send(start)
        except BaseException:
            self._loads.pop(start.load_id, None)
            raise

    async def set_rate(self, load_id: int, rate: float) -> None:
        """Change the requests/s of an open-loop load. Raises LoadRefusedError, LoadEngineError."""
        load = self._loads.get(load_id)
        if load is None:
            raise LoadRefusedError(f"load {load_id} does not run; start it again at {rate:g} requests/s")
        if load.rate is None:
            raise LoadRefusedError(f"load {load_id} is a burst without a rate; start a steady load instead")
        why = why_rate_refused(rate, running_rate=self._running_rate() - load.rate)
        if why:
            raise LoadRefusedError(why)
        self._loads[load_id] = msgspec.structs.replace(load, rate=rate)
        await self._send(Rate(load_id=load_id, rate=rate))

    async def stop(self, load_id: int) -> None:
        """Ask a load to end; its Stopped follows once no request is in flight. Unknown ids are no error."""
        load = self._loads.get(load_id)
        if load is None:
            return
        if load.rate is not None:
            # It plans no more sends, and the next load need not wait for its last outcomes to have its rate.
            self._loads[load_id] = msgspec.structs.replace(load, rate=0.0)
        await self._send(Stop(load_id=load_id))

    async def close(self) -> None:
        """End the child and all load at once, killing it if it takes longer than CLOSE_DEADLINE_S."""
        self._closed = True
        if self._retiring:
            self._retiring.cancel()
        await self._end_child()
        if self._ports_fd is not None:
            os.close(self._ports_fd)
            self._ports_fd = None

    async def _end_child(self) -> None:
        child, reader = self._child, self._reader
        if child is None or reader is None:
            return
        if child.stdin:
            child.stdin.close()
        try:
            async with asyncio.timeout(CLOSE_DEADLINE_S):
                await asyncio.shield(reader)
        except TimeoutError:
            _kill(child)
            await reader

    def _idle(self) -> None:
        if self._retiring:
            self._retiring.cancel()
        self._retiring = asyncio.create_task(self._retire(), name="load engine idle") if not self._loads else None

    async def _retire(self) -> None:
        await asyncio.sleep(self._idle_s)
        # A load that begins meanwhile waits at this lock and finds either its child or none.
        async with self._starting:
            if self._child and not self._loads:
                self._retired = True
                await self._end_child()

    def _running_rate(self) -> float:
        return sum(load.rate or 0.0 for load in self._loads.values())

    async def _ensure_child(self) -> None:
        async with self._starting:
            if self._closed:
                raise LoadEngineError("the load engine has been closed; restart the agent to run load")
            if self._child is not None:
                return
            try:
                if self._ports_fd is None:
                    self._ports_fd = port_memory()
                self._child = await asyncio.create_subprocess_exec(
                    *self._argv,
                    "--ports-fd",
                    str(self._ports_fd),
                    pass_fds=(self._ports_fd,),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=MAX_LINE_BYTES,
                )
            except OSError as exc:
                raise LoadEngineError(f"{self._argv[0]} cannot be started as load engine: {exc}") from exc
            self._reader = asyncio.create_task(self._read(self._child), name="load reports")

    async def _send(self, command: AnyCommand) -> None:
        child = self._child
        if child is None or child.stdin is None:
            raise LoadEngineError("the load engine has just died; start the load again")
        try:
            child.stdin.write(encoder.encode(command) + b"\n")
            async with asyncio.timeout(WRITE_DEADLINE_S):
                await child.stdin.drain()
        except TimeoutError as exc:
            _kill(child)
            raise LoadEngineError("the load engine takes no commands and was ended; try again") from exc
        except ConnectionError as exc:
            raise LoadEngineError("the load engine has just died; start the load again") from exc

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        """Hand on reports until the child ends: the root of the reader's task."""
        try:
            await self._hand_on(child)
        except Exception:
            _logger.exception("reports of the load engine cannot be handed on; ending it")
        finally:
            # Its stdout has ended or is not read any more, so it can only be about to end, or hang.
            if child.stdin:
                child.stdin.close()
            try:
                async with asyncio.timeout(CLOSE_DEADLINE_S):
                    await child.wait()
            except TimeoutError:
                _kill(child)
                await child.wait()
            self._bury(child)

    async def _hand_on(self, child: asyncio.subprocess.Process) -> None:
        if child.stdout is None:
            return
        while (line := await child.stdout.readline()).endswith(b"\n"):
            report = report_decoder.decode(line)
            if isinstance(report, Stopped | Refused):
                self._loads.pop(report.load_id, None)
                self._idle()
            self._on_report(report)

    def _bury(self, child: asyncio.subprocess.Process) -> None:
        self._child = self._reader = None
        if self._retired:
            self._retired = False
            return
        lost = tuple(self._loads)
        self._loads.clear()
        if not self._closed:
            _logger.error("load engine ended with exit code %s, loads lost: %s", child.returncode, lost)
            self._on_report(ChildDied(exit_code=child.returncode, load_ids=lost))


def _kill(child: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.kill()
