"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, by number, for `kubectl rollout`."""

from typing import Any

from kubealive_sandbox.api import Api, Object, clone
from kubealive_sandbox.controllers._common import hash_of, owned, owner_reference

__all__ = ["REVISION_LABEL", "current_revision", "revision_of"]

REVISION_LABEL = "controller-revision-hash"


def current_revision(api: Api, owner: Object) -> Object:
    """The revision of the owner's present template, with the highest number; made where there is none."""
    data = {"spec": {"template": {"$patch": "replace", **clone(owner["spec"]["template"])}}}
    known = sorted(owned(api, "ControllerRevision", owner), key=lambda each: int(each["revision"]))
    number = (int(known[-1]["revision"]) if known else 0) + 1
    same = next((each for each in known if each["data"] == data), None)
    if same is None:
        _forget(api, owner, known)
        return api.create("ControllerRevision", _new(owner, data, number))
    if same is not known[-1]:
        same = api.update("ControllerRevision", {**same, "revision": number})
    return same


def _forget(api: Api, owner: Object, known: list[Object]) -> None:
    excess = len(known) - owner["spec"]["revisionHistoryLimit"]
    for each in known[: max(0, excess)]:
        api.delete("ControllerRevision", owner["metadata"]["namespace"], each["metadata"]["name"])


def _new(owner: Object, data: Object, number: int) -> dict[str, Any]:
    meta, name = owner["metadata"], hash_of(data)
    labels = {**(owner["spec"]["template"].get("metadata", {}).get("labels") or {}), REVISION_LABEL: name}
    place = {"name": f"{meta['name']}-{name}", "namespace": meta["namespace"], "labels": labels}
    return {"metadata": {**place, "ownerReferences": [owner_reference(owner)]}, "data": data, "revision": number}


def revision_of(pod: Object) -> str:
    """The revision that a pod was made of, as its label says."""
    return str((pod["metadata"].get("labels") or {}).get(REVISION_LABEL, ""))
