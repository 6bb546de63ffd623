"""Pods and workloads as a cluster reports them, cut down to what decides."""

from typing import Any

LABELS = {"app.kubernetes.io/part-of": "kubealive", "kubealive.dev/experiment": "balance"}


def pod(**status: Any) -> dict[str, Any]:
    """Return a pod of the balance experiment on node-1 with this status."""
    return {
        "metadata": {"name": "getip-a", "namespace": "kubealive", "labels": LABELS},
        "spec": {"nodeName": "node-1"},
        "status": status,
    }


def waiting(reason: str, image: str = "localhost/kubealive/workload:v1", message: str = "") -> dict[str, Any]:
    """Return a pod whose container waits for this reason."""
    state = {"waiting": {"reason": reason, "message": message}}
    return pod(containerStatuses=[{"image": image, "state": state}])


def deployment(*, generation: int = 2, seen: int = 2, desired: int = 4, **status: Any) -> dict[str, Any]:
    """Return the Deployment `getip` with these counts in its status."""
    container = {"image": "localhost/kubealive/workload:v1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "getip", "generation": generation, "labels": LABELS},
        "spec": {"replicas": desired, "template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": seen, **status},
    }
