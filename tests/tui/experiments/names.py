"""The objects of the DNS experiment and a DNS server that is right, as far as a test does not say otherwise."""

from __future__ import annotations

from dataclasses import replace

from kubealive_tui.experiments._dns import Form, Question, expected
from kubealive_tui.experiments.dns import lab
from kubealive_tui.experiments.dns._matrix import questions
from kubealive_tui.model import (
    Action,
    Aspect,
    Batch,
    Change,
    DnsAnswer,
    Endpoint,
    EndpointTransition,
    Fact,
    FactBody,
    Frame,
    Info,
    Kind,
    LinkEvent,
    LinkState,
    Phase,
    Pod,
    PodTransition,
    Port,
    Resolver,
    Service,
    Slice,
    Workload,
)
from kubealive_tui.store import Store
from tests.tui.signals import EPOCH, START, at, snapshot

ZONE = "lab.svc.cluster.local."
SEARCH = ("lab.svc.cluster.local", "svc.cluster.local", "cluster.local")
SERVER = "10.96.0.10"
HTTP = (Port("http", 80, target="http"),)
EACH = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
SETS = ("10.0.1.1", "10.0.1.2")


def pod(app: str, uid: str, name: str, ip: str, **more: object) -> Change:
    """A pod of one of the two workloads."""
    given = {
        "status": "Running",
        "ready": True,
        "node": "node-1",
        "ip": ip,
        "created_us": START,
        "owner_uid": f"uid-{app}",
        "labels": {"app.kubernetes.io/name": app},
        **more,
    }
    return Change(Kind.POD, uid, Pod(uid, name, "dns", **given))  # type: ignore[arg-type]


def service(name: str, **more: object) -> Change:
    """A Service of the experiment; a headless one unless it is told otherwise."""
    given = {"experiment": "dns", "cluster_ip": "None", "ports": HTTP, **more}
    return Change(Kind.SERVICE, f"uid-{name}", Service(f"uid-{name}", name, **given))  # type: ignore[arg-type]


def entries(name: str, *endpoints: Endpoint) -> Change:
    """The EndpointSlice of a Service."""
    found = Slice(f"slice-{name}", f"{name}-x", "dns", name, endpoints, (Port("http", 8080),))
    return Change(Kind.ENDPOINT_SLICE, found.uid, found)


def endpoint(uid: str, ip: str, *, hostname: str = "") -> Endpoint:
    """A ready endpoint."""
    return Endpoint(uid, uid, (ip,), hostname=hostname, ready=True, serving=True)


def workload(kind: Kind, name: str, count: int) -> Change:
    """A workload all of whose pods are ready."""
    found = Workload(f"uid-{name}", kind, name, "dns", desired=count, current=count, ready=count)
    return Change(kind, found.uid, found)


OBJECTS = (
    service("dns-web", cluster_ip="10.96.0.7"),
    service("dns-port", cluster_ip="10.96.0.8", type="NodePort"),
    service("dns-each"),
    service("dns-set"),
    service("dns-alias", cluster_ip="", type="ExternalName", ports=(), external_name="kubernetes.default.svc"),
    entries("dns-each", *(endpoint(f"each-{n}", ip) for n, ip in enumerate(EACH))),
    entries("dns-set", *(endpoint(f"set-{n}", ip, hostname=f"dns-set-{n}") for n, ip in enumerate(SETS))),
    workload(Kind.DAEMON_SET, "dns-each", len(EACH)),
    workload(Kind.STATEFUL_SET, "dns-set", len(SETS)),
    *(pod("dns-each", f"each-{n}", f"dns-each-{n}", ip) for n, ip in enumerate(EACH)),
    *(pod("dns-set", f"set-{n}", f"dns-set-{n}", ip) for n, ip in enumerate(SETS)),
)


class Cluster:
    """A store, and what is told to it second by second."""

    def __init__(self, *changes: Change) -> None:
        self.store = Store({lab.name: lab.stopwatches})
        self.seconds = 0.0
        self.sequence = 0
        can = frozenset({"delete_pod", "scale", "sample_dns"})
        resolver = Resolver("cluster.local", SEARCH, 5, (SERVER,))
        info = Info("0.1.0", EPOCH, "lab", capabilities=can, resolver=resolver)
        self.store.apply(LinkEvent(LinkState.CONNECTED, info=info, round_trip_ms=3.0))
        self.store.apply(snapshot(*(changes or OBJECTS)))

    def tell(self, *bodies: FactBody, changes: tuple[Change, ...] = (), action_id: str = "") -> None:
        """Facts and changes at this moment."""
        facts = []
        for body in bodies:
            self.sequence += 1
            facts.append(Fact(self.sequence, at(self.seconds), "dns", body, action_id))
        self.store.apply(Frame(EPOCH, 10_000 + self.sequence, at(self.seconds), Batch(changes, tuple(facts))))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        self.tell()

    def answer_all(self, *, but: tuple[str, ...] = (), server: Store | None = None) -> None:
        """Answer every cell as a right server does, those of the names `but` excepted."""
        for question in questions():
            if question.name not in but:
                self.tell(*self.right(question, server=server))

    def right(self, question: Question, *, server: Store | None = None) -> list[DnsAnswer]:
        """The steps of a walk by a server that says what is promised."""
        promised = expected(server or self.store, question)
        whole = question.absolute(self.store)
        records = tuple(f"0 50 {each}" if question.type == "SRV" else each for each in sorted(promised.answers))
        records += tuple(f"0 50 {promised.port} {label}.{promised.zone}" for label in sorted(promised.nameless))
        rcode = "NOERROR" if records or not promised.denials or "NODATA" in promised.denials else "NXDOMAIN"
        last = DnsAnswer(
            whole, question.type, rcode, records, 30, None if records else 30, 800, SERVER, walk="", step=0
        )
        if question.form is Form.DOT:
            return [last]
        asked = question.asked(self.store)
        names = {
            Form.SHORT: [whole],
            Form.NAMESPACE: [f"{asked}.{SEARCH[0]}.", whole],
            Form.FULL: [*(f"{asked}.{domain}." for domain in SEARCH), whole],
        }[question.form]
        denied = replace(last, rcode="NXDOMAIN", answers=(), soa_minimum_seconds=30, walk=asked)
        steps = [replace(denied, name=name, step=step) for step, name in enumerate(names[:-1], 1)]
        return [*steps, replace(last, walk=asked, step=len(names))]


def kill(uid: str = "set-0", name: str = "dns-set-0") -> Action:
    """Somebody deletes a pod."""
    return Action("r1", "me@here", "delete_pod", Phase.REQUESTED, Kind.POD, name, uid, {"grace_seconds": "30"})


def moved(uid: str, ip: str, *aspects: Aspect, name: str = "dns-set-0", **more: bool) -> PodTransition:
    """A pod of the StatefulSet changed."""
    deleting, ready = more.get("deleting", False), more.get("ready", False)
    return PodTransition(uid, name, frozenset(aspects), "node-1", "uid-dns-set", "Running", ready, deleting, ip=ip)


def entered(uid: str, ip: str, *, ready: bool) -> EndpointTransition:
    """The pod's entry in the slice changed."""
    return EndpointTransition("dns-set", uid, "dns-set-0", ip, ready, ready, terminating=not ready)
