"""Deployments: a ReplicaSet a template, and one step from the old ones to the new one at each look."""

from collections.abc import Callable, Iterable
from typing import Any

from kubealive_sandbox.api import Api, Event, Object, clone, stamp
from kubealive_sandbox.controllers import _rollout
from kubealive_sandbox.controllers._common import (
    condition,
    hash_of,
    moment,
    owned,
    owner_reference,
    set_condition,
    share,
)
from kubealive_sandbox.controllers._events import Recorder
from kubealive_sandbox.controllers._loop import Key, Loop, owner_keys, self_key

__all__ = ["deployments"]

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED, MOST = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
_OURS = (REVISION, HISTORY, DESIRED, MOST, "kubectl.kubernetes.io/last-applied-configuration")


def deployments(api: Api) -> Loop:
    """The controller of Deployments."""
    routes = {"Deployment": self_key, "ReplicaSet": owner_keys("Deployment"), "Pod": _by_pod(api)}
    return Loop(api, "deployment", _Deployments(api).reconcile, routes)


def _by_pod(api: Api) -> Callable[[Event], Iterable[Key]]:
    """A Recreate waits for pods to be gone, which no ReplicaSet tells."""

    def route(event: Event) -> Iterable[Key]:
        if event.type == "DELETED":
            home = event.object["metadata"]["namespace"]
            for each in api.select("Deployment", home):
                if each["spec"]["strategy"]["type"] == "Recreate":
                    yield home, each["metadata"]["name"]

    return route


