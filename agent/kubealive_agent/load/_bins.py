"""Counts of one load by time of the planned send, handed over and forgotten with each report.

Only what changed since the last report is held, which is why a report is small, why late outcomes need no
memory of old bins, and why the receiver has to do nothing but add.
"""

from typing import Final

from kubealive_agent.load._histogram import bucket_of, quantile
from kubealive_agent.load._reply import NOBODY, Server
from kubealive_agent.load._wire import BIN_WIDTH_US, Bin, Outcome, Row, Totals

MAX_ROWS: Final = 256
"""Rows of one bin: every pod of the largest experiment with every outcome. A server that invents a new name for
each reply ends here, not in the agent's memory."""


class _Row:
    __slots__ = ("count", "first_end_us", "first_us", "last_end_us", "last_us", "retransmitted", "retried")

    def __init__(self, planned_us: int, end_us: int) -> None:
        self.count = self.retransmitted = self.retried = 0
        self.first_us = self.last_us = planned_us
        self.first_end_us = self.last_end_us = end_us

    def add(self, planned_us: int, end_us: int) -> None:
        self.count += 1
        if planned_us > self.last_us:
            self.last_us = planned_us
        elif planned_us < self.first_us:
            self.first_us = planned_us
        self.last_end_us = end_us  # outcomes are told in the order in which they come

    def freeze(self, server: Server, outcome: Outcome) -> Row:
        return Row(
            pod_uid=server.pod_uid.decode("latin-1"),
            pod_name=server.pod_name.decode("latin-1"),
            node=server.node.decode("latin-1"),
            version=server.version.decode("latin-1"),
            outcome=outcome,
            count=self.count,
            first_planned_us=self.first_us,
            last_planned_us=self.last_us,
            first_end_us=self.first_end_us,
            last_end_us=self.last_end_us,
            retransmitted=self.retransmitted,
            retried=self.retried,
        )


class _Bin:
    __slots__ = ("lag", "lag_max_us", "latency", "planned", "rows", "sent", "unattributed")

    def __init__(self) -> None:
        self.planned = self.sent = self.lag_max_us = self.unattributed = 0
        self.rows: dict[tuple[Outcome, Server], _Row] = {}
        self.latency: dict[int, int] = {}
        self.lag: dict[int, int] = {}

    def freeze(self, load_id: int, start_us: int, *, ports_quarantined: int) -> Bin:
        return Bin(
            load_id=load_id,
            start_us=start_us,
            width_us=BIN_WIDTH_US,
            planned=self.planned,
            sent=self.sent,
            rows=tuple(row.freeze(server, outcome) for (outcome, server), row in self.rows.items()),
            latency=tuple(sorted(self.latency.items())),
            lag_max_us=self.lag_max_us,
            lag_p50_us=quantile(self.lag.items(), 0.5) or 0,
            ports_quarantined=ports_quarantined,
            unattributed=self.unattributed,
        )


class Bins:
    """What has happened to the sends of one load since the last report, and the totals of its whole life."""

    def __init__(self, load_id: int) -> None:
        self._load_id = load_id
        self._bins: dict[int, _Bin] = {}
        self._planned = self._sent = 0
        self._outcomes: dict[Outcome, int] = {}

    @property
    def totals(self) -> Totals:
        """The whole load so far."""
        return Totals(planned=self._planned, sent=self._sent, outcomes=dict(self._outcomes))

    def planned(self, planned_us: int) -> None:
        """A send fell due."""
        self._planned += 1
        self._bin(planned_us).planned += 1

    def sent(self, planned_us: int, *, now_us: int) -> None:
        """A request left, or began to connect, at `now_us`."""
        self._sent += 1
        found = self._bin(planned_us)
        found.sent += 1
        lag_us = now_us - planned_us
        bucket = bucket_of(lag_us)
        found.lag[bucket] = found.lag.get(bucket, 0) + 1
        found.lag_max_us = max(found.lag_max_us, lag_us)

    def ended(
        self,
        outcome: Outcome,
        *,
        planned_us: int,
        end_us: int,
        server: Server = NOBODY,
        retransmitted: bool = False,
        retried: bool = False,
    ) -> None:
        """A send came to its outcome at `end_us`."""
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
        found = self._bin(planned_us)
        row = found.rows.get((outcome, server))
        if row is None:
            if len(found.rows) >= MAX_ROWS and server is not NOBODY:
                found.unattributed += 1
                server = NOBODY
            row = found.rows.setdefault((outcome, server), _Row(planned_us, end_us))
        row.add(planned_us, end_us)
        if retransmitted:
            row.retransmitted += 1
        if retried:
            row.retried += 1
        if outcome == "ok":
            bucket = bucket_of(end_us - planned_us)
            found.latency[bucket] = found.latency.get(bucket, 0) + 1

    def take(self, *, ports_quarantined: int) -> list[Bin]:
        """The bins that changed since the last call, in the order of time."""
        bins, self._bins = self._bins, {}
        return [
            found.freeze(self._load_id, start_us, ports_quarantined=ports_quarantined)
            for start_us, found in sorted(bins.items())
        ]

    def _bin(self, planned_us: int) -> _Bin:
        start_us = planned_us - planned_us % BIN_WIDTH_US
        found = self._bins.get(start_us)
        if found is None:
            found = self._bins[start_us] = _Bin()
        return found
