"""What is in a namespace, of any kind: ours, to be removed, and everybody else's, never to be touched.

The kinds come from the API server's own discovery, so that an object of a kind nobody here has heard of still
keeps its namespace from being deleted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ._api import Api, each, items
from ._errors import ApiError
from ._kinds import EXPERIMENT_LABEL, Kind, is_ours, labels_of

# They come and go with the objects they speak of, and keep nothing that anybody made.
_DERIVED = frozenset({"endpoints", "endpointslices", "events"})
# Kubernetes and common platforms put these into each namespace by themselves.
_STANDARD = frozenset(
    {
        ("serviceaccounts", "default"),
        ("configmaps", "kube-root-ca.crt"),
        ("configmaps", "openshift-service-ca.crt"),
        ("configmaps", "istio-ca-root-cert"),
    }
)
_NEEDED_VERBS = {"list", "delete"}


@dataclass(frozen=True, slots=True)
class Item:
    """One object that nobody owns, so that it goes only when somebody deletes it."""

    kind: Kind
    namespace: str
    name: str
    uid: str
    experiment: str

    @property
    def path(self) -> str:
        """The object's path in the API."""
        return self.kind.path(self.namespace, self.name)

    @property
    def ref(self) -> str:
        """The object as kubectl calls it, `configmap/settings`."""
        return f"{self.kind.name.lower()}/{self.name}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Our objects, the foreign ones, and what could not be looked at, each as a sentence."""

    ours: tuple[Item, ...]
    foreign: tuple[Item, ...]
    unknown: tuple[str, ...]


async def inventory(api: Api, namespace: str) -> Inventory:
    """Look at every object of every kind in a namespace, but for what others own or derive."""
    unknown: list[str] = []

    async def look(kind: Kind) -> list[tuple[Item, bool]]:
        try:
            found = await items(api, kind.path(namespace))
        except ApiError as error:
            # A kind can go between discovery and the question, together with the API that served it.
            if not error.missing:
                unknown.append(f"{kind.plural}: {error.message}")
            return []
        return [(_item(kind, namespace, body), is_ours(body)) for body in found if _is_root(kind, body)]

    kinds = await _discover(api, unknown)
    seen = {item.uid: (item, ours) for listed in await each(look, kinds) for item, ours in listed}
    return Inventory(
        ours=tuple(item for item, ours in seen.values() if ours),
        foreign=tuple(item for item, ours in seen.values() if not ours),
        unknown=tuple(unknown),
    )


async def _discover(api: Api, unknown: list[str]) -> list[Kind]:
    groups = (await api.request("GET", "/apis")).get("groups") or ()
    versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]

    async def ask(version: str) -> list[Kind]:
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            resources = (await api.request("GET", path)).get("resources") or []
        except ApiError as error:
            unknown.append(f"the API {version}: {error.message}")
            return []
        return list(_deletable(version, resources))

    return [kind for kinds in await each(ask, versions) for kind in kinds]


def _deletable(version: str, resources: list[dict[str, Any]]) -> Iterator[Kind]:
    for resource in resources:
        plain = "/" not in resource["name"] and resource["name"] not in _DERIVED
        if plain and resource["namespaced"] and set(resource.get("verbs") or ()) >= _NEEDED_VERBS:
            yield Kind(resource["kind"], version, resource["name"])


def _is_root(kind: Kind, body: dict[str, Any]) -> bool:
    metadata = body["metadata"]
    return not metadata.get("ownerReferences") and (kind.plural, metadata["name"]) not in _STANDARD


def _item(kind: Kind, namespace: str, body: dict[str, Any]) -> Item:
    metadata = body["metadata"]
    experiment = labels_of(body).get(EXPERIMENT_LABEL, "")
    return Item(kind, namespace, metadata["name"], metadata["uid"], experiment)
