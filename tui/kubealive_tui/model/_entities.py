"""State as the user's side holds it: the latest of each object, free of protobuf.

These mirror `kubealive/v1/state.proto`, where each field is described; `feed` converts. They are plain, frozen
and hashable where that is cheap, since drawing compares them to find what changed. Times in `_us` are
microseconds since the Unix epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

__all__ = [
    "Autoscaler",
    "Claim",
    "Condition",
    "Container",
    "ContainerState",
    "Endpoint",
    "Entity",
    "Kind",
    "Load",
    "LoadMode",
    "Node",
    "Pod",
    "Port",
    "Service",
    "Slice",
    "Target",
    "Termination",
    "Usage",
    "Workload",
    "version_of",
]

_NO_LABELS: Mapping[str, str] = {}


def version_of(image: str) -> str:
    """The image's tag, or its digest's first characters, or nothing."""
    _, at, digest = image.partition("@sha256:")
    if at:
        return digest[:12]
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return tag if colon else ""


class Kind(Enum):
    """What an object is. UNKNOWN stands for kinds that only a newer agent knows."""

    POD = auto()
    DEPLOYMENT = auto()
    REPLICA_SET = auto()
    STATEFUL_SET = auto()
    DAEMON_SET = auto()
    ENDPOINT_SLICE = auto()
    AUTOSCALER = auto()
    NODE = auto()
    SERVICE = auto()
    CLAIM = auto()
    EVENT = auto()
    POD_USAGE = auto()
    NODE_USAGE = auto()
    LOAD = auto()
    UNKNOWN = auto()

    @property
    def word(self) -> str:
        """The kind as kubectl spells it: `pod`, `replicaset`."""
        return _WORDS.get(self, self.name.lower().replace("_", ""))


_WORDS = {
    Kind.AUTOSCALER: "horizontalpodautoscaler",
    Kind.CLAIM: "persistentvolumeclaim",
    Kind.POD_USAGE: "podmetrics",
    Kind.NODE_USAGE: "nodemetrics",
}


class ContainerState(Enum):
    """Where the kubelet has a container."""

    WAITING = auto()
    RUNNING = auto()
    TERMINATED = auto()
    UNKNOWN = auto()


class LoadMode(Enum):
    """Whether each request opens a connection of its own."""

    NEW = "new connections"
    KEPT = "kept connections"


@dataclass(frozen=True, slots=True)
class Termination:
    """How a container's run ended. `signal` is derived: Kubernetes leaves its own field empty."""

    reason: str
    exit_code: int
    finished_us: int | None = None
    message: str = ""

    @property
    def signal(self) -> int | None:
        """The signal behind an exit code over 128, or None."""
        return self.exit_code - 128 if 128 < self.exit_code <= 128 + 64 else None


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod."""

    name: str
    state: ContainerState
    reason: str = ""
    message: str = ""
    ready: bool = False
    restarts: int = 0
    started_us: int | None = None
    last_termination: Termination | None = None
    termination: Termination | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod; `status` is the STATUS column of `kubectl get pods`."""

    uid: str
    name: str
    experiment: str = ""
    owner_uid: str = ""
    owner_name: str = ""
    owner_kind: Kind = Kind.UNKNOWN
    node: str = ""
    ip: str = ""
    status: str = ""
    ready: bool = False
    created_us: int = 0
    deletion_us: int | None = None
    grace_seconds: int = 0
    restarts: int = 0
    last_restart_us: int | None = None
    image: str = ""
    containers: tuple[Container, ...] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    message: str = ""
    cpu_request_millis: int | None = None
    memory_limit_bytes: int | None = None
    hostname: str = ""
    subdomain: str = ""
    claims: tuple[str, ...] = ()
    host_ports: tuple[int, ...] = ()
    service_account: str = ""
    memory_request_bytes: int | None = None
    cpu_limit_millis: int | None = None
    annotations: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    annotations_left_out: bool = False

    @property
    def deleting(self) -> bool:
        """Deletion was asked for."""
        return self.deletion_us is not None

    @property
    def version(self) -> str:
        """The version that its image names."""
        return version_of(self.image)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a workload, autoscaler or node; status is True, False or Unknown."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    changed_us: int | None = None
    updated_us: int | None = None


