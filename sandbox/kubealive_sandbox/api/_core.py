"""What the API does with objects: every write goes through one place, whoever asks.

Controllers, kubelets and HTTP clients use the same methods. They are plain functions, since all of them run on one
thread: between a read and the write that follows nothing else happens.
"""

import secrets
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kubealive_sandbox.api import _apply, _patch
from kubealive_sandbox.api._defaults import default
from kubealive_sandbox.api._errors import ApiError, already_exists, bad_request, conflict, invalid, not_found
from kubealive_sandbox.api._resources import BY_KIND, Resource
from kubealive_sandbox.api._schema import MismatchError, check, pruned, type_of_kind
from kubealive_sandbox.api._selectors import field_selector, label_selector
from kubealive_sandbox.api._store import Object, Store, clone
from kubealive_sandbox.api._validate import Cause, validate, validate_update

__all__ = ["Admission", "Api", "Writing", "stamp"]

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_NO_GENERATION = frozenset({"Namespace", "Node", "Service", "ConfigMap", "Secret", "ServiceAccount", "Event"})
_PROPAGATION = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
DEFAULT_GRACE_S = 30

Admission = Callable[[Resource, Object, Object | None], Iterable[Cause]]


def stamp(moment: datetime) -> str:
    """A time as objects carry it: whole seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a write is meant. `manager` is who owns the fields afterwards; `warnings` hears of unknown fields."""

    manager: str = ""
    strict: bool = False
    warnings: list[str] = field(default_factory=list)
    dry_run: bool = False
    force: bool = False


_PLAIN = Writing()


