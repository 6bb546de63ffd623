"""DaemonSets: one pod on every node that may have it, and one node after the other when the template changes."""

from collections.abc import Iterable
from typing import Any

from kubealive_sandbox.api import Api, ApiError, Event, Object, clone
from kubealive_sandbox.controllers._common import active, available, is_ready, new_pod, owned, share
from kubealive_sandbox.controllers._events import Recorder
from kubealive_sandbox.controllers._loop import Key, Loop, owner_keys, self_key
from kubealive_sandbox.controllers._revisions import REVISION_LABEL, current_revision, revision_of

__all__ = ["daemon_sets"]

# What the controller has its pods tolerate: a daemon belongs to its node, whatever ails that.
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


def daemon_sets(api: Api) -> Loop:
    """The controller of DaemonSets."""

    def all_sets(_: Event) -> Iterable[Key]:
        for each in api.select("DaemonSet"):
            yield each["metadata"]["namespace"], each["metadata"]["name"]

    routes = {"DaemonSet": self_key, "Pod": owner_keys("DaemonSet"), "Node": all_sets}
    return Loop(api, "daemonset", _DaemonSets(api).reconcile, routes)


class _DaemonSets:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._events = Recorder(api, "daemonset-controller")

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Give each node its pod, take one of an old revision away, and say where things stand."""
        owner = self._api.find("DaemonSet", namespace, name)
        if owner is None or owner["metadata"].get("deletionTimestamp"):
            return None
        update = current_revision(self._api, owner)["metadata"]["name"].rpartition("-")[2]
        nodes = [node["metadata"]["name"] for node in self._api.select("Node") if _fits(node, owner)]
        again = None
        try:
            self._place(owner, nodes, update)
            self._roll(owner, nodes, update)
        except ApiError as exc:
            self._events.warning(owner, "FailedCreate", f"Error creating: {exc.message}")
            again = 5.0
        self._report(owner, nodes, update)
        return again

    def _pods(self, owner: Object) -> dict[str, list[Object]]:
        """The pods of each node, those on their way to it included."""
        found: dict[str, list[Object]] = {}
        for pod in owned(self._api, "Pod", owner):
            found.setdefault(_node_of(pod), []).append(pod)
        return found

    def _place(self, owner: Object, nodes: list[str], update: str) -> None:
        have = self._pods(owner)
        for node in nodes:
            pods = have.get(node, [])
            for pod in pods:
                if pod["status"].get("phase") in {"Failed", "Succeeded"}:
                    self._delete(owner, pod)
            if not pods:
                self._create(owner, node, update)
        for node in have.keys() - set(nodes):
            for pod in have[node]:
                self._delete(owner, pod)

    def _roll(self, owner: Object, nodes: list[str], update: str) -> None:
        """Delete pods of an old revision, as many at a time as may be missing."""
        strategy, have = owner["spec"]["updateStrategy"], self._pods(owner)
        if strategy["type"] != "RollingUpdate":
            return
        most = max(1, share(strategy["rollingUpdate"]["maxUnavailable"], len(nodes), up=True))
        missing = sum(not any(active(pod) and is_ready(pod) for pod in have.get(node, ())) for node in nodes)
        old = [pod for pods in have.values() for pod in pods if active(pod) and revision_of(pod) != update]
        for pod in sorted(old, key=is_ready):
            if not is_ready(pod):
                self._delete(owner, pod)
            elif missing < most:
                self._delete(owner, pod)
                missing += 1

    def _create(self, owner: Object, node: str, update: str) -> None:
        pod = new_pod(owner, owner["spec"]["template"])
        labels = {"pod-template-generation": "1", **(pod["metadata"].get("labels") or {}), REVISION_LABEL: update}
        pod["metadata"]["labels"] = labels
        term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        pod["spec"]["affinity"] = {**(pod["spec"].get("affinity") or {}), "nodeAffinity": required}
        tolerations = pod["spec"].setdefault("tolerations", [])
        tolerations += [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
        made = self._api.create("Pod", pod)
        self._events.normal(owner, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")

    def _delete(self, owner: Object, pod: Object) -> None:
        if not pod["metadata"].get("deletionTimestamp"):
            name = pod["metadata"]["name"]
            self._api.delete("Pod", pod["metadata"]["namespace"], name)
            self._events.normal(owner, "SuccessfulDelete", f"Deleted pod: {name}")

    def _report(self, owner: Object, nodes: list[str], update: str) -> None:
        have, new = self._pods(owner), clone(owner)
        present = [pod for node in nodes for pod in have.get(node, ())[:1]]
        seconds, now = owner["spec"].get("minReadySeconds", 0), self._api.now()
        good = sum(available(pod, seconds, now) for pod in present)
        counts: dict[str, Any] = {
            "currentNumberScheduled": len(present),
            "desiredNumberScheduled": len(nodes),
            "numberMisscheduled": 0,
            "numberReady": sum(map(is_ready, present)),
            "observedGeneration": owner["metadata"]["generation"],
        }
        optional = {
            "updatedNumberScheduled": sum(revision_of(pod) == update for pod in present),
            "numberAvailable": good,
            "numberUnavailable": len(nodes) - good,
        }
        new["status"] = counts | {name: count for name, count in optional.items() if count}
        if new["status"] != owner.get("status"):
            self._api.update("DaemonSet", new, sub="status")


def _fits(node: Object, owner: Object) -> bool:
    wanted = owner["spec"]["template"]["spec"].get("nodeSelector") or {}
    return bool(wanted.items() <= (node["metadata"].get("labels") or {}).items())


def _node_of(pod: Object) -> str:
    """The node that a pod is on, or was made for."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])
