"""Short ways to write the signals and facts that tests feed to a store."""

from dataclasses import replace
from typing import Any

from kubealive_tui.model import (
    Action,
    Aspect,
    Batch,
    Change,
    EdgeKind,
    Endpoint,
    EndpointTransition,
    Fact,
    FactBody,
    Frame,
    Info,
    Kind,
    LinkEvent,
    LinkState,
    Load,
    LoadMode,
    LoadState,
    LoadTransition,
    Node,
    OutageEdge,
    Outcome,
    Phase,
    Pod,
    PodTransition,
    Service,
    Slice,
    Snapshot,
    Target,
    TrafficBin,
    TrafficRow,
    Workload,
)

EPOCH = 7
START = 1_800_000_000_000_000
OWNER = "rs-1"


def at(seconds: float) -> int:
    """Agent time so many seconds after the tests' start."""
    return START + round(seconds * 1e6)


def frame(sequence: int, seconds: float, *facts: Fact, changes: tuple[Change, ...] = ()) -> Frame:
    """A batch at that time."""
    return Frame(EPOCH, sequence, at(seconds), Batch(changes, facts))


def snapshot(*changes: Change, facts: tuple[Fact, ...] = (), epoch: int = EPOCH, seconds: float = 0) -> Frame:
    """A whole snapshot in one chunk."""
    last = max((fact.sequence for fact in facts), default=0)
    return Frame(epoch, last, at(seconds), Snapshot(first=True, last=True, changes=changes, facts=facts))


def fact(
    sequence: int, seconds: float, body: FactBody, *, action_id: str = "", experiment: str = "balance"
) -> Fact:
    """A fact of the load balancing experiment."""
    return Fact(sequence, at(seconds), experiment, body, action_id)


def away(name: str = "node-1") -> Change:
    """A node of which its kubelet says nothing any more."""
    return Change(Kind.NODE, f"u-{name}", Node(f"u-{name}", name, "Unknown"))


def pod(uid: str = "p1", *, name: str = "", ready: bool = True, status: str = "Running", **more: Any) -> Pod:
    """A pod of getip as it runs."""
    given = {"node": "node-1", "ip": "10.244.1.2", "created_us": START, "image": "x/workload:v1", **more}
    return Pod(
        uid,
        name or f"getip-5f6b8cd8c-{uid:a>5}",
        "balance",
        OWNER,
        "getip-5f6b8cd8c",
        Kind.REPLICA_SET,
        status=status,
        ready=ready,
        **given,
    )


def pod_change(found: Pod, *, gone: bool = False) -> Change:
    """That pod's state."""
    return Change(Kind.POD, found.uid, None if gone else found)


def getip(replicas: int = 4, ready: int = 4) -> Change:
    """The Deployment."""
    found = Workload("d1", Kind.DEPLOYMENT, "getip", "balance", desired=replicas, ready=ready)
    return Change(Kind.DEPLOYMENT, "d1", found)


def service() -> Change:
    """The Service."""
    return Change(Kind.SERVICE, "s1", Service("s1", "getip", "balance", cluster_ip="10.96.0.9"))


def slices(*pods: Pod) -> Change:
    """The EndpointSlice with these pods ready."""
    endpoints = tuple(Endpoint(p.uid, p.name, (p.ip,), ready=p.ready, serving=p.ready) for p in pods)
    return Change(Kind.ENDPOINT_SLICE, "e1", Slice("e1", "getip-x", "balance", "getip", endpoints))


def running_load(rate: float = 100.0, *, mode: LoadMode = LoadMode.NEW) -> Change:
    """A load that runs since the start."""
    load = Load("l1", "balance", Target(service="getip"), mode, rate, actor="me@here", since_us=START)
    return Change(Kind.LOAD, "l1", load)


def load_started(load_id: str = "l1") -> LoadTransition:
    """The load began."""
    return LoadTransition(load_id, LoadState.STARTED)


def deletion(uid: str = "p1", *, phase: Phase = Phase.REQUESTED, request_id: str = "r1") -> Action:
    """Somebody deletes a pod."""
    return Action(
        request_id,
        "me@here",
        "delete_pod",
        phase,
        Kind.POD,
        f"getip-5f6b8cd8c-{uid:a>5}",
        uid,
        {"grace_seconds": "30"},
    )


def moved(
    uid: str, *aspects: Aspect, ready: bool = False, deleting: bool = False, node: str = "node-1"
) -> PodTransition:
    """A pod changed in these aspects."""
    return PodTransition(
        uid, f"getip-5f6b8cd8c-{uid:a>5}", frozenset(aspects), node, OWNER, "Running", ready, deleting
    )


def entry(
    uid: str, *, ready: bool = False, serving: bool = True, terminating: bool = True, removed: bool = False
) -> EndpointTransition:
    """The pod's endpoint entry changed."""
    return EndpointTransition(
        "getip", uid, f"getip-5f6b8cd8c-{uid:a>5}", "10.0.0.1", ready, serving, terminating, removed
    )


def replies(
    seconds: float, *rows: tuple[str, Outcome, int], load_id: str = "l1", retransmitted: int = 0, retried: int = 0
) -> TrafficBin:
    """A bin of 100 ms from `seconds` on; rows are (pod uid, outcome, count), ended 1 ms after the plan.

    So many of each row were `retransmitted` or `retried`.
    """
    begin = at(seconds)
    return TrafficBin(
        load_id,
        begin,
        100_000,
        planned=sum(n for _, _, n in rows),
        sent=sum(n for _, _, n in rows),
        rows=tuple(replace(_row(begin, *row), retransmitted=retransmitted, retried=retried) for row in rows),
        latency=((200, sum(n for _, o, n in rows if o is Outcome.OK)),),
    )


def _row(begin: int, uid: str, outcome: Outcome, count: int) -> TrafficRow:
    name = f"getip-5f6b8cd8c-{uid:a>5}" if uid else ""
    times = (begin, begin + 90_000, begin + 1_000, begin + 91_000)
    return TrafficRow(outcome, count, uid, name, "node-1", "v1", *times)


def edge(kind: EdgeKind, seconds: float, *, failed: int, outage: int = 1) -> OutageEdge:
    """An edge of a client outage, at 100 requests a second."""
    return OutageEdge("l1", outage, kind, at(seconds), failed, 10_000, ((Outcome.REFUSED, failed),))


def connected() -> LinkEvent:
    """The link is live, to an agent that can do what the first tab needs."""
    can = frozenset({"delete_pod", "scale", "fault", "load"})
    return LinkEvent(
        LinkState.CONNECTED, info=Info("0.1.0", EPOCH, "kubealive", capabilities=can), round_trip_ms=3.0
    )
