"""From two states to facts: what is told of a change, and what is not worth telling."""

from typing import Any

import pytest
from google.protobuf.message import Message

from kubealive.v1 import facts_pb2, state_pb2
from kubealive.v1.state_pb2 import Pod, Termination
from kubealive_agent.kube import RESOURCES, Kind, transitions
from tests.agent.kube.fakes import FIXTURES


def facts(kind: Kind, old: Message | None, new: Message | None, *, found: bool = False) -> list[facts_pb2.Fact]:
    return list(transitions(kind, "uid", old=old, new=new, found=found))


def aspects(fact: facts_pb2.Fact) -> list[str]:
    name = facts_pb2.PodTransition.Aspect.Name
    return [name(each).removeprefix("ASPECT_").lower() for each in fact.pod.changed]


def crashed(restarts: int, **fields: Any) -> Pod:
    end = Termination(reason="OOMKilled", exit_code=137, finished_us=5)
    container = state_pb2.Container(name="app", restarts=restarts, last_termination=end)
    return Pod(name="p", restarts=restarts, containers=[container], **fields)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        (None, Pod(name="p"), ["created"]),
        (None, Pod(name="p", node="n", status="Running", ready=True), ["created", "scheduled", "status", "ready"]),
        (Pod(), Pod(node="n"), ["scheduled"]),
        (Pod(status="Pending"), Pod(status="Running"), ["status"]),
        (Pod(ready=True), Pod(), ["ready"]),
        (Pod(), Pod(deletion_us=1, status="Terminating"), ["status", "deleting"]),
        (Pod(deletion_us=1), None, ["deleted"]),
        (crashed(1, ready=True), crashed(2, ready=True), ["ready", "restarts"]),
        (crashed(1), crashed(2), ["restarts"]),
        (crashed(1, ready=True), crashed(2), ["ready", "restarts"]),
        (Pod(labels={"a": "1"}), Pod(labels={"a": "2"}), ["labels"]),
        (Pod(image="v1"), Pod(image="v2"), ["image"]),
    ],
    ids=[
        "created",
        "first-seen-late",
        "scheduled",
        "status",
        "not-ready",
        "deleting",
        "deleted",
        "restarted-and-ready-in-one",
        "restarted-not-ready",
        "restarted-and-lost-readiness",
        "labels",
        "image",
    ],
)
def test_aspects_of_a_pod(old: Pod | None, new: Pod | None, changed: list[str]) -> None:
    """One watch event makes one transition that names everything that differs."""
    (fact,) = facts(state_pb2.KIND_POD, old, new)
    assert aspects(fact) == changed


def test_a_transition_tells_why_the_pod_waits() -> None:
    """The kubelet's words on its back-off are part of the fact, since no Event has the seconds."""
    words = "back-off 10s restarting failed container=app"
    (fact,) = facts(state_pb2.KIND_POD, Pod(), Pod(status="CrashLoopBackOff", message=words))
    assert fact.pod.message == words


def test_details_that_are_not_told() -> None:
    """A change of nothing that has an aspect makes no fact."""
    assert facts(state_pb2.KIND_POD, Pod(ip="1", message="a"), Pod(ip="2", message="b")) == []


def test_restart_carries_its_cause() -> None:
    """The end of the run before comes with the restart, from the container that restarted."""
    old, new = crashed(1), crashed(2)
    idle = state_pb2.Container(name="idle", restarts=4, last_termination=Termination(finished_us=9))
    old.containers.append(idle)
    new.containers.append(idle)
    (fact,) = facts(state_pb2.KIND_POD, old, new)
    assert fact.pod.last_termination.reason == "OOMKilled"


def test_deleted_pod_keeps_its_last_values() -> None:
    """A pod that is gone is told as it was last, with its experiment."""
    old = Pod(name="p", node="n", status="Terminating", deletion_us=7, experiment="balance")
    (fact,) = facts(state_pb2.KIND_POD, old, None)
    assert (fact.pod.name, fact.pod.node, fact.pod.deleting, fact.experiment) == ("p", "n", True, "balance")


