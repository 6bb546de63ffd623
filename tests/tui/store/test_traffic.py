"""Traffic sums: columns, shares, quantiles."""

import math
import random

import pytest

from kubealive_tui.model import Outcome
from kubealive_tui.store import Histogram, TrafficLedger
from tests.tui.signals import at, replies


def bucket_of(us: int) -> int:
    """The contract's rule, written a second time: 128 linear buckets, then 128 an octave."""
    if us < 128:
        return us
    octave = int(math.log2(us)) - 7
    return 128 + octave * 128 + (us >> octave) - 128


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99], ids=["p50", "p90", "p99"])
def test_a_quantile_is_known_to_one_per_cent(q: float) -> None:
    """The histogram's quantile is within 1 % of the exact one."""
    chosen = random.Random(4)
    values = sorted(int(chosen.lognormvariate(7, 1)) for _ in range(20_000))
    histogram = Histogram()
    for value in values:
        histogram.add(bucket_of(value), 1)

    found = histogram.quantile(q)
    assert found == pytest.approx(values[int(q * len(values))], rel=0.01)


def test_an_empty_histogram_has_no_quantile() -> None:
    """Nothing measured is None, not 0."""
    assert Histogram().quantile(0.5) is None


def test_bins_of_one_start_add_up() -> None:
    """A late outcome comes as a further bin and is added to the first."""
    ledger = TrafficLedger("l1")
    ledger.add(replies(1.0, ("p1", Outcome.OK, 9)))
    ledger.add(replies(1.0, ("", Outcome.READ_TIMEOUT, 1)))

    (column,) = [c for c in ledger.columns(at(2.0), span_us=2_000_000, count=2) if c]
    assert column.failed == 1
    assert (ledger.ok, ledger.failed) == (9, 1)


def test_what_only_just_arrived_is_counted() -> None:
    """Requests that needed a retransmission or a second connection add up, apart from each other."""
    ledger = TrafficLedger("l1")
    for _ in range(2):
        ledger.add(replies(1.0, ("p1", Outcome.OK, 9), retransmitted=1, retried=3))

    assert (ledger.retransmitted, ledger.retried) == (2, 6)


def test_columns_are_none_where_nothing_was_measured() -> None:
    """A gap in the chart is a gap, not a zero."""
    ledger = TrafficLedger("l1")
    ledger.add(replies(1.0, ("p1", Outcome.OK, 9)))

    columns = list(ledger.columns(at(4.0), span_us=4_000_000, count=4))
    assert [c is None for c in columns] == [True, False, True, True]


def test_fairness_is_counted_anew_when_endpoints_change() -> None:
    """Replies before the proxies followed a change of endpoints do not count for the spread."""
    ledger = TrafficLedger("l1")
    ledger.add(replies(1.0, ("p1", Outcome.OK, 9)))
    ledger.unsettle(at(2.0))
    ledger.add(replies(2.5, ("p1", Outcome.OK, 7)))
    ledger.add(replies(4.5, ("p1", Outcome.OK, 5)))

    assert ledger.pods["p1"].steady == 5
    assert ledger.pods["p1"].ok == 21


def test_the_generators_own_faults_are_no_failures() -> None:
    """A request that the generator could not send is counted, but not against the cluster."""
    ledger = TrafficLedger("l1")
    ledger.add(replies(1.0, ("", Outcome.LOCAL, 3)))

    assert ledger.failed == 0
    assert ledger.outcomes[Outcome.LOCAL] == 3


def test_a_new_load_begins_a_new_count() -> None:
    """Totals are those of the newest load, and the chart shows both."""
    first = TrafficLedger("l1")
    first.add(replies(1.0, ("p1", Outcome.OK, 9)))
    bin_of_second = replies(2.0, ("p1", Outcome.OK, 1), load_id="l2")
    assert first.begins_another(bin_of_second)

    second = first.followed_by("l2", at(2.0))
    second.add(bin_of_second)

    assert (second.ok, second.began_us) == (1, at(2.0))
    assert [c and c.ok for c in second.columns(at(3.0), span_us=2_000_000, count=2)] == [9, 1]


def test_late_outcomes_of_the_load_before_are_not_the_new_ones() -> None:
    """A request that was underway when its load was replaced is charted, and begins no count anew."""
    ledger = TrafficLedger("l1").followed_by("l2", at(2.0))
    ledger.add(replies(2.0, ("p1", Outcome.OK, 5), load_id="l2"))
    late = replies(1.9, ("", Outcome.READ_TIMEOUT, 1), load_id="l1")
    assert not ledger.begins_another(late)
    ledger.add(late)

    assert (ledger.ok, ledger.failed) == (5, 0)
    assert sum(c.failed for c in ledger.columns(at(3.0), span_us=2_000_000, count=2) if c) == 1
