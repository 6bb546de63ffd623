"""Facts as the user's side holds them: what happened, on the agent's clock.

They mirror `kubealive/v1/facts.proto`, where each field is described; `feed` converts. Facts are never merged;
stopwatches, timelines and verdicts are functions of them. `LossMark` and `EpochMark` are the client's own: they
stand where something is missing, so that whoever crosses them knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from kubealive_tui.model._entities import Condition, Kind, Load, Termination
from kubealive_tui.model._traffic import OutageEdge, Outcome, TrafficBin

__all__ = [
    "Action",
    "AgentNote",
    "Aspect",
    "CallResult",
    "ConditionTransition",
    "DnsAnswer",
    "EndpointTransition",
    "EpochMark",
    "Fact",
    "FactBody",
    "KubeEvent",
    "LoadState",
    "LoadTransition",
    "LossMark",
    "Phase",
    "PodTransition",
    "Reading",
    "ScalingSample",
    "Unknown",
    "WatchGap",
    "WorkloadTransition",
]

_NOTHING: Mapping[str, str] = {}


class Phase(Enum):
    """Where an action stands."""

    REQUESTED = auto()
    ACCEPTED = auto()
    REFUSED = auto()
    UNANSWERED = auto()


class Aspect(Enum):
    """What changed in a pod."""

    CREATED = auto()
    SCHEDULED = auto()
    STATUS = auto()
    READY = auto()
    DELETING = auto()
    RESTARTS = auto()
    DELETED = auto()
    LABELS = auto()
    IMAGE = auto()


class LoadState(Enum):
    """What happened to a load."""

    STARTED = auto()
    CHANGED = auto()
    STOPPED = auto()


class WatchGap(Enum):
    """Where a time begins or ends in which the agent could not watch the cluster."""

    BEGAN = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Action:
    """Somebody pressed a key; the trigger of runs."""

    request_id: str
    actor: str
    verb: str
    phase: Phase
    target_kind: Kind = Kind.UNKNOWN
    target_name: str = ""
    target_uid: str = ""
    parameters: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    message: str = ""


@dataclass(frozen=True, slots=True)
class PodTransition:
    """A pod as it stands after a change that matters; `message` says why it does not run."""

    uid: str
    name: str
    changed: frozenset[Aspect]
    node: str = ""
    owner_uid: str = ""
    status: str = ""
    ready: bool = False
    deleting: bool = False
    restarts: int = 0
    image: str = ""
    ip: str = ""
    last_termination: Termination | None = None
    created_us: int = 0
    found: bool = False
    message: str = ""

    @property
    def deleted(self) -> bool:
        """The pod left the API with this fact."""
        return Aspect.DELETED in self.changed


@dataclass(frozen=True, slots=True)
class EndpointTransition:
    """An entry of an EndpointSlice after a change; removed ones keep their last conditions."""

    service: str
    pod_uid: str
    pod_name: str
    address: str = ""
    ready: bool = False
    serving: bool = False
    terminating: bool = False
    removed: bool = False
    found: bool = False


@dataclass(frozen=True, slots=True)
class KubeEvent:
    """An Event of Kubernetes; `happened_us` is the component's clock, whole seconds from the kubelet."""

    uid: str
    type: str
    reason: str
    message: str
    object_kind: str = ""
    object_name: str = ""
    object_uid: str = ""
    component: str = ""
    count: int = 0
    happened_us: int = 0
    found: bool = False


@dataclass(frozen=True, slots=True)
class ConditionTransition:
    """A condition of a workload, autoscaler or node changed."""

    kind: Kind
    uid: str
    name: str
    condition: Condition
    found: bool = False


@dataclass(frozen=True, slots=True)
class WorkloadTransition:
    """The numbers of a workload after a change."""

    kind: Kind
    uid: str
    name: str
    owner_uid: str = ""
    desired: int = 0
    current: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    revision: int = 0
    image: str = ""
    paused: bool = False
    deleted: bool = False
    found: bool = False


@dataclass(frozen=True, slots=True)
class LoadTransition:
    """A load began, changed or ended, and why."""

    load_id: str
    state: LoadState
    reason: str = ""
    load: Load | None = None


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """One DNS question and what came back."""

    name: str
    type: str
    rcode: str
    answers: tuple[str, ...] = ()
    ttl_seconds: int | None = None
    soa_minimum_seconds: int | None = None
    took_us: int = 0
    server: str = ""
    changed: bool = False
    walk: str = ""
    step: int = 0

    @property
    def found(self) -> bool:
        """Whether there are records, and not only the way to another name: a search ends here."""
        return self.rcode == "NOERROR" and any(not text.startswith("CNAME ") for text in self.answers)

    @property
    def standing(self) -> str:
        """Its rcode; NODATA for a name that exists, but has no record of this type."""
        return "NODATA" if self.rcode == "NOERROR" and not self.answers else self.rcode


@dataclass(frozen=True, slots=True)
class Reading:
    """A value somebody measured; None with `error` where there is none."""

    kind: Kind
    uid: str
    subject: str
    name: str
    value: float | str | None = None
    taken_us: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ScalingSample:
    """What an autoscaler has to decide by and what it decided; utilisation in per cent of what is requested.

    `utilization` is of the pods that are measured, `seen_utilization` what the autoscaler saw at its last tick;
    `previous_desired_replicas` is there where this tells that desired has just changed.
    """

    uid: str
    name: str
    utilization: float | None = None
    measured_pods: int = 0
    unmeasured_pods: int = 0
    measured_us: int | None = None
    target_utilization: int = 0
    min_replicas: int = 1
    max_replicas: int = 1
    desired_replicas: int = 0
    current_replicas: int = 0
    seen_utilization: int | None = None
    previous_desired_replicas: int | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """A single call by name or address, made by the agent."""

    name: str
    address: str
    port: int
    outcome: Outcome
    http_status: int = 0
    pod_uid: str = ""
    pod_name: str = ""
    node: str = ""
    body: str = ""
    took_us: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class AgentNote:
    """The agent speaks of itself."""

    message: str
    warning: bool = False
    watch_gap: WatchGap | None = None


@dataclass(frozen=True, slots=True)
class LossMark:
    """Facts from..to (sequences, both included) are gone: runs that span this are incomplete."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class EpochMark:
    """Another agent lives from here on; what was running under the old one has ended."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact of a newer agent, kept and shown as such."""

    field_number: int


FactBody = (
    Action
    | PodTransition
    | EndpointTransition
    | KubeEvent
    | ConditionTransition
    | WorkloadTransition
    | TrafficBin
    | OutageEdge
    | LoadTransition
    | DnsAnswer
    | Reading
    | ScalingSample
    | CallResult
    | AgentNote
    | LossMark
    | EpochMark
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact with its place in the journal (`sequence`) and its agent time."""

    sequence: int
    time_us: int
    experiment: str
    body: FactBody
    action_id: str = ""
