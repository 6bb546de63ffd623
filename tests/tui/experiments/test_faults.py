"""How faults are timed, from the facts that a real cluster gave."""

from dataclasses import replace

import pytest

from kubealive_tui.experiments.heal import lab
from kubealive_tui.experiments.heal._faults import fault_of, replies_fail
from kubealive_tui.model import Action, Aspect, EdgeKind, Ending, Fact, FactBody, Outcome, Phase
from kubealive_tui.store import CLUSTER, Store
from tests.tui.experiments.healing import INFECTED, UID, did, event, lost, run_of, seen, told
from tests.tui.experiments.healing import times as times_of
from tests.tui.signals import fact, frame, replies

REQUESTED, ACCEPTED = Phase.REQUESTED, Phase.ACCEPTED
BACK_OFF = "back-off 10s restarting failed container=healthcheck pod=healthcheck-6ddc4758b4-7kq2m"


def test_a_failing_liveness_probe_is_timed_by_whoever_told_first() -> None:
    """Killing and Started come before the watch says so; clients lose later and are well again last."""
    run = run_of(did(fault="liveness", fail="always"), *INFECTED)

    assert times_of(run) == {
        "first failed": 0.75,
        "detected": 0.66,
        "restarted": 0.77,
        "ready": 1.36,
        "first ok": 1.45,
    }
    assert (run.ending, run.title.partition(" ")[0]) == (Ending.COMPLETE, "INFECT")


def test_a_crash_is_restarted_before_it_is_seen() -> None:
    """Started may come first: the watch's word for the end is still the detection; one event may say it all."""
    run = run_of(
        did(fault="exit", code="3"),
        (0.2, lost(EdgeKind.BEGIN, -0.04, 1)),
        (0.37, event("Started")),
        (0.63, seen(Aspect.RESTARTS, Aspect.READY, ready=True)),
        (2.0, lost(EdgeKind.END, 0.7)),
    )

    assert times_of(run) == {
        "first failed": 0.0, "detected": 0.63, "restarted": 0.37, "ready": 0.63, "first ok": 0.7,
    }  # fmt: skip
    assert run.title.startswith("CRASH exit 3 …")


def test_a_back_off_is_a_milestone_with_the_kubelets_seconds() -> None:
    """No Event has them; the waiting message has."""
    run = run_of(
        did(fault="exit", code="1"),
        (0.3, seen(Aspect.READY, Aspect.STATUS, status="Error")),
        (1.5, seen(Aspect.STATUS, status="CrashLoopBackOff", message=BACK_OFF)),
        (14.0, event("Started")),
        (14.5, seen(Aspect.READY, Aspect.RESTARTS, ready=True)),
    )

    assert run.seconds("back-off 10 s") == 1.5
    assert (run.seconds("restarted"), run.ending) == (14.0, Ending.COMPLETE)


def test_events_of_other_pods_are_not_its_own() -> None:
    """With three pods, what the kubelet does to another one is no milestone."""
    run = run_of(
        did(fault="hang"), (0.5, event("Killing", uid="other")), (0.6, event("Started", uid="other")), now=5
    )

    assert times_of(run) == dict.fromkeys(("first failed", "detected", "restarted", "ready", "first ok"))
    assert run.ending is Ending.OPEN


def test_a_fault_that_is_cured_in_time_awaits_no_restart() -> None:
    """Cured before the probe asked, nothing happens, and the run ends."""
    run = run_of(did(fault="liveness", fail="always"), (0.3, did(fault="cure", phase=Phase.ACCEPTED)))

    assert (run.seconds("cured"), run.seconds("restarted"), run.ending) == (0.3, None, Ending.COMPLETE)


def test_what_was_noticed_before_the_cure_takes_its_course() -> None:
    """The kubelet kills what it has begun to kill, so the run goes on until the container is ready again."""
    noticed = (0.5, event("Killing")), (0.6, did(fault="cure", phase=Phase.ACCEPTED))
    waiting = run_of(did(fault="liveness", fail="always"), *noticed, now=4)
    over = run_of(
        did(fault="liveness", fail="always"), *noticed, (4.5, seen(Aspect.RESTARTS, Aspect.READY, ready=True))
    )

    assert (waiting.ending, over.ending) == (Ending.OPEN, Ending.COMPLETE)
    assert (over.seconds("cured"), over.seconds("restarted")) == (0.6, 4.5)


