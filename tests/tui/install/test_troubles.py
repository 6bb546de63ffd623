from typing import Any

import pytest

from kubealive_tui.install import Cause
from kubealive_tui.install._troubles import pod_troubles, workload, workload_troubles

from .samples import deployment, pod, waiting

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
