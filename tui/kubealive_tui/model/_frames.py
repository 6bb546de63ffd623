"""What a feed delivers, live or from a recording: frames of the agent's stream, and the link's own states.

The store's time comes from these alone, so that a recording replays to the same screen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from kubealive_tui.model._entities import Entity, Kind
from kubealive_tui.model._facts import Fact

__all__ = [
    "Access",
    "AccessState",
    "Batch",
    "Caps",
    "Change",
    "Frame",
    "FrameBody",
    "Goodbye",
    "Info",
    "LinkEvent",
    "LinkState",
    "Loss",
    "Resolver",
    "Signal",
    "Snapshot",
    "Status",
    "Tick",
    "Viewer",
]


class AccessState(Enum):
    """Whether the agent can read a kind."""

    LISTING = "listing"
    WATCHING = "watching"
    RETRYING = "retrying"
    FORBIDDEN = "forbidden"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Access:
    """A kind, whether the agent can read it, and if not, why."""

    kind: Kind
    state: AccessState
    reason: str = ""
    since_us: int = 0


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is connected to the agent, or was a moment ago."""

    session_id: str
    actor: str
    read_only: bool
    since_us: int
    experiments: tuple[str, ...] = ()
    leaving_us: int | None = None


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that the agent's load engine takes on."""

    rate: float = 5000.0
    connections: int = 512
    duration_seconds: int = 3600
    burst: int = 10000
    cpu: float = 2.0


@dataclass(frozen=True, slots=True)
class Resolver:
    """How a pod of the namespace resolves names; without a word from the agent, as the kubelet sets it up."""

    domain: str = "cluster.local"
    search: tuple[str, ...] = ()
    ndots: int = 5
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Info:
    """Who the agent is and what it can do; asked once a connection."""

    version: str
    epoch: int
    namespace: str = ""
    pod_name: str = ""
    node_name: str = ""
    kubernetes_version: str = ""
    capabilities: frozenset[str] = frozenset()
    kinds: tuple[Access, ...] = ()
    caps: Caps = Caps()
    time_us: int = 0
    downward: Mapping[str, str] = field(default_factory=dict)
    resolver: Resolver = Resolver()


@dataclass(frozen=True, slots=True)
class Change:
    """An object that appeared or changed; without a value it is gone."""

    kind: Kind
    uid: str
    value: Entity | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A part of the whole state and of the retained facts; what no part names no longer exists."""

    first: bool
    last: bool
    changes: Sequence[Change] = ()
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """What is new since the frame before."""

    changes: Sequence[Change] = ()
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """The agent on itself and on who is here."""

    viewers: tuple[Viewer, ...] = ()
    kinds: tuple[Access, ...] = ()
    started_us: int = 0
    rss_bytes: int = 0
    journal_facts: int = 0
    journal_bytes: int = 0
    journal_dropped: int = 0
    load_local_errors: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """Facts that cannot be given any more, both sequences included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The stream ends on purpose."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing is new but the time."""


FrameBody = Snapshot | Batch | Status | Loss | Goodbye | Tick


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of the agent's stream."""

    epoch: int
    sequence: int
    time_us: int
    body: FrameBody


class LinkState(Enum):
    """Where the link to the agent stands; the value is the word on the screen."""

    AUTHENTICATING = "authenticating"
    FINDING = "finding agent"
    FORWARDING = "forwarding"
    CONNECTED = "live"
    DEGRADED = "degraded"
    RECONNECTING = "reconnecting"
    NOT_INSTALLED = "not installed"
    FAILED = "no link"
    REPLAYING = "replaying"
    ENDED = "end of recording"

    @property
    def live(self) -> bool:
        """Whether what the screen shows is fresh."""
        return self in {LinkState.CONNECTED, LinkState.REPLAYING}


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """The link's state as the client sees it; recorded beside the frames, so that a replay shows it too.

    `silence_s` is how long the agent has been silent, known to the client alone; `info` comes with CONNECTED.
    """

    state: LinkState
    reason: str = ""
    attempt: int = 0
    silence_s: float = 0.0
    round_trip_ms: float | None = None
    info: Info | None = None


Signal = Frame | LinkEvent
