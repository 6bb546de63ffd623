"""The world: what is news, what becomes a fact, and whose an Event is."""

from __future__ import annotations

import pytest

from kubealive.v1.agent_pb2 import KindAccess
from kubealive.v1.facts_pb2 import AgentNote, KubeEvent, ScalingSample
from kubealive.v1.state_pb2 import (
    KIND_AUTOSCALER,
    KIND_DEPLOYMENT,
    KIND_NODE_USAGE,
    KIND_POD,
    KIND_POD_USAGE,
    KIND_REPLICA_SET,
    Autoscaler,
    Pod,
    Usage,
    Workload,
)
from tests.agent.fakes import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()


def event(uid: str = "uid-a", *, reason: str = "Killing", kind: str = "Pod", name: str = "") -> KubeEvent:
    return KubeEvent(reason=reason, object_uid=uid, object_kind=kind, object_name=name)


def reasons(lab: Lab) -> list[tuple[str, str]]:
    return [(fact.event.reason, fact.experiment) for fact in lab.facts("event")]


def test_an_unchanged_object_is_no_news(lab: Lab) -> None:
    """A projection that equals the one before writes neither state nor fact."""
    before = lab.journal.sequence
    lab.world.apply(KIND_POD, "uid-new", Pod(name="getip-new", experiment="balance"), found=False)

    assert lab.journal.sequence == before


def test_a_change_is_state_and_a_fact_of_its_experiment(lab: Lab) -> None:
    """A pod that becomes ready is newest state and a transition with its experiment."""
    before = lab.journal.sequence
    lab.world.apply(KIND_POD, "uid-new", Pod(name="getip-new", experiment="balance", ready=True), found=False)

    assert len(lab.journal.changes_since(before)) == 1
    fact = lab.facts("pod")[-1]
    assert (fact.experiment, fact.pod.uid, fact.pod.ready, fact.pod.found) == ("balance", "uid-new", True, False)


def test_a_deleted_object_is_gone_from_state_and_told(lab: Lab) -> None:
    """A deletion is a tombstone and a transition; deleting it again is no news."""
    lab.world.apply(KIND_POD, "uid-a", None, found=False)
    after = lab.journal.sequence
    lab.world.apply(KIND_POD, "uid-a", None, found=False)

    assert lab.world.find("uid-a") is None
    assert lab.journal.sequence == after
    assert lab.facts("pod")[-1].experiment == "balance"


@pytest.mark.parametrize(
    ("measured_us", "whose"),
    [(59_000_000, None), (60_000_000, None), (61_000_000, "uid-db")],
    ids=["before", "the same second", "after"],
)
def test_a_name_belongs_to_a_pod_since_its_creation(lab: Lab, measured_us: int, whose: str | None) -> None:
    """What was measured under a name before its pod was created was another pod's, as of a StatefulSet."""
    lab.world.apply(KIND_POD, "uid-db", Pod(name="db-0", experiment="state", created_us=60_000_000), found=False)

    assert lab.world.pod_uid("db-0", at_us=measured_us) == whose
    assert lab.world.pod_uid("db-1", at_us=measured_us) is None


def scaler(desired: int = 2, seen: int | None = None) -> Autoscaler:
    return Autoscaler(
        name="hpa",
        target_name="cpuhog",
        target_utilization=50,
        min_replicas=1,
        max_replicas=5,
        desired_replicas=desired,
        current_utilization=seen,
        experiment="scale",
    )


def measure(lab: Lab, *usages: tuple[str, int, int]) -> ScalingSample:
    """The newest fact after the metrics API said these: (pod, millis, measured at)."""
    for uid, millis, at in usages:
        usage = Usage(name=uid, cpu_millis=millis, measured_us=at)
        lab.world.apply(KIND_POD_USAGE, uid, usage, found=False)
    lab.world.measured()
    return lab.facts("scaling")[-1].scaling


