"""What a user can ask of the agent, free of protobuf; `feed` converts.

These mirror the verbs of `ActRequest` and `SetLoadRequest`. `kubectl` text for each is made in `commands`.
"""

from dataclasses import dataclass
from enum import Enum

from kubealive_tui.model._entities import LoadMode, Target

__all__ = [
    "Act",
    "DeletePod",
    "Fault",
    "FaultKind",
    "Observe",
    "ProbeFails",
    "Request",
    "Scale",
    "SetLoad",
    "StopAll",
    "StopLoad",
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


Verb = DeletePod | Fault | Scale


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
