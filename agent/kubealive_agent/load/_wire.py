"""The pipe between agent and load child: commands down, reports up, one JSON object a line.

All times are agent time: microseconds since the Unix epoch on the agent's own monotonic base. A new field needs
a default and nothing else, since both ends are always of the same version.
"""

from typing import Final, Literal, TypeAlias

import msgspec

Outcome: TypeAlias = Literal[
    "ok",
    "refused",
    "reset",
    "connect-timeout",
    "read-timeout",
    "http-4xx",
    "http-5xx",
    "dns",
    "unreachable",
    "closed",
    "local",
]
"""How a planned send ended. `closed`: the server closed, or broke HTTP, before the reply was whole.
`local`: our own fault (no port, no descriptor, no free connection in time), never the cluster's."""

BIN_WIDTH_US: Final = 100_000
"""Width of a traffic bin and interval of the reports."""

MAX_LINE_BYTES: Final = 1 << 20
"""Longest line of the pipe: 256 rows of 0.5 KB and a full histogram, several times over."""


class Command(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """What the agent asks of the child."""


class Start(Command, frozen=True, tag=True):
    """Begin a load.

    `host` is a DNS name (with a trailing dot, or the search list is walked) or an address. `rate` is planned
    sends a second, evenly spaced, or None for a closed loop in which each connection sends the next request
    at once. Mode `new` opens a connection a request, `kept` keeps `connections` open and takes them in turn.
    The load ends after `count` sends, at `stop_at_us`, or after an hour, whichever comes first.
    """

    load_id: int
    host: str
    port: int
    path: str = "/"
    host_header: str = ""
    mode: Literal["new", "kept"] = "new"
    rate: float | None = None
    connections: int = 1
    count: int | None = None
    stop_at_us: int | None = None


class Rate(Command, frozen=True, tag=True):
    """Change the planned sends a second of a running open-loop load."""

    load_id: int
    rate: float


class Stop(Command, frozen=True, tag=True):
    """Plan no more sends; requests in flight still come to their outcome."""

    load_id: int


class Row(msgspec.Struct, frozen=True, gc=False):
    """Requests of one bin with the same server and outcome; without a reply the server's fields are empty.

    `retransmitted`: their connect needed a SYN retransmission. `retried`: a kept connection was found closed
    and the request was sent once more on a fresh one, as HTTP clients do.
    """

    pod_uid: str
    pod_name: str
    node: str
    version: str
    outcome: Outcome
    count: int
    first_planned_us: int
    last_planned_us: int
    first_end_us: int
    last_end_us: int
    retransmitted: int = 0
    retried: int = 0


class Report(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What the child tells the agent."""


class Bin(Report, frozen=True, tag=True, gc=False):
    """What became known since the last report about the sends planned in [start_us, start_us + width_us).

    Bins are additive: an outcome that comes late is a further Bin with the same start. `latency` holds
    (bucket, count), from the planned send to the end of the reply, of ok replies only. The lag is how late the
    engine sent the `sent` requests counted here; `unattributed` outcomes are in rows without a server because
    the bin already had its most rows.
    """

    load_id: int
    start_us: int
    width_us: int
    planned: int
    sent: int
    rows: tuple[Row, ...] = ()
    latency: tuple[tuple[int, int], ...] = ()
    lag_max_us: int = 0
    lag_p50_us: int = 0
    ports_quarantined: int = 0
    unattributed: int = 0


class Edge(Report, frozen=True, tag=True):
    """An edge of a client outage, at the planned send of the request that is this edge.

    `begin`: the first failure. `end`: the first ok that no failure followed for 1 s. `open`: the load ended
    first, at its last planned send. `failed` and `outcomes` count the outage so far. `interval_us` is the gap
    to the planned send before, the edge's error bar; 0 when there was none.
    """

    load_id: int
    outage_id: int
    kind: Literal["begin", "end", "open"]
    at_us: int
    failed: int
    outcomes: dict[Outcome, int]
    interval_us: int


class Totals(msgspec.Struct, frozen=True):
    """A whole load. `planned` less `sent` never left: withdrawn at a stop, or `local` after too long a wait."""

    planned: int
    sent: int
    outcomes: dict[Outcome, int]


class Stopped(Report, frozen=True, tag=True):
    """The last report of a load; every request that was sent has its outcome by now."""

    load_id: int
    reason: Literal["asked", "count", "time"]
    totals: Totals


class Refused(Report, frozen=True, tag=True):
    """A command that was not carried out, and why, in one sentence."""

    load_id: int
    why: str


class ChildDied(Report, frozen=True, tag=True):
    """Written by the supervisor, never by the child: the engine ended unasked, and these loads with it.

    `exit_code` is negative for a signal, and None when not even that could be learned.
    """

    exit_code: int | None
    load_ids: tuple[int, ...]


AnyCommand: TypeAlias = Start | Rate | Stop
AnyReport: TypeAlias = Bin | Edge | Stopped | Refused | ChildDied

encoder: Final = msgspec.json.Encoder()
command_decoder: Final = msgspec.json.Decoder(AnyCommand)
report_decoder: Final = msgspec.json.Decoder(AnyReport)
