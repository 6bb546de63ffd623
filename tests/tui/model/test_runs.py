"""Runs as pure functions of facts: milestones, what clients lost, and why a run ends."""

import pytest

from kubealive_tui.experiments.balance import lab
from kubealive_tui.model import (
    AgentNote,
    Aspect,
    EdgeKind,
    Ending,
    EpochMark,
    Fact,
    FactBody,
    LoadState,
    LoadTransition,
    LossMark,
    Outcome,
    Phase,
    Run,
    WatchGap,
    evaluate,
)
from tests.tui.signals import at, deletion, edge, entry, fact, moved, replies

KILL = lab.stopwatches[0]
TRIGGER = fact(1, 0.0, deletion("p1"), action_id="a1")
CALM = (
    fact(2, 0.02, moved("p1", Aspect.DELETING, deleting=True)),
    fact(3, 0.02, entry("p1")),
    fact(4, 0.05, moved("p9", Aspect.CREATED, node="")),
    fact(5, 0.06, moved("p9", Aspect.SCHEDULED)),
    fact(6, 0.1, replies(0.0, ("p1", Outcome.OK, 3), ("p2", Outcome.OK, 7))),
    fact(7, 0.21, entry("p1", removed=True)),
    fact(8, 1.04, moved("p1", Aspect.DELETED, deleting=True)),
    fact(9, 1.05, moved("p9", Aspect.READY, ready=True)),
    fact(10, 1.4, replies(1.3, ("p9", Outcome.OK, 2), ("p2", Outcome.OK, 8))),
)
GAP = AgentNote("11 watches broke; the first: cut", warning=True, watch_gap=WatchGap.BEGAN)
GAP_ENDED = AgentNote("the agent watches the cluster again, after 12 s", watch_gap=WatchGap.ENDED)


def run_of(*facts: Fact, now: float = 10.0) -> Run:
    return evaluate(KILL, TRIGGER, facts, at(now))


def test_a_kill_is_timed_step_by_step() -> None:
    """Each milestone stands by its own time, in seconds from the trigger."""
    run = run_of(*CALM)

    assert {m.label: run.seconds(m.label) for m in run.milestones} == {
        "terminating": 0.02,
        "not ready": 0.02,
        "last reply": 0.091,
        "left the Service": 0.21,
        "scheduled": 0.06,
        "successor ready": 1.05,
        "serving": 1.301,
    }
    assert (run.ending, run.failed, run.planned) == (Ending.COMPLETE, 0, 20)
    assert run.given == {"grace_seconds": "30"}


def test_a_run_ends_at_its_last_milestone() -> None:
    """The time after the last milestone, in which a late failure may come, is not part of the run."""
    assert run_of(*CALM).ended_us == at(1.301)


@pytest.mark.parametrize(
    ("facts", "now", "ending"),
    [
        pytest.param(CALM, 2.0, Ending.OPEN, id="requests may still be in flight"),
        pytest.param(CALM, 10.0, Ending.COMPLETE, id="all seen and quiet"),
        pytest.param(CALM[:5], 30.0, Ending.OPEN, id="successor awaited"),
        pytest.param(CALM[:5], 61.0, Ending.LIMIT, id="successor never came"),
        pytest.param((*CALM[:5], fact(20, 3.0, EpochMark(8))), 4.0, Ending.REPLACED, id="agent replaced"),
        pytest.param(
            (fact(2, 0.1, deletion(phase=Phase.REFUSED), action_id="a1"),), 1.0, Ending.REFUSED, id="refused"
        ),
        pytest.param((fact(2, 0.1, deletion(phase=Phase.UNANSWERED)),), 1.0, Ending.OPEN, id="no answer"),
        pytest.param(
            (fact(2, 0.01, deletion(phase=Phase.UNANSWERED)), *CALM),
            10.0,
            Ending.COMPLETE,
            id="happened unanswered",
        ),
        pytest.param(
            (*CALM, fact(11, 1.5, edge(EdgeKind.BEGIN, 0.3, failed=1))), 10.0, Ending.OPEN, id="outage open"
        ),
    ],
)
def test_why_a_run_ends(facts: tuple[Fact, ...], now: float, ending: Ending) -> None:
    """A run is open, complete, at its limit, replaced or refused, by the facts and the agent's time."""
    assert run_of(*facts, now=now).ending is ending


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(LossMark(3, 9), "facts were lost on the way", id="loss"),
        pytest.param(GAP, "the agent could not watch the cluster for a while", id="gap begins"),
        pytest.param(GAP_ENDED, "the agent could not watch the cluster for a while", id="gap ends"),
        pytest.param(AgentNote("a pod cannot be read", warning=True), "", id="another note"),
    ],
)
def test_why_a_run_is_incomplete(body: FactBody, why: str) -> None:
    """A run says why facts are missing inside it."""
    assert run_of(*CALM, fact(11, 1.5, body)).incomplete == why


