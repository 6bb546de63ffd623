"""Small changes of what exists: a label of a pod, the traffic policy of a Service.

Labels are how Kubernetes finds things: a pod that loses the wrong one leaves its owner or its Service. So only
labels that nobody selects by can be set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent._errors import RefusalError

if TYPE_CHECKING:
    from kubealive.v1.agent_pb2 import ActRequest
    from kubealive.v1.state_pb2 import Service
    from kubealive_agent.actions._objects import Objects
    from kubealive_agent.actions._step import Step
    from kubealive_agent.world import Found, World

__all__ = ["Patches"]


class Patches:
    """Makes the steps that change one field of an object."""

    def __init__(self, objects: Objects, world: World) -> None:
        self._objects = objects
        self._world = world

    def label_pod(self, pod: Found, request: ActRequest) -> Step:
        """Set or remove one label. Raises RefusalError for a label by which a Service finds its pods."""
        wanted = request.label_pod
        selecting = [service.name for service in self._world.services() if wanted.key in service.selector]
        if selecting:
            raise RefusalError(
                Refusal.REASON_NOT_OURS,
                f"Service {selecting[0]} finds its pods by the label {wanted.key}; choose another",
            )
        value = wanted.value if wanted.HasField("value") else None
        change = {"metadata": {"labels": {wanted.key: value}}}
        parameters = {"key": wanted.key} | ({} if value is None else {"value": value})
        return self._objects.patch(pod, "pods", change, parameters)

    def traffic_policy(self, target: Found, request: ActRequest) -> Step:
        """Set externalTrafficPolicy. Raises RefusalError for a Service that has no port on the nodes."""
        service, policy = cast("Service", target.value), request.traffic_policy.external_traffic_policy
        if service.type not in {"NodePort", "LoadBalancer"}:
            raise RefusalError(
                Refusal.REASON_INVALID,
                f"Service {target.name} is a {service.type or 'ClusterIP'}: only a NodePort or LoadBalancer has "
                "an externalTrafficPolicy",
            )
        change = {"spec": {"externalTrafficPolicy": policy}}
        return self._objects.patch(target, "services", change, {"external_traffic_policy": policy})
