from typing import Any

import pytest

from kubealive_tui.install import Cause
from kubealive_tui.install._troubles import (
    event_troubles,
    pod_troubles,
    refuses_in_events,
    workload,
    workload_troubles,
)

from .samples import LABELS, deployment, pod, waiting

READY: dict[str, Any] = {"conditions": [{"type": "Ready", "status": "True"}]}
SCHEDULER = "0/3 nodes are available: 3 Insufficient memory."
UNSCHEDULABLE: dict[str, Any] = {
    "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": SCHEDULER}]
}
CRASHED: dict[str, Any] = {
    "containerStatuses": [
        {
            "image": "x",
            "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
        }
    ]
}
REGISTRY_IMAGE = waiting("ErrImagePull", "reg.example/x:1", "unauthorized")


@pytest.mark.parametrize(
    ("found", "cause", "words"),
    [
        (waiting("ErrImageNeverPull"), Cause.IMAGE, "workload:v1 is not on node-1"),
        (waiting("ImagePullBackOff"), Cause.IMAGE, "workload:v1 is not on node-1"),
        (REGISTRY_IMAGE, Cause.IMAGE, "unauthorized"),
        (waiting("CreateContainerConfigError", message="no such key"), Cause.CONFIG, "no such key"),
        (pod(**UNSCHEDULABLE), Cause.UNSCHEDULABLE, SCHEDULER),
        (pod(**CRASHED), Cause.CRASH, "OOMKilled, exit code 137, 3 restarts"),
        (waiting("ContainerCreating"), Cause.NOT_READY, "started on node-1"),
        (pod(), Cause.NOT_READY, "not ready yet"),
    ],
    ids=["never pull", "back-off", "registry", "config", "unschedulable", "crash", "creating", "no status"],
)
def test_pod(found: dict[str, Any], cause: Cause, words: str) -> None:
    """A pod that is not ready says why, in the cluster's words."""
    (trouble,) = pod_troubles(found)
    assert trouble.cause is cause
    assert words in trouble.text
    assert trouble.subject == "pod/getip-a"


@pytest.mark.parametrize(
    ("found", "words"),
    [(waiting("ErrImagePull"), "make images load"), (REGISTRY_IMAGE, "--registry")],
    ids=["local", "registry"],
)
def test_missing_image_has_a_next_step(found: dict[str, Any], words: str) -> None:
    """What helps against a missing image depends on where it should come from."""
    (trouble,) = pod_troubles(found)
    assert words in trouble.advice