class _Conditioned:
    """What the API tells of by conditions."""

    __slots__ = ()
    conditions: tuple[Condition, ...]

    def condition(self, type_: str) -> Condition | None:
        """The condition of this type, or None."""
        return next((condition for condition in self.conditions if condition.type == type_), None)


@dataclass(frozen=True, slots=True)
class Workload(_Conditioned):
    """A Deployment, ReplicaSet, StatefulSet or DaemonSet."""

    uid: str
    kind: Kind
    name: str
    experiment: str = ""
    owner_uid: str = ""
    created_us: int = 0
    desired: int = 0
    current: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    generation: int = 0
    observed_generation: int = 0
    revision: int = 0
    image: str = ""
    paused: bool = False
    strategy: str = ""
    max_surge: str = ""
    max_unavailable: str = ""
    progress_deadline_seconds: int | None = None
    pre_stop_seconds: int | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    conditions: tuple[Condition, ...] = ()
    container: str = ""
    readiness_probe: bool = False

    @property
    def version(self) -> str:
        """The version that its image names."""
        return version_of(self.image)


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a Service or slice; target and node_port belong to Services."""

    name: str
    port: int
    protocol: str = "TCP"
    target: str = ""
    node_port: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One entry of an EndpointSlice."""

    pod_uid: str
    pod_name: str
    addresses: tuple[str, ...] = ()
    node: str = ""
    hostname: str = ""
    ready: bool = False
    serving: bool = False
    terminating: bool = False

    @property
    def word(self) -> str:
        """`serving`, `draining` (serving while terminating), or `not ready`."""
        if self.terminating:
            return "draining" if self.serving else "leaving"
        return "serving" if self.ready else "not ready"


@dataclass(frozen=True, slots=True)
class Slice:
    """An EndpointSlice of one Service."""

    uid: str
    name: str
    experiment: str = ""
    service: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True, slots=True)
class Autoscaler(_Conditioned):
    """A HorizontalPodAutoscaler on CPU; utilisation in per cent of the request."""

    uid: str
    name: str
    experiment: str = ""
    target_name: str = ""
    min_replicas: int = 1
    max_replicas: int = 1
    current_replicas: int = 0
    desired_replicas: int = 0
    target_utilization: int = 0
    current_utilization: int | None = None
    last_scale_us: int | None = None
    scale_down_window_seconds: int | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Node(_Conditioned):
    """A node; state is Ready, NotReady or Unknown."""

    uid: str
    name: str
    state: str = "Unknown"
    unschedulable: bool = False
    internal_ip: str = ""
    kubelet_version: str = ""
    cpu_capacity_millis: int = 0
    memory_capacity_bytes: int = 0
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A Service; cluster_ip is `None` for a headless one."""

    uid: str
    name: str
    experiment: str = ""
    type: str = "ClusterIP"
    cluster_ip: str = ""
    external_name: str = ""
    external_traffic_policy: str = ""
    selector: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    ports: tuple[Port, ...] = ()
    publish_not_ready: bool = False
    cluster_ips: tuple[str, ...] = ()

    @property
    def headless(self) -> bool:
        """Its name leads to the pods themselves."""
        return self.cluster_ip == "None"


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim."""

    uid: str
    name: str
    experiment: str = ""
    phase: str = ""
    storage_class: str = ""
    volume: str = ""
    capacity_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the metrics API last said of a pod (uid) or node (its name as uid)."""

    uid: str
    kind: Kind
    name: str
    cpu_millis: int = 0
    memory_bytes: int = 0
    measured_us: int = 0
    window_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """Where measured traffic goes; exactly one of service, pod_uid and node is set."""

    service: str = ""
    pod_uid: str = ""
    node: str = ""
    port: int = 0
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Load:
    """Measured traffic that the agent is sending now; rate in planned requests a second, None for a burst.

    `connections` are those that are kept, 0 where each request has its own.
    """

    uid: str
    experiment: str
    target: Target
    mode: LoadMode = LoadMode.NEW
    rate: float | None = None
    cpu: float = 0.0
    actor: str = ""
    since_us: int = 0
    until_us: int | None = None
    action_id: str = ""
    count: int | None = None
    connections: int = 0


Entity = Pod | Workload | Slice | Autoscaler | Node | Service | Claim | Usage | Load
