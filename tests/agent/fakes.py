"""Stand-ins with the real interfaces, and short ways to the messages that many tests need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import WatchRequest, WatchResponse
from kubealive.v1.facts_pb2 import AgentNote, Fact
from kubealive.v1.state_pb2 import (
    KIND_DEPLOYMENT,
    KIND_ENDPOINT_SLICE,
    KIND_NODE,
    KIND_POD,
    KIND_SERVICE,
    Change,
    Container,
    Endpoint,
    Node,
    Pod,
    Port,
    Service,
    Slice,
    Workload,
)
from kubealive_agent.journal import Journal
from kubealive_agent.sessions import Sessions
from kubealive_agent.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubealive_agent.kube import KubeError, Query
    from kubealive_agent.load import LoadError, Start

START_US = 1_700_000_000_000_000


class FakeClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.us = START_US

    def now_us(self) -> int:
        return self.us

    def advance(self, seconds: float) -> None:
        self.us += int(seconds * 1_000_000)


class FakeKube:
    """Records requests; answers with `answer` or raises `error`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str | int], bytes]] = []
        self.error: KubeError | None = None
        self.answer = b"{}"

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
        deadline: float = 1.0,
    ) -> bytes:
        self.calls.append((method, path, dict(query or {}), body))
        if self.error is not None:
            raise self.error
        return self.answer


class FakeEngine:
    """Records commands; raises `error` instead when there is one."""

    def __init__(self) -> None:
        self.started: list[Start] = []
        self.rates: list[tuple[int, float]] = []
        self.stopped: list[int] = []
        self.error: LoadError | None = None

    async def run_load(self, start: Start) -> None:
        self._fail()
        self.started.append(start)

    async def set_rate(self, load_id: int, rate: float) -> None:
        self._fail()
        self.rates.append((load_id, rate))

    async def stop(self, load_id: int) -> None:
        self._fail()
        self.stopped.append(load_id)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class Lab:
    """Clock, journal, world and sessions wired as in the agent, with a small experiment `balance` in them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.journal = Journal(clock=self.clock, epoch=7)
        self.world = World(self.journal, self.clock)
        self.sessions = Sessions(self.clock, on_change=self.journal.bell.ring)
        self.populate()

    def populate(self) -> None:
        runs = [Container(name="getip", state=Container.STATE_RUNNING)]
        ended = [Container(name="getip", state=Container.STATE_TERMINATED)]
        pods = {
            "uid-a": Pod(
                name="getip-a",
                experiment="balance",
                node="node-1",
                ip="127.0.0.1",
                containers=runs,
                memory_limit_bytes=64 * 2**20,
            ),
            "uid-b": Pod(name="getip-b", experiment="balance", node="node-2", ip="127.0.0.2", containers=runs),
            "uid-ended": Pod(name="getip-ended", experiment="balance", ip="127.0.0.1", containers=ended),
            "uid-new": Pod(name="getip-new", experiment="balance"),
            "uid-agent": Pod(name="kubealive-agent-1", experiment="balance", node="node-1"),
            "uid-other": Pod(name="other", node="node-1", ip="127.0.0.9"),
        }
        for uid, pod in pods.items():
            self.world.apply(KIND_POD, uid, pod, found=True)
        deployment = Workload(kind=KIND_DEPLOYMENT, name="getip", experiment="balance", desired=4)
        self.world.apply(KIND_DEPLOYMENT, "uid-deploy", deployment, found=True)
        selector, web = {"app": "getip"}, [Port(port=80), Port(port=81, node_port=30080)]
        services = {
            "uid-service": Service(name="getip", experiment="balance", selector=selector, ports=web),
            "uid-foreign": Service(name="foreign", selector=selector, ports=web),
            "uid-external": Service(
                name="elsewhere", experiment="balance", type="ExternalName", selector=selector, ports=web
            ),
            "uid-by-hand": Service(name="by-hand", experiment="balance", ports=web),
        }
        for uid, service in services.items():
            self.world.apply(KIND_SERVICE, uid, service, found=True)
        entries = Slice(
            name="getip-x", experiment="balance", endpoints=[Endpoint(pod_uid="uid-a")], ports=[Port(port=8080)]
        )
        self.world.apply(KIND_ENDPOINT_SLICE, "uid-slice", entries, found=True)
        self.world.apply(KIND_NODE, "uid-node", Node(name="node-1", internal_ip="10.0.0.1"), found=True)

    def facts(self, which: str) -> list[Fact]:
        """All facts of one kind, in order."""
        return [fact for fact in decoded_facts(self.journal) if fact.WhichOneof("fact") == which]


def decoded_facts(journal: Journal) -> list[Fact]:
    """Every retained fact."""
    facts: list[Fact] = []
    for stored in journal.facts_since(0):
        encoded = stored.record
        prefix = 0
        while encoded[prefix] & 0x80:
            prefix += 1
        facts.append(Fact.FromString(encoded[prefix + 1 :]))
    return facts


def note(text: str = "n") -> Fact:
    """A fact of no importance."""
    return Fact(note=AgentNote(message=text))


def pod_change(uid: str, *, name: str = "", deleted: bool = False) -> Change:
    """A pod that appeared, changed or went."""
    if deleted:
        return Change(kind=KIND_POD, uid=uid, deleted=True)
    return Change(kind=KIND_POD, uid=uid, pod=Pod(name=name or uid))


def watch(
    session_id: str = "s", *, experiments: Iterable[str] = ("balance",), read_only: bool = False
) -> WatchRequest:
    """A request for a stream."""
    return WatchRequest(
        session_id=session_id, actor=f"{session_id}@host", experiments=experiments, read_only=read_only
    )


class Client:
    """What a client makes of a stream: newest state by key, facts by sequence, and what it was told is lost."""

    def __init__(self) -> None:
        self.state: dict[tuple[int, str], Change] = {}
        self.facts: dict[int, Fact] = {}
        self.lost: set[int] = set()
        self.sequence = 0
        self.bodies: list[str] = []

    def take(self, frame: bytes) -> WatchResponse:
        response = WatchResponse.FromString(frame)
        body = response.WhichOneof("body") or ""
        self.bodies.append(body)
        if body == "snapshot" and response.snapshot.first:
            self.state.clear()
            self.facts.clear()
        if body in {"snapshot", "batch"}:
            part = response.snapshot if body == "snapshot" else response.batch
            self._apply(part.changes, part.facts)
        if body == "loss":
            first, last = getattr(response.loss, "from"), response.loss.to
            self.lost.update(range(first, last + 1))
        self.sequence = response.sequence
        return response

    def _apply(self, changes: Iterable[Change], facts: Iterable[Fact]) -> None:
        for change in changes:
            if change.deleted:
                self.state.pop((change.kind, change.uid), None)
            else:
                self.state[change.kind, change.uid] = change
        for fact in facts:
            assert fact.sequence not in self.facts, "a fact came twice"
            self.facts[fact.sequence] = fact
