"""Which node a pod goes to: the one that may take it and holds the fewest of its kind, then the fewest at all."""

from collections.abc import Iterable

from kubealive_sandbox.api import Api, Event, Object, clone, matches, stamp
from kubealive_sandbox.controllers._common import condition, controller_of, set_condition
from kubealive_sandbox.controllers._events import Recorder
from kubealive_sandbox.controllers._loop import Key, Loop

__all__ = ["scheduler"]

_OVER = frozenset({"Succeeded", "Failed"})


def scheduler(api: Api) -> Loop:
    """The scheduler, as a controller of pods without a node."""
    placing = _Scheduler(api)

    def waiting(event: Event) -> Iterable[Key]:
        meta = event.object["metadata"]
        if event.type != "DELETED" and not event.object["spec"].get("nodeName"):
            yield meta["namespace"], meta["name"]
        elif event.type == "DELETED":
            yield from all_waiting(event)

    def all_waiting(_: Event) -> Iterable[Key]:
        for pod in api.select("Pod", fields="spec.nodeName="):
            yield pod["metadata"]["namespace"], pod["metadata"]["name"]

    return Loop(api, "scheduler", placing.reconcile, {"Pod": waiting, "Node": all_waiting})


class _Scheduler:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._events = Recorder(api, "default-scheduler")

    def reconcile(self, namespace: str, name: str) -> None:
        """Give a pod a node, or say why it gets none."""
        api, pod = self._api, self._api.find("Pod", namespace, name)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            return
        nodes = api.select("Node")
        others = [each for each in api.select("Pod") if each["spec"].get("nodeName")]
        refusals = {node["metadata"]["name"]: _refusal(node, pod, others) for node in nodes}
        fit = [node for node in nodes if not refusals[node["metadata"]["name"]]]
        new, now = clone(pod), stamp(api.now())
        if not fit:
            words = _words(list(refusals.values()))
            if condition(pod, "PodScheduled").get("message") != words:
                set_condition(
                    new["status"], "PodScheduled", state="False", reason="Unschedulable", message=words, now=now
                )
                api.update("Pod", new, sub="status")
                self._events.warning(pod, "FailedScheduling", words)
            return
        chosen = min(fit, key=lambda node: _load(node["metadata"]["name"], pod, others))["metadata"]["name"]
        new["spec"]["nodeName"] = chosen
        placed = clone(api.update("Pod", new))
        kept = [each for each in placed["status"].get("conditions") or () if each["type"] != "PodScheduled"]
        placed["status"]["conditions"] = [
            *kept, {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
        ]  # fmt: skip
        api.update("Pod", placed, sub="status")
        self._events.normal(pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {chosen}")


def _load(node: str, pod: Object, others: list[Object]) -> tuple[int, int, str]:
    here = [each for each in others if each["spec"]["nodeName"] == node]
    owner = (controller_of(pod) or {}).get("uid")
    kin = [each for each in here if owner and (controller_of(each) or {}).get("uid") == owner]
    spread = pod["spec"].get("topologySpreadConstraints") or ()
    for rule in spread:
        selector = rule.get("labelSelector")
        kin += [each for each in here if matches(selector, each["metadata"].get("labels")) and each not in kin]
    return len(kin), len(here), node


def _refusal(node: Object, pod: Object, others: list[Object]) -> str:
    """Why this node cannot take the pod, in the scheduler's words; empty if it can."""
    spec, labels = pod["spec"], node["metadata"].get("labels") or {}
    if node["spec"].get("unschedulable") and not _tolerates(spec, "node.kubernetes.io/unschedulable"):
        return "node(s) were unschedulable"
    if condition(node, "Ready").get("status") != "True" and not _tolerates(spec, "node.kubernetes.io/not-ready"):
        return "node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
    wanted = (spec.get("nodeSelector") or {}).items()
    if not wanted <= labels.items() or not _wants(node, spec):
        return "node(s) didn't match Pod's node affinity/selector"
    here = [each for each in others if each["spec"]["nodeName"] == node["metadata"]["name"]]
    busy = {port for each in here if each["status"].get("phase") not in _OVER for port in _host_ports(each)}
    return "node(s) didn't have free ports for the requested pod ports" if busy & _host_ports(pod) else ""


def _host_ports(pod: Object) -> set[tuple[int, str]]:
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    return {(port["hostPort"], port["protocol"]) for port in ports if port.get("hostPort")}


def _tolerates(spec: Object, key: str) -> bool:
    for each in spec.get("tolerations") or ():
        if each.get("effect") in {None, "", "NoSchedule"} and each.get("key", key) == key:
            return True
    return False


def _wants(node: Object, spec: Object) -> bool:
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not required:
        return True
    return any(_term(node, term) for term in required["nodeSelectorTerms"])


def _term(node: Object, term: Object) -> bool:
    selector = {"matchExpressions": term.get("matchExpressions") or []}
    fields = {"matchExpressions": term.get("matchFields") or []}
    name = {"metadata.name": node["metadata"]["name"]}
    return matches(selector, node["metadata"].get("labels")) and matches(fields, name)


def _words(refusals: list[str]) -> str:
    counts = {words: refusals.count(words) for words in refusals}
    listed = ", ".join(f"{count} {words}" for words, count in sorted(counts.items()))
    total = len(refusals)
    return (
        f"0/{total} nodes are available: {listed}. preemption: 0/{total} nodes are available: "
        f"{total} Preemption is not helpful for scheduling."
    )
