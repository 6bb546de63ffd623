"""A scripted cluster: signals made by hand, in the terms of the model."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from kubealive_tui.model import (
    Act,
    Action,
    Aspect,
    Batch,
    Caps,
    Change,
    Container,
    ContainerState,
    Endpoint,
    Fact,
    FactBody,
    Frame,
    FrameBody,
    Info,
    Interest,
    Kind,
    LinkEvent,
    LinkState,
    Load,
    LoadMode,
    LoadState,
    LoadTransition,
    Node,
    Outcome,
    Phase,
    Pod,
    PodTransition,
    Request,
    Service,
    SetLoad,
    Signal,
    Slice,
    Snapshot,
    Status,
    Target,
    Tick,
    TrafficBin,
    TrafficRow,
    Usage,
    Viewer,
    Workload,
)

# 10:42:07 of a day in 2026, UTC, as on the pictures.
NOW_US = 1_772_534_527_000_000
SECOND = 1_000_000
ACTOR = "mia@laptop"
CAPABILITIES = frozenset({"load_new", "load_kept", "delete_pod", "fault", "scale", "observe"})

INFO = Info(
    version="0.1.0",
    epoch=1,
    namespace="kubealive",
    pod_name="kubealive-agent-0",
    node_name="node-1",
    kubernetes_version="1.34.4",
    capabilities=CAPABILITIES,
    caps=Caps(),
)
LIVE = LinkEvent(LinkState.CONNECTED, round_trip_ms=3.0, info=INFO)
NAMES = ("4ldf9", "47vpv", "j9c5c", "x8962")


def pod(index: int, *, status: str = "Running", ready: bool = True, restarts: int = 0) -> Pod:
    """Pod number `index` of the getip Deployment."""
    return Pod(
        uid=f"uid-{index}",
        name=f"getip-5f6b8cd8c-{NAMES[index]}",
        experiment="balance",
        owner_uid="rs-1",
        owner_name="getip-5f6b8cd8c",
        owner_kind=Kind.REPLICA_SET,
        node=f"node-{index % 3 + 1}",
        ip=f"10.244.{index % 3}.{index + 5}",
        status=status,
        ready=ready,
        created_us=NOW_US - 180 * SECOND,
        restarts=restarts,
        image="localhost/kubealive/workload:v1",
        containers=(Container("getip", ContainerState.RUNNING, ready=ready, restarts=restarts),),
        labels={"app": "getip", "kubealive.dev/experiment": "balance"},
        cpu_request_millis=10,
        memory_limit_bytes=64 * 2**20,
    )


def endpoints(count: int = 4) -> Slice:
    """The Service's slice with that many pods."""
    found = tuple(
        Endpoint(f"uid-{i}", f"getip-5f6b8cd8c-{NAMES[i]}", ready=True, serving=True) for i in range(count)
    )
    return Slice("slice-1", "getip-abc", "balance", "getip", found)


def deployment(desired: int = 4, ready: int = 4) -> Workload:
    """The Deployment getip."""
    return Workload(
        "deploy-1",
        Kind.DEPLOYMENT,
        "getip",
        "balance",
        desired=desired,
        current=ready,
        ready=ready,
        container="app",
    )


def running(rate: float = 100.0, actor: str = ACTOR) -> Load:
    """A running load on getip."""
    return Load("load-1", "balance", Target(service="getip"), LoadMode.NEW, rate, actor=actor, since_us=NOW_US)


def changed(kind: Kind, value: Pod | Workload | Slice | Load | Node | Service | Usage) -> Change:
    """A change that sets an object."""
    return Change(kind, value.uid, value)


def cluster() -> list[Change]:
    """Three nodes, one of them silent, and the balance experiment."""
    nodes = [
        Node(f"node-{i}", f"node-{i}", "Ready", kubelet_version="v1.34.4", cpu_capacity_millis=2000)
        for i in (1, 2, 3)
    ]
    usage = [Usage(f"node-{i}", Kind.NODE_USAGE, f"node-{i}", 310, 1_400_000_000, NOW_US) for i in (1, 2)]
    return [
        *(changed(Kind.NODE, node) for node in nodes),
        *(changed(Kind.NODE_USAGE, used) for used in usage),
        changed(Kind.DEPLOYMENT, deployment()),
        changed(Kind.ENDPOINT_SLICE, endpoints()),
        changed(Kind.SERVICE, Service("svc-1", "getip", "balance", cluster_ip="10.96.0.7")),
        *(changed(Kind.POD, pod(i)) for i in range(4)),
    ]