def test_ready_pod_and_leaving_pod_have_no_trouble() -> None:
    """Neither keeps an install from being ready."""
    leaving = waiting("ErrImagePull")
    leaving["metadata"] = {**leaving["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert not list(pod_troubles(pod(**READY)))
    assert not list(pod_troubles(leaving))


@pytest.mark.parametrize("leaving", [False, True], ids=["staying", "leaving"])
def test_a_pod_on_a_lost_node(leaving: bool) -> None:  # noqa: FBT001 - a table's column
    """Its status is what the kubelet said last, so its node is what is told; a ready pod needs no word."""
    found = waiting("ErrImagePull")
    if leaving:
        found["metadata"] = {**found["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    (trouble,) = pod_troubles(found, lost={"node-1"})

    assert trouble.cause is Cause.NODE
    assert trouble.text.startswith("cannot end" if leaving else "is not known to run")
    assert trouble.text.endswith("since its node node-1 does not answer")
    assert not list(pod_troubles(pod(**READY), lost={"node-1"}))


@pytest.mark.parametrize(
    ("message", "cause", "lasting"),
    [
        ('pods "x" is forbidden: exceeded quota: q, requested: pods=1', Cause.QUOTA, True),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot', Cause.POLICY, True),
        ("admission webhook said no", Cause.REFUSED, False),
    ],
    ids=["quota", "pod security", "webhook"],
)
def test_refused_pods(message: str, cause: Cause, lasting: bool) -> None:  # noqa: FBT001 - a column of the table
    """A Deployment whose pods are refused says so in the API server's words."""
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    (trouble,) = workload_troubles(deployment(conditions=[condition]))
    assert (trouble.cause, trouble.lasting) == (cause, lasting)
    assert message in trouble.text


ALL = {"replicas": 4, "updatedReplicas": 4, "availableReplicas": 4}


@pytest.mark.parametrize(
    ("body", "settled"),
    [
        (deployment(**ALL), True),
        (deployment(), False),
        (deployment(generation=3, **ALL), False),
        (deployment(**{**ALL, "replicas": 5}), False),
        (deployment(**{**ALL, "updatedReplicas": 3}), False),
        (deployment(**{**ALL, "availableReplicas": 3}), False),
        (deployment(desired=0), True),
    ],
    ids=[
        "all",
        "no status",
        "not yet seen",
        "an old pod left",
        "an old pod counted",
        "one not ready",
        "none wanted",
    ],
)
def test_settled(body: dict[str, Any], settled: bool) -> None:  # noqa: FBT001 - a column of the table
    """Ready means: the newest version, on exactly the pods that are wanted."""
    assert workload(body).settled is settled


def test_daemonset_counts_nodes() -> None:
    """A DaemonSet wants one pod a node, as its own status says."""
    body = {**deployment(), "kind": "DaemonSet"}
    counts = ("desiredNumberScheduled", "numberAvailable", "updatedNumberScheduled", "currentNumberScheduled")
    body["status"] = {"observedGeneration": 2, **dict.fromkeys(counts, 3)}
    found = workload(body)
    assert (found.ready, found.desired, found.settled) == (3, 3, True)


def short(kind: str, **counts: int) -> dict[str, Any]:
    """A workload of a kind without conditions, with these counts."""
    spec = {"replicas": 3} if kind == "StatefulSet" else {}
    return {"kind": kind, "metadata": {"name": "x", "uid": "u1", "labels": LABELS}, "spec": spec, "status": counts}


@pytest.mark.parametrize(
    ("body", "lacks"),
    [
        pytest.param(
            short("DaemonSet", desiredNumberScheduled=3, currentNumberScheduled=0), True, id="a DaemonSet"
        ),
        pytest.param(short("DaemonSet", desiredNumberScheduled=3, currentNumberScheduled=3), False, id="all made"),
        pytest.param(short("StatefulSet", replicas=1), True, id="a StatefulSet"),
        pytest.param(short("StatefulSet", replicas=3), False, id="all replicas made"),
        pytest.param(short("Deployment"), False, id="a Deployment has a condition"),
    ],
)
def test_who_tells_of_refused_pods_in_events_alone(body: dict[str, Any], *, lacks: bool) -> None:
    """DaemonSets and StatefulSets have no condition for refused pods; only those that lack pods are asked."""
    assert refuses_in_events(body) is lacks


def test_the_newest_event_tells_why() -> None:
    """Of the Events of this very object the last one counts, with the next step of its cause."""
    policy = 'pods "x-1" is forbidden: violates PodSecurity "restricted:latest": hostPort'
    events = [
        {"involvedObject": {"uid": "u1"}, "lastTimestamp": "2026-01-01T00:00:02Z", "message": policy},
        {"involvedObject": {"uid": "u1"}, "lastTimestamp": "2026-01-01T00:00:01Z", "message": "exceeded quota"},
        {"involvedObject": {"uid": "other"}, "lastTimestamp": "2026-01-01T00:00:03Z", "message": "somebody's"},
    ]
    (trouble,) = event_troubles(short("DaemonSet"), events)
    assert (trouble.cause, trouble.subject, policy in trouble.text) == (Cause.POLICY, "daemonset/x", True)
    assert not list(event_troubles(short("DaemonSet"), events[2:]))
