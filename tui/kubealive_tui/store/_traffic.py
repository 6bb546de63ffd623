"""Measured traffic of one experiment, added up as its bins arrive.

Charts and shares need sums over thousands of bins many times a second; this ledger keeps those sums as facts
come, so that drawing never walks the journal. Times are agent time in microseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kubealive_tui.model import Outcome, TrafficBin, TrafficRow

__all__ = ["BinSum", "Histogram", "PodTotals", "TrafficLedger"]

# The longest chart spans four minutes; ten leave room for a wider one. 6,000 bins are about 1 MB.
KEPT_US = 600_000_000
# kube-proxy programs a change of endpoints within 1.1 s (measured); replies before that belong to the old set.
PROXY_SETTLES_US = 2_000_000
# Loads whose last outcomes may still come, 2 s at most after the next one has begun.
FORMER = 4
_LINEAR = 128


class Histogram:
    """Latency counts by log-linear bucket, as `LatencyBucket` of the contract defines them."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total = 0

    def add(self, bucket: int, count: int) -> None:
        """Add `count` values of this bucket."""
        self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.total += count

    def quantile(self, q: float) -> float | None:
        """The value in microseconds below which a share `q` of all values lies, to 0.8 %; None when empty."""
        if not self.total:
            return None
        wanted, seen = q * self.total, 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return _middle_of(bucket)
        return None


def _middle_of(bucket: int) -> float:
    """Microseconds in the middle of a bucket: exact below 128, then 128 buckets an octave."""
    if bucket < _LINEAR:
        return float(bucket)
    octave, step = divmod(bucket - _LINEAR, _LINEAR)
    width = float(1 << octave)
    return (_LINEAR + step) * width + width / 2


@dataclass(slots=True)
class BinSum:
    """What one bin of 100 ms adds up to; `versions` counts ok replies by version."""

    ok: int = 0
    failed: int = 0
    versions: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class PodTotals:
    """Replies of one pod since the load began."""

    uid: str
    name: str
    node: str = ""
    version: str = ""
    ok: int = 0
    failed: int = 0
    last_end_us: int = 0
    steady: int = 0


@dataclass(slots=True)
class TrafficLedger:
    """Sums over the bins of one load. The load after it has a ledger of its own, which takes over the chart.

    `former` are the loads before, whose late outcomes may still come: they belong to the chart alone.
    """

    load_id: str = ""
    began_us: int = 0
    former: tuple[str, ...] = ()
    bins: dict[int, BinSum] = field(default_factory=dict)
    steady_since_us: int = 0
    pods: dict[str, PodTotals] = field(default_factory=dict)
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)
    planned: int = 0
    sent: int = 0
    lag_max_us: int = 0
    retransmitted: int = 0
    retried: int = 0

    def followed_by(self, load_id: str, at_us: int) -> "TrafficLedger":
        """The ledger of a load that begins now: no sums yet, and the chart goes on."""
        former = (*self.former, self.load_id)[-FORMER:]
        return TrafficLedger(load_id, at_us, former=former, bins=self.bins, steady_since_us=at_us)

    def begins_another(self, traffic: TrafficBin) -> bool:
        """Whether this bin is of a load that is not known here, so that it needs a ledger of its own."""
        return traffic.load_id not in {self.load_id, *self.former}

    def unsettle(self, at_us: int) -> None:
        """The set of ready endpoints changed: fairness is counted anew once the proxies follow."""
        self.steady_since_us = at_us + PROXY_SETTLES_US
        for totals in self.pods.values():
            totals.steady = 0

    def add(self, traffic: TrafficBin) -> None:
        """Add one bin, to the chart, and to the sums unless it is of a load before."""
        chart = self.bins.setdefault(traffic.start_us, BinSum())
        for row in traffic.rows:
            _draw(row, chart)
        oldest = traffic.start_us - KEPT_US
        while self.bins and (first := next(iter(self.bins))) < oldest:
            del self.bins[first]
        if traffic.load_id == self.load_id:
            self._sum(traffic)

    def _sum(self, traffic: TrafficBin) -> None:
        self.planned += traffic.planned
        self.sent += traffic.sent
        self.lag_max_us = max(self.lag_max_us, traffic.lag_max_us)
        for bucket, count in traffic.latency:
            self.latency.add(bucket, count)
        for row in traffic.rows:
            self._add_row(row)

    def _add_row(self, row: TrafficRow) -> None:
        self.outcomes[row.outcome] = self.outcomes.get(row.outcome, 0) + row.count
        self.retransmitted += row.retransmitted
        self.retried += row.retried
        if not row.pod_uid:
            return
        ok = row.outcome is Outcome.OK
        totals = self.pods.get(row.pod_uid)
        if totals is None:
            totals = self.pods[row.pod_uid] = PodTotals(row.pod_uid, row.pod_name)
        totals.node, totals.version = row.node, row.version
        totals.last_end_us = max(totals.last_end_us, row.last_end_us)
        totals.ok += row.count if ok else 0
        totals.failed += 0 if ok else row.count
        if ok and row.first_planned_us >= self.steady_since_us:
            totals.steady += row.count

    @property
    def ok(self) -> int:
        """Requests answered well since the load began."""
        return self.outcomes.get(Outcome.OK, 0)

    @property
    def failed(self) -> int:
        """Requests that clients lost since the load began."""
        return sum(count for outcome, count in self.outcomes.items() if outcome.failed)

    def columns(self, now_us: int, *, span_us: int, count: int) -> Iterator[BinSum | None]:
        """`count` equal bins over the last `span_us`, oldest first; None where nothing was measured.

        Edges lie on multiples of the bin width, so that a column keeps its content while it moves left.
        """
        width = span_us // count
        end = now_us // width * width
        sums: list[BinSum | None] = [None] * count
        for start, source in self.bins.items():
            index = (start - (end - span_us)) // width
            if 0 <= index < count:
                target = sums[index] = sums[index] or BinSum()
                target.ok += source.ok
                target.failed += source.failed
                for version, replies in source.versions.items():
                    target.versions[version] = target.versions.get(version, 0) + replies
        yield from sums


def _draw(row: TrafficRow, chart: BinSum) -> None:
    if row.outcome is Outcome.OK:
        chart.ok += row.count
        chart.versions[row.version] = chart.versions.get(row.version, 0) + row.count
    elif row.outcome.failed:
        chart.failed += row.count
