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
from ._manifests import Manifest, workload_kinds

OLDEST_VERSION = (1, 27)  # the first that refuses unknown fields for certain, which every request here asks for
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a resource; `namespace` is empty for the whole cluster."""

    verb: str
    group: str
    resource: str
    namespace: str

    @property
    def full_resource(self) -> str:
        """The resource as kubectl takes it, with its group."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


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
        raise PreflightError(refusal(missing))
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


async def missing_rights(api: Api, rights: Iterable[Right]) -> tuple[Right, ...]:
    """Return those of the rights that the user lacks, by asking the API server itself."""
    wanted = tuple(dict.fromkeys(rights))
    if not wanted or await _allowed(api, Right("*", "*", "*", "")):
        return ()
    answers = await each(lambda right: _allowed(api, right), wanted)
    return tuple(right for right, allowed in zip(wanted, answers, strict=True) if not allowed)


def refusal(missing: Sequence[Right]) -> str:
    """Say which rights are missing, and how whoever can grant them would see the same."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in missing:
        verbs.setdefault((right.full_resource, right.namespace), []).append(right.verb)
    wanted = "; ".join(
        f"{', '.join(asked)} {resource}" + (f" in namespace {namespace}" if namespace else "")
        for (resource, namespace), asked in verbs.items()
    )
    first = missing[0]
    question = f"kubectl auth can-i {first.verb} {first.full_resource}"
    question += f" -n {first.namespace}" if first.namespace else ""
    return (
        f"you have no right to {wanted}. Whoever administers the cluster can grant it; `{question}` then says yes"
    )


def _rights(manifests: Sequence[Manifest], namespace: str, home: Mapping[str, Any] | None) -> Iterable[Right]:
    for manifest in manifests:
        if manifest.kind.namespaced:
            for verb in ("get", "create", "patch"):
                yield Right(verb, manifest.kind.group, manifest.kind.plural, namespace)
    if home is None:
        yield from (Right(verb, "", "namespaces", "") for verb in ("create", "patch"))
    yield Right("create", "", "secrets", namespace)
    for kind in (*workload_kinds(manifests), PODS):
        yield Right("list", kind.group, kind.plural, namespace)


async def _allowed(api: Api, right: Right) -> bool:
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "namespace": right.namespace,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await api.request("POST", _REVIEWS, body=review)
    return bool(answer.get("status", {}).get("allowed"))
