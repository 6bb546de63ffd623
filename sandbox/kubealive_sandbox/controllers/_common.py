"""What several controllers ask of objects: who owns them, whether a pod serves, what its template is called."""

import json
from datetime import datetime
from typing import Any

from kubealive_sandbox.api import Api, Object, clone, matches

__all__ = [
    "active",
    "available",
    "condition",
    "controller_of",
    "hash_of",
    "is_ready",
    "moment",
    "new_pod",
    "owned",
    "owner_reference",
    "set_condition",
    "share",
]

# Go's SafeEncodeString: digits become letters that spell no words.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_FNV_START, _FNV_PRIME = 2166136261, 16777619


def moment(text: str) -> datetime:
    """A time of an object."""
    return datetime.fromisoformat(text)


def owner_reference(owner: Object) -> Object:
    """The reference by which an object belongs to its controller."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Object) -> Object | None:
    """The reference to the object's controller."""
    return next((each for each in obj["metadata"].get("ownerReferences") or () if each.get("controller")), None)


def owned(api: Api, kind: str, owner: Object) -> list[Object]:
    """The objects of a kind that the owner controls; orphans are adopted, what no longer matches is released."""
    found = []
    uid, selector = owner["metadata"]["uid"], owner["spec"].get("selector")
    for obj in api.select(kind, owner["metadata"]["namespace"]):
        reference, fits = controller_of(obj), matches(selector, obj["metadata"].get("labels"))
        if reference is None:
            if (
                fits
                and not obj["metadata"].get("deletionTimestamp")
                and not owner["metadata"].get("deletionTimestamp")
            ):
                found.append(_with_owners(api, obj, [*_references(obj), owner_reference(owner)]))
        elif reference["uid"] == uid:
            if fits:
                found.append(obj)
            else:
                _with_owners(api, obj, [each for each in _references(obj) if each["uid"] != uid])
    return found


def _references(obj: Object) -> list[Object]:
    return list(obj["metadata"].get("ownerReferences") or ())


def _with_owners(api: Api, obj: Object, owners: list[Object]) -> Object:
    changed = clone(obj)
    changed["metadata"]["ownerReferences"] = owners
    if not owners:
        del changed["metadata"]["ownerReferences"]
    return api.update(obj["kind"], changed)


def condition(obj: Object, kind: str) -> Object:
    """The condition of that type; an empty one where there is none."""
    listed = obj.get("status", {}).get("conditions") or ()
    return next((each for each in listed if each["type"] == kind), {})


def set_condition(
    status: Object, kind: str, *, state: str, reason: str, message: str, now: str, updates: bool = False
) -> None:
    """Set a condition of a status; its transition time moves only with its state."""
    conditions = status.setdefault("conditions", [])
    before = next((each for each in conditions if each["type"] == kind), None)
    same = before is not None and (before["status"], before["reason"], before.get("message")) == (
        state,
        reason,
        message,
    )
    if before is not None and same:
        return
    turned = before is None or before["status"] != state
    entry = {
        "type": kind,
        "status": state,
        "lastTransitionTime": now if turned or not before else before["lastTransitionTime"],
    }
    if updates:
        entry["lastUpdateTime"] = now
    entry |= {"reason": reason, "message": message}
    if before is None:
        conditions.append(entry)
    else:
        conditions[conditions.index(before)] = entry


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is true."""
    return condition(pod, "Ready").get("status") == "True"


def available(pod: Object, seconds: int, now: datetime) -> bool:
    """Whether the pod has been ready for so long."""
    if not is_ready(pod):
        return False
    return not seconds or (now - moment(condition(pod, "Ready")["lastTransitionTime"])).total_seconds() >= seconds


def active(pod: Object) -> bool:
    """Whether the pod counts: neither ended nor being deleted."""
    return pod["status"].get("phase") not in {"Succeeded", "Failed"} and not pod["metadata"].get(
        "deletionTimestamp"
    )


def hash_of(value: Any, *, collisions: int = 0) -> str:
    """A short name for a template, as Kubernetes writes its own; equal values have equal names."""
    number = _FNV_START
    for byte in json.dumps([value, collisions], sort_keys=True).encode():
        number = (number ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return "".join(_LETTERS[ord(digit) % len(_LETTERS)] for digit in str(number))


def share(value: Any, total: int, *, up: bool) -> int:
    """A number, or a percentage of the total, rounded up or down."""
    if isinstance(value, int):
        return value
    percent = int(str(value).rstrip("%"))
    return -(-percent * total // 100) if up else percent * total // 100


def new_pod(owner: Object, template: Object, *, name: str = "") -> Object:
    """A pod of a template, owned; without a name it gets one that begins with the owner's."""
    meta = clone(template.get("metadata") or {})
    meta.pop("creationTimestamp", None)
    meta |= {"name": name} if name else {"generateName": f"{owner['metadata']['name']}-"}
    meta |= {"namespace": owner["metadata"]["namespace"], "ownerReferences": [owner_reference(owner)]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": clone(template["spec"])}