@pytest.fixture
def scaled(lab: Lab) -> Lab:
    """Two pods of 250m, and one that leaves, of a Deployment with an autoscaler."""
    lab.world.apply(KIND_DEPLOYMENT, "d", Workload(name="cpuhog", current=2, experiment="scale"), found=False)
    lab.world.apply(
        KIND_REPLICA_SET, "rs", Workload(name="cpuhog-1", owner_uid="d", experiment="scale"), found=False
    )
    for uid, leaving in (("p1", None), ("p2", None), ("p3", 9)):
        pod = Pod(name=uid, owner_uid="rs", cpu_request_millis=250, deletion_us=leaving, experiment="scale")
        lab.world.apply(KIND_POD, uid, pod, found=False)
    lab.world.apply(KIND_AUTOSCALER, "h", scaler(), found=False)
    return lab


def test_what_an_autoscaler_decides_by_is_a_fact(scaled: Lab) -> None:
    """Sum of use over sum of requests, of the pods that stay and are measured, beside the autoscaler's numbers."""
    seen = measure(scaled, ("p1", 230, 8), ("p3", 999, 8))

    assert scaled.facts("scaling")[-1].experiment == "scale"
    assert (seen.uid, seen.name) == ("h", "hpa")
    assert seen.utilization == pytest.approx(92.0)
    assert (seen.measured_pods, seen.unmeasured_pods, seen.measured_us) == (1, 1, 8)
    assert (seen.target_utilization, seen.min_replicas, seen.max_replicas) == (50, 1, 5)
    assert (seen.current_replicas, seen.desired_replicas) == (2, 2)
    assert not seen.HasField("previous_desired_replicas")


def test_a_decision_is_a_fact_at_once(scaled: Lab) -> None:
    """When the autoscaler changes its mind the fact says from what, and what it saw."""
    scaled.world.apply(KIND_AUTOSCALER, "h", scaler(4, seen=92), found=False)

    told = scaled.facts("scaling")[-1].scaling
    assert (told.previous_desired_replicas, told.desired_replicas, told.seen_utilization) == (2, 4, 92)


@pytest.mark.parametrize(
    ("desired", "previous"), [(2, None), (4, 2)], ids=["as many as are there", "more at once"]
)
def test_a_new_autoscalers_first_wish_is_held_against_what_is_there(
    scaled: Lab, desired: int, previous: int | None
) -> None:
    """It says 0 until its first tick; a decision is what differs from the pods that it found."""
    scaled.world.apply(KIND_AUTOSCALER, "h", scaler(0), found=False)
    measure(scaled, ("p1", 230, 8))
    scaled.world.apply(KIND_AUTOSCALER, "h", scaler(desired, seen=92), found=False)

    told = scaled.facts("scaling")[-1].scaling
    assert (told.previous_desired_replicas if told.HasField("previous_desired_replicas") else None) == previous


def test_only_what_is_new_is_a_fact(scaled: Lab) -> None:
    """Asking again for the same numbers tells nothing; the next ones do, as does a pod that is measured first."""
    measure(scaled, ("p1", 230, 8))
    told = len(scaled.facts("scaling"))
    measure(scaled)
    assert len(scaled.facts("scaling")) == told
    assert measure(scaled, ("p1", 230, 9), ("p2", 20, 9)).utilization == pytest.approx(50.0)
    assert len(scaled.facts("scaling")) == told + 1


def test_nothing_measured_is_no_number(scaled: Lab) -> None:
    """Without any metric the fact says no utilisation, and of how many pods it is missing."""
    assert not measure(scaled).HasField("utilization")
    measure(scaled, ("p1", 230, 8))
    scaled.world.apply(KIND_POD_USAGE, "p1", None, found=False)
    seen = measure(scaled)
    assert (seen.HasField("utilization"), seen.measured_pods, seen.unmeasured_pods) == (False, 0, 2)


def test_an_autoscaler_without_its_target_tells_nothing(scaled: Lab) -> None:
    """What scales no Deployment of the same experiment has no pods to sum."""
    told = len(scaled.facts("scaling"))
    scaled.world.apply(KIND_DEPLOYMENT, "d", None, found=False)
    measure(scaled, ("p1", 230, 8))
    assert len(scaled.facts("scaling")) == told
    assert scaled.world.autoscaled() == {"scale"}