class _Deployments:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._events = Recorder(api, "deployment-controller")

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Take one step of the rollout, and say where it stands."""
        deployment = self._api.find("Deployment", namespace, name)
        if deployment is None or deployment["metadata"].get("deletionTimestamp"):
            return None
        sets = owned(self._api, "ReplicaSet", deployment)
        new = next((each for each in sets if _template(each) == _template(deployment)), None)
        if not deployment["spec"].get("paused"):
            new = self._renew(deployment, sets, new)
            deployment = self._api.find("Deployment", namespace, name) or deployment
        old = [each for each in sets if new is None or each["metadata"]["uid"] != new["metadata"]["uid"]]
        changes = self._step(deployment, new, old)
        for replica_set, replicas in changes:
            self._scale(deployment, replica_set, replicas)
        if changes:
            fresh = {each["metadata"]["uid"]: each for each in self._api.select("ReplicaSet", namespace)}
            new = fresh.get(new["metadata"]["uid"]) if new else None
            old = [fresh.get(each["metadata"]["uid"], each) for each in old]
        again = self._report(deployment, new, old)
        if new is not None and _complete(deployment, new, old):
            self._forget(deployment, old)
        return again

    # ---------------------------------------------------------------- the new ReplicaSet

    def _renew(self, deployment: Object, sets: list[Object], new: Object | None) -> Object:
        """The ReplicaSet of the present template, with the highest revision; made where there is none."""
        highest = max((_revision(each) for each in sets if each is not new), default=0)
        number = max(highest + 1, _revision(new)) if new is not None else highest + 1
        if new is None:
            new = self._create(deployment, number)
        else:
            # The cause of a change is told afterwards, by `kubectl annotate`.
            annotations = _handed_on(deployment)
            if _revision(new) != number:
                past = [part for part in _annotations(new).get(HISTORY, "").split(",") if part]
                annotations |= {REVISION: str(number), HISTORY: ",".join([*past, str(_revision(new))])}
            change = {"metadata": {"annotations": annotations}}
            new = self._api.patch("ReplicaSet", _home(new), new["metadata"]["name"], change)
        if _annotations(deployment).get(REVISION) != str(number):
            change = {"metadata": {"annotations": {REVISION: str(number)}}}
            self._api.patch("Deployment", _home(deployment), deployment["metadata"]["name"], change)
        return new

    def _create(self, deployment: Object, number: int) -> Object:
        spec, meta = deployment["spec"], deployment["metadata"]
        collisions = deployment.get("status", {}).get("collisionCount", 0)
        name = hash_of(_template(deployment), collisions=collisions)
        template = clone(spec["template"])
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[HASH] = name
        selector = clone(spec["selector"])
        selector.setdefault("matchLabels", {})[HASH] = name
        annotations = {**_handed_on(deployment), REVISION: str(number), **_sizes(deployment)}
        new_set: dict[str, Any] = {
            "metadata": {
                "name": f"{meta['name']}-{name}",
                "namespace": meta["namespace"],
                "labels": dict(labels),
                "annotations": annotations,
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        }
        if spec.get("minReadySeconds"):
            new_set["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        made = self._api.create("ReplicaSet", new_set)
        words = f'Created new replica set "{made["metadata"]["name"]}"'
        told = clone(deployment)
        _progress(
            told.setdefault("status", {}),
            "True",
            "NewReplicaSetCreated",
            words,
            stamp(self._api.now()),
            renew=True,
        )
        self._api.update("Deployment", told, sub="status")
        return made

    # ---------------------------------------------------------------- one step

    def _step(self, deployment: Object, new: Object | None, old: list[Object]) -> list[tuple[Object, int]]:
        spec, sets = deployment["spec"], [*old, *([new] if new else [])]
        wanted = spec["replicas"]
        running = [each for each in sets if each["spec"]["replicas"]]
        resized = any(_annotations(each).get(DESIRED) not in {str(wanted), None} for each in running)
        if resized or spec.get("paused"):
            return _rollout.proportional(deployment, new, old)
        if new is None:
            return []
        if spec["strategy"]["type"] == "Recreate":
            leaving = [each for each in old if each["spec"]["replicas"]]
            if leaving:
                return [(each, 0) for each in leaving]
            busy = {each["metadata"]["uid"] for each in old}
            pods = self._api.select("Pod", _home(deployment))
            alive = [p for p in pods if any(o["uid"] in busy for o in p["metadata"].get("ownerReferences") or ())]
            if any(p["status"].get("phase") not in {"Succeeded", "Failed"} for p in alive):
                return []
            return [(new, wanted)] if new["spec"]["replicas"] != wanted else []
        return _rollout.rolling(deployment, new, old)

    def _scale(self, deployment: Object, replica_set: Object, replicas: int) -> None:
        before, name = replica_set["spec"]["replicas"], replica_set["metadata"]["name"]
        change = {"metadata": {"annotations": _sizes(deployment)}, "spec": {"replicas": replicas}}
        self._api.patch("ReplicaSet", _home(replica_set), name, change)
        if before != replicas:
            way = "up" if replicas > before else "down"
            self._events.normal(
                deployment, "ScalingReplicaSet", f"Scaled {way} replica set {name} from {before} to {replicas}"
            )

    def _forget(self, deployment: Object, old: list[Object]) -> None:
        idle = [
            each for each in old if not each["spec"]["replicas"] and not each.get("status", {}).get("replicas")
        ]
        excess = len(idle) - deployment["spec"]["revisionHistoryLimit"]
        for each in sorted(idle, key=_revision)[: max(0, excess)]:
            self._api.delete("ReplicaSet", _home(each), each["metadata"]["name"])

    # ---------------------------------------------------------------- what is said about it

    def _report(self, deployment: Object, new: Object | None, old: list[Object]) -> float | None:
        sets = [*old, *([new] if new else [])]
        api, changed, spec = self._api, clone(deployment), deployment["spec"]
        before, status = deployment.get("status", {}), changed.setdefault("status", {})
        total, ready, available = (_sum(sets, name) for name in ("replicas", "readyReplicas", "availableReplicas"))
        counts = {
            "replicas": total,
            "updatedReplicas": _sum([new] if new else [], "replicas"),
            "readyReplicas": ready,
            "availableReplicas": available,
            "unavailableReplicas": max(0, sum(each["spec"]["replicas"] for each in sets) - available),
        }
        for name, count in counts.items():
            status.pop(name, None)
            if count:
                status[name] = count
        status["observedGeneration"] = deployment["metadata"]["generation"]
        now = stamp(api.now())
        self._available(status, spec, available, now)
        again = self._progressing(changed, before, new, old, now)
        failure = next((c for each in sets if (c := condition(each, "ReplicaFailure"))), None)
        status["conditions"] = [
            each for each in status["conditions"] if failure or each["type"] != "ReplicaFailure"
        ]
        if failure:
            set_condition(
                status, "ReplicaFailure", state="True", reason=failure["reason"], message=failure["message"],
                now=now,                updates=True,
            )  # fmt: skip
        if status != before:
            api.update("Deployment", changed, sub="status")
        return again

    def _available(self, status: Object, spec: Object, available: int, now: str) -> None:
        enough = available >= spec["replicas"] - _rollout.most_unavailable(spec)
        words = (
            "Deployment has minimum availability." if enough else "Deployment does not have minimum availability."
        )
        reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
        set_condition(status, "Available", state=str(enough), reason=reason, message=words, now=now, updates=True)

    def _progressing(
        self, deployment: Object, before: Object, new: Object | None, old: list[Object], now: str
    ) -> float | None:
        """Set the Progressing condition; seconds until the deadline has to be looked at, if any."""
        spec, status = deployment["spec"], deployment["status"]
        what = f'ReplicaSet "{new["metadata"]["name"]}"' if new else deployment["metadata"]["name"]
        present, limit = condition(deployment, "Progressing"), float(spec["progressDeadlineSeconds"])
        reason, left = present.get("reason"), limit
        if present:
            left -= (self._api.now() - moment(present["lastUpdateTime"])).total_seconds()
        if spec.get("paused"):
            _progress(status, "Unknown", "DeploymentPaused", "Deployment is paused", now)
        elif reason == "DeploymentPaused":
            _progress(status, "Unknown", "DeploymentResumed", "Deployment is resumed", now)
        elif new is not None and _complete(deployment, new, old):
            _progress(status, "True", "NewReplicaSetAvailable", f"{what} has successfully progressed.", now)
        elif (
            not present
            or _advanced(before, status)
            or (reason == "NewReplicaSetAvailable" and _differs(before, status))
        ):
            _progress(status, "True", "ReplicaSetUpdated", f"{what} is progressing.", now, renew=True)
            return limit
        elif left > 0:
            return left + 1
        elif reason not in {"ProgressDeadlineExceeded", "NewReplicaSetAvailable"}:
            _progress(status, "False", "ProgressDeadlineExceeded", f"{what} has timed out progressing.", now)
        return None


def _progress(status: Object, state: str, reason: str, message: str, now: str, *, renew: bool = False) -> None:
    if renew:
        for each in status.get("conditions") or ():
            if each["type"] == "Progressing" and each["reason"] == reason:
                each["lastUpdateTime"] = now
    set_condition(status, "Progressing", state=state, reason=reason, message=message, now=now, updates=True)


def _advanced(before: Object, after: Object) -> bool:
    updated, was = after.get("updatedReplicas", 0), before.get("updatedReplicas", 0)
    old, old_was = after.get("replicas", 0) - updated, before.get("replicas", 0) - was
    grown = any(after.get(name, 0) > before.get(name, 0) for name in ("readyReplicas", "availableReplicas"))
    return updated > was or old < old_was or grown


def _differs(before: Object, after: Object) -> bool:
    return any(before.get(name, 0) != after.get(name, 0) for name in ("updatedReplicas", "replicas"))


def _complete(deployment: Object, new: Object, old: list[Object]) -> bool:
    wanted, status = deployment["spec"]["replicas"], new.get("status", {})
    done = all(status.get(name, 0) == wanted for name in ("replicas", "availableReplicas"))
    return done and new["spec"]["replicas"] == wanted and not _sum(old, "replicas")


def _sum(sets: list[Object], name: str) -> int:
    return sum(each.get("status", {}).get(name, 0) for each in sets)


def _sizes(deployment: Object) -> dict[str, str]:
    spec = deployment["spec"]
    surge = (spec["strategy"].get("rollingUpdate") or {}).get("maxSurge", 0)
    return {DESIRED: str(spec["replicas"]), MOST: str(spec["replicas"] + share(surge, spec["replicas"], up=True))}


def _template(obj: Object) -> Object:
    """The template as it was before it got its hash, so that equal ones compare equal."""
    template = clone(obj["spec"]["template"])
    meta = template.setdefault("metadata", {})
    meta.pop("creationTimestamp", None)
    labels = meta.get("labels") or {}
    labels.pop(HASH, None)
    return template


def _annotations(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def _handed_on(deployment: Object) -> dict[str, str]:
    """The annotations of a Deployment that its new ReplicaSet has as well."""
    return {key: value for key, value in _annotations(deployment).items() if key not in _OURS}


def _revision(obj: Object) -> int:
    return int(_annotations(obj).get(REVISION, "0"))


def _home(obj: Object) -> str:
    return str(obj["metadata"]["namespace"])
