"""Whether the pods of a template come and go without loss: three settings of its container, on or off together.

A readiness probe keeps requests away until the program listens, a preStop sleep keeps it serving until every
kube-proxy has dropped it, and DRAIN lets it finish what is open. What `on` writes is what the manifests of the
rolling update hold, so that the templates are the same and their ReplicaSet is found again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubealive.v1.state_pb2 import Workload

__all__ = ["VARIABLE", "drain_of", "drain_patch"]

VARIABLE = "DRAIN"

PRE_STOP_SECONDS = 5
"""The slowest kube-proxy heard of a leaving pod after 1.1 s."""

_READINESS = {
    "httpGet": {"path": "/readyz", "port": "http"},
    "periodSeconds": 1,
    "timeoutSeconds": 1,
    "failureThreshold": 1,
}


def drain_patch(*, on: bool) -> dict[str, object]:
    """The part of a strategic merge patch of the container; null takes a setting away."""
    variable = {"name": VARIABLE, "value": "on" if on else "off"}
    if not on:
        return {"readinessProbe": None, "lifecycle": None, "env": [variable]}
    lifecycle = {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}}
    return {"readinessProbe": _READINESS, "lifecycle": lifecycle, "env": [variable]}


def drain_of(workload: Workload) -> str:
    """`on`, `off`, or `partly` where somebody has set only some of the three."""
    stops_well = workload.environment.get(VARIABLE, "on") != "off"
    settings = {stops_well, workload.readiness_probe, workload.HasField("pre_stop_seconds")}
    return "partly" if len(settings) > 1 else "on" if True in settings else "off"
