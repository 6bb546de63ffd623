"""The status of a pod, worked out from its containers."""

from collections.abc import Sequence

from kubealive_sandbox.api import Object
from kubealive_sandbox.kubelet._container import Container

__all__ = ["pod_status"]


def pod_status(
    pod: Object,
    *,
    initial: Sequence[Container],
    containers: Sequence[Container],
    address: str,
    host: str,
    started: str,
    now: str,
) -> Object:
    """The fields of the status that a kubelet writes."""
    phase = _phase(pod, initial, containers)
    status: Object = {
        "phase": phase,
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": started,
        "observedGeneration": pod["metadata"].get("generation", 1),
        "conditions": _conditions(pod, initial, containers, phase, now),
        "containerStatuses": [each.status() for each in containers],
    }
    if initial:
        status["initContainerStatuses"] = [each.status() for each in initial]
    return status


def _initialised(initial: Sequence[Container]) -> bool:
    return all(each.state.get("terminated", {}).get("exitCode") == 0 for each in initial)


def _phase(pod: Object, initial: Sequence[Container], containers: Sequence[Container]) -> str:
    policy, leaving = pod["spec"]["restartPolicy"], "deletionTimestamp" in pod["metadata"]
    ends = [each.state.get("terminated") for each in containers]
    failed = [each for each in initial if (each.state.get("terminated") or {}).get("exitCode")]
    if failed and policy == "Never":
        return "Failed"
    if all(ends):
        codes = [end["exitCode"] for end in ends if end]
        if leaving or policy == "Never" or (policy == "OnFailure" and not any(codes)):
            return "Failed" if any(codes) else "Succeeded"
    begun = [each for each in containers if "waiting" not in each.state or each.last]
    return "Running" if begun else "Pending"


def _conditions(
    pod: Object, initial: Sequence[Container], containers: Sequence[Container], phase: str, now: str
) -> list[Object]:
    unready = [each.name for each in containers if not each.ready]
    done = phase == "Succeeded"
    ready = not unready and not done
    why = "PodCompleted" if done else "PodFailed" if phase == "Failed" else "ContainersNotReady"
    words = f"containers with unready status: [{' '.join(unready)}]"
    initialised = _initialised(initial)
    wanted = [
        ("PodReadyToStartContainers", True, "", ""),
        ("Initialized", initialised, "" if initialised else "ContainersNotInitialized", ""),
        ("Ready", ready, "" if ready else why, "" if ready or done else words),
        ("ContainersReady", ready, "" if ready else why, "" if ready or done else words),
    ]
    present = {each["type"]: each for each in pod["status"].get("conditions") or ()}
    listed = []
    for kind, state, reason, message in wanted:
        before = present.pop(kind, {})
        turned = before.get("status") != str(state)
        entry = {
            "type": kind,
            "status": str(state),
            "lastTransitionTime": now if turned else before["lastTransitionTime"],
        }
        entry |= {"observedGeneration": pod["metadata"].get("generation", 1)}
        entry |= {"reason": reason} if reason else {}
        listed.append({**entry, "message": message} if message else entry)
    return [*listed, *present.values()]
