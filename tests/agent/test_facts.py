"""Facts in blocks: what is given back, what is let go, and what it costs."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive.v1.facts_pb2 import OUTCOME_OK, Fact, LatencyBucket, TrafficBin, TrafficRow
from kubealive_agent._facts import BLOCK_FACTS, FACT_OVERHEAD, Facts, Stored
from kubealive_agent._wire import record

MANY = 5 * BLOCK_FACTS + 7


def filled(count: int, *, max_bytes: int = 1 << 30) -> Facts:
    """Facts 2, 4, 6 … (changes have the numbers between), a microsecond apart."""
    facts = Facts(max_bytes=max_bytes)
    for index in range(count):
        facts.append(Stored(2 * index + 2, index, b"%d" % index, is_fact=True))
    return facts


@given(count=st.integers(0, MANY), after=st.integers(0, 2 * MANY + 3))
def test_facts_after_a_sequence(count: int, after: int) -> None:
    """From wherever a reader stands it is given every later fact once, in order and unchanged."""
    given_back = [*filled(count).since(after)]

    expected = [
        Stored(2 * index + 2, index, b"%d" % index, is_fact=True)
        for index in range(count)
        if 2 * index + 2 > after
    ]
    assert given_back == expected


@given(count=st.integers(0, MANY), horizon=st.integers(0, MANY))
def test_facts_that_are_too_old(count: int, horizon: int) -> None:
    """What is younger is kept; of what is older, less than a block; what was let go is known exactly."""
    facts = filled(count)
    facts.forget(horizon)
    kept = [*facts.since(0)]

    older = [fact for fact in kept if fact.time_us < horizon]
    assert len(older) < BLOCK_FACTS
    assert facts.count == len(kept) == count - facts.dropped
    assert facts.lost_through == (2 * facts.dropped)
    assert facts.bytes == sum(len(fact.record) + FACT_OVERHEAD for fact in kept)
    assert {fact.time_us for fact in kept} >= set(range(horizon, count))


@pytest.mark.parametrize("keep", [1, BLOCK_FACTS - 1, 2 * BLOCK_FACTS, 4 * BLOCK_FACTS])
def test_facts_that_are_too_many(keep: int) -> None:
    """The bound holds after each fact, and no more than a block is let go for it."""
    size = FACT_OVERHEAD + 3
    facts = Facts(max_bytes=keep * size)
    for index in range(MANY):
        facts.append(Stored(index + 1, index, b"xyz", is_fact=True))
        facts.forget(-1)
        assert facts.bytes <= keep * size
    assert keep - BLOCK_FACTS < facts.count <= keep


def test_a_load_takes_a_fraction_of_its_bytes() -> None:
    """The bins of a minute of load, which are what fills the memory, take less than a third of their bytes."""
    facts = Facts(max_bytes=1 << 30)
    records = [record(_bin(index)) for index in range(600)]
    tracemalloc.start()
    try:
        for index, encoded in enumerate(records):
            facts.append(Stored(index + 1, index, encoded, is_fact=True))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [fact.record for fact in facts.since(0)] == records
    assert taken < sum(map(len, records)) / 3


def _bin(index: int) -> Fact:
    start = 1_700_000_000_000_000 + 100_000 * index
    rows = [
        TrafficRow(
            pod_uid=f"7f6e5d4c-3b2a-4198-8765-0123456789a{pod}",
            pod_name=f"getip-754548c49f-x7kq{pod}",
            node=f"node-{pod % 3 + 1}",
            version="v1",
            outcome=OUTCOME_OK,
            count=2 + index % 2,
            first_planned_us=start + 7919 * (index + pod) % 50_000,
            last_planned_us=start + 50_000 + 6271 * (index + pod) % 50_000,
            first_end_us=start + 3_000 + 5147 * (index + pod) % 50_000,
            last_end_us=start + 53_000 + 4093 * (index + pod) % 50_000,
        )
        for pod in range(4)
    ]
    latency = [LatencyBucket(bucket=900 + 37 * (index + step) % 200, count=1) for step in range(10)]
    traffic = TrafficBin(load_id="l1", start_us=start, width_us=100_000, planned=10, rows=rows, latency=latency)
    return Fact(sequence=index + 1, time_us=start + 130_000, experiment="balance", traffic=traffic)
