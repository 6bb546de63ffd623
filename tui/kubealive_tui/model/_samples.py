"""What a tab wants asked again and again while somebody looks at it, free of protobuf; `feed` converts.

These mirror `Sample` of `kubealive/v1/agent.proto`, where each field and what comes of it is described.
"""

from dataclasses import dataclass, field

__all__ = ["CallSample", "DnsSample", "Interest", "NodeSample", "PodSample", "Sample"]


@dataclass(frozen=True, slots=True)
class DnsSample:
    """Ask the cluster's DNS for a name; without a trailing dot by the search list. `type` is A, AAAA or SRV."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class PodSample:
    """Ask each pod of the experiment (of one `app`, if given) for a path; port 0 is its Service's."""

    path: str
    app: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class NodeSample:
    """Ask each node at a port that the experiment opened there."""

    port: int
    path: str = "/"


@dataclass(frozen=True, slots=True)
class CallSample:
    """Resolve a name as a client would, and call what it leads to."""

    host: str
    port: int
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Sample:
    """One question of one experiment, each `period_ms` anew; every answer is a fact."""

    experiment: str
    what: DnsSample | PodSample | NodeSample | CallSample
    period_ms: int = 1_000


@dataclass(frozen=True, slots=True)
class Interest:
    """What a session looks at: the agent samples, and lets load live, for this alone."""

    experiments: frozenset[str] = field(default_factory=frozenset)
    samples: frozenset[Sample] = field(default_factory=frozenset)