class Script:
    """Makes frames in order: each call is the next one of the stream."""

    def __init__(self) -> None:
        self.sequence = 0
        self.fact = 0
        self.now_us = NOW_US

    def frame(self, body: FrameBody, *, after_s: float = 0.0) -> Frame:
        """The next frame, so many seconds after the one before."""
        self.sequence += 1
        self.now_us += int(after_s * SECOND)
        return Frame(1, self.sequence, self.now_us, body)

    def snapshot(self, changes: Sequence[Change] | None = None) -> Frame:
        """The whole state in one part."""
        return self.frame(Snapshot(first=True, last=True, changes=cluster() if changes is None else changes))

    def batch(
        self, *changes: Change, facts: Sequence[FactBody] = (), action: str = "", after_s: float = 0.05
    ) -> Frame:
        """Changes, and facts at the time of this frame."""
        self.now_us += int(after_s * SECOND)
        made = [self._fact(body, action) for body in facts]
        return self.frame(Batch(changes, made))

    def _fact(self, body: FactBody, action: str) -> Fact:
        self.fact += 1
        return Fact(self.fact, self.now_us, "balance", body, action)

    def tick(self, after_s: float = 1.0) -> Frame:
        """The agent's tick."""
        return self.frame(Tick(), after_s=after_s)

    def status(self) -> Frame:
        """Two viewers, one of them me."""
        viewers = (
            Viewer("s1", ACTOR, read_only=False, since_us=NOW_US - 300 * SECOND),
            Viewer("s2", "anna@classroom-7", read_only=True, since_us=NOW_US - 130 * SECOND),
        )
        return self.frame(Status(viewers=viewers, started_us=NOW_US - 3 * 3600 * SECOND, rss_bytes=44_000_000))

    def killed(self, uid: str = "uid-1") -> Frame:
        """Somebody asked for the deletion of a pod."""
        name = f"getip-5f6b8cd8c-{NAMES[int(uid[-1])]}"
        action = Action("r1", ACTOR, "delete_pod", Phase.REQUESTED, Kind.POD, name, uid)
        return self.batch(facts=[action], action="a1")

    def terminating(self, index: int = 1) -> Frame:
        """The pod is on its way out."""
        leaving = replace(
            pod(index, status="Terminating"), deletion_us=self.now_us + 30 * SECOND, grace_seconds=30
        )
        fact = PodTransition(leaving.uid, leaving.name, frozenset({Aspect.DELETING}), deleting=True)
        return self.batch(changed(Kind.POD, leaving), facts=[fact])

    def gone(self, index: int = 1) -> Frame:
        """The pod has left the API."""
        old = pod(index)
        fact = PodTransition(old.uid, old.name, frozenset({Aspect.DELETED}), old.node, "rs-1", "Terminating")
        return self.batch(Change(Kind.POD, old.uid, None), facts=[fact])

    def loaded(self, rate: float = 100.0) -> Frame:
        """A load has begun."""
        load = running(rate)
        return self.batch(changed(Kind.LOAD, load), facts=[LoadTransition("load-1", LoadState.STARTED, load=load)])

    def traffic(self, seconds: int = 1, failed: int = 0) -> Frame:
        """Bins of 100 ms, ten requests each, spread over the four pods."""
        bodies: list[FactBody] = []
        for index in range(seconds * 10):
            start = self.now_us // 100_000 * 100_000 + index * 100_000
            rows = [
                TrafficRow(Outcome.OK, 3 if i < 2 else 2, f"uid-{i}", f"getip-5f6b8cd8c-{NAMES[i]}", "", "v1",
                           start, start, start, start)
                for i in range(4)
            ]  # fmt: skip
            if failed and index == 0:
                rows.append(TrafficRow(Outcome.REFUSED, failed, last_planned_us=start))
            bodies.append(TrafficBin("load-1", start, 100_000, 10, 10, tuple(rows), ((1200, 10),)))
        return self.batch(facts=bodies, after_s=seconds)


class ScriptedFeed:
    """A feed that delivers what a test hands it, and remembers what it was asked."""

    def __init__(self, refuse: Exception | None = None) -> None:
        self.asked: list[Request] = []
        self.interests: list[Interest] = []
        self.refuse = refuse
        self.deliver: Callable[[Signal], None] = lambda _: None
        self.started = asyncio.Event()

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        """Give the test a way to deliver, and stay."""
        self.deliver = deliver
        self.started.set()
        await asyncio.Event().wait()

    async def ask(self, request: Request) -> str:
        """Note the request, or refuse."""
        self.asked.append(request)
        if self.refuse is not None:
            raise self.refuse
        return "load-1" if isinstance(request, SetLoad) else "a1"

    def interest(self, interest: Interest) -> None:
        """Note it."""
        self.interests.append(interest)

    def acts(self) -> list[Act]:
        """The actions asked for."""
        return [request for request in self.asked if isinstance(request, Act)]

    def loads(self) -> list[SetLoad]:
        """The loads asked for."""
        return [request for request in self.asked if isinstance(request, SetLoad)]
