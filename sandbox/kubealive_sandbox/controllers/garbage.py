"""What goes because something else went: objects without their owner, the contents of a namespace that goes."""

from collections.abc import Iterable

from kubealive_sandbox.api import RESOURCES, Api, Event, Object, clone
from kubealive_sandbox.controllers._loop import Key, Loop, self_key

__all__ = ["garbage_collector", "namespaces"]

_OWNING = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Service", "Pod", "PersistentVolumeClaim")
_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"


def garbage_collector(api: Api) -> Loop:
    """The garbage collector: a key is an owner's UID, whose dependents are looked at."""

    def gone(event: Event) -> Iterable[Key]:
        meta = event.object["metadata"]
        if event.type == "DELETED" or meta.get("deletionTimestamp"):
            yield event.resource.kind, meta["uid"]
        for each in meta.get("ownerReferences") or ():
            if event.type != "MODIFIED" or meta.get("deletionTimestamp"):
                yield each["kind"], each["uid"]

    def reconcile(kind: str, uid: str) -> None:
        owner = next((each for each in api.select(kind) if each["metadata"]["uid"] == uid), None)
        everything = ((each.kind, obj) for each in RESOURCES if each.namespaced for obj in api.store.each(each))
        dependents = [(dependent, obj) for dependent, obj in everything if _owned_by(obj, uid)]
        if owner is None:
            for dependent, obj in dependents:
                _lose(api, dependent, obj, uid)
        elif owner["metadata"].get("deletionTimestamp"):
            _leave(api, owner, dependents)

    return Loop(api, "garbage", reconcile, dict.fromkeys(_OWNING, gone) | {"EndpointSlice": gone})


def _leave(api: Api, owner: Object, dependents: list[tuple[str, Object]]) -> None:
    """Do what the finalizers of an owner on its way out ask for."""
    uid, finalizers = owner["metadata"]["uid"], owner["metadata"].get("finalizers", ())
    if _ORPHAN in finalizers:
        for kind, obj in dependents:
            _release(api, kind, obj, uid)
        _finalize(api, owner["kind"], owner, _ORPHAN)
    elif _FOREGROUND in finalizers:
        for kind, obj in dependents:
            if not obj["metadata"].get("deletionTimestamp"):
                api.delete(kind, obj["metadata"]["namespace"], obj["metadata"]["name"])
        if not dependents:
            _finalize(api, owner["kind"], owner, _FOREGROUND)


def _owned_by(obj: Object, uid: str) -> bool:
    return any(each["uid"] == uid for each in obj["metadata"].get("ownerReferences") or ())


def _lose(api: Api, kind: str, obj: Object, uid: str) -> None:
    """Delete what has lost its last owner."""
    others = [each for each in obj["metadata"]["ownerReferences"] if each["uid"] != uid]
    if others:
        _release(api, kind, obj, uid)
    elif not obj["metadata"].get("deletionTimestamp"):
        api.delete(kind, obj["metadata"]["namespace"], obj["metadata"]["name"])


def _release(api: Api, kind: str, obj: Object, uid: str) -> None:
    changed = clone(obj)
    changed["metadata"]["ownerReferences"] = [e for e in obj["metadata"]["ownerReferences"] if e["uid"] != uid]
    api.update(kind, changed)


def _finalize(api: Api, kind: str, obj: Object, finalizer: str) -> None:
    changed = clone(obj)
    changed["metadata"]["finalizers"] = [each for each in obj["metadata"]["finalizers"] if each != finalizer]
    api.update(kind, changed)


def namespaces(api: Api) -> Loop:
    """The namespace controller: a default ServiceAccount while it lives, an empty house before it goes."""

    def reconcile(_: str, name: str) -> float | None:
        namespace = api.find("Namespace", "", name)
        if namespace is None:
            return None
        if not namespace["metadata"].get("deletionTimestamp"):
            if api.find("ServiceAccount", name, "default") is None:
                api.create("ServiceAccount", {"metadata": {"name": "default", "namespace": name}})
            return None
        left = [(r.kind, obj) for r in RESOURCES if r.namespaced for obj in api.select(r.kind, name)]
        for kind, obj in left:
            if not obj["metadata"].get("deletionTimestamp"):
                api.delete(kind, name, obj["metadata"]["name"])
        if any(True for r in RESOURCES if r.namespaced for _ in api.store.each(r, name)):
            return 0.2
        changed = clone(namespace)
        changed["spec"]["finalizers"] = []
        api.update("Namespace", changed)
        return None

    return Loop(api, "namespace", reconcile, {"Namespace": self_key})
