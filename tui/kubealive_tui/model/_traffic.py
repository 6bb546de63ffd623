"""Measured traffic as facts: requests by the time they were planned, and the edges of outages."""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["EdgeKind", "OutageEdge", "Outcome", "TrafficBin", "TrafficRow"]


class Outcome(Enum):
    """How a measured request ended; the value is the word on the screen."""

    OK = "ok"
    REFUSED = "connection refused"
    RESET = "connection reset"
    CONNECT_TIMEOUT = "connect timeout"
    READ_TIMEOUT = "read timeout"
    HTTP_4XX = "HTTP 4xx"
    HTTP_5XX = "HTTP 5xx"
    DNS = "no DNS answer"
    UNREACHABLE = "unreachable"
    CLOSED = "closed early"
    LOCAL = "generator's own fault"
    UNASKED = "not asked"
    UNKNOWN = "unknown"

    @property
    def failed(self) -> bool:
        """Whether a client lost a request; the generator's own faults are not the cluster's."""
        return self not in _NO_LOSS


_NO_LOSS = frozenset({Outcome.OK, Outcome.LOCAL, Outcome.UNASKED})


class EdgeKind(Enum):
    """Which edge of a client outage."""

    BEGIN = auto()
    END = auto()
    OPEN = auto()


@dataclass(frozen=True, slots=True)
class TrafficRow:
    """Requests of one bin that one pod answered, or that ended one way."""

    outcome: Outcome
    count: int
    pod_uid: str = ""
    pod_name: str = ""
    node: str = ""
    version: str = ""
    first_planned_us: int = 0
    last_planned_us: int = 0
    first_end_us: int = 0
    last_end_us: int = 0
    retransmitted: int = 0
    retried: int = 0


@dataclass(frozen=True, slots=True)
class TrafficBin:
    """Requests by the time they were planned; bins of equal start add up. `latency` is (bucket, count) pairs."""

    load_id: str
    start_us: int
    width_us: int
    planned: int = 0
    sent: int = 0
    rows: tuple[TrafficRow, ...] = ()
    latency: tuple[tuple[int, int], ...] = ()
    lag_max_us: int = 0
    ports_quarantined: int = 0


@dataclass(frozen=True, slots=True)
class OutageEdge:
    """An edge of a client outage, decided by the load engine."""

    load_id: str
    outage_id: int
    edge: EdgeKind
    at_us: int
    failed: int
    interval_us: int
    outcomes: tuple[tuple[Outcome, int], ...] = ()
