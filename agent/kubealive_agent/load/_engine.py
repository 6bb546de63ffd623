"""The child's loop: sockets, planned sends, deadlines and reports, in one thread that never blocks on a peer."""

import os
from typing import Final

from kubealive_agent.load._connection import Network
from kubealive_agent.load._limits import why_rate_refused, why_refused
from kubealive_agent.load._load import Load
from kubealive_agent.load._pipe import Commands, Reports
from kubealive_agent.load._resolver import Lookup, Resolver, look_up
from kubealive_agent.load._wire import BIN_WIDTH_US, AnyCommand, Rate, Refused, Start, Stopped

FLUSH_RETRY_US: Final = 10_000
"""While the pipe is full: the agent empties it within one turn of its own loop."""

_WAKE_BYTES: Final = 64


class Engine:
    """All loads of one agent. `run` returns when the agent closes its end of the pipe."""

    def __init__(
        self, *, network: Network, commands: Commands, reports: Reports, lookup: Lookup = look_up
    ) -> None:
        self._network = network
        self._poller = network.poller
        self._commands = commands
        self._lookup = lookup
        self._reports = reports
        self._loads: dict[int, Load] = {}
        self._next_report_us = 0
        self._awake_fd, self._wake_fd = os.pipe()
        self._poller.watch(self._awake_fd)
        self._poller.watch(commands.fd)

    def run(self) -> None:
        """Serve until the commands end. Raises PipeError."""
        connections = self._network.connections
        clock = self._network.clock
        while not self._commands.closed:
            timeout, exact = self._patience(clock())
            for fd, flags in self._poller.poll(timeout, exact=exact):
                connection = connections.get(fd)
                if connection is not None:
                    connection.on_event(flags)
                elif fd == self._commands.fd:
                    self._obey()
                elif fd == self._awake_fd:
                    os.read(fd, _WAKE_BYTES)
            now_us = clock()
            for deadlines in (self._network.connecting, self._network.replying):
                for connection in deadlines.pop_expired(now_us):
                    connection.expire()
            for load in self._loads.values():
                load.dispatch()
            if now_us >= self._next_report_us:
                self._report(now_us)

    def close(self) -> None:
        """Let go of every descriptor that is the engine's own."""
        for load in self._loads.values():
            load.close()
        self._poller.close()
        os.close(self._awake_fd)
        os.close(self._wake_fd)

    def _patience(self, now_us: int) -> tuple[float | None, bool]:
        """How long there is nothing to do (None: for ever), and whether the end of that is a planned send."""
        if not self._loads and not self._reports.pending:
            return None, False
        other_us = self._next_report_us
        for deadlines in (self._network.connecting, self._network.replying):
            if (next_us := deadlines.next_us) is not None and next_us < other_us:
                other_us = next_us
        sends = [due_us for load in self._loads.values() if (due_us := load.next_due_us()) is not None]
        send_us = min(sends, default=other_us)
        return max(0, min(send_us, other_us) - now_us) / 1e6, send_us < other_us

    def _obey(self) -> None:
        for command in self._commands.read():
            why = self._carry_out(command)
            if why is not None:
                self._reports.write(Refused(load_id=command.load_id, why=why))
                self._reports.flush()

    def _carry_out(self, command: AnyCommand) -> str | None:
        load = self._loads.get(command.load_id)
        if isinstance(command, Start):
            return self._start(command) if load is None else f"load {command.load_id} runs already"
        if load is None:
            return None  # it has just ended by itself, and its Stopped says so
        if isinstance(command, Rate):
            return self._change_rate(load, command.rate)
        load.stop()
        return None

    def _start(self, start: Start) -> str | None:
        now_us = self._network.clock()
        why = why_refused(start, now_us=now_us, running_rate=self._running_rate(), running_loads=len(self._loads))
        if why is None:
            resolver = Resolver(start.host, start.port, wake=self._wake, lookup=self._lookup)
            if not self._loads:
                self._next_report_us = _next_report_us(now_us)
            self._loads[start.load_id] = Load(start, network=self._network, resolver=resolver)
        return why

    def _change_rate(self, load: Load, rate: float) -> str | None:
        if load.rate is None:
            return f"load {load.load_id} is a closed loop without a rate; start another with one"
        why = why_rate_refused(rate, running_rate=self._running_rate() - load.rate)
        if why is None:
            load.change_rate(rate)
        return why

    def _running_rate(self) -> float:
        return sum(load.rate or 0.0 for load in self._loads.values() if load.plans)

    def _report(self, now_us: int) -> None:
        for load in tuple(self._loads.values()):
            for report in load.reports():
                self._reports.write(report)
                if isinstance(report, Stopped):
                    load.close()
                    del self._loads[load.load_id]
        self._reports.flush()
        self._next_report_us = now_us + FLUSH_RETRY_US if self._reports.pending else _next_report_us(now_us)

    def _wake(self) -> None:
        os.write(self._wake_fd, b"\0")


def _next_report_us(now_us: int) -> int:
    """Reports leave when a bin ends, so that most bins are reported once."""
    return now_us - now_us % BIN_WIDTH_US + BIN_WIDTH_US
