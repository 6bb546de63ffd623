"""A program from its start to its end: ports, signals, and a stop that loses no accepted request.

The stop (`DRAIN=on`): readiness fails at once. The main port goes on accepting, each reply now ending its
connection, until nothing has arrived for `QUIET_SECONDS`, but for `LISTEN_SECONDS` at most: that spans the
time in which the kube-proxies of a small cluster hear of the change. Then the clients in the kernel's queue
are taken in, the port is closed, open requests are finished, and the process exits with 0. Idle that takes a
tenth of a second, under traffic four. Clients that still come after that need a preStop pause; the rollout
experiment shows it.
"""

from __future__ import annotations

import os
import signal
import sys

from kubealive_workloads._application import Application
from kubealive_workloads._fault_port import FaultApplication
from kubealive_workloads._faults import Faults
from kubealive_workloads._http import ReplyWriter
from kubealive_workloads._port import Port
from kubealive_workloads._probes import Probes
from kubealive_workloads._record import Record
from kubealive_workloads.programs import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from kubealive_workloads._config import Settings
    from kubealive_workloads._loop import Loop
    from kubealive_workloads.programs import Program

MAX_CONNECTIONS = 900  # below the 1,024 descriptors that a process may have by default
MAX_FAULT_CONNECTIONS = 16  # the agent, a person with curl, and room

QUIET_SECONDS = 0.1  # a client that has connected sends its request well within this
LISTEN_SECONDS = 0.3
DRAIN_SECONDS = 20.0  # for open requests; below the 30 s after which a kubelet kills
DRAIN_STEP_SECONDS = 0.02

EXIT_UNFINISHED = 1
EXIT_BY_SIGNAL = 128  # plus the number: what a shell and the kubelet report for a program without a handler


class Server:
    """Serves one program on its main port and, if a token is set, its faults on another.

    Raises:
        ConfigError: a port cannot be had.
    """

    def __init__(self, program: Program, settings: Settings, loop: Loop) -> None:
        identity = settings.identity
        self._loop = loop
        self._drain_on_signal = settings.drain
        self._faults = Faults(loop)
        self._probes = Probes(self._faults, version=identity.version, record=Record(settings.probe_record))
        self._drain_started: float | None = None
        writer = ReplyWriter(identity.headers())
        context = Context(identity=identity, loop=loop, healthy=lambda: not self._faults.liveness.failing)
        application = Application(loop, faults=self._faults, probes=self._probes, routes=program(context))
        self.main = Port(
            loop,
            settings.port,
            variable="PORT",
            limit=MAX_CONNECTIONS,
            writer=writer,
            respond=application.respond,
        )
        self.fault: Port | None = None
        if settings.fault_token is not None:
            faults = FaultApplication(
                self._faults, token=settings.fault_token, uid=identity.uid, on_cure=self.main.resume
            )
            self.fault = Port(
                loop,
                settings.fault_port,
                variable="FAULT_PORT",
                limit=MAX_FAULT_CONNECTIONS,
                writer=writer,
                respond=faults.respond,
            )

    def handle_signals(self) -> None:
        """Stop on SIGTERM and SIGINT; at once on the second."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def run(self) -> int:
        """Serve until stopped, and give the exit code."""
        try:
            return self._loop.run()
        finally:
            self.main.close()
            if self.fault is not None:
                self.fault.close()
            self._loop.close()

    def stop(self) -> None:
        """Begin to drain."""
        self._probes.draining = True
        self._drain_started = self._loop.now()
        self.main.drain()
        self._drain()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._faults.hanging:
            return  # a program that hangs hears nothing
        if self._drain_started is not None or not self._drain_on_signal:
            try:
                self.main.reset()
            finally:  # as process 1 of a container it cannot end by the signal itself: the kernel drops that
                os._exit(EXIT_BY_SIGNAL + number)
        self._drain_started = self._loop.now()
        self._loop.post(self.stop)

    def _drain(self) -> None:
        """Take the next step of the stop that is due, and come back for the one after it."""
        now, started = self._loop.now(), self._drain_started or 0.0
        if self._quiet(now) or now - started >= LISTEN_SECONDS:
            self.main.stop_listening()
            if self._quiet(now) and not self.main.owed():
                self._loop.stop(0)
                return
        if now - started >= DRAIN_SECONDS:
            self._say_unfinished()
            self._loop.stop(EXIT_UNFINISHED)
            return
        self._loop.after(DRAIN_STEP_SECONDS, self._drain)

    def _quiet(self, now: float) -> bool:
        return now - max(self._drain_started or 0.0, self.main.last_arrival) >= QUIET_SECONDS

    def _say_unfinished(self) -> None:
        sys.stderr.write(f"{self.main.owed()} requests were still open after {DRAIN_SECONDS:.0f} s and are lost\n")
