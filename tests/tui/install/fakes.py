"""A cluster of dictionaries: enough of the API's manners for an install to be driven without a network."""

import copy
import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from kubealive_tui.install import ApiError

RESOURCES = {
    "v1": {
        "Pod": "pods",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
        "Secret": "secrets",
        "ConfigMap": "configmaps",
        "Event": "events",
    },
    "apps/v1": {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"},
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "rbac.authorization.k8s.io/v1": {"Role": "roles", "RoleBinding": "rolebindings"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies"},
}
VERBS = ["create", "delete", "get", "list", "patch", "watch"]
_COLLECTIONS = {plural for kinds in RESOURCES.values() for plural in kinds.values()}
_DEFAULT_CLASS = {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}


class FakeClock:
    """Time that passes only in `sleep`, and calls `each_second` then."""

    def __init__(self, each_second: Callable[[], None] = lambda: None) -> None:
        self.time = 0.0
        self.each_second = each_second

    def monotonic(self) -> float:
        return self.time

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=self.time)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.each_second()


def node(name: str, address: str) -> dict[str, Any]:
    """Return a node with its address."""
    return {"metadata": {"name": name}, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}


class FakeCluster:
    """Objects by path. `denied` holds (verb, plural) that nobody may; `failing` errors by (method, path)."""

    def __init__(self, version: str = "v1.34.4") -> None:
        self.version = version
        self.objects: dict[str, dict[str, Any]] = {}
        self.denied: set[tuple[str, str]] = set()
        self.failing: dict[tuple[str, str], ApiError] = {}
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[tuple[str, Any]] = []
        # Nodes on which something answers at any port, as a pod that looks would find.
        self.answering: tuple[str, ...] = ()
        self._count = 0
        # What belongs to the cluster and not to an install, by the path of its list.
        self.given = {
            "/apis/storage.k8s.io/v1/storageclasses": [_DEFAULT_CLASS],
            "/api/v1/nodes": [node(f"node-{n}", f"10.0.0.{n}") for n in range(1, 4)],
        }

    def add(self, path: str, body: Mapping[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
        """Put an object where it belongs, as somebody else would."""
        self._count += 1
        stored = copy.deepcopy(dict(body or {}))
        known = {"name": path.rpartition("/")[2], "uid": f"uid-{self._count}", "resourceVersion": str(self._count)}
        stored["metadata"] = {**known, **stored.get("metadata", {}), **metadata}
        self.objects[path] = stored
        return stored

    def run_controllers(self) -> None:
        """Do what the cluster does by itself: workloads come up, deleted namespaces empty and go."""
        for path, body in list(self.objects.items()):
            if body.get("kind") in {"Deployment", "StatefulSet"}:
                desired = body["spec"].get("replicas", 1)
                body["status"] = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), desired)
            if body.get("kind") == "DaemonSet":
                counts = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled")
                body["status"] = dict.fromkeys((*counts, "numberAvailable"), 3)
            if body.get("status", {}).get("phase") == "Terminating":
                self.objects = {p: o for p, o in self.objects.items() if p != path and f"{path}/" not in f"{p}/"}
                inside = f"/namespaces/{body['metadata']['name']}/"
                self.objects = {p: o for p, o in self.objects.items() if inside not in p}

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: float = 10.0,  # noqa: ASYNC109 - the real interface
    ) -> Any:
        self.requests.append((method, path))
        self.bodies.append((path, body))
        if (method, path) in self.failing:
            raise self.failing[method, path]
        answer = getattr(self, f"_{method.lower()}")(path, query or {}, body)
        return copy.deepcopy(answer)

    def _get(self, path: str, query: Mapping[str, str], body: Any) -> Any:
        if path == "/version":
            return {"gitVersion": self.version}
        if path == "/apis":
            return {"groups": [{"preferredVersion": {"groupVersion": v}} for v in RESOURCES if "/" in v]}
        version = path.removeprefix("/apis/").removeprefix("/api/")
        if version in RESOURCES:
            kinds = RESOURCES[version].items()
            return {"resources": [{"name": p, "kind": k, "namespaced": True, "verbs": VERBS} for k, p in kinds]}
        if path in self.given:
            return {"items": self.given[path]}
        if path.rpartition("/")[2] in _COLLECTIONS:
            return {"items": [o for p, o in self.objects.items() if self._listed(p, path, o, query)]}
        return self._existing(path)

    def _listed(self, path: str, collection: str, body: dict[str, Any], query: Mapping[str, str]) -> bool:
        return path.rpartition("/")[0] == collection and _selected(body, query.get("labelSelector", ""))

    def _existing(self, path: str) -> dict[str, Any]:
        if path not in self.objects:
            raise ApiError(404, "NotFound", f"{path} not found")
        return self.objects[path]

    def _patch(self, path: str, query: Mapping[str, str], body: Any) -> Any:
        if query.get("fieldValidation") != "Strict":
            raise AssertionError(f"PATCH {path} without strict field validation")
        before = self.objects.get(path)
        if "kind" not in body:
            merged = _merge(self._existing(path), body)
        elif before is None:
            return self.add(path, body)
        else:
            if query["force"] != "true":
                raise ApiError(409, "Conflict", "conflict with another manager")
            merged = _merge(before, body)
        if merged != before:
            self._count += 1
            merged["metadata"]["resourceVersion"] = str(self._count)
        self.objects[path] = merged
        return merged

    def _post(self, path: str, query: Mapping[str, str], body: Any) -> Any:
        if path.endswith("selfsubjectaccessreviews"):
            attributes = body["spec"]["resourceAttributes"]
            asked = (attributes["verb"], attributes["resource"])
            return {"status": {"allowed": asked not in self.denied and not (asked[0] == "*" and self.denied)}}
        self._count += 1
        name = body["metadata"].get("name") or f"{body['metadata']['generateName']}{self._count}"
        full = f"{path}/{name}"
        if full in self.objects:
            raise ApiError(409, "AlreadyExists", f"{full} exists")
        if body["kind"] == "Pod":
            ended = {"exitCode": 9 if self.answering else 0, "message": " ".join(self.answering)}
            body = {**body, "status": {"containerStatuses": [{"state": {"terminated": ended}}]}}
        return self.add(full, body)

    def _delete(self, path: str, query: Mapping[str, str], body: Any) -> Any:
        found = self._existing(path)
        if "preconditions" in body and body["preconditions"]["uid"] != found["metadata"]["uid"]:
            raise ApiError(409, "Conflict", "the UID differs")
        if re.fullmatch(r"/api/v1/namespaces/[^/]+", path):
            found["status"] = {"phase": "Terminating"}
        else:
            del self.objects[path]
        return {}


def _merge(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return copy.deepcopy(new)
    return {**old, **{key: _merge(old.get(key), value) for key, value in new.items()}}


def _selected(body: Mapping[str, Any], selector: str) -> bool:
    """Equality and `in` with one pair of brackets, which is all that an install asks for."""
    labels = body["metadata"].get("labels") or {}
    for term in re.split(r",(?![^(]*\))", selector) if selector else ():
        if match := re.fullmatch(r"(\S+) in \((.*)\)", term):
            if labels.get(match[1]) not in match[2].split(","):
                return False
        else:
            key, _, value = term.partition("=")
            if labels.get(key) != value:
                return False
    return True
