"""The store: any split of the same stream gives the same state, and nothing is counted twice."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_tui.model import (
    Aspect,
    Batch,
    Change,
    Ending,
    EpochMark,
    Fact,
    Frame,
    Kind,
    Loss,
    LossMark,
    Node,
    Outcome,
    Snapshot,
    Tick,
)
from kubealive_tui.store import CLUSTER, Store
from tests.tui.signals import (
    EPOCH,
    at,
    connected,
    deletion,
    entry,
    fact,
    frame,
    getip,
    load_started,
    moved,
    pod,
    pod_change,
    replies,
    slices,
    snapshot,
)

FACTS = (
    fact(2, 0.1, load_started()),
    *(
        fact(3 + n, 0.2 + n / 10, replies(0.1 + n / 10, ("p1", Outcome.OK, 5), ("p2", Outcome.OK, 5)))
        for n in range(5)
    ),
    fact(10, 0.8, deletion(), action_id="a1"),
    fact(11, 0.82, moved("p1", Aspect.DELETING, deleting=True), action_id="a1"),
    fact(12, 0.83, entry("p1")),
    fact(13, 0.9, entry("p1", removed=True)),
    fact(14, 1.2, moved("p3", Aspect.CREATED)),
    fact(15, 1.9, moved("p3", Aspect.READY, ready=True)),
    fact(16, 2.0, replies(1.95, ("p3", Outcome.OK, 3), ("", Outcome.REFUSED, 2))),
)
CHANGES = (
    getip(),
    pod_change(pod("p1")),
    pod_change(pod("p2")),
    slices(pod("p1"), pod("p2")),
    pod_change(pod("p1"), gone=True),
    pod_change(pod("p3")),
)


def told(store: Store) -> object:
    """Everything that a screen could read."""
    traffic, ledger = store.traffic("balance"), store.ledger("balance")
    return (
        store.pods("balance"),
        [store.pod(uid) for uid in store.pods("balance")],
        list(store.departed("balance")),
        store.workload("balance", "getip"),
        store.endpoint("p2"),
        [(t.uid, t.ok, t.failed, t.steady) for t in traffic.pods.values()],
        traffic.outcomes,
        traffic.planned,
        traffic.latency.counts,
        list(ledger.timeline),
    )


def fed(frames: Sequence[Frame]) -> Store:
    store = Store()
    for each in frames:
        store.apply(each)
    return store


def split(items: Sequence[object], cuts: Sequence[int]) -> list[Sequence[object]]:
    edges = [0, *sorted({min(cut, len(items)) for cut in cuts}), len(items)]
    return [items[a:b] for a, b in pairwise(edges) if a < b]


@given(st.lists(st.integers(0, len(FACTS)), max_size=8), st.lists(st.integers(0, len(CHANGES)), max_size=5))
def test_any_split_into_batches_gives_the_same_state(fact_cuts: list[int], change_cuts: list[int]) -> None:
    """However the agent cuts the stream into batches, the store ends in the same state."""
    whole = fed([snapshot(), frame(16, 3, *FACTS, changes=CHANGES)])
    frames: list[Frame] = [snapshot()]
    for part in split(CHANGES, change_cuts):
        frames.append(Frame(EPOCH, 1, at(3), Batch(changes=part)))  # type: ignore[arg-type]
    for part in split(FACTS, fact_cuts):
        frames.append(Frame(EPOCH, 2, at(3), Batch(facts=part)))  # type: ignore[arg-type]
    parts = fed(frames)

    assert told(whole) == told(parts)


@given(st.integers(0, len(FACTS)))
def test_a_second_snapshot_repeats_nothing(seen: int) -> None:
    """A snapshot after a reconnect holds facts that are here already; each counts once."""
    whole = fed([snapshot(*CHANGES[:4], facts=FACTS)])
    again = fed([snapshot(*CHANGES[:4], facts=FACTS[:seen]), snapshot(*CHANGES[:4], facts=FACTS)])

    assert told(whole) == told(again)


def test_what_a_snapshot_does_not_name_is_gone() -> None:
    """An object that vanished while the link was down leaves the state, and stays as departed."""
    store = fed([snapshot(pod_change(pod("p1")), pod_change(pod("p2"))), snapshot(pod_change(pod("p2")))])

    assert store.pods("balance") == ("p2",)
    assert list(store.departed("balance")) == ["p1"]


def test_a_snapshot_in_chunks_removes_nothing_before_its_last() -> None:
    """Between the chunks of a snapshot the old state stays."""
    store = fed([snapshot(pod_change(pod("p1")), pod_change(pod("p2")))])
    store.apply(Frame(EPOCH, 5, at(1), Snapshot(first=True, last=False, changes=(pod_change(pod("p2")),))))

    assert store.pods("balance") == ("p1", "p2")
    assert not store.synced


def test_time_comes_from_the_stream_alone() -> None:
    """A tick moves the store's time and nothing else."""
    store = fed([snapshot()])
    store.drain()
    store.apply(Frame(EPOCH, 0, at(5), Tick()))

    assert store.now_us == at(5)
    assert store.drain() == frozenset()


