"""ReplicaSets: as many pods as wanted, made and removed in Kubernetes' order."""

from collections.abc import Iterable
from datetime import datetime
from math import log2

from kubealive_sandbox.api import Api, ApiError, Event, Object, clone, stamp
from kubealive_sandbox.controllers._common import (
    active,
    available,
    condition,
    is_ready,
    moment,
    new_pod,
    owned,
    set_condition,
)
from kubealive_sandbox.controllers._events import Recorder
from kubealive_sandbox.controllers._loop import Key, Loop, owner_keys, self_key

__all__ = ["replica_sets"]

_COST = "controller.kubernetes.io/pod-deletion-cost"


def replica_sets(api: Api) -> Loop:
    """The controller of ReplicaSets."""
    controller = _ReplicaSets(api)

    def orphans(event: Event) -> Iterable[Key]:
        yield from owner_keys("ReplicaSet")(event)
        if not event.object["metadata"].get("ownerReferences"):
            home = event.object["metadata"]["namespace"]
            yield from ((home, each["metadata"]["name"]) for each in api.select("ReplicaSet", home))

    return Loop(api, "replicaset", controller.reconcile, {"ReplicaSet": self_key, "Pod": orphans})


class _ReplicaSets:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._events = Recorder(api, "replicaset-controller")

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Make or remove pods, then say how many there are."""
        api, replica_set = self._api, self._api.find("ReplicaSet", namespace, name)
        if replica_set is None:
            return None
        pods = [pod for pod in owned(api, "Pod", replica_set) if active(pod)]
        failure = ""
        if not replica_set["metadata"].get("deletionTimestamp"):
            try:
                pods = self._manage(replica_set, pods)
            except ApiError as exc:
                failure = exc.message
                self._events.warning(replica_set, "FailedCreate", f"Error creating: {failure}")
        self._report(replica_set, pods, failure)
        seconds = replica_set["spec"].get("minReadySeconds", 0)
        waiting = [pod for pod in pods if is_ready(pod) and not available(pod, seconds, api.now())]
        if failure:
            return 1.0
        return 1.0 if waiting else None

    def _manage(self, replica_set: Object, pods: list[Object]) -> list[Object]:
        api, wanted = self._api, replica_set["spec"]["replicas"]
        for _ in range(wanted - len(pods)):
            pod = api.create("Pod", new_pod(replica_set, replica_set["spec"]["template"]))
            self._events.normal(replica_set, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
            pods = [*pods, pod]
        if len(pods) <= wanted:
            return pods
        victims = self._victims(pods)[: len(pods) - wanted]
        for pod in victims:
            api.delete("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])
            self._events.normal(replica_set, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        gone = {pod["metadata"]["uid"] for pod in victims}
        return [pod for pod in pods if pod["metadata"]["uid"] not in gone]

    def _victims(self, pods: list[Object]) -> list[Object]:
        """The pods in the order in which they would be removed."""
        nodes = [pod["spec"].get("nodeName", "") for pod in pods]
        now = self._api.now()

        def rank(pod: Object) -> tuple[float, ...]:
            meta, status, node = pod["metadata"], pod["status"], pod["spec"].get("nodeName", "")
            phase = {"Pending": 0, "Unknown": 1, "Running": 2}.get(status.get("phase", ""), 0)
            cost = int((meta.get("annotations") or {}).get(_COST, "0"))
            ready = condition(pod, "Ready").get("lastTransitionTime") if is_ready(pod) else None
            restarts = sum(each.get("restartCount", 0) for each in status.get("containerStatuses") or ())
            ages = (_bucket(now, ready) if ready else 0.0, -restarts, _bucket(now, meta["creationTimestamp"]))
            return (bool(node), phase, is_ready(pod), cost, -nodes.count(node), *ages)

        return sorted(pods, key=rank)

    def _report(self, replica_set: Object, pods: list[Object], failure: str) -> None:
        api, new = self._api, clone(replica_set)
        spec, status = new["spec"], new.setdefault("status", {})
        labels = spec["template"].get("metadata", {}).get("labels") or {}
        fully = [pod for pod in pods if labels.items() <= (pod["metadata"].get("labels") or {}).items()]
        counts = {
            "fullyLabeledReplicas": len(fully),
            "readyReplicas": sum(map(is_ready, pods)),
            "availableReplicas": sum(available(pod, spec.get("minReadySeconds", 0), api.now()) for pod in pods),
        }
        for name, count in counts.items():
            status.pop(name, None)
            if count:
                status[name] = count
        status |= {"replicas": len(pods), "observedGeneration": new["metadata"]["generation"]}
        status["conditions"] = [
            each for each in status.get("conditions") or () if failure or each["type"] != "ReplicaFailure"
        ]
        if failure:
            now = stamp(api.now())
            set_condition(status, "ReplicaFailure", state="True", reason="FailedCreate", message=failure, now=now)
        if not status["conditions"]:
            del status["conditions"]
        if status != replica_set.get("status"):
            api.update("ReplicaSet", new, sub="status")


def _bucket(now: datetime, then: str) -> float:
    """Ages within a factor of two count as equal, so that chance spreads removals."""
    return float(int(log2(max(1.0, (now - moment(then)).total_seconds()))))
