"""The control loops of Kubernetes, one file each, as clients of the API."""

from kubealive_sandbox.controllers._events import Recorder
from kubealive_sandbox.controllers._loop import Loop
from kubealive_sandbox.controllers.autoscaler import Autoscalers
from kubealive_sandbox.controllers.claims import claims
from kubealive_sandbox.controllers.daemonset import daemon_sets
from kubealive_sandbox.controllers.deployment import deployments
from kubealive_sandbox.controllers.endpointslice import endpoint_slices
from kubealive_sandbox.controllers.garbage import garbage_collector, namespaces
from kubealive_sandbox.controllers.quota import enforce_quotas, quotas
from kubealive_sandbox.controllers.replicaset import replica_sets
from kubealive_sandbox.controllers.scheduler import scheduler
from kubealive_sandbox.controllers.security import enforce_pod_security
from kubealive_sandbox.controllers.statefulset import stateful_sets

__all__ = [
    "CONTROLLERS",
    "Autoscalers",
    "Loop",
    "Recorder",
    "claims",
    "daemon_sets",
    "deployments",
    "endpoint_slices",
    "enforce_pod_security",
    "enforce_quotas",
    "garbage_collector",
    "namespaces",
    "quotas",
    "replica_sets",
    "scheduler",
    "stateful_sets",
]

CONTROLLERS = (
    namespaces,
    scheduler,
    deployments,
    replica_sets,
    stateful_sets,
    daemon_sets,
    endpoint_slices,
    claims,
    quotas,
    garbage_collector,
)
