"""One change of one object, sent strictly, and what the API's word about it means.

Field validation is strict, since the API server otherwise answers 200 to a patch of a misspelt field and changes
nothing. The UID goes along, so that an object which replaced another of its name is left alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent._errors import RefusalError
from kubealive_agent._hints import own_command
from kubealive_agent.kube import ConflictError, ForbiddenError, KubeError, NotFoundError, StatusError

if TYPE_CHECKING:
    from kubealive_agent.kube import Query

__all__ = ["JSON_PATCH", "MERGE_PATCH", "STRATEGIC_PATCH", "KubeApi", "Requests"]

DEADLINE_SECONDS = 10.0
"""For one change: an API server that lost its etcd leader answers within a few seconds or not at all."""

_CORE = frozenset({"pods", "services"})
"""Resources of the core group; the others that are changed here are of apps/v1."""

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"


class KubeApi(Protocol):
    """What is needed of the Kubernetes client."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
        deadline: float = DEADLINE_SECONDS,
    ) -> bytes:
        """Make one request; raises KubeError."""
        ...


class Requests:
    """Asks the API about objects of one namespace; every refusal is one sentence."""

    def __init__(self, api: KubeApi, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def path(self, resource: str, name: str) -> str:
        """The path of an object of this namespace; `resource` as rights name it, a subresource after its slash."""
        plural, _, subresource = resource.partition("/")
        group = "/api/v1" if plural in _CORE else "/apis/apps/v1"
        path = f"{group}/namespaces/{self._namespace}/{plural}/{name}"
        return f"{path}/{subresource}" if subresource else path

    async def get(self, resource: str, name: str) -> bytes:
        """The object as it is now. Raises RefusalError."""
        try:
            return await self._api.request("GET", self.path(resource, name), deadline=DEADLINE_SECONDS)
        except KubeError as exc:
            raise self._refusal(exc, "get", resource, name) from exc

    async def delete(self, resource: str, name: str, options: object) -> None:
        """Delete the object with these options. Raises RefusalError."""
        try:
            body = json.dumps(options).encode()
            await self._api.request("DELETE", self.path(resource, name), body=body, deadline=DEADLINE_SECONDS)
        except KubeError as exc:
            raise self._refusal(exc, "delete", resource, name) from exc

    async def patch(self, resource: str, name: str, patch: object, *, kind: str) -> None:
        """Change the object by a patch of this kind. Raises RefusalError."""
        try:
            await self._api.request(
                "PATCH",
                self.path(resource, name),
                query={"fieldValidation": "Strict", "fieldManager": "kubealive"},
                body=json.dumps(patch).encode(),
                content_type=kind,
                deadline=DEADLINE_SECONDS,
            )
        except KubeError as exc:
            raise self._refusal(exc, "patch", resource, name) from exc

    def _refusal(self, exc: KubeError, verb: str, resource: str, name: str) -> RefusalError:
        """The API's word as a refusal; each names what was to be done to what."""
        what = f"{verb} {resource} {name} in namespace {self._namespace}"
        match exc:
            case ForbiddenError():
                grants = own_command("reset", namespace=self._namespace)
                return RefusalError(
                    Refusal.REASON_FORBIDDEN,
                    f"the agent has no right to {verb} {resource} in namespace {self._namespace}; "
                    f"whoever may run `{grants}` grants it so ({exc.message})",
                )
            case NotFoundError() | ConflictError():
                return RefusalError(
                    Refusal.REASON_GONE,
                    f"{what}: it is gone or was replaced by another of its name; choose one that is listed now",
                )
            case StatusError():
                return RefusalError(Refusal.REASON_REJECTED, f"{what}: Kubernetes refuses: {exc.message or exc}")
            case _ if verb == "get":
                return RefusalError(Refusal.REASON_REJECTED, f"{what}: {exc}; nothing was changed, try again")
            case _:
                return RefusalError(
                    Refusal.REASON_UNANSWERED,
                    f"{what}: {exc}; whether it happened is not known, the list will show it",
                )
