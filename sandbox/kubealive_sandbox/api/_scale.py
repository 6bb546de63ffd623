"""The scale subresource: a count of replicas, with the rest of the object out of reach."""

from typing import Any

from kubealive_sandbox.api import _patch
from kubealive_sandbox.api._core import Api, Writing
from kubealive_sandbox.api._errors import bad_request, conflict
from kubealive_sandbox.api._resources import Resource
from kubealive_sandbox.api._schema import MismatchError, check
from kubealive_sandbox.api._store import Object

__all__ = ["scale_of", "scaled"]

_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object) -> Object:
    """The Scale of a workload."""
    spec, status = obj["spec"], obj.get("status", {})
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _KEPT},
        "spec": {"replicas": spec["replicas"]},
        "status": {
            "replicas": status.get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def scaled(api: Api, resource: Resource, obj: Object, patch: Any, *, how: str, writing: Writing) -> Object:
    """The workload after its Scale was patched. Raises a 400 for what a Scale is not, a 409, a 422."""
    scale = scale_of(obj)
    wanted = _patch.json_patch(scale, patch) if how == "json" else _patch.merge_patch(scale, patch)
    try:
        unknown = check("autoscaling/v1.Scale", wanted)
    except MismatchError as exc:
        raise bad_request(f'Scale in version "v1" cannot be handled as a Scale: {exc}') from exc
    if unknown and writing.strict:
        raise bad_request(f'strict decoding error: unknown field "{unknown[0]}"')
    meta = wanted.get("metadata", {})
    if meta.get("uid") != scale["metadata"]["uid"]:
        have = scale["metadata"]["uid"]
        why = f"Precondition failed: UID in precondition: {meta.get('uid')}, UID in object meta: {have}"
        raise conflict(resource.plural, resource.group, obj["metadata"]["name"], why)
    replicas = wanted["spec"].get("replicas", 0)
    name, home = obj["metadata"]["name"], obj["metadata"]["namespace"]
    change = {"metadata": {"resourceVersion": meta.get("resourceVersion")}, "spec": {"replicas": replicas}}
    return api.patch(resource.kind, home, name, change, writing=writing)
