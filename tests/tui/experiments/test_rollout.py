"""How a rollout is timed, from scripted facts."""

from dataclasses import replace

import pytest

from kubealive_tui.experiments.update._rollout import rollout_stopwatch
from kubealive_tui.model import Action, Aspect, Ending, Fact, Outcome, Run, evaluate
from tests.tui.experiments.deployments import (
    DONE,
    IMAGE,
    MOVING,
    OK,
    ROLLED,
    STUCK,
    deployed,
    fact,
    moved,
    numbers,
    progress,
    replies,
    update,
)
from tests.tui.signals import at


def run_of(*facts: Fact, action: Action | None = None, now: float = 20.0) -> Run:
    return evaluate(rollout_stopwatch, fact(1, 0.0, action or update(), action_id="a1"), facts, at(now))


def times(run: Run) -> dict[str, float | None]:
    return {m.label: None if (s := run.seconds(m.label)) is None else round(s, 3) for m in run.milestones}


def test_a_rollout_is_timed_step_by_step() -> None:
    """Each milestone stands by its own time; half is half of the last fifty replies."""
    run = run_of(*ROLLED)

    assert times(run) == {
        "new set": 0.03,
        "first ready": 1.0,
        "first reply": 1.101,
        "half": 2.491,
        "last old reply": 3.391,
        "complete": 3.23,
        "old pods gone": 9.1,
    }
    assert (run.ending, run.failed, run.title) == (Ending.COMPLETE, 0, "UPDATE v1 → v2")
    assert run.ended_us == at(9.1)


def test_what_the_controller_said_before_is_not_the_end() -> None:
    """The condition of the rollout before still says complete until the new set is there."""
    run = run_of(fact(2, 0.01, progress(DONE)), fact(3, 0.03, numbers(2, 1)))

    assert run.seconds("complete") is None
    assert run.ending is Ending.OPEN


def test_a_change_that_the_controller_had_not_seen_yet_is_not_taken_for_this_one() -> None:
    """Two updates at once: the set of the first has another image, and its end is not this run's."""
    run = run_of(
        fact(2, 0.02, numbers(2, 4, image="v2")),
        fact(3, 0.5, numbers(3, 1, image="v3")),
        fact(4, 0.6, progress(DONE)),
        action=update(old="v2", new="v3"),
    )

    assert (run.seconds("new set"), run.seconds("complete"), run.ending) == (0.5, None, Ending.OPEN)


def test_a_last_reply_is_told_when_none_can_follow() -> None:
    """While an old pod is there its last reply is not known."""
    run = run_of(*ROLLED[:-1], now=9.0)

    assert run.seconds("last old reply") is None
    assert [m.label for m in run.milestones if m.at_us is None and not m.optional] == [
        "last old reply",
        "old pods gone",
    ]


def test_old_pods_may_be_gone_before_the_new_ones_are_complete() -> None:
    """Recreate ends all old pods first: their end stands by its own time, not by the controller's word."""
    run = run_of(
        fact(2, 0.02, moved(1, 1, Aspect.DELETING)),
        fact(3, 6.0, numbers(2, 2)),
        fact(4, 7.0, moved(1, 1, Aspect.DELETED)),
        fact(5, 7.5, moved(2, 1, Aspect.READY, ready=True)),
        fact(6, 8.3, progress(DONE)),
        action=update(strategy="Recreate"),
    )

    assert (run.seconds("old pods gone"), run.seconds("complete")) == (7.0, 8.3)


def test_an_undo_in_the_middle_keeps_the_pods_that_are_there() -> None:
    """Replies of pods that the returning set has kept are its own, and no pod of it has to become ready anew."""
    action = update("undo", old="v3", new="v2", from_revision="3", revision="2")
    run = run_of(
        fact(2, 0.05, replies(0.0, (2, 60, OK))),
        fact(3, 0.06, replace(numbers(2, 4), revision=4)),
        fact(4, 0.1, moved(3, 1, Aspect.DELETING)),
        fact(5, 0.2, progress(MOVING)),
        fact(6, 0.3, progress(DONE)),
        fact(7, 5.2, moved(3, 1, Aspect.DELETED)),
        action=action,
    )

    assert (run.title, run.ending) == ("UNDO v3 → v2", Ending.COMPLETE)
    assert times(run) == {
        "new set": 0.06,
        "first ready": None,
        "first reply": 0.001,
        "half": 0.091,
        "last old reply": None,
        "complete": 0.3,
        "old pods gone": 5.2,
    }


def test_a_rollout_that_is_stuck_says_when_the_deadline_passed() -> None:
    """The controller's word comes as a milestone; the run goes on to its own limit."""
    run = run_of(fact(2, 0.03, numbers(2, 1)), fact(3, 30.4, progress(STUCK)), now=61)

    assert run.seconds("deadline passed") == pytest.approx(30.4)
    assert run.ending is Ending.LIMIT


@pytest.mark.parametrize(
    "change",
    [fact(40, 1.5, deployed("v5")), fact(40, 1.5, numbers(3, 1, image="v2"))],
    ids=["another image", "a set beyond this one's"],
)
def test_somebody_else_changes_the_rollout(change: Fact) -> None:
    """The run ends there, with what was its own: no later milestone, no later request."""
    later = [
        fact(41, 1.7, replies(1.6, (1, 5, Outcome.REFUSED))),
        fact(42, 2.0, moved(2, 1, Aspect.READY, ready=True)),
        fact(43, 3.0, progress(DONE)),
    ]
    own = fact(20, 1.3, replies(1.0, (1, 3, Outcome.REFUSED)))
    run = run_of(fact(2, 0.01, deployed("v2")), fact(3, 0.03, numbers(2, 1)), own, change, *later)

    assert (run.ending, run.ended_us) == (Ending.OVERTAKEN, at(1.5))
    assert run.seconds("first ready") is None
    assert run.seconds("complete") is None
    assert run.failed == 3


def test_a_whole_run_is_not_overtaken_by_what_comes_after() -> None:
    """Whoever changes the Deployment once the old pods are gone begins something else."""
    assert run_of(*ROLLED, fact(50, 10.0, deployed("v4"))).ending is Ending.COMPLETE


@pytest.mark.parametrize(
    ("action", "title"),
    [
        (update(), "UPDATE v1 → v2"),
        (update(old="v2", from_drain="off"), "UPDATE v2 → v2"),
        (update("restart", old="v2"), "RESTART v2"),
        (update("undo", old="v3", new="v1"), "UNDO v3 → v1"),
        (update(old="v2"), None),
        (update("pause"), None),
        (update("scale"), None),
    ],
    ids=["version", "drain alone", "restart", "undo", "strategy alone", "pause", "scale"],
)
def test_what_starts_the_stopwatch(action: Action, title: str | None) -> None:
    """Whatever replaces pods is a run; what changes only how they would be replaced is none."""
    assert rollout_stopwatch.matches(action) == (title is not None)
    if title:
        assert rollout_stopwatch.title(action) == title


def test_an_unmeasured_rollout_ends_all_the_same() -> None:
    """Without traffic the clients' milestones stay unknown and keep nothing open."""
    run = run_of(*(f for f in ROLLED if not hasattr(f.body, "rows")))

    assert (run.ending, run.measured) == (Ending.COMPLETE, False)
    assert run.seconds("half") is None


def test_the_run_keeps_what_was_asked_for() -> None:
    """The table of results is made of it."""
    assert run_of().given["image"] == f"{IMAGE}:v2"
