"""Changes to single objects: a pod deleted, a replica count set, anything patched, each as one request.

A UID precondition makes sure that the pod which dies is the pod that was shown.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from kubealive.v1.state_pb2 import KIND_DEPLOYMENT
from kubealive_agent.actions._requests import MERGE_PATCH
from kubealive_agent.actions._step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubealive.v1.agent_pb2 import ActRequest
    from kubealive_agent.actions._requests import Requests
    from kubealive_agent.world import Found

__all__ = ["Objects"]


class Objects:
    """Makes the steps that change single Kubernetes objects."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def delete_pod(self, pod: Found, request: ActRequest) -> Step:
        """Delete exactly this pod, with its own grace or the given one; 0 forces."""
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
            await self._requests.delete("pods", pod.name, options)

        path = self._requests.path("pods", pod.name)
        return Step(f"DELETE {path} with {json.dumps(options)}", perform, parameters)

    def scale(self, target: Found, request: ActRequest) -> Step:
        """Set the replicas of a Deployment or StatefulSet through its scale subresource."""
        resource = "deployments" if target.kind == KIND_DEPLOYMENT else "statefulsets"
        replicas = request.scale.replicas
        change = {"spec": {"replicas": replicas}}
        return self.patch(target, f"{resource}/scale", change, {"replicas": str(replicas)})

    def patch(
        self,
        target: Found,
        resource: str,
        change: Mapping[str, object],
        parameters: Mapping[str, str],
        *,
        kind: str = MERGE_PATCH,
    ) -> Step:
        """Merge `change` into exactly this object; `resource` as rights name it, a subresource after its slash."""
        metadata = {"uid": target.uid, **cast("dict[str, object]", change.get("metadata", {}))}
        patch = {**change, "metadata": metadata}

        async def perform() -> None:
            await self._requests.patch(resource, target.name, patch, kind=kind)

        path = self._requests.path(resource, target.name)
        return Step(f"PATCH {path} with {json.dumps(patch)}", perform, parameters)