class Api:
    """Objects and the rules for changing them. `admit` may complete an object or name causes against it."""

    def __init__(self, store: Store, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.store = store
        self.now = now
        self.admit: list[Admission] = []

    # ---------------------------------------------------------------- reads

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        return self.store.get(BY_KIND[kind], namespace, name)

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """The object. Raises a 404."""
        found = self.store.get(resource, namespace, name)
        if found is None:
            raise not_found(resource.plural, resource.group, name)
        return found

    def select(self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects that both selectors admit, by namespace and name."""
        objects = self.store.each(BY_KIND[kind], namespace)
        for text, selector in ((labels, label_selector), (fields, field_selector)):
            if text:
                objects = filter(selector(text), objects)
        return sorted(objects, key=lambda obj: (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))

    # ---------------------------------------------------------------- writes

    def create(self, kind: str, obj: Object, writing: Writing = _PLAIN) -> Object:
        """Create an object. Raises ApiError: 400, 404 (no such namespace), 409 (exists), 422."""
        resource = BY_KIND[kind]
        new = self._readable(resource, clone(obj), writing, patched="")
        meta = new.setdefault("metadata", {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + "".join(secrets.choice(_LETTERS) for _ in range(5))
        self._home(resource, meta)
        name = meta.get("name", "")
        if self.store.get(resource, meta.get("namespace", ""), name):
            raise already_exists(resource.plural, resource.group, name)
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": stamp(self.now())}
        meta.pop("resourceVersion", None)
        meta.pop("deletionTimestamp", None)
        meta.pop("generation", None)
        if kind not in _NO_GENERATION:
            meta["generation"] = 1
        if resource.status and kind != "Node":
            new.pop("status", None)
        default(kind, new)
        self._admit(resource, new, None, validate(kind, new))
        if writing.manager and not meta.get("managedFields"):
            meta["managedFields"] = _apply.owned_after(
                kind, {}, new, manager=writing.manager, sub="", now=stamp(self.now())
            )
        return new if writing.dry_run else self.store.put(resource, new)

    def update(self, kind: str, obj: Object, *, sub: str = "", writing: Writing = _PLAIN) -> Object:
        """Replace an object, or its status. Raises a 404, a 409 for an old version, a 422."""
        resource, meta = BY_KIND[kind], obj["metadata"]
        before = self.get(resource, meta.get("namespace", ""), meta["name"])
        new = self._readable(resource, clone(obj), writing, patched="")
        return self._replace(resource, before, new, sub, writing)

    def patch(
        self,
        kind: str,
        namespace: str,
        name: str,
        patch: Any,
        *,
        how: str = "merge",
        sub: str = "",
        writing: Writing = _PLAIN,
    ) -> Object:
        """Patch an object or its status; `how` is merge, strategic, json or apply, which may create it."""
        resource = BY_KIND[kind]
        if how == "apply":
            return self._apply(resource, namespace, name, patch, sub, writing)
        before = self.get(resource, namespace, name)
        match how:
            case "json":
                new = _patch.json_patch(before, patch)
            case "strategic":
                new = _patch.strategic_patch(kind, before, patch)
            case _:
                new = clone(_patch.merge_patch(before, patch))
        new = self._readable(resource, new, writing, patched=str(patch))
        return self._replace(resource, before, new, sub, writing)

    def _apply(
        self, resource: Resource, namespace: str, name: str, applied: Object, sub: str, writing: Writing
    ) -> Object:
        if not writing.manager:
            raise bad_request(
                "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch"
            )
        live = self.store.get(resource, namespace, name)
        _declared(resource, namespace, name, applied)
        applied = self._readable(resource, clone(applied), writing, patched="")
        applied.setdefault("metadata", {})["name"] = name
        if resource.namespaced:
            applied["metadata"]["namespace"] = namespace
        new = _apply.apply_patch(
            resource.kind, live or {}, applied, manager=writing.manager, force=writing.force, now=stamp(self.now())
        )
        unowned = replace(writing, manager="")
        if live is None:
            return self.create(resource.kind, new, unowned)
        return self._replace(resource, live, new, sub, unowned)

    def delete(self, kind: str, namespace: str, name: str, options: Object | None = None) -> Object:
        """Delete an object; one that has finalizers, or a pod that runs, is only marked. Returns what is left."""
        resource, options = BY_KIND[kind], options or {}
        obj = self.get(resource, namespace, name)
        meta = obj["metadata"]
        for key, named in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            wanted = (options.get("preconditions") or {}).get(key)
            if wanted and wanted != meta[key]:
                why = (
                    f"Precondition failed: {named} in precondition: {wanted}, {named} in object meta: {meta[key]}"
                )
                raise conflict(resource.plural, resource.group, name, why)
        if options.get("dryRun"):
            return obj
        new = clone(obj)
        propagation = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(
            options.get("propagationPolicy", "")
        )
        if propagation and kind != "Pod" and propagation not in new["metadata"].get("finalizers", ()):
            new["metadata"].setdefault("finalizers", []).append(propagation)
        grace = self._grace(kind, obj, options)
        stays = (
            grace or new["metadata"].get("finalizers") or (kind == "Namespace" and obj["spec"].get("finalizers"))
        )
        if not stays:
            return self.store.remove(resource, obj)
        return self._mark(resource, obj, new, grace)

    def _grace(self, kind: str, obj: Object, options: Object) -> int:
        """Seconds that a pod has left; a pod that no node runs has none."""
        if (
            kind != "Pod"
            or not obj["spec"].get("nodeName")
            or obj["status"].get("phase") in {"Succeeded", "Failed"}
        ):
            return 0
        asked = options.get("gracePeriodSeconds")
        declared = obj["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE_S)
        return int(declared if asked is None else asked)

    def _mark(self, resource: Resource, obj: Object, new: Object, grace: int) -> Object:
        meta = new["metadata"]
        already = meta.get("deletionGracePeriodSeconds")
        if already is not None and (grace >= already or not grace):
            return obj
        meta["deletionTimestamp"] = stamp(self.now() + timedelta(seconds=grace))
        meta["deletionGracePeriodSeconds"] = grace
        if "generation" in meta:
            meta["generation"] += 1
        if resource.kind == "Namespace":
            new["status"]["phase"] = "Terminating"
        return self.store.put(resource, new)

    # ---------------------------------------------------------------- how a write is made

    def _replace(self, resource: Resource, before: Object, new: Object, sub: str, writing: Writing) -> Object:
        kind, meta, was = resource.kind, new["metadata"], before["metadata"]
        _same(resource, was, meta)
        if sub == "status":
            new = {**clone(before), "status": new.get("status", {})}
        elif resource.status:
            new.pop("status", None)
            new |= {"status": before["status"]} if "status" in before else {}
        kept = ("uid", "creationTimestamp", "name", "namespace", "deletionTimestamp", "deletionGracePeriodSeconds")
        meta = new["metadata"] | {key: was[key] for key in (*kept, "generation", "resourceVersion") if key in was}
        new["metadata"] = meta
        if not sub:
            default(kind, new)
        self._admit(resource, new, before, [] if sub else validate_update(kind, new, before))
        if "generation" in meta and new.get("spec") != before.get("spec"):
            meta["generation"] += 1
        if new == before:
            return before
        if writing.manager:
            meta["managedFields"] = _apply.owned_after(
                kind, before, new, manager=writing.manager, sub=sub, now=stamp(self.now())
            )
        if writing.dry_run:
            return new
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and self._ended(kind, new):
            self.store.put(resource, new)
            return self.store.remove(resource, new)
        return self.store.put(resource, new)

    def _ended(self, kind: str, obj: Object) -> bool:
        if kind == "Namespace":
            return not obj["spec"].get("finalizers")
        return kind != "Pod"

    def _readable(self, resource: Resource, obj: Object, writing: Writing, *, patched: str) -> Object:
        """The object without nulls. Raises where it is of another kind, or has fields that its kind has not."""
        kind: str = obj.setdefault("kind", resource.kind)
        version: str = obj.setdefault("apiVersion", resource.api_version)
        if (kind, version) != (resource.kind, resource.api_version):
            wanted, group = resource.api_version, f"{resource.kind}"
            raise bad_request(
                f"the API version in the data ({version}, {kind}) does not match ({wanted}, {group})"
            )
        where = f'{kind} in version "{resource.version}" cannot be handled as a {kind}'
        try:
            unknown = check(type_of_kind(kind), obj)
        except MismatchError as exc:
            if patched:
                raise self._unpatchable(resource, obj, patched, str(exc)) from exc
            raise bad_request(f"{where}: {exc}") from exc
        listed = [f'unknown field "{path}"' for path in unknown]
        if unknown and writing.strict:
            words = "strict decoding error: " + ", ".join(listed)
            if patched:
                raise self._unpatchable(resource, obj, patched, words)
            raise bad_request(f"{where}: {words}")
        if unknown:
            writing.warnings.extend(listed)
            obj = pruned(type_of_kind(kind), obj)
        clean: Object = _without_nulls(obj)
        return clean

    def _unpatchable(self, resource: Resource, obj: Object, patched: str, words: str) -> ApiError:
        cause = ("patch", "FieldValueInvalid", f'Invalid value: "{patched}": {words}')
        return invalid(resource.kind, resource.group, obj["metadata"]["name"], [cause])

    def _home(self, resource: Resource, meta: Object) -> None:
        if not resource.namespaced:
            meta.pop("namespace", None)
            return
        namespace = self.find("Namespace", "", meta.get("namespace", ""))
        if namespace is None:
            raise not_found("namespaces", "", meta.get("namespace", ""))
        if namespace["status"]["phase"] == "Terminating":
            name, home = meta.get("name", ""), meta["namespace"]
            words = f'{resource.plural} "{name}" is forbidden: unable to create new content in namespace {home} '
            raise ApiError(
                403, "Forbidden", words + "because it is being terminated", {"name": name, "kind": resource.plural}
            )

    def _admit(self, resource: Resource, new: Object, before: Object | None, causes: list[Cause]) -> None:
        if not causes:
            causes = [cause for admit in self.admit for cause in admit(resource, new, before)]
        if causes:
            raise invalid(resource.kind, resource.group, new["metadata"].get("name", ""), causes)


def _declared(resource: Resource, namespace: str, name: str, applied: Object) -> None:
    """Raise what an apply of unknown fields raises: it is always strict, and says so in words of its own."""
    try:
        unknown = check(type_of_kind(resource.kind), applied)
    except MismatchError:
        return  # said as for every other write
    if unknown:
        listed = " ".join(f".{path}: field not declared in schema" for path in unknown)
        what = f"({namespace}/{name}; {resource.api_version}, Kind={resource.kind})"
        raise ApiError(500, "", f"failed to create typed patch object {what}: {listed}")


def _same(resource: Resource, was: Object, meta: Object) -> None:
    """Raise a 409 where a write is meant for another version of the object, or for another object."""
    if meta.get("resourceVersion", was["resourceVersion"]) != was["resourceVersion"]:
        raise conflict(resource.plural, resource.group, was["name"])
    if meta.get("uid", was["uid"]) != was["uid"]:
        why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {was['uid']}"
        raise conflict(resource.plural, resource.group, was["name"], why)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value