@pytest.mark.parametrize(
    "cure",
    [
        did(fault="cure", phase=Phase.ACCEPTED),
        did(fault="readiness", fail="never", phase=Phase.ACCEPTED),
        Action("r2", "you@there", "stop_all", Phase.ACCEPTED),
    ],
    ids=["cure", "ready again", "stop of everything"],
)
def test_readiness_comes_back_when_it_is_given_back(cure: Action) -> None:
    """The run lasts from the fault over the cure to the first ok, and no restart is awaited."""
    run = run_of(
        did(fault="readiness", fail="always"),
        (0.3, seen(Aspect.READY)),
        (0.5, lost(EdgeKind.BEGIN, 0.4, 1)),
        (4.0, cure),
        (4.6, seen(Aspect.READY, ready=True)),
        (6.0, lost(EdgeKind.END, 4.8)),
    )

    assert times_of(run) == {"first failed": 0.4, "detected": 0.3, "cured": 4.0, "ready": 4.6, "first ok": 4.8}
    assert run.ending is Ending.COMPLETE


def test_a_cure_counts_from_when_it_was_asked_for() -> None:
    """Its effect may be measured before its acceptance is told; a refused one before it cured nothing."""
    asked, taken = (replace(did(fault="cure", phase=phase), request_id="r3") for phase in (REQUESTED, ACCEPTED))
    refused = [replace(did(fault="cure", phase=phase), request_id="r2") for phase in (REQUESTED, Phase.REFUSED)]
    run = run_of(
        did(fault="errors", percent="100"),
        (0.1, lost(EdgeKind.BEGIN, 0.05, 1)),
        (1.0, refused[0]),
        (1.1, refused[1]),
        (3.0, asked),
        (3.2, taken),
        (4.2, lost(EdgeKind.END, 3.05)),
    )

    assert (run.seconds("cured"), run.seconds("first ok")) == (3.0, 3.05)


def test_failing_replies_last_until_somebody_ends_them() -> None:
    """Nothing is detected; without a cure the run ends at its limit."""
    began = (0.1, lost(EdgeKind.BEGIN, 0.05, 1))
    measured: tuple[float, FactBody] = (0.1, replies(0.0, (UID, Outcome.HTTP_5XX, 1)))
    cured = run_of(
        did(fault="errors", percent="100"),
        began,
        measured,
        (3.0, did(fault="cure", phase=Phase.ACCEPTED)),
        (4.2, lost(EdgeKind.END, 3.05)),
    )
    left = run_of(did(fault="errors", percent="100"), began, measured, now=91)

    assert times_of(cured) == {"first failed": 0.05, "cured": 3.0, "first ok": 3.05}
    assert (cured.ending, left.ending) == (Ending.COMPLETE, Ending.LIMIT)


@pytest.mark.parametrize(
    ("verb", "given", "fault"),
    [
        ("fault", {"fault": "liveness", "fail": "always"}, "liveness"),
        ("fault", {"fault": "readiness", "fail": "never"}, ""),
        ("fault", {"fault": "errors", "percent": "0"}, ""),
        ("fault", {"fault": "cure"}, ""),
        ("delete_pod", {"fault": "hang"}, ""),
    ],
    ids=["begins", "ends readiness", "ends errors", "cure", "no fault"],
)
def test_what_begins_a_fault(verb: str, given: dict[str, str], fault: str) -> None:
    """What takes a fault back starts no stopwatch."""
    assert fault_of(verb, given) == fault
    trigger = Action("r", "me", verb, Phase.REQUESTED, parameters=given)
    assert sum(s.matches(trigger) for s in lab.stopwatches) == (1 if fault or verb == "delete_pod" else 0)


ERRS = did(fault="errors", percent="100", phase=Phase.ACCEPTED)
STOPPED = Action("r2", "me@here", "stop_all", Phase.ACCEPTED)


@pytest.mark.parametrize(
    ("facts", "fails"),
    [
        ((), False),
        (told((1, ERRS)), True),
        (told((1, ERRS), (2, did(fault="readiness", fail="always", phase=Phase.ACCEPTED))), True),
        (told((1, ERRS), (2, did(fault="cure", phase=Phase.ACCEPTED))), False),
        (told((1, ERRS), (2, seen(Aspect.RESTARTS))), False),
        (told((1, did(fault="errors", percent="100", phase=Phase.ACCEPTED, uid="other"))), False),
        ((*told((1, ERRS)), fact(9, 3, STOPPED, experiment=CLUSTER)), False),
        ((fact(1, 0.5, STOPPED, experiment=CLUSTER), *told((0, seen()), (1, ERRS))[1:]), True),
    ],
    ids=[
        "nothing",
        "fails",
        "another fault",
        "cured",
        "restarted",
        "another pod",
        "all stopped",
        "stopped before",
    ],
)
def test_whether_replies_fail_is_known_from_facts(facts: tuple[Fact, ...], *, fails: bool) -> None:
    """The fault is a process's own: a cure, a restart and `!` end it."""
    store = Store({lab.name: lab.stopwatches})
    store.apply(frame(20, 5, *facts))
    assert replies_fail(store, lab.name, UID) is fails