@pytest.mark.parametrize("kind", list(state_pb2.Kind.values()), ids=list(state_pb2.Kind.keys()))
def test_nothing_from_nothing(kind: Kind) -> None:
    """An object that never was makes no fact, of whatever kind."""
    assert facts(kind, None, None) == []


def slice_of(*entries: state_pb2.Endpoint) -> state_pb2.Slice:
    return state_pb2.Slice(service="web", experiment="balance", endpoints=entries)


def entry(uid: str, address: str = "10.0.0.1", **fields: Any) -> state_pb2.Endpoint:
    return state_pb2.Endpoint(pod_uid=uid, pod_name=f"pod-{uid}", addresses=[address], **fields)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (None, slice_of(entry("a", ready=True)), [("a", True, False, False)]),
        (slice_of(entry("a", ready=True)), slice_of(entry("a")), [("a", False, False, False)]),
        (slice_of(entry("a")), slice_of(entry("a", terminating=True)), [("a", False, True, False)]),
        (slice_of(entry("a", terminating=True)), slice_of(), [("a", False, True, True)]),
        (slice_of(entry("a")), None, [("a", False, False, True)]),
        (slice_of(entry("a"), entry("b")), slice_of(entry("b"), entry("a")), []),
        (
            slice_of(entry("a")),
            slice_of(entry("a", address="10.0.0.2")),
            [("a", False, False, False), ("a", False, False, True)],
        ),
    ],
    ids=["appeared", "not-ready", "terminating", "went", "slice-went", "order", "new-address"],
)
def test_entries_of_a_slice(
    old: state_pb2.Slice | None, new: state_pb2.Slice | None, told: list[tuple[str, bool, bool, bool]]
) -> None:
    """Each entry that appeared, changed or went is told by itself."""
    got = [fact.endpoint for fact in facts(state_pb2.KIND_ENDPOINT_SLICE, old, new)]
    assert [(each.pod_uid, each.ready, each.terminating, each.removed) for each in got] == told
    assert {each.service for each in got} <= {"web"}


def condition(status: str, reason: str = "", message: str = "") -> state_pb2.Condition:
    return state_pb2.Condition(type="Progressing", status=status, reason=reason, message=message)


@pytest.mark.parametrize(
    ("old", "new", "statuses"),
    [
        ([], [condition("True")], ["True"]),
        ([condition("True", "a")], [condition("True", "b")], ["True"]),
        ([condition("True", "a")], [condition("True", "a", "other words")], []),
        ([condition("True")], [], [""]),
    ],
    ids=["new", "reason", "message", "gone"],
)
def test_conditions(old: list[state_pb2.Condition], new: list[state_pb2.Condition], statuses: list[str]) -> None:
    """A condition is told when its status or reason changed, and with an empty status when it went."""
    before, after = state_pb2.Workload(conditions=old), state_pb2.Workload(conditions=new)
    got = facts(state_pb2.KIND_DEPLOYMENT, before, after)
    assert [fact.condition.condition.status for fact in got] == statuses


def test_workload() -> None:
    """A number that changed makes one fact with all of them, a deletion another."""
    old, new = state_pb2.Workload(name="web", desired=2), state_pb2.Workload(name="web", desired=3)
    (changed,) = facts(state_pb2.KIND_DEPLOYMENT, old, new)
    (deleted,) = facts(state_pb2.KIND_DEPLOYMENT, new, None)
    assert (changed.workload.desired, changed.workload.deleted) == (3, False)
    assert (deleted.workload.desired, deleted.workload.deleted) == (3, True)
    assert facts(state_pb2.KIND_DEPLOYMENT, new, new) == []


def reading(fact: facts_pb2.Fact) -> tuple[str, float | str]:
    value = fact.reading
    return value.name, value.error or value.text or value.number


