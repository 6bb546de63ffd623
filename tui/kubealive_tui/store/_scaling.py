"""An autoscaler's past, as its facts come: what its pods used, what it wanted, and how many there were.

A chart needs values at equal steps of time, while facts come when something changes; this ledger keeps the changes
and gives each step what held then. Times are agent time in microseconds.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import itemgetter
from statistics import median

from kubealive_tui.model import ScalingSample

__all__ = ["ScalingColumns", "ScalingLedger"]

# The chart spans four minutes; ten leave room for a wider one, and for a whole scale-down window.
KEPT_US = 600_000_000
# An autoscaler and the metrics API tell something each 15 s, and replicas change in steps; ten times as much is
# somebody's mistake, and the oldest give way.
MOST_POINTS = 1_024
# Metrics come each 15 s, or as rarely as metrics-server is told (--metric-resolution). Three that did not come are
# no measurement any more.
STALE_US = 45_000_000
STALE_AFTER = 3
# How many of the newest intervals say how often they come: enough for their median not to be one that was late.
INTERVALS = 5

_time = itemgetter(0)


@dataclass(frozen=True, slots=True)
class ScalingColumns:
    """Values at equal steps of time, oldest first; None where nothing was known."""

    utilization: tuple[float | None, ...]
    desired: tuple[float | None, ...]
    current: tuple[float | None, ...]


class ScalingLedger:
    """What one experiment's autoscaler was told and decided within the last minutes."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, ScalingSample]] = deque(maxlen=MOST_POINTS)
        self._used: deque[tuple[int, float | None]] = deque(maxlen=MOST_POINTS)
        self._desired: deque[tuple[int, float | None]] = deque(maxlen=MOST_POINTS)
        self._current: deque[tuple[int, float | None]] = deque(maxlen=MOST_POINTS)

    def add(self, sample: ScalingSample, at_us: int) -> None:
        """Take what an autoscaler has to decide by, or has decided."""
        if self.newest is None or _measured(self.newest) != _measured(sample):
            self._used.append((at_us, sample.utilization))
        self._samples.append((at_us, sample))
        self._desired.append((at_us, float(sample.desired_replicas)))
        self.count(sample.current_replicas, at_us)
        for kept in (self._samples, self._used, self._desired, self._current):
            # One that is older stays: it says what held at the begin.
            while len(kept) > 1 and kept[1][0] <= at_us - KEPT_US:
                kept.popleft()

    def count(self, current: int, at_us: int) -> None:
        """Take how many replicas there are."""
        self._current.append((at_us, float(current)))

    @property
    def newest(self) -> ScalingSample | None:
        """The newest sample, or None."""
        return self._samples[-1][1] if self._samples else None

    def backwards(self) -> Iterator[tuple[int, ScalingSample]]:
        """Samples with their times, newest first."""
        return reversed(self._samples)

    @property
    def every_us(self) -> int | None:
        """How often a metric comes: the median of the newest intervals between two; None before there are two."""
        newest = [at for at, _ in islice(reversed(self._used), INTERVALS + 1)]
        gaps = [after - before for after, before in pairwise(newest)]
        return int(median(gaps)) if len(gaps) > 1 else None

    def columns(self, now_us: int, *, span_us: int, count: int) -> ScalingColumns:
        """What held at the end of each of `count` equal steps of the last `span_us`, the last of them now.

        Edges lie on multiples of a step, so that a column keeps its content while it moves left.
        """
        width = span_us // count
        end = (now_us // width + 1) * width
        stale_us = max(STALE_US, STALE_AFTER * (self.every_us or 0))
        edges = [min(end - width * back, now_us) for back in reversed(range(count))]
        return ScalingColumns(
            _held(self._used, edges, stale_us=stale_us), _held(self._desired, edges), _held(self._current, edges)
        )


def _measured(sample: ScalingSample) -> tuple[float | None, int | None, int]:
    return sample.utilization, sample.measured_us, sample.measured_pods


def _held(
    points: Sequence[tuple[int, float | None]], edges: Sequence[int], *, stale_us: int | None = None
) -> tuple[float | None, ...]:
    """The value that held at each edge: the newest not after it, unless that is older than `stale_us`."""
    values: list[float | None] = []
    for edge in edges:
        place = bisect_right(points, edge, key=_time)
        at_us, value = points[place - 1] if place else (0, None)
        values.append(None if stale_us is not None and edge - at_us > stale_us else value)
    return tuple(values)
