"""What a user can ask of the agent, free of protobuf; `feed` converts.

These mirror the verbs of `ActRequest` and `SetLoadRequest`. `kubectl` text for each is made in `commands`.
"""

from dataclasses import dataclass
from enum import Enum

from kubealive_tui.model._entities import LoadMode, Target

__all__ = [
    "Act",
    "Call",
    "DeletePod",
    "Fault",
    "FaultKind",
    "LabelPod",
    "Observe",
    "Pause",
    "ProbeFails",
    "Request",
    "Restart",
    "Rollout",
    "Scale",
    "SetLoad",
    "StopAll",
    "StopLoad",
    "TrafficPolicy",
    "Undo",
    "Verb",
]


class FaultKind(Enum):
    """A misbehaviour of one workload pod; the value is the wire's name."""

    LIVENESS = "liveness"
    READINESS = "readiness"
    EXIT = "exit_code"
    HANG = "hang"
    EAT = "eat_mib_per_second"
    DELAY = "delay_milliseconds"
    ERRORS = "error_percent"
    CURE = "cure"


class ProbeFails(Enum):
    """Which calls of a probe fail."""

    NEVER = "never"
    ALWAYS = "always"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete a pod; grace None is the pod's own, 0 forces."""

    grace_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Make a pod misbehave. `amount` is the exit code, MiB/s, ms, per cent, or the count of failing probes."""

    kind: FaultKind
    fails: ProbeFails | None = None
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """Set the replicas of a Deployment or StatefulSet."""

    replicas: int


@dataclass(frozen=True, slots=True)
class Rollout:
    """Change a Deployment by one patch; what is None stays as it is."""

    image: str | None = None
    strategy: str | None = None
    max_surge: str | None = None
    max_unavailable: str | None = None
    drain: bool | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold a Deployment's rollout, or let it go on."""

    paused: bool


@dataclass(frozen=True, slots=True)
class Undo:
    """Roll a Deployment back to a revision; 0 is the one before the current."""

    revision: int = 0


@dataclass(frozen=True, slots=True)
class Restart:
    """Replace all pods of a Deployment by its own strategy."""


@dataclass(frozen=True, slots=True)
class LabelPod:
    """Set a label of a pod; None removes it."""

    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class TrafficPolicy:
    """Set a Service's externalTrafficPolicy: `Cluster` or `Local`."""

    external_traffic_policy: str


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call by name, made by the agent."""

    host: str
    port: int
    path: str
    method: str = "GET"
    body: str = ""


Verb = DeletePod | Fault | Scale | Rollout | Pause | Undo | Restart | LabelPod | TrafficPolicy | Call


@dataclass(frozen=True, slots=True)
class Observe:
    """Measured traffic around an action, started by the agent unless a load is running; times in ms."""

    target: Target
    rate: float
    mode: LoadMode = LoadMode.NEW
    lead_ms: int = 1_000
    tail_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class Act:
    """One guarded change of one object, named by kind of object, name (for people) and UID (for the guard)."""

    experiment: str
    uid: str
    name: str
    verb: Verb
    observe: Observe | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class SetLoad:
    """Start or change an experiment's traffic: exactly one of rate, burst and cpu is set."""

    experiment: str
    target: Target
    mode: LoadMode = LoadMode.NEW
    rate: float | None = None
    burst: int | None = None
    cpu: float | None = None
    duration_seconds: int = 0
    connections: int = 0


@dataclass(frozen=True, slots=True)
class StopLoad:
    """Stop an experiment's traffic."""

    experiment: str


@dataclass(frozen=True, slots=True)
class StopAll:
    """Stop all traffic, whoever started it, and cure the faults of all workloads."""


Request = Act | SetLoad | StopLoad | StopAll