AUTOSCALER = state_pb2.Autoscaler(desired_replicas=1, current_replicas=1)


@pytest.mark.parametrize(
    ("kind", "old", "new", "told"),
    [
        (state_pb2.KIND_AUTOSCALER, None, AUTOSCALER, []),
        (state_pb2.KIND_AUTOSCALER, AUTOSCALER, None, []),
        (state_pb2.KIND_CLAIM, None, state_pb2.Claim(phase="Pending"), [("phase", "Pending")]),
        (
            state_pb2.KIND_CLAIM,
            state_pb2.Claim(phase="Pending"),
            state_pb2.Claim(phase="Bound"),
            [("phase", "Bound")],
        ),
        (state_pb2.KIND_CLAIM, state_pb2.Claim(phase="Bound"), None, [("phase", "Deleted")]),
        (state_pb2.KIND_NODE, None, state_pb2.Node(), []),
        (state_pb2.KIND_NODE, state_pb2.Node(), state_pb2.Node(unschedulable=True), [("unschedulable", "true")]),
        (state_pb2.KIND_NODE, state_pb2.Node(unschedulable=True), state_pb2.Node(), [("unschedulable", "false")]),
        (state_pb2.KIND_SERVICE, None, state_pb2.Service(), []),
    ],
    ids=[
        "autoscaler-first",
        "autoscaler-gone",
        "claim-first",
        "claim-bound",
        "claim-gone",
        "node-first",
        "node-cordoned",
        "node-uncordoned",
        "service",
    ],
)
def test_readings(
    kind: Kind, old: Message | None, new: Message | None, told: list[tuple[str, float | str]]
) -> None:
    """Values that an experiment follows come as readings when they change."""
    assert [reading(fact) for fact in facts(kind, old, new)] == told


def test_only_readiness_of_a_node_is_told() -> None:
    """Of a node's conditions Ready is a fact; the others stay in the state."""
    given = [state_pb2.Condition(type=kind, status="True") for kind in ("Ready", "DiskPressure")]
    got = facts(state_pb2.KIND_NODE, state_pb2.Node(), state_pb2.Node(conditions=given))
    assert [fact.condition.condition.type for fact in got] == ["Ready"]


def replay(name: str, resource: str) -> list[facts_pb2.Fact]:
    """Replay a recorded watch."""
    table = next(each for each in RESOURCES if each.name == resource)
    state: dict[str, Message] = {}
    got: list[facts_pb2.Fact] = []
    for line in (FIXTURES / name).read_bytes().splitlines():
        event = table.decode_event(line)
        if event.type != "BOOKMARK":
            uid = event.object.metadata.uid
            new = None if event.type == "DELETED" else table.project(event.object)
            got += transitions(table.kind, uid, old=state.get(uid), new=new, found=False)
            state[uid] = new or state[uid]
    return got


def test_recorded_kill() -> None:
    """A real graceful kill: terminating, the successor through its states, the end."""
    pods = replay("kill_pods.jsonl", "pods")
    victim = pods[0].pod.uid
    assert [(aspects(fact), fact.pod.status) for fact in pods if fact.pod.uid == victim][1:] == [
        (["status", "ready"], "Error"),
        (["deleted"], "Error"),
    ]
    assert [(aspects(fact), fact.pod.status) for fact in pods if fact.pod.uid != victim] == [
        (["created", "status"], "Pending"),
        (["scheduled"], "Pending"),
        (["status"], "ContainerCreating"),
        (["status"], "Running"),
        (["ready"], "Running"),
    ]


def test_recorded_slice_of_a_kill() -> None:
    """The victim's entry drains and goes, the successor's becomes ready."""
    got = [fact.endpoint for fact in replay("kill_slices.jsonl", "endpointslices")]
    assert [(each.ready, each.serving, each.terminating, each.removed) for each in got] == [
        (False, True, True, False),
        (False, False, False, False),
        (True, True, False, False),
        (False, True, True, True),
    ]
