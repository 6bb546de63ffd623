"""Traffic bins."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_agent.load import Bin, Outcome
from kubealive_agent.load._bins import MAX_ROWS, Bins
from kubealive_agent.load._reply import Server

OUTCOMES: list[Outcome] = ["ok", "refused", "http-5xx"]
SENDS = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=500_000),
        st.sampled_from(OUTCOMES),
        st.sampled_from(["a", "b"]),
        st.booleans(),
    ),
    max_size=40,
)


def _sum(bins: list[Bin]) -> dict[str, Counter[object]]:
    total: dict[str, Counter[object]] = {"planned": Counter(), "rows": Counter(), "latency": Counter()}
    for found in bins:
        total["planned"][found.start_us] += found.planned
        for row in found.rows:
            total["rows"][found.start_us, row.pod_name, row.outcome] += row.count
        for bucket, count in found.latency:
            total["latency"][found.start_us, bucket] += count
    return total


@given(sends=SENDS)
def test_bins_are_additive(sends: list[tuple[int, Outcome, str, bool]]) -> None:
    """However often the bins are taken on the way, they add up to the same."""
    often, once = Bins(1), Bins(1)
    taken: list[Bin] = []
    for planned_us, outcome, pod, take in sends:
        for bins in (often, once):
            bins.planned(planned_us)
            bins.ended(
                outcome, planned_us=planned_us, end_us=planned_us + 900, server=Server(pod_name=pod.encode())
            )
        if take:
            taken += often.take(ports_quarantined=0)
    taken += often.take(ports_quarantined=0)
    assert _sum(taken) == _sum(once.take(ports_quarantined=0))
    assert often.totals == once.totals


def test_late_outcome_is_a_further_bin() -> None:
    """An outcome that comes after its bin was reported is reported under the bin of its planned send."""
    bins = Bins(1)
    bins.planned(150_000)
    bins.sent(150_000, now_us=150_250)
    (first,) = bins.take(ports_quarantined=0)
    assert (first.start_us, first.planned, first.sent, first.rows) == (100_000, 1, 1, ())
    assert (first.lag_max_us, first.lag_p50_us) == (250, 250)
    bins.ended("connect-timeout", planned_us=150_000, end_us=1_050_000)
    (late,) = bins.take(ports_quarantined=1)
    assert (late.start_us, late.planned, late.sent, late.ports_quarantined) == (100_000, 0, 0, 1)
    assert [(row.outcome, row.count, row.last_end_us) for row in late.rows] == [("connect-timeout", 1, 1_050_000)]
    assert bins.take(ports_quarantined=0) == []


def test_row_keeps_first_and_last_times() -> None:
    """A row carries first and last planned send and first and last end, so that a last reply has a time."""
    bins = Bins(1)
    server = Server(b"u", b"p", b"n", b"v1")
    for planned_us, end_us in ((20, 30), (10, 40), (25, 50)):
        bins.ended("ok", planned_us=planned_us, end_us=end_us, server=server)
    (row,) = bins.take(ports_quarantined=0)[0].rows
    assert (row.first_planned_us, row.last_planned_us) == (10, 25)
    assert (row.first_end_us, row.last_end_us) == (30, 50)
    assert (row.pod_uid, row.pod_name, row.node, row.version) == ("u", "p", "n", "v1")


@pytest.mark.parametrize(("outcome", "counted"), [("ok", 1), ("http-5xx", 0), ("refused", 0)], ids=str)
def test_latency_is_of_ok_replies(outcome: Outcome, counted: int) -> None:
    """Only ok replies are in the latency histogram."""
    bins = Bins(1)
    bins.ended(outcome, planned_us=0, end_us=100)
    assert sum(count for _, count in bins.take(ports_quarantined=0)[0].latency) == counted


def test_invented_names_end_in_one_row() -> None:
    """Beyond the most rows of a bin, replies are counted without their server, and the bin says how many."""
    bins = Bins(1)
    for number in range(MAX_ROWS + 10):
        bins.ended("ok", planned_us=0, end_us=1, server=Server(pod_name=b"pod-%d" % number))
    (found,) = bins.take(ports_quarantined=0)
    assert found.unattributed == 10
    assert sum(row.count for row in found.rows) == MAX_ROWS + 10
    assert len(found.rows) == MAX_ROWS + 1