@pytest.mark.parametrize(
    ("now", "measured"),
    [pytest.param(0.3, True, id="the first may be in flight"), pytest.param(10.0, False, id="none was asked")],
)
def test_a_run_in_which_nothing_was_asked_measured_nothing(now: float, *, measured: bool) -> None:
    """Traffic that ended at the trigger says nothing of what followed: 0 of 0 proves nothing."""
    earlier = replies(-5.0, ("p1", Outcome.OK, 3))
    unasked = (*CALM[:4], *CALM[5:-1], fact(6, 0.1, earlier))
    ended = fact(11, 0.2, LoadTransition("l1", LoadState.STOPPED))

    run = run_of(*unasked, ended, now=now)
    assert (run.failed, run.planned, run.measured) == (0, 0, measured)


def test_what_clients_lost_is_counted_from_the_trigger() -> None:
    """Failures planned long before the trigger are not this run's; the generator's own never are."""
    facts = (
        fact(2, 0.1, replies(-5.0, ("", Outcome.REFUSED, 9))),
        fact(3, 0.4, replies(0.3, ("", Outcome.REFUSED, 2), ("", Outcome.LOCAL, 4), ("p2", Outcome.OK, 8))),
    )

    run = run_of(*facts)
    assert (run.failed, run.planned) == (2, 10)


def test_a_request_in_flight_at_the_trigger_is_a_victim() -> None:
    """A failure planned just before the trigger and ended after it counts."""
    run = run_of(
        fact(2, 0.4, replies(-0.05, ("", Outcome.RESET, 1))), fact(3, 0.4, edge(EdgeKind.BEGIN, -0.05, failed=1))
    )

    assert run.failed == 1
    assert len(run.outages) == 1


def test_an_outage_has_its_length_and_error_bar() -> None:
    """The window runs from edge to edge, with the sampling interval as its error."""
    run = run_of(
        fact(2, 0.3, edge(EdgeKind.BEGIN, 0.05, failed=1)), fact(3, 1.5, edge(EdgeKind.END, 0.24, failed=2))
    )

    (outage,) = run.outages
    assert outage.seconds == pytest.approx(0.19)
    assert (outage.failed, outage.interval_us) == (2, 10_000)


def test_an_outage_that_the_load_left_is_not_waited_for() -> None:
    """Its end will never be known, so the run ends without it and says what is missing."""
    began = fact(11, 1.5, edge(EdgeKind.BEGIN, 1.45, failed=1))
    stopped = (
        fact(12, 2.0, LoadTransition("l1", LoadState.STOPPED, "asked")),
        fact(13, 2.0, edge(EdgeKind.OPEN, 1.9, failed=5)),
    )
    open_, left = run_of(*CALM, began), run_of(*CALM, began, *stopped)

    assert (open_.ending, left.ending) == (Ending.OPEN, Ending.COMPLETE)
    assert [(o.seconds, o.failed, o.left) for o in left.outages] == [(None, 5, True)]
    assert left.incomplete == "the load ended before it did"


def test_an_unmeasured_milestone_stays_empty() -> None:
    """Without traffic the client's milestones are None, and the run does not wait for them."""
    without = [f for f in CALM if f.sequence not in {6, 10}]
    run = run_of(*without)

    assert run.seconds("serving") is None
    assert run.seconds("last reply") is None
    assert not run.measured
    assert run.ending is Ending.COMPLETE


def test_the_successor_is_the_first_pod_of_the_owner_made_after_the_trigger() -> None:
    """A pod that was there before, or that the agent merely found, is no successor."""
    other = fact(4, 0.03, moved("p5", Aspect.READY, ready=True))

    assert run_of(CALM[0], other, *CALM[1:]).seconds("successor ready") == 1.05
