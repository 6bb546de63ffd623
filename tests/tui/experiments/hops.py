"""Short ways to write the Service's tab: its pods, its Service, the frontend's pages and the calls of nodes."""

import json
from typing import Any

from kubealive_tui.experiments import Scene
from kubealive_tui.experiments.service import lab
from kubealive_tui.experiments.service._hops import PATH
from kubealive_tui.model import (
    CallResult,
    Change,
    Endpoint,
    Fact,
    Info,
    Kind,
    LinkEvent,
    LinkState,
    Node,
    Outcome,
    Pod,
    Port,
    Reading,
    Service,
    Size,
    Slice,
    Workload,
)
from kubealive_tui.store import Store
from tests.tui import signals
from tests.tui.signals import EPOCH, START, frame, snapshot

VIP = "10.96.0.7"
HOST = "backend.kubealive.svc.cluster.local"
FRONT = "frontend-6c5aaaaaaa-front"
OK = Outcome.OK


def pod(number: int, *, app: str = "backend", **more: Any) -> Pod:
    """Backend `number`, on the node of that number; or the frontend."""
    name = FRONT if app == "frontend" else f"backend-5f6b8cd8c-back{number}"
    given: dict[str, Any] = {
        "node": f"node-{number}", "ip": f"10.244.{number}.5", "status": "Running", "ready": True,
        "created_us": START, "labels": {"app.kubernetes.io/name": app},
    }  # fmt: skip
    owner = name.rpartition("-")[0]
    return Pod("f1" if app == "frontend" else f"b{number}", name, "service", f"rs-{app}", owner, Kind.REPLICA_SET,
               **(given | more))  # fmt: skip


def backends(count: int = 3) -> list[Pod]:
    return [pod(number) for number in range(1, count + 1)]


def service(policy: str = "Cluster", **more: Any) -> Service:
    """The NodePort Service."""
    ports = (Port("http", 80, target="http", node_port=30_080),)
    given: dict[str, Any] = {
        "type": "NodePort",
        "cluster_ip": VIP,
        "external_traffic_policy": policy,
        "ports": ports,
    }
    return Service("s1", "backend", "service", **(given | more))


def slices(*pods: Pod) -> Change:
    """The EndpointSlice with these pods ready."""
    entries = tuple(Endpoint(p.uid, p.name, (p.ip,), p.node, ready=p.ready, serving=p.ready) for p in pods)
    found = Slice("e1", "backend-x", "service", "backend", entries, (Port("http", 8080),))
    return Change(Kind.ENDPOINT_SLICE, "e1", found)


def deployments(count: int) -> list[Change]:
    numbers = {"backend": count, "frontend": 1}
    return [
        Change(Kind.DEPLOYMENT, name, Workload(name, Kind.DEPLOYMENT, name, "service", desired=desired))
        for name, desired in numbers.items()
    ]


def node(number: int, state: str = "Ready") -> Change:
    return Change(
        Kind.NODE, f"n{number}", Node(f"n{number}", f"node-{number}", state, internal_ip=f"10.0.0.{number}")
    )


def answer(kind: str, records: list[Any] | None = None, rcode: str = "NOERROR") -> dict[str, Any]:
    """A lookup as the frontend tells it: the right records unless told otherwise."""
    right: list[Any] = [[0, 100, 80, HOST]] if kind == "SRV" else [VIP]
    name = f"_http._tcp.{HOST}." if kind == "SRV" else f"{HOST}."
    given = right if records is None and rcode == "NOERROR" else records or []
    return {"name": name, "rcode": rcode, "records": given, "ttl": 12 if given else None, "ms": 0.8}


def page(by: Pod | None = None, **changes: Any) -> str:
    """A page of /hostz: a call that this backend answered; `changes` replace its parts, `host` the host's."""
    body = {"pod": by.name, "node": by.node} if by else {}
    host = {"name": HOST, "port": 80, "a": answer("A"), "address": VIP, "ms": 1.9, "statusCode": 200, "body": body}
    host |= changes.pop("host", {})
    said = {"service": "backend", "server": "10.96.0.10", "srv": answer("SRV"), "hosts": [host]}
    return json.dumps(said | changes)


def unanswered(error: str = "connection refused") -> str:
    """A call that nobody answered."""
    return page(host={"error": error, "statusCode": 0, "body": {}})


def hop(text: str | None, error: str = "") -> Reading:
    return Reading(Kind.POD, "f1", FRONT, PATH, text, error=error)


def called(number: int, by: Pod | None = None, outcome: Outcome = OK) -> CallResult:
    """A call of node `number`'s port."""
    who = (by.uid, by.name, by.node) if by else ("", "", "")
    return CallResult(f"node-{number}", f"10.0.0.{number}", 30_080, outcome, 200 if by else 0, *who, took_us=900)


def fact(sequence: int, seconds: float, body: Any, action_id: str = "") -> Fact:
    return signals.fact(sequence, seconds, body, action_id=action_id, experiment="service")


def connected() -> LinkEvent:
    """A live link to an agent on node-1."""
    info = Info("0.1.0", EPOCH, "kubealive", "kubealive-agent-1", "node-1")
    return LinkEvent(LinkState.CONNECTED, info=info, round_trip_ms=3.0)


def store_of(*facts: Any, count: int = 3, given: Service | None = None, nodes: int = 3) -> Store:
    """A store with a frontend and so many backends, in which these answers have come."""
    pods = backends(count)
    store = Store({lab.name: lab.stopwatches})
    store.apply(connected())
    changes = [
        *deployments(count),
        Change(Kind.SERVICE, "s1", given or service()),
        slices(*pods),
        *(node(number) for number in range(1, nodes + 1)),
        *(Change(Kind.POD, each.uid, each) for each in (*pods, pod(2, app="frontend"))),
    ]
    store.apply(snapshot(*changes))
    told = [fact(n, 1.0 + n / 100, body) for n, body in enumerate(facts, 1)]
    store.apply(frame(len(told), 2.0, *told))
    return store


def scene(store: Store, selected: str | None = "b1", *, width: int = 80, height: int = 24) -> Scene:
    return Scene(store, lab, lab.settings(), selected, Size(width, height), me="me@here")
