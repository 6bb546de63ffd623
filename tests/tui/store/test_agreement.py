"""Whoever looks sees the same runs: live, through a slow line, or minutes later from a snapshot."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_tui.experiments import balance, discover
from kubealive_tui.model import Aspect, Ending, Fact, Frame, Loss, Outcome, Run, Snapshot, Tick
from kubealive_tui.store import RunBook, Store
from tests.tui.signals import (
    EPOCH,
    at,
    deletion,
    entry,
    fact,
    frame,
    load_started,
    moved,
    pod,
    pod_change,
    replies,
    snapshot,
)

END_S = 70.0
NOW_S = 300.0


def _kill(seconds: float, uid: str, *, successor: str) -> list[tuple[float, object, str]]:
    found: list[tuple[float, object, str]] = [
        (seconds, deletion(uid, request_id=f"r-{uid}"), f"a-{uid}"),
        (seconds + 0.02, moved(uid, Aspect.DELETING, deleting=True), ""),
        (seconds + 0.03, entry(uid), ""),
        (seconds + 0.3, entry(uid, removed=True), ""),
        (seconds + 0.4, moved(uid, Aspect.DELETED, deleting=True), ""),
    ]
    if successor:
        found += [
            (seconds + 0.05, moved(successor, Aspect.CREATED), ""),
            (seconds + 1.05, moved(successor, Aspect.READY, ready=True), ""),
        ]
    return found


def _story() -> tuple[Fact, ...]:
    """A load of 70 s with three kills: one that heals, one whose successor never comes, one interrupted by it."""
    told: list[tuple[float, object, str]] = [(0.0, load_started(), "")]
    told += _kill(1.0, "p1", successor="p3")
    told += _kill(5.5, "p3", successor="p4")
    told += _kill(6.0, "p2", successor="")
    for tenth in range(1, round(END_S * 10)):
        answered = "p3" if 21 < tenth < 55 else "p4" if tenth > 75 else "p2"
        told.append((tenth / 10 + 0.11, replies(tenth / 10, (answered, Outcome.OK, 10)), ""))
    told.sort(key=lambda one: one[0])
    return tuple(fact(n, when, body, action_id=action) for n, (when, body, action) in enumerate(told, 1))  # type: ignore[arg-type]


STORY = _story()


def seen(frames: Sequence[Frame]) -> list[Run]:
    """The ended runs of somebody who was given these frames."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    for each in frames:
        store.apply(each)
    return list(store.ledger("balance").runs.ended)


def parts(cuts: Sequence[int]) -> list[tuple[Fact, ...]]:
    edges = [0, *sorted(set(cuts)), len(STORY)]
    return [STORY[a:b] for a, b in pairwise(edges) if a < b]


LIVE = seen(
    [
        snapshot(),
        *(Frame(EPOCH, one.sequence, one.time_us, frame(0, 0, one).body) for one in STORY),
        Frame(EPOCH, len(STORY), at(NOW_S), Tick()),
    ]
)


def test_the_story_has_a_run_of_each_kind() -> None:
    """What is compared below: a run that completes, one that is interrupted, one that meets its limit."""
    assert [run.ending for run in LIVE] == [Ending.COMPLETE, Ending.INTERRUPTED, Ending.LIMIT]
    assert [run.planned for run in LIVE] == [360, 50, 5990]


@given(st.lists(st.integers(1, len(STORY) - 1), max_size=12))
def test_a_slow_line_changes_no_run(cuts: list[int]) -> None:
    """However late and in whatever pieces facts come, sent long after they happened, the runs are the same."""
    late = [Frame(EPOCH, part[-1].sequence, at(NOW_S), frame(0, 0, *part).body) for part in parts(cuts)]

    assert seen([snapshot(), *late, Frame(EPOCH, len(STORY), at(NOW_S), Tick())]) == LIVE


@pytest.mark.parametrize("chunks", [1, 2, 3, 10, 100], ids=str)
def test_a_late_viewer_sees_the_same_runs(chunks: int) -> None:
    """A snapshot minutes later, whole or in chunks, rebuilds every run as it was seen live."""
    size = len(STORY) // chunks
    frames = [Frame(EPOCH, 0, at(NOW_S), Snapshot(first=True, last=False))]
    frames += [
        Frame(EPOCH, 0, at(NOW_S), Snapshot(first=False, last=False, facts=part))
        for part in parts(range(size, len(STORY), size))
    ]
    frames.append(Frame(EPOCH, len(STORY), at(NOW_S), Snapshot(first=False, last=True)))

    assert seen([*frames, Frame(EPOCH, len(STORY), at(NOW_S), Tick())]) == LIVE


def test_a_loss_leaves_the_run_before_it_open_until_what_follows_says_more() -> None:
    """Facts that were lost on the way make the open run incomplete; they do not end it as too late."""
    kill = next(n for n, one in enumerate(STORY) if one.action_id == "a-p1")
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    store.apply(snapshot(facts=STORY[: kill + 2]))
    store.apply(Frame(EPOCH, 0, at(NOW_S), Loss(STORY[kill + 2].sequence, STORY[kill + 2].sequence)))
    store.apply(Frame(EPOCH, 0, at(NOW_S), frame(0, 0, *STORY[kill + 3 : kill + 200]).body))

    run = store.ledger("balance").runs.ended[0]
    assert run.ending is not Ending.OPEN
    assert run.incomplete


def test_what_another_agent_found_belongs_to_no_run_before_it() -> None:
    """The first facts of a new agent are no milestones of the run that it ended."""
    store = Store({lab.name: lab.stopwatches for lab in discover()})
    store.apply(snapshot(facts=STORY[:12]))
    open_run = store.ledger("balance").runs.current
    assert open_run is not None
    news = (fact(1, 90, moved("p3", Aspect.READY, ready=True)), fact(2, 90, entry("p1", removed=True)))
    store.apply(snapshot(facts=news, epoch=EPOCH + 1, seconds=90))

    (run,) = store.ledger("balance").runs.ended
    assert run.ending is Ending.REPLACED
    assert run.milestones == open_run.milestones


def test_a_late_viewer_sees_the_pods_that_are_gone() -> None:
    """A pod that was counted and left before somebody came stays in the table for them as well."""
    store = Store()
    store.apply(snapshot(pod_change(pod("p2")), facts=STORY[:40]))

    assert list(store.departed("balance")) == ["p1"]


def test_a_run_is_evaluated_by_the_time_of_its_facts() -> None:
    """A run that settled is over before a later fact comes, even if nobody looked in between."""
    book = RunBook(balance.lab.stopwatches)
    for one in STORY:
        book.add(one)

    assert book.ended[0].ending is Ending.COMPLETE
