"""The engine in a thread, driven through its pipes as the agent drives the child."""

import os
import threading
import time
from collections import Counter
from types import TracebackType
from typing import BinaryIO, Self

from kubealive_agent.load import (
    CONNECT_TIMEOUT_US,
    READ_TIMEOUT_US,
    AnyReport,
    Bin,
    Edge,
    Outcome,
    Refused,
    Row,
    Start,
    Stopped,
)
from kubealive_agent.load._connection import Network
from kubealive_agent.load._engine import Engine
from kubealive_agent.load._pipe import Commands, Reports
from kubealive_agent.load._poller import Poller, make_poller
from kubealive_agent.load._ports import PORT_RANGE, SourcePorts
from kubealive_agent.load._resolver import Lookup, look_up
from kubealive_agent.load._wire import AnyCommand, encoder, report_decoder

BRIEF_US = 200_000


class Run:
    """The reports of one load from its first to its Stopped or Refused."""

    def __init__(self, reports: list[AnyReport]) -> None:
        self.reports = reports
        self.last = reports[-1]
        self.bins = [report for report in reports if isinstance(report, Bin)]
        self.edges = [report for report in reports if isinstance(report, Edge)]
        self.rows: list[Row] = [row for found in self.bins for row in found.rows]

    @property
    def stopped(self) -> Stopped:
        """The last report of a load that ran."""
        assert isinstance(self.last, Stopped)
        return self.last

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Requests by outcome, added up from the rows."""
        counts: Counter[Outcome] = Counter()
        for row in self.rows:
            counts[row.outcome] += row.count
        assert counts == Counter(self.stopped.totals.outcomes)
        return dict(counts)

    def total(self, field: str) -> int:
        """A numeric field of the rows, added up."""
        return sum(getattr(row, field) for row in self.rows)


class Rig:
    """An engine of its own for each test, with the agent's timeouts: a busy machine is slow to answer as well.

    A test that waits for one of them sets it to `BRIEF_US`.
    """

    def __init__(
        self,
        *,
        poller: Poller | None = None,
        ports: range = PORT_RANGE,
        connect_timeout_us: int = CONNECT_TIMEOUT_US,
        read_timeout_us: int = READ_TIMEOUT_US,
        lookup: Lookup = look_up,
    ) -> None:
        commands, self._commands = os.pipe()
        reports, self._child_out = os.pipe()
        self._child_in = commands
        self._reports: BinaryIO = os.fdopen(reports, "rb")
        self.network = Network(
            clock=lambda: time.monotonic_ns() // 1_000,
            poller=poller or make_poller(),
            ports=SourcePorts(ports),
            connect_timeout_us=connect_timeout_us,
            read_timeout_us=read_timeout_us,
        )
        self._engine = Engine(
            network=self.network,
            commands=Commands(commands),
            reports=Reports(self._child_out),
            lookup=lookup,
        )
        self._thread = threading.Thread(target=self._engine.run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._commands)
        self._thread.join(5)
        assert not self._thread.is_alive()
        self._engine.close()
        os.close(self._child_in)
        os.close(self._child_out)
        self._reports.close()

    def send(self, command: AnyCommand) -> None:
        """Give the engine a command."""
        os.write(self._commands, encoder.encode(command) + b"\n")

    def read(self) -> AnyReport:
        """The next report."""
        report: AnyReport = report_decoder.decode(self._reports.readline())
        return report

    def finish(self) -> Run:
        """The reports up to the end of a load."""
        reports = [self.read()]
        while not isinstance(reports[-1], Stopped | Refused):
            reports.append(self.read())
        return Run(reports)

    def run(self, start: Start) -> Run:
        """Run a load to its end."""
        self.send(start)
        return self.finish()