def test_a_loss_is_marked_in_every_experiment() -> None:
    """Lost facts leave a mark where they are missing."""
    store = fed([snapshot(facts=FACTS[:2]), Frame(EPOCH, 9, at(1), Loss(5, 9))])

    assert store.ledger("balance").timeline[-1].body == LossMark(5, 9)


def test_another_agent_ends_the_open_run() -> None:
    """A new epoch marks the timeline, keeps what was there, and ends the run as replaced."""
    from kubealive_tui.experiments import discover  # noqa: PLC0415 - only this test needs the stopwatches

    store = Store({lab.name: lab.stopwatches for lab in discover()})
    store.apply(snapshot(facts=FACTS[:8]))
    assert store.ledger("balance").runs.current is not None
    store.apply(snapshot(epoch=EPOCH + 1, seconds=4))

    last = store.ledger("balance").runs.last
    assert last is not None
    assert last.ending is Ending.REPLACED
    assert isinstance(store.ledger("balance").timeline[-1].body, EpochMark)


def test_the_agents_clock_may_go_back_with_a_new_agent() -> None:
    """Another agent's clock counts, even if it is behind."""
    store = fed([snapshot(seconds=100), snapshot(epoch=EPOCH + 1, seconds=50)])

    assert store.now_us == at(50)


@pytest.mark.parametrize(
    ("change", "dirty"),
    [
        pytest.param(pod_change(pod("p9")), {"balance"}, id="pod"),
        pytest.param(Change(Kind.NODE, "n1", Node("n1", "node-1")), {CLUSTER}, id="node"),
        pytest.param(getip(), {"balance"}, id="workload"),
    ],
)
def test_drain_names_what_changed(change: Change, dirty: set[str]) -> None:
    """A change marks its experiment, or the cluster, once."""
    store = fed([snapshot()])
    store.drain()
    store.apply(frame(1, 1, changes=(change,)))

    assert store.drain() == dirty
    assert store.drain() == frozenset()


def test_pods_keep_their_places() -> None:
    """Rows are ordered by creation, so a successor appears below and nothing jumps."""
    store = fed([snapshot(pod_change(pod("p2", created_us=2)), pod_change(pod("p1", created_us=1)))])
    store.apply(frame(1, 1, changes=(pod_change(pod("p0", created_us=3)),)))

    assert store.pods("balance") == ("p1", "p2", "p0")


def test_pods_of_one_workload() -> None:
    """A tab of two workloads tells their pods apart by the label that names the workload."""
    store = Store()
    named = [pod(f"p{n}", labels={"app.kubernetes.io/name": "getip" if n < 3 else "other"}) for n in range(1, 4)]
    store.apply(snapshot(*map(pod_change, named)))
    assert store.pods("balance", app="getip") == ("p1", "p2")
    assert store.pods("balance", app="other") == ("p3",)


def test_the_links_word_is_kept_beside_the_data() -> None:
    """A link event changes what is said of the link and keeps what is known of the agent."""
    store = fed([snapshot(pod_change(pod("p1")))])
    store.apply(connected())

    assert store.info is not None
    assert store.pods("balance") == ("p1",)


def test_facts_of_an_old_sequence_are_ignored() -> None:
    """A fact that was counted is not counted again, even in another batch."""
    twice: Fact = fact(3, 0.2, replies(0.1, ("p1", Outcome.OK, 5)))
    store = fed([snapshot(), frame(3, 1, twice), frame(3, 1, twice)])

    assert store.traffic("balance").ok == 5
