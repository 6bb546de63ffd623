"""What is found out before anything is changed.

Is this cluster new enough, whose namespace is it, may the user do what is about to be done, and does anybody
else's object stand where one of ours would go?
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._api import Api, each, find
from ._errors import ApiError, PreflightError
from ._kinds import KINDS, PODS, is_ours
from ._manifests import Manifest, Wanted, render, workload_kinds
from ._rights import Right, missing_rights, rights_refusal

OLDEST_VERSION = (1, 27)  # the first that refuses unknown fields for certain, which every request here asks for
_VERSION = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What preflight found: the server's version, the namespace as it is, the objects that exist, by path."""

    version: str
    namespace: Mapping[str, Any] | None
    existing: Mapping[str, Mapping[str, Any]]


async def preflight(api: Api, manifests: Sequence[Manifest], *, namespace: str) -> Preflight:
    """Return what is there already; raises PreflightError with the first thing that stands in the way.

    Rights on the cluster-wide objects are not asked for: without them an install goes on, minus the nodes.
    """
    version = await server_version(api)
    home = await find_namespace(api, namespace)
    _refuse_leaving(home, namespace)
    missing = await missing_rights(api, _rights(manifests, namespace, home))
    if missing:
        raise PreflightError(rights_refusal(missing))
    if home is None:
        return Preflight(version, None, {})
    inside = [manifest for manifest in manifests if manifest.kind.namespaced]
    found = await each(lambda manifest: find(api, manifest.path), inside)
    existing = {m.path: body for m, body in zip(inside, found, strict=True) if body is not None}
    for manifest in inside:
        if manifest.path in existing and not is_ours(existing[manifest.path]):
            raise PreflightError(
                f"{manifest.ref} in namespace {namespace} is not kubealive's and would be overwritten: "
                "rename it, or choose another namespace with --namespace"
            )
    return Preflight(version, home, existing)


def rights_to_install(namespace: str) -> tuple[Right, ...]:
    """What a user needs to install everything there, cluster-wide objects and the namespace itself included."""
    manifests = render(Wanted(namespace=namespace))
    wide = (m.kind for m in manifests if not m.kind.namespaced)
    return (
        *_rights(manifests, namespace, None),
        *(Right.on(kind, verb, namespace) for kind in wide for verb in ("create", "patch")),
    )


async def server_version(api: Api) -> str:
    """Return the server's version; one that is too old raises PreflightError."""
    version = str((await api.request("GET", "/version")).get("gitVersion", ""))
    match = _VERSION.match(version)
    if match and (int(match[1]), int(match[2])) < OLDEST_VERSION:
        oldest = ".".join(str(part) for part in OLDEST_VERSION)
        raise PreflightError(f"Kubernetes {version} is too old: kubealive needs {oldest} or newer")
    return version


async def find_namespace(api: Api, namespace: str) -> dict[str, Any] | None:
    """Return the namespace, or None where there is none.

    A user who may not read namespaces is taken to have been given this one: an empty object is returned.
    """
    try:
        return await find(api, KINDS["Namespace"].path("", namespace))
    except ApiError as error:
        if error.forbidden:
            return {}
        raise


def _refuse_leaving(home: Mapping[str, Any] | None, namespace: str) -> None:
    if home and home.get("status", {}).get("phase") == "Terminating":
        since = home["metadata"].get("deletionTimestamp", "an unknown time")
        raise PreflightError(
            f"namespace {namespace} is being deleted since {since}: run this again when it is gone "
            f"(`kubectl get namespace {namespace}`)"
        )


def _rights(manifests: Sequence[Manifest], namespace: str, home: Mapping[str, Any] | None) -> Iterable[Right]:
    for manifest in manifests:
        if manifest.kind.namespaced:
            for verb in ("get", "create", "patch"):
                yield Right.on(manifest.kind, verb, namespace)
    if home is None:
        yield from (Right.on(KINDS["Namespace"], verb, namespace) for verb in ("create", "patch"))
    yield Right.on(KINDS["Secret"], "create", namespace)
    for kind in (*workload_kinds(manifests), PODS):
        yield Right.on(kind, "list", namespace)
