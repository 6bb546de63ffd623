"""Runs that span a time in which the agent could not watch the cluster say so, for whoever looks."""

import pytest

from kubealive_tui.experiments.balance import lab
from kubealive_tui.model import AgentNote, Aspect, Fact, FactBody, Loss, LossMark, Tick, WatchGap
from kubealive_tui.store import CLUSTER, Store
from tests.tui.signals import EPOCH, at, deletion, fact, frame, moved, snapshot

BEGAN = AgentNote("11 watches broke; the first: cut", warning=True, watch_gap=WatchGap.BEGAN)
ENDED = AgentNote("the agent watches the cluster again, after 12 s", watch_gap=WatchGap.ENDED)


def told(sequence: int, seconds: float, body: FactBody) -> Fact:
    """A fact of the cluster, or the trigger of a run."""
    if isinstance(body, AgentNote):
        return fact(sequence, seconds, body, experiment=CLUSTER)
    return fact(sequence, seconds, body, action_id=f"a{sequence}")


@pytest.mark.parametrize(
    ("bodies", "incomplete"),
    [
        pytest.param((deletion(), BEGAN, ENDED), True, id="gap within"),
        pytest.param((BEGAN, deletion(), ENDED), True, id="ends within"),
        pytest.param((BEGAN, deletion()), True, id="lasts"),
        pytest.param((BEGAN, ENDED, deletion()), False, id="before"),
        pytest.param(
            (AgentNote("odd pod", warning=True), deletion(), AgentNote("odd", warning=True)), False, id="other"
        ),
    ],
)
@pytest.mark.parametrize("late", [False, True], ids=["live", "late viewer"])
def test_a_gap_makes_runs_incomplete(bodies: tuple[FactBody, ...], *, incomplete: bool, late: bool) -> None:
    """A run that any part of a gap lies in is incomplete, also for whoever came after it."""
    store = Store({"balance": lab.stopwatches})
    facts = tuple(told(n, float(n), body) for n, body in enumerate(bodies, 1))
    if late:
        store.apply(snapshot(facts=facts, seconds=9))
    else:
        store.apply(snapshot())
        for each in facts:
            store.apply(frame(each.sequence, each.sequence, each))
    store.apply(frame(9, 9.0))

    run = store.ledger("balance").runs.last
    assert run is not None
    assert bool(run.incomplete) is incomplete


@pytest.mark.parametrize("over", [Loss(2, 2), Tick()], ids=["its end was lost", "another agent"])
def test_a_gap_does_not_outlive_what_is_known(over: Loss | Tick) -> None:
    """Where the end of a gap cannot come any more, later runs are not marked for ever."""
    store = Store({"balance": lab.stopwatches})
    store.apply(snapshot(facts=(told(1, 1.0, BEGAN),)))
    if isinstance(over, Loss):
        store.apply(frame(2, 2.0))
        store.apply(type(frame(2, 2.0))(EPOCH, 2, at(2.0), over))
        store.apply(frame(3, 3.0, told(3, 3.0, deletion())))
    else:
        store.apply(snapshot(facts=(told(3, 3.0, deletion()),), epoch=EPOCH + 1, seconds=3))

    run = store.ledger("balance").runs.last
    assert run is not None
    assert not run.incomplete


def test_a_gap_stands_once_in_a_timeline() -> None:
    """The note is the cluster's line; the experiments' own lines do not repeat it."""
    store = Store({"balance": lab.stopwatches})
    store.apply(snapshot(facts=(fact(1, 1.0, moved("p1", Aspect.READY, ready=True)), told(2, 2.0, BEGAN))))

    assert [type(one.body) for one in store.ledger(CLUSTER).timeline] == [AgentNote]
    assert not any(isinstance(one.body, AgentNote | LossMark) for one in store.ledger("balance").timeline)
