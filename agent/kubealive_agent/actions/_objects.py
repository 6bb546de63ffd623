"""Changes to Kubernetes objects, each as one request that can be refused but not misread.

A UID precondition makes sure that the pod which dies is the pod that was shown. Field validation is strict,
since the API server otherwise answers 200 to a patch of a misspelt field and changes nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol, cast

from kubealive.v1.agent_pb2 import Refusal
from kubealive.v1.state_pb2 import KIND_DEPLOYMENT
from kubealive_agent._errors import RefusalError
from kubealive_agent.actions._step import Step
from kubealive_agent.kube import ConflictError, ForbiddenError, KubeError, NotFoundError, StatusError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubealive.v1.agent_pb2 import ActRequest
    from kubealive_agent.kube import Query
    from kubealive_agent.world import Found

__all__ = ["KubeApi", "Objects"]

DEADLINE_SECONDS = 10.0
"""For one change: an API server that lost its etcd leader answers within a few seconds or not at all."""

_CORE = frozenset({"pods", "services"})
"""Resources of the core group; the others that are changed here are of apps/v1."""


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


class Objects:
    """Makes the steps that change Kubernetes objects of one namespace."""

    def __init__(self, api: KubeApi, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def delete_pod(self, pod: Found, request: ActRequest) -> Step:
        """Delete exactly this pod, with its own grace or the given one; 0 forces."""
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod.name}"
        options: dict[str, object] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": pod.uid},
        }
        parameters: dict[str, str] = {}
        if request.delete_pod.HasField("grace_seconds"):
            grace = options["gracePeriodSeconds"] = request.delete_pod.grace_seconds
            parameters["grace_seconds"] = str(grace)

        async def perform() -> None:
            try:
                await self._api.request(
                    "DELETE", path, body=json.dumps(options).encode(), deadline=DEADLINE_SECONDS
                )
            except KubeError as exc:
                raise self._refusal(exc, "delete", "pods", pod.name) from exc

        return Step(f"DELETE {path} with {json.dumps(options)}", perform, parameters)

    def scale(self, target: Found, request: ActRequest) -> Step:
        """Set the replicas of a Deployment or StatefulSet through its scale subresource."""
        resource = "deployments" if target.kind == KIND_DEPLOYMENT else "statefulsets"
        replicas = request.scale.replicas
        change = {"spec": {"replicas": replicas}}
        return self.patch(target, f"{resource}/scale", change, {"replicas": str(replicas)})

    def patch(
        self, target: Found, resource: str, change: Mapping[str, object], parameters: Mapping[str, str]
    ) -> Step:
        """Merge `change` into exactly this object; `resource` as rights name it, a subresource after its slash."""
        plural, _, subresource = resource.partition("/")
        group = "/api/v1" if plural in _CORE else "/apis/apps/v1"
        path = f"{group}/namespaces/{self._namespace}/{plural}/{target.name}"
        path += f"/{subresource}" if subresource else ""
        metadata = {"uid": target.uid, **cast("dict[str, object]", change.get("metadata", {}))}
        patch = {**change, "metadata": metadata}

        async def perform() -> None:
            try:
                await self._api.request(
                    "PATCH",
                    path,
                    query={"fieldValidation": "Strict", "fieldManager": "kubealive"},
                    body=json.dumps(patch).encode(),
                    content_type="application/merge-patch+json",
                    deadline=DEADLINE_SECONDS,
                )
            except KubeError as exc:
                raise self._refusal(exc, "patch", resource, target.name) from exc

        return Step(f"PATCH {path} with {json.dumps(patch)}", perform, parameters)

    def _refusal(self, exc: KubeError, verb: str, resource: str, name: str) -> RefusalError:
        """The API's word as a refusal; each names what was to be done to what."""
        what = f"{verb} {resource} {name} in namespace {self._namespace}"
        match exc:
            case ForbiddenError():
                return RefusalError(
                    Refusal.REASON_FORBIDDEN,
                    f"the agent has no right to {verb} {resource} in namespace {self._namespace}; "
                    "whoever runs `kubealive up` can grant it "
                    f"({exc.message})",
                )
            case NotFoundError() | ConflictError():
                return RefusalError(
                    Refusal.REASON_GONE,
                    f"{what}: it is gone or was replaced by another of its name; choose one that is listed now",
                )
            case StatusError():
                return RefusalError(Refusal.REASON_REJECTED, f"{what}: Kubernetes refuses: {exc.message or exc}")
            case _:
                return RefusalError(
                    Refusal.REASON_UNANSWERED,
                    f"{what}: {exc}; whether it happened is not known, the list will show it",
                )
