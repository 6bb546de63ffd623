"""The metrics API, as metrics-server serves it: what pods and nodes use, measured a while ago, never watched."""

from typing import Protocol

from kubealive_sandbox.api._errors import ApiError, not_found
from kubealive_sandbox.api._selectors import label_selector
from kubealive_sandbox.api._store import Object

__all__ = ["Metrics", "measured"]

_GROUP = "metrics.k8s.io"
_KINDS = {"pods": "PodMetrics", "nodes": "NodeMetrics"}


class Metrics(Protocol):
    """Where `kubectl top` and autoscalers get their numbers."""

    def pods(self, namespace: str) -> list[Object]:
        """PodMetrics of a namespace, or of all."""
        ...

    def nodes(self) -> list[Object]:
        """NodeMetrics."""
        ...


def measured(metrics: Metrics, plural: str, namespace: str, name: str, *, selector: str) -> Object:
    """One object by its name, or the list of those that a label selector admits. Raises a 404."""
    if plural not in _KINDS:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    found = metrics.pods(namespace) if plural == "pods" else metrics.nodes()
    if name:
        one = next((each for each in found if each["metadata"]["name"] == name), None)
        if one is None:
            raise not_found(plural, _GROUP, name)
        return one
    listed = list(filter(label_selector(selector), found))
    return {"kind": f"{_KINDS[plural]}List", "apiVersion": f"{_GROUP}/v1beta1", "metadata": {}, "items": listed}
