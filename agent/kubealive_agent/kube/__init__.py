"""The agent's view of the Kubernetes API: a light client, and a mirror of what it watches.

Objects are read into partial structs and trimmed at once to the contract's messages; nothing larger is kept.
A `Sink` hears of every change; `transitions` turns two states of an object into facts. Whoever starts
`reflect_all` owns it and cancels it; the client lives as long as the process.
"""

from kubealive_agent.kube._client import MAX_ANSWER_BYTES, REQUEST_DEADLINE_S, KubeClient, Lines, Query
from kubealive_agent.kube._errors import (
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    KubeError,
    MalformedError,
    NotFoundError,
    StatusError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)
from kubealive_agent.kube._meta import EXPERIMENT_LABEL, micros
from kubealive_agent.kube._pace import Backoff, Timing
from kubealive_agent.kube._quantity import quantity_millis, quantity_whole
from kubealive_agent.kube._reflector import Api, Reflector, reflect_all
from kubealive_agent.kube._resources import RESOURCES, Resource
from kubealive_agent.kube._sink import NO_GAP, AccessState, Kind, Sink, WatchGap
from kubealive_agent.kube._transitions import transitions

__all__ = [
    "EXPERIMENT_LABEL",
    "MAX_ANSWER_BYTES",
    "NO_GAP",
    "REQUEST_DEADLINE_S",
    "RESOURCES",
    "AccessState",
    "Api",
    "Backoff",
    "ConfigurationError",
    "ConflictError",
    "ForbiddenError",
    "GoneError",
    "InvalidError",
    "Kind",
    "KubeClient",
    "KubeError",
    "Lines",
    "MalformedError",
    "NotFoundError",
    "Query",
    "Reflector",
    "Resource",
    "Sink",
    "StatusError",
    "ThrottledError",
    "Timing",
    "UnauthorizedError",
    "UnreachableError",
    "WatchGap",
    "micros",
    "quantity_millis",
    "quantity_whole",
    "reflect_all",
    "transitions",
]
