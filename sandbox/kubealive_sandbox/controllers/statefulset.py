"""StatefulSets: pods with names and volumes of their own, made in order and removed in the other."""

from kubealive_sandbox.api import Api, Object, clone
from kubealive_sandbox.controllers._common import available, is_ready, new_pod, owned
from kubealive_sandbox.controllers._events import Recorder
from kubealive_sandbox.controllers._loop import Loop, owner_keys, self_key
from kubealive_sandbox.controllers._revisions import REVISION_LABEL, current_revision, revision_of

__all__ = ["stateful_sets"]

_NAME, _INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


def stateful_sets(api: Api) -> Loop:
    """The controller of StatefulSets."""
    routes = {"StatefulSet": self_key, "Pod": owner_keys("StatefulSet")}
    return Loop(api, "statefulset", _StatefulSets(api).reconcile, routes)


class _StatefulSets:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._events = Recorder(api, "statefulset-controller")

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Take one step: the next pod, or one less, or one of the new revision."""
        owner = self._api.find("StatefulSet", namespace, name)
        if owner is None or owner["metadata"].get("deletionTimestamp"):
            return None
        update = current_revision(self._api, owner)
        pods = {_ordinal(pod): pod for pod in owned(self._api, "Pod", owner)}
        waits = not self._step(owner, pods, update)
        pods = {_ordinal(pod): pod for pod in owned(self._api, "Pod", owner)}
        self._report(owner, pods, update)
        waiting = waits and any(is_ready(pod) and not self._available(owner, pod) for pod in pods.values())
        return 1.0 if waiting else None

    def _available(self, owner: Object, pod: Object) -> bool:
        return available(pod, owner["spec"].get("minReadySeconds", 0), self._api.now())

    def _healthy(self, owner: Object, pod: Object) -> bool:
        return self._available(owner, pod) and not pod["metadata"].get("deletionTimestamp")

    # ---------------------------------------------------------------- steps

    def _step(self, owner: Object, pods: dict[int, Object], update: Object) -> bool:
        """Do what may be done now; whether anything was."""
        ordered = owner["spec"]["podManagementPolicy"] == "OrderedReady"
        wanted, acted = owner["spec"]["replicas"], False
        for ordinal in range(wanted):
            pod = pods.get(ordinal)
            if pod is not None and pod["status"].get("phase") in {"Failed", "Succeeded"}:
                self._delete(owner, pod)
                acted = True
            elif pod is None:
                self._create(owner, ordinal, update, len(pods))
                acted = True
            if ordered and (pod is None or not self._healthy(owner, pod)):
                return acted
        for ordinal in sorted((each for each in pods if each >= wanted), reverse=True):
            if not pods[ordinal]["metadata"].get("deletionTimestamp"):
                self._delete(owner, pods[ordinal])
                acted = True
            if ordered:
                return acted
        return acted or self._roll(owner, pods, update)

    def _roll(self, owner: Object, pods: dict[int, Object], update: Object) -> bool:
        """Replace the highest pod of an old revision, once all above it are well."""
        strategy = owner["spec"]["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return False
        first = strategy["rollingUpdate"]["partition"]
        for ordinal in sorted((each for each in pods if each >= first), reverse=True):
            pod = pods[ordinal]
            if revision_of(pod) != _hash(update):
                if not pod["metadata"].get("deletionTimestamp"):
                    self._delete(owner, pod)
                return True
            if not self._healthy(owner, pod):
                return False
        return False

    def _create(self, owner: Object, ordinal: int, update: Object, present: int) -> None:
        meta, spec = owner["metadata"], owner["spec"]
        name = f"{meta['name']}-{ordinal}"
        for claim in spec.get("volumeClaimTemplates") or ():
            self._claim(owner, claim, name)
        revision, template = self._revision_for(owner, ordinal, update, present)
        pod = new_pod(owner, template, name=name)
        pod["metadata"]["labels"] = {
            **(pod["metadata"].get("labels") or {}), _NAME: name, _INDEX: str(ordinal), REVISION_LABEL: revision,
        }  # fmt: skip
        pod["spec"] |= {"hostname": name, "subdomain": spec.get("serviceName", "")}
        volumes = {each["name"]: each for each in pod["spec"].get("volumes") or ()}
        for claim in spec.get("volumeClaimTemplates") or ():
            own = claim["metadata"]["name"]
            volumes[own] = {"name": own, "persistentVolumeClaim": {"claimName": f"{own}-{name}"}}
        pod["spec"]["volumes"] = list(volumes.values())
        self._api.create("Pod", pod)
        words = f"create Pod {name} in StatefulSet {meta['name']} successful"
        self._events.normal(owner, "SuccessfulCreate", words)

    def _revision_for(self, owner: Object, ordinal: int, update: Object, present: int) -> tuple[str, Object]:
        """Below the partition pods keep the revision that the set had before; a new set has one only."""
        strategy = owner["spec"]["updateStrategy"]
        current = owner.get("status", {}).get("currentRevision")
        old = self._api.find("ControllerRevision", owner["metadata"]["namespace"], current or "")
        below = strategy["type"] == "RollingUpdate" and ordinal < strategy["rollingUpdate"]["partition"]
        if old is not None and below and present:
            template = clone(old["data"]["spec"]["template"])
            template.pop("$patch", None)
            return _hash(old), template
        return _hash(update), owner["spec"]["template"]

    def _claim(self, owner: Object, template: Object, pod: str) -> None:
        namespace, own = owner["metadata"]["namespace"], template["metadata"]["name"]
        name = f"{own}-{pod}"
        if self._api.find("PersistentVolumeClaim", namespace, name) is not None:
            return
        labels = {**(template["metadata"].get("labels") or {}), **owner["spec"]["selector"].get("matchLabels", {})}
        claim = {
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": clone(template["spec"]),
        }
        self._api.create("PersistentVolumeClaim", claim)
        words = f"create Claim {name} Pod {pod} in StatefulSet {owner['metadata']['name']} success"
        self._events.normal(owner, "SuccessfulCreate", words)

    def _delete(self, owner: Object, pod: Object) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            return
        name = pod["metadata"]["name"]
        self._api.delete("Pod", pod["metadata"]["namespace"], name)
        words = f"delete Pod {name} in StatefulSet {owner['metadata']['name']} successful"
        self._events.normal(owner, "SuccessfulDelete", words)

    # ---------------------------------------------------------------- status

    def _report(self, owner: Object, pods: dict[int, Object], update: Object) -> None:
        new = clone(owner)
        status, wanted = new.setdefault("status", {}), owner["spec"]["replicas"]
        newest = update["metadata"]["name"]
        updated = [pod for pod in pods.values() if revision_of(pod) == _hash(update)]
        ready = [pod for pod in pods.values() if is_ready(pod)]
        done = len(updated) == len(pods) == wanted and len(ready) == wanted
        current = newest if done or "currentRevision" not in status else status["currentRevision"]
        counts = {
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "availableReplicas": sum(self._available(owner, pod) for pod in pods.values()),
            "updatedReplicas": len(updated),
            "currentReplicas": len(pods) - len(updated) if current != newest else len(updated),
        }
        for name, count in counts.items():
            status.pop(name, None)
            if count or name in {"replicas", "availableReplicas"}:
                status[name] = count
        status |= {
            "observedGeneration": owner["metadata"]["generation"],
            "currentRevision": current,
            "updateRevision": newest,
            "collisionCount": 0,
        }
        if status != owner.get("status"):
            self._api.update("StatefulSet", new, sub="status")


def _ordinal(pod: Object) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _hash(revision: Object) -> str:
    return str(revision["metadata"]["name"].rpartition("-")[2])
