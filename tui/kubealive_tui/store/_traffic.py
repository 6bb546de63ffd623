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


class TrafficLedger:
    """Sums over the bins of the experiment's newest load; a new load starts them anew."""

    def __init__(self) -> None:
        self.load_id = ""
        self.began_us = 0
        self.steady_since_us = 0
        self.pods: dict[str, PodTotals] = {}
        self.outcomes: dict[Outcome, int] = {}
        self.latency = Histogram()
        self.planned = 0
        self.sent = 0
        self.lag_max_us = 0
        self.ports_quarantined = 0
        self.retransmitted = 0
        self.retried = 0
        self._bins: dict[int, BinSum] = {}

    def start(self, load_id: str, at_us: int) -> None:
        """Forget the sums of the load before, but not its bins: the chart shows both."""
        bins = self._bins
        self.__init__()  # type: ignore[misc]  # the one way in which a ledger begins
        self._bins, self.load_id, self.began_us, self.steady_since_us = bins, load_id, at_us, at_us

    def unsettle(self, at_us: int) -> None:
        """The set of ready endpoints changed: fairness is counted anew once the proxies follow."""
        self.steady_since_us = at_us + PROXY_SETTLES_US
        for totals in self.pods.values():
            totals.steady = 0

    def add(self, traffic: TrafficBin) -> None:
        """Add one bin; a bin of another load than the current one begins a new count."""
        if traffic.load_id != self.load_id:
            self.start(traffic.load_id, traffic.start_us)
        self.planned += traffic.planned
        self.sent += traffic.sent
        self.lag_max_us = traffic.lag_max_us
        self.ports_quarantined = traffic.ports_quarantined
        for bucket, count in traffic.latency:
            self.latency.add(bucket, count)
        bin_sum = self._bins.setdefault(traffic.start_us, BinSum())
        for row in traffic.rows:
            self._add_row(row, bin_sum)
        oldest = traffic.start_us - KEPT_US
        while self._bins and (first := next(iter(self._bins))) < oldest:
            del self._bins[first]

    def _add_row(self, row: TrafficRow, bin_sum: BinSum) -> None:
        self.outcomes[row.outcome] = self.outcomes.get(row.outcome, 0) + row.count
        self.retransmitted += row.retransmitted
        self.retried += row.retried
        ok = row.outcome is Outcome.OK
        if ok:
            bin_sum.ok += row.count
            bin_sum.versions[row.version] = bin_sum.versions.get(row.version, 0) + row.count
        elif row.outcome.failed:
            bin_sum.failed += row.count
        if not row.pod_uid:
            return
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
        for start, source in self._bins.items():
            index = (start - (end - span_us)) // width
            if 0 <= index < count:
                target = sums[index] = sums[index] or BinSum()
                target.ok += source.ok
                target.failed += source.failed
                for version, replies in source.versions.items():
                    target.versions[version] = target.versions.get(version, 0) + replies
        yield from sums