def test_usage_is_state_only(lab: Lab) -> None:
    """Metrics are keyed by another object's id and make no fact and no object."""
    facts = lab.journal.fact_count
    lab.world.apply(KIND_NODE_USAGE, "node-1", Usage(name="node-1", cpu_millis=5), found=False)

    assert lab.journal.fact_count == facts
    assert lab.world.find("node-1") is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (event("uid-a"), [("Killing", "balance")]),
        (event("uid-other"), []),
        (event("node-1", kind="Node", name="node-1"), [("Killing", "")]),
        (event("node-9", kind="Node", name="node-9"), []),
        (event("never-seen"), []),
    ],
    ids=["ours", "not ours", "node in use", "node not in use", "unknown"],
)
def test_whose_an_event_is(lab: Lab, given: KubeEvent, expected: list[tuple[str, str]]) -> None:
    """Events are kept with the experiment of their object, and dropped where no experiment is concerned."""
    lab.world.event(given, found=False)

    assert reasons(lab) == expected


@pytest.mark.parametrize("found", [True, False], ids=["there at the start", "new"])
def test_an_event_says_whether_it_was_there_at_the_start(lab: Lab, *, found: bool) -> None:
    """What the first list finds is told as history: nothing of it happens now."""
    lab.world.event(event("uid-a"), found=found)

    assert lab.facts("event")[0].event.found is found


def test_an_event_may_outlive_its_object(lab: Lab) -> None:
    """The last Events of a deleted pod still belong to its experiment."""
    lab.world.apply(KIND_POD, "uid-a", None, found=False)
    lab.world.event(event("uid-a"), found=False)

    assert reasons(lab) == [("Killing", "balance")]


def test_an_event_may_come_before_its_object(lab: Lab) -> None:
    """Events wait for the other watch, and keep the time of their own arrival."""
    lab.world.event(event("uid-z", reason="Scheduled"), found=False)
    arrived = lab.clock.us
    lab.clock.advance(1)
    lab.world.apply(KIND_POD, "uid-z", Pod(name="z", experiment="heal"), found=False)

    assert reasons(lab) == [("Scheduled", "heal")]
    assert lab.facts("event")[0].time_us == arrived


def test_waiting_events_are_bounded_and_counted(lab: Lab) -> None:
    """Events of objects that never appear are let go, oldest first, and counted."""
    for index in range(300):
        lab.world.event(event(f"nobody-{index}"), found=False)

    assert lab.world.events_dropped == 300 - 256
    lab.clock.advance(6)
    lab.world.event(event("nobody-last"), found=False)
    assert lab.world.events_dropped == 300


def test_old_events_of_objects_long_gone_do_not_wait(lab: Lab) -> None:
    """What the first list finds about unknown objects is history of nothing that is shown."""
    lab.world.event(event("uid-z"), found=True)
    lab.world.apply(KIND_POD, "uid-z", Pod(name="z", experiment="heal"), found=False)

    assert not reasons(lab)


def test_access_is_told_when_it_changes(lab: Lab) -> None:
    """A kind's state and reason are kept with their time, and repeated reports are no news."""
    told: list[int] = []
    lab.world.on_access = lambda: told.append(1)
    for _ in range(2):
        lab.world.access(KIND_POD, KindAccess.STATE_FORBIDDEN, "no right")

    assert told == [1]
    access = lab.world.accesses()[0]
    assert (access.kind, access.state, access.reason) == (KIND_POD, KindAccess.STATE_FORBIDDEN, "no right")


def test_a_note_is_a_fact(lab: Lab) -> None:
    """The agent's own trouble stands in the timeline as a warning, its end does not."""
    lab.world.note("a pod cannot be read")
    lab.world.note("the watch of pods broke", gap=AgentNote.WATCH_GAP_BEGAN)
    lab.world.note("the watch of pods is back", gap=AgentNote.WATCH_GAP_ENDED)

    assert [fact.note for fact in lab.facts("note")] == [
        AgentNote(level=AgentNote.LEVEL_WARNING, message="a pod cannot be read"),
        AgentNote(
            level=AgentNote.LEVEL_WARNING,
            message="the watch of pods broke",
            watch_gap=AgentNote.WATCH_GAP_BEGAN,
        ),
        AgentNote(
            level=AgentNote.LEVEL_INFO,
            message="the watch of pods is back",
            watch_gap=AgentNote.WATCH_GAP_ENDED,
        ),
    ]
