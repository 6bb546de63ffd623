"""Applying one object at a time, by server-side apply under our own field manager.

Force is used only on an object that carries our label already: there the manifests are the authority, over a
`kubectl edit` or a scale. Somebody else's object of the same name makes a conflict instead.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any

from kubealive_tui.errors import InstallError
from kubealive_tui.hints import own_command, up_command

from ._api import APPLY_PATCH, MERGE_PATCH, Api
from ._errors import ApiError
from ._kinds import KINDS, PART_OF_LABEL, PRODUCT, is_ours
from ._manifests import Manifest
from ._steps import Step, StepKind

FIELD_MANAGER = "kubealive"
CREATED_BY = "kubealive.dev/created-by"
FAULT_SECRET = "kubealive-faults"  # noqa: S105 - the name of the Secret, not its content
_TOKEN_BYTES = 32  # twice what guessing could ever reach; the workloads take any length
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


async def apply(api: Api, manifest: Manifest, existing: Mapping[str, Any] | None) -> Step:
    """Apply one object over what exists and say whether that changed anything."""
    force = existing is not None and is_ours(dict(existing))
    query = {
        "fieldManager": FIELD_MANAGER,
        "fieldValidation": "Strict",
        "force": "true" if force else "false",
    }
    try:
        applied = await api.request(
            "PATCH", manifest.path, query=query, body=manifest.body, content_type=APPLY_PATCH
        )
    except ApiError as error:
        if error.status not in {403, 409, 422}:
            raise
        raise InstallError(_refused(manifest, error)) from error
    return Step(kind=_outcome(existing, applied), subject=manifest.ref)


async def apply_cluster_wide(api: Api, manifest: Manifest) -> Step:
    """Apply an object outside the namespace; without the right to, the install goes on without it and says so."""
    try:
        existing = await api.request("GET", manifest.path)
    except ApiError as error:
        if not error.missing and not error.forbidden:
            raise
        existing = None
    try:
        return await apply(api, manifest, existing)
    except InstallError as error:
        if not isinstance(error.__cause__, ApiError) or not error.__cause__.forbidden:
            raise
        up = up_command(namespace=manifest.namespace)
        return Step(
            kind=StepKind.KEPT,
            subject=manifest.ref,
            text=f"left out, and nodes will not be shown: {error.__cause__.message}",
            advice=f"somebody who may create ClusterRoles can run `{up}`",
        )


async def apply_namespace(api: Api, manifest: Manifest, home: Mapping[str, Any] | None) -> Step:
    """Make the namespace, or bring up to date one that is ours; somebody else's is used as it is.

    Only a namespace made here carries the annotation by which `down` knows that it may delete it.
    """
    if home is not None and not is_ours(dict(home)):
        return Step(
            kind=StepKind.KEPT,
            subject=manifest.ref,
            text="was there before and keeps its own labels; Pod Security is as its owner set it",
        )
    annotations = (home or {}).get("metadata", {}).get("annotations") or {}
    if home is None or CREATED_BY in annotations:
        metadata = {**manifest.body["metadata"], "annotations": {CREATED_BY: "up"}}
        body = {**manifest.body, "metadata": metadata}
        manifest = Manifest(manifest.kind, manifest.namespace, manifest.name, manifest.experiment, body)
    return await apply(api, manifest, home)


async def ensure_fault_token(api: Api, namespace: str) -> Step:
    """Create the Secret of the fault port with a random token, or keep the one there is, unread."""
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": FAULT_SECRET, "namespace": namespace, "labels": {PART_OF_LABEL: PRODUCT}},
        "type": "Opaque",
        "stringData": {"token": secrets.token_hex(_TOKEN_BYTES)},
    }
    query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
    subject = f"secret/{FAULT_SECRET}"
    try:
        await api.request("POST", KINDS["Secret"].path(namespace), query=query, body=body)
    except ApiError as error:
        if error.status == 409:
            return Step(kind=StepKind.UNCHANGED, subject=subject)
        raise
    return Step(kind=StepKind.CREATED, subject=subject)


async def restart(api: Api, manifest: Manifest, *, why: str, now: dt.datetime) -> Step:
    """Replace a workload's pods by a rolling restart, as `kubectl rollout restart` does."""
    annotations = {_RESTARTED_AT: now.isoformat(timespec="seconds")}
    body = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    query = {"fieldManager": f"{FIELD_MANAGER}-restart", "fieldValidation": "Strict"}
    await api.request("PATCH", manifest.path, query=query, body=body, content_type=MERGE_PATCH)
    return Step(kind=StepKind.RESTARTED, subject=manifest.ref, text=why)


def _outcome(existing: Mapping[str, Any] | None, applied: Mapping[str, Any]) -> StepKind:
    if existing is None:
        return StepKind.CREATED
    before = existing["metadata"].get("resourceVersion")
    return StepKind.UNCHANGED if before == applied["metadata"].get("resourceVersion") else StepKind.CHANGED


def _refused(manifest: Manifest, error: ApiError) -> str:
    where = f" in namespace {manifest.namespace}" if manifest.kind.namespaced else ""
    what = f"{manifest.ref}{where} was refused: {error.message}"
    if error.status == 422:
        down, up = (own_command(word, namespace=manifest.namespace) for word in ("down", "up"))
        return f"{what}; `{down}` and `{up}` make it anew"
    if error.status == 409:
        return f"{what}; it is not kubealive's: choose another namespace with --namespace"
    return f"{what}; whoever administers the cluster can allow it"
