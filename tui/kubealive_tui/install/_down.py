"""`down`: everything removed that `up` made, and nothing else.

Ours is what carries the product's label inside the namespace, and the two cluster-wide objects of exactly this
namespace's name. The namespace itself goes only if `up` created it and nobody else has put anything into it.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubealive_tui.hints import own_command

from ._api import Api, Clock, SystemClock, each, find, items
from ._apply import CREATED_BY
from ._errors import ApiError, NotReadyError, PreflightError
from ._inventory import Inventory, Item, inventory
from ._kinds import EXPERIMENT_LABEL, KINDS, OURS, PODS, is_ours, place
from ._manifests import Wanted, check_experiments, check_namespace, cluster_name, experiments, render
from ._preflight import find_namespace
from ._rights import Right, missing_rights, rights_refusal
from ._steps import Step, StepKind
from ._wait import POLL_SECONDS

GONE_SECONDS = 90.0  # twice a pod's 30 s of grace, and the garbage collector's pace
_NAMED = 5  # foreign objects named in one sentence; the others are counted


async def down(
    api: Api,
    *,
    namespace: str,
    names: Sequence[str] | None = None,
    clock: Clock | None = None,
    seconds: float = GONE_SECONDS,
) -> AsyncIterator[Step]:
    """Remove the experiments named, or with None the whole install, and wait at most `seconds` until all is gone.

    It can be repeated; where nothing of ours is left it yields nothing. Raises UsageError for an experiment that
    does not exist, PreflightError before anything was removed, NotReadyError naming what is left.
    """
    check_namespace(namespace)
    clock = clock or SystemClock()
    removal = _Removal(api, namespace, clock, clock.monotonic() + seconds)
    home = await find_namespace(api, namespace)
    if home is not None:
        steps = removal.of_namespace(home) if names is None else removal.of_experiments(names)
        async for step in steps:
            yield step
    if names is None:
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            async for step in removal.of_cluster_wide(kind):
                yield step
    if removal.unseen:
        raise _left(", ".join(removal.unseen), namespace)


@dataclass(frozen=True, slots=True)
class _Removal:
    api: Api
    namespace: str
    clock: Clock
    deadline: float
    unseen: list[str] = field(default_factory=list)
    """What stays for no other reason than that it could not be looked into, which is no success."""

    async def of_experiments(self, names: Sequence[str]) -> AsyncIterator[Step]:
        await self._may_look()
        found = await inventory(self.api, self.namespace)
        known = {*experiments(), *(item.experiment for item in found.ours if item.experiment)}
        check_experiments(names, sorted(known))
        chosen = [item for item in found.ours if item.experiment in names]
        async for step in self._delete(chosen):
            yield step
        await self._until_gone(chosen, f"{OURS},{EXPERIMENT_LABEL} in ({','.join(names)})")

    async def of_namespace(self, home: dict[str, Any]) -> AsyncIterator[Step]:
        subject = f"namespace/{self.namespace}"
        if home.get("status", {}).get("phase") == "Terminating":
            yield Step(kind=StepKind.WAITING, subject=subject, text="is being deleted already")
            await self._until_namespace_gone(home)
            yield Step(kind=StepKind.REMOVED, subject=subject)
            return
        await self._may_look()
        found = await inventory(self.api, self.namespace)
        reason = _why_keep(home, found)
        if not (reason or found.unknown):
            await self._need([Right.on(KINDS["Namespace"], "delete", self.namespace)])
            yield Step(kind=StepKind.WAITING, subject=subject, text="deleting it and all that is in it")
            await self._delete_one(KINDS["Namespace"].path("", self.namespace), home["metadata"]["uid"])
            await self._until_namespace_gone(home)
            yield Step(kind=StepKind.REMOVED, subject=subject)
            return
        async for step in self._delete(found.ours):
            yield step
        await self._until_gone(found.ours, OURS)
        advice = f"`kubectl delete namespace {self.namespace}` removes it with all that is in it"
        if reason:
            yield Step(kind=StepKind.KEPT, subject=subject, text=reason, advice=advice)
        else:
            unseen = f"stays, since not all that is in it could be looked at: {found.unknown[0]}"
            yield Step(kind=StepKind.TROUBLE, subject=subject, text=unseen, advice=advice)
            self.unseen.append(subject)

    async def of_cluster_wide(self, kind: str) -> AsyncIterator[Step]:
        name = cluster_name(self.namespace)
        path, subject = KINDS[kind].path("", name), f"{kind.lower()}/{name}"
        try:
            body = await find(self.api, path)
            if body is None or not is_ours(body):
                return
            await self._delete_one(path, body["metadata"]["uid"])
        except ApiError as error:
            if not error.forbidden:
                raise
            advice = f"somebody who may can remove it: `kubectl delete {kind.lower()} {name}`"
            yield Step(kind=StepKind.KEPT, subject=subject, text=error.message, advice=advice)
        else:
            yield Step(kind=StepKind.REMOVED, subject=subject)

    async def _delete(self, chosen: Sequence[Item]) -> AsyncIterator[Step]:
        await self._need([Right.on(item.kind, "delete", self.namespace) for item in chosen])
        # Workloads before what they stand on, so that none of them fails on its way out.
        for item in sorted(chosen, key=lambda item: -place(item.kind)):
            await self._delete_one(item.path, item.uid)
            yield Step(kind=StepKind.REMOVED, subject=item.ref)

    async def _may_look(self) -> None:
        """Whoever cannot see what `up` makes would be told that nothing of it is there."""
        made = {manifest.kind for manifest in render(Wanted(namespace=self.namespace)) if manifest.kind.namespaced}
        kinds = sorted({*made, PODS, KINDS["Secret"]}, key=place)
        await self._need([Right.on(kind, "list", self.namespace) for kind in kinds])

    async def _need(self, rights: Sequence[Right]) -> None:
        missing = await missing_rights(self.api, rights)
        if missing:
            raise PreflightError(rights_refusal(missing))

    async def _delete_one(self, path: str, uid: str) -> None:
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        try:
            await self.api.request("DELETE", path, body=body)
        except ApiError as error:
            # Gone, or deleted and made anew by somebody else since it was looked at: not ours to delete.
            if not error.missing and error.status != 409:
                raise

    async def _until_gone(self, chosen: Sequence[Item], selector: str) -> None:
        """Wait for the objects deleted, and for the pods that the garbage collector takes after them."""

        async def left(item: Item) -> str:
            body = await find(self.api, item.path)
            return item.ref if body is not None and body["metadata"]["uid"] == item.uid else ""

        while chosen:
            pods = await items(self.api, PODS.path(self.namespace), selector=selector)
            remaining = [ref for ref in await each(left, chosen) if ref]
            remaining += [f"pod/{pod['metadata']['name']}" for pod in pods]
            if not remaining:
                return
            await self._next_look(f"{_listing(remaining)} in namespace {self.namespace}")

    async def _until_namespace_gone(self, home: dict[str, Any]) -> None:
        uid, words = home["metadata"]["uid"], ""
        while True:
            now = await find(self.api, KINDS["Namespace"].path("", self.namespace))
            if now is None or now["metadata"]["uid"] != uid:
                return
            conditions = now.get("status", {}).get("conditions") or ()
            words = "; ".join(c["message"] for c in conditions if c["status"] == "True")
            await self._next_look(f"namespace {self.namespace}" + (f" ({words})" if words else ""))

    async def _next_look(self, what: str) -> None:
        if self.clock.monotonic() >= self.deadline:
            raise _left(what, self.namespace)
        await self.clock.sleep(POLL_SECONDS)


def _why_keep(home: dict[str, Any], found: Inventory) -> str:
    """Say for which good reason the namespace stays, or nothing where there is none."""
    if not home:
        return "stays, since you may not look at it: who made it is not known"
    if CREATED_BY not in (home.get("metadata", {}).get("annotations") or {}):
        return "was not made by `kubealive up`, so it stays"
    if found.foreign:
        return f"stays, since others' objects are in it: {_listing([item.ref for item in found.foreign])}"
    return ""


def _left(what: str, namespace: str) -> NotReadyError:
    return NotReadyError(f"still there: {what}; `{own_command('down', namespace=namespace)}` can be repeated")


def _listing(refs: Sequence[str]) -> str:
    more = len(refs) - _NAMED
    return ", ".join(refs[:_NAMED]) + (f" and {more} more" if more > 0 else "")
