"""One load: plans its sends, gives them to free connections, and accounts for what became of them."""

from collections import deque
from typing import Final, Literal

from kubealive_agent.load._bins import Bins
from kubealive_agent.load._connection import Connection, Network
from kubealive_agent.load._limits import MAX_DURATION_US
from kubealive_agent.load._outage import OutageTracker
from kubealive_agent.load._resolver import Resolver
from kubealive_agent.load._schedule import Schedule
from kubealive_agent.load._wire import AnyReport, Outcome, Start, Stopped

MAX_WAIT_US: Final = 2_000_000
"""How late a planned send may leave. One that found no free connection for so long would only prolong the herd
that follows an outage, so it is given up as `local`."""

MAX_UNJUDGED: Final = 32_768
"""Sends that wait for an older one before an outage's edge can be told: what the highest rate plans in the
longest life of a request, 5.8 s. Only a closed loop can reach it; it then waits."""


class Load:
    """A load between its Start and its Stopped.

    Sends never leave before they are planned. When all connections are taken they wait, and what they lost by
    it counts, since every request is timed from its planned send. A closed loop plans a send whenever a
    connection is free.
    """

    def __init__(self, start: Start, *, network: Network, resolver: Resolver) -> None:
        latest_us = network.clock() + MAX_DURATION_US
        self.load_id = start.load_id
        self.keeps = start.mode == "kept"
        self.request = _request(start)
        self.rate = start.rate
        self._network = network
        self._resolver = resolver
        self._schedule: Schedule | None = None
        self._stop_at_us = latest_us if start.stop_at_us is None else min(start.stop_at_us, latest_us)
        self._left = start.count
        self._reason: Literal["asked", "count", "time"] | None = None
        self._waiting: deque[int] = deque()
        self._connections = [Connection(network, self) for _ in range(start.connections)]
        self._free = deque(self._connections)
        self._sequence = 0
        self._bins = Bins(start.load_id)
        self._outages = OutageTracker(start.load_id)

    @property
    def plans(self) -> bool:
        """Whether further sends will be planned."""
        return self._reason is None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen: no send is planned, and every connection has come to rest."""
        return self._reason is not None and not self._waiting and len(self._free) == len(self._connections)

    def next_due_us(self) -> int | None:
        """When `dispatch` has something to do even if no socket has; 0 for at once, None for never."""
        if self._reason is not None or not self._resolver.asked:
            return None
        if self.rate is not None:
            return self._schedule.next_us if self._schedule else 0
        return 0 if self._free and self._may_send() else None

    def dispatch(self) -> None:
        """Plan what is due and give it to free connections."""
        now_us = self._network.clock()
        if self._resolver.asked:
            if self.rate is None:
                self._send_at_once()
            else:
                self._plan(self.rate, now_us)
        if now_us >= self._stop_at_us:
            self._end_planning("time")
        if self._waiting:
            self._send_waiting(now_us)

    def change_rate(self, rate: float) -> None:
        """Plan further sends at another rate; those that wait already still leave."""
        self.rate = rate
        if self._schedule:
            self._schedule.change(rate, now_us=self._network.clock())

    def stop(self) -> None:
        """Plan no more sends and withdraw those that wait; what is in flight comes to its outcome."""
        self._end_planning("asked")
        self._waiting.clear()

    def close(self) -> None:
        """Let go of connections and resolver; kept connections close here."""
        self._resolver.close()
        for connection in self._connections:
            connection.abandon()

    def reports(self) -> list[AnyReport]:
        """What became known since the last call; the last element is Stopped once the load is over."""
        if not self._waiting and self._outages.settled == self._sequence:
            self._outages.quiet_until(self._network.clock())
        over = self.over
        if over:
            self._outages.finish()
        reports: list[AnyReport] = [*self._bins.take(ports_quarantined=self._network.ports.quarantined)]
        reports += self._outages.take_edges()
        if over and self._reason:
            reports.append(Stopped(load_id=self.load_id, reason=self._reason, totals=self._bins.totals))
        return reports

    def ended(self, connection: Connection, outcome: Outcome, end_us: int) -> None:
        """See connection.Owner."""
        planned_us = connection.planned_us
        self._outages.resolve(connection.sequence, planned_us=planned_us, outcome=outcome)
        self._bins.ended(
            outcome,
            planned_us=planned_us,
            end_us=end_us,
            server=connection.reply.server,
            retransmitted=connection.retransmitted,
            retried=connection.retried,
        )

    def free(self, connection: Connection) -> None:
        """See connection.Owner; the one that rested longest is taken next, so that kept ones take turns."""
        self._free.append(connection)

    def _may_send(self) -> bool:
        return self._sequence - self._outages.settled < MAX_UNJUDGED

    def _plan(self, rate: float, now_us: int) -> None:
        schedule = self._schedule
        if schedule is None:
            schedule = self._schedule = Schedule(rate, start_us=now_us)
        while schedule.next_us <= now_us and schedule.next_us < self._stop_at_us and self._reason is None:
            self._waiting.append(schedule.next_us)
            self._count(schedule.take())

    def _count(self, planned_us: int) -> None:
        self._bins.planned(planned_us)
        if self._left is not None:
            self._left -= 1
            if not self._left:
                self._end_planning("count")

    def _end_planning(self, reason: Literal["asked", "count", "time"]) -> None:
        self._reason = self._reason or reason

    def _send_waiting(self, now_us: int) -> None:
        waiting = self._waiting
        while waiting:
            if waiting[0] < now_us - MAX_WAIT_US:
                self._give_up(waiting.popleft(), now_us)
            elif self._free and self._may_send():
                self._send(waiting.popleft(), self._network.clock())
            else:
                return

    def _send_at_once(self) -> None:
        for _ in range(len(self._free)):
            if self._reason is not None or not self._may_send():
                return
            now_us = self._network.clock()
            self._count(now_us)
            self._send(now_us, now_us)

    def _send(self, planned_us: int, now_us: int) -> None:
        sequence, self._sequence = self._sequence, self._sequence + 1
        self._bins.sent(planned_us, now_us=now_us)
        self._free.popleft().begin(self._resolver.address, sequence=sequence, planned_us=planned_us, now_us=now_us)

    def _give_up(self, planned_us: int, now_us: int) -> None:
        sequence, self._sequence = self._sequence, self._sequence + 1
        self._outages.resolve(sequence, planned_us=planned_us, outcome="local")
        self._bins.ended("local", planned_us=planned_us, end_us=now_us)


def _request(start: Start) -> bytes:
    host = start.host_header or (start.host.rstrip(".") if start.port == 80 else f"{start.host}:{start.port}")
    close = "" if start.mode == "kept" else "Connection: close\r\n"
    head = f"GET {start.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: kubealive\r\n{close}\r\n"
    return head.encode("ascii")
