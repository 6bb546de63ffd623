"""Stand-ins for what surrounds a reflector: time, the API and the one who is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from kubealive.v1 import agent_pb2, facts_pb2
from kubealive_agent.kube import (
    NO_GAP,
    RESOURCES,
    AccessState,
    Kind,
    Lines,
    Query,
    Reflector,
    Resource,
    Timing,
    WatchGap,
)
from kubealive_agent.kube._gap import Gap

FIXTURES = Path(__file__).parent / "fixtures"

PODS = next(each for each in RESOURCES if each.name == "pods")
EVENTS = next(each for each in RESOURCES if each.name == "events")
NODES = next(each for each in RESOURCES if each.name == "nodes")


@dataclass
class FakeTime:
    """A clock that moves only by sleeping, and dice that always show the larger number."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def timing(self) -> Timing:
        return Timing(monotonic=lambda: self.now, sleep=self._sleep, uniform=lambda _low, high: high)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@dataclass
class FakeSink:
    """Keeps what it was told, in order."""

    values: dict[str, Message] = field(default_factory=dict)
    applied: list[tuple[str, str]] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)
    events: list[facts_pb2.KubeEvent] = field(default_factory=list)
    states: list[AccessState] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gaps: list[WatchGap] = field(default_factory=list)
    looks: int = 0

    def apply(self, kind: Kind, uid: str, value: Message | None, *, found: bool) -> None:
        self.found.append(found)
        if value is None:
            self.applied.append((uid, "gone"))
            del self.values[uid]
        else:
            self.applied.append((uid, getattr(value, "status", "") or "there"))
            self.values[uid] = value

    def event(self, event: facts_pb2.KubeEvent, *, found: bool) -> None:
        self.found.append(found)
        self.events.append(event)

    def access(self, kind: Kind, state: AccessState, reason: str) -> None:
        self.states.append(state)
        if reason:
            self.reasons.append(reason)

    def measured(self) -> None:
        self.looks += 1

    def note(self, message: str, *, gap: WatchGap = NO_GAP) -> None:
        self.notes.append(message)
        if gap:
            self.gaps.append(gap)

    @property
    def state_names(self) -> list[str]:
        return [agent_pb2.KindAccess.State.Name(state).removeprefix("STATE_") for state in self.states]


# An answer to a list: a body, or the error that the client would raise.
Answer = bytes | Exception
# What a watch does, line by line; an error ends it.
Line = bytes | Exception | Callable[[], None]


class ScriptedApi:
    """Answers lists and watches from two scripts, and keeps the queries; at the end of a script it waits."""

    def __init__(self, *, lists: list[Answer], watches: list[list[Line] | Exception] | None = None) -> None:
        self._lists = lists
        self._watches = watches or []
        self.list_queries: list[dict[str, Any]] = []
        self.watch_queries: list[dict[str, Any]] = []
        self.idle_deadlines: list[float] = []
        self.exhausted = asyncio.Event()

    async def request(self, method: str, path: str, *, query: Query | None = None) -> bytes:
        self.list_queries.append(dict(query or {}))
        if not self._lists:
            await self._wait()
        answer = self._lists.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @asynccontextmanager
    async def watch(self, path: str, *, query: Query, idle_deadline: float) -> AsyncIterator[Lines]:
        self.watch_queries.append(dict(query))
        self.idle_deadlines.append(idle_deadline)
        script = self._watches.pop(0) if self._watches else None
        if isinstance(script, Exception):
            raise script
        yield partial(self._lines, script)

    async def _lines(self, script: list[Line] | None, take: Callable[[bytes], None]) -> None:
        if script is None:
            await self._wait()
        for line in script or []:
            if isinstance(line, Exception):
                raise line
            if callable(line):
                line()
            else:
                take(line)

    async def _wait(self) -> None:
        self.exhausted.set()
        await asyncio.Event().wait()


async def reflect(
    api: Any, *, resource: Resource[Any] = PODS, sink: FakeSink | None = None, time: FakeTime | None = None
) -> FakeSink:
    """Run a reflector until its script is exhausted; return the sink."""
    sink = sink or FakeSink()
    gap = Gap(sink, timing=FakeTime().timing())
    reflector = Reflector(
        api,
        resource=resource,
        namespace="lab",
        sink=sink,
        gate=asyncio.Lock(),
        gap=gap,
        timing=(time or FakeTime()).timing(),
    )
    tasks = [asyncio.create_task(reflector.run()), asyncio.create_task(gap.tell())]
    try:
        async with asyncio.timeout(5):
            await api.exhausted.wait()
        for _ in range(4):  # the gap's own steps
            await asyncio.sleep(0)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return sink


def pod(uid: str, version: int | str, **status: Any) -> dict[str, Any]:
    """Make a pod whose phase, and so its STATUS, is Running unless said otherwise."""
    return {
        "metadata": {"name": f"pod-{uid}", "uid": uid, "resourceVersion": str(version)},
        "spec": {"containers": [{"name": "app", "image": "x"}]},
        "status": {"phase": "Running", **status},
    }


def page(*items: dict[str, Any], version: int | str, token: str = "") -> bytes:
    """Encode a page of a list."""
    meta = {"resourceVersion": str(version), "continue": token}
    return json.dumps({"kind": "PodList", "metadata": meta, "items": list(items)}).encode()


def event(kind: str, thing: dict[str, Any]) -> bytes:
    """Encode a line of a watch as the API server writes it."""
    return json.dumps({"type": kind, "object": thing}, separators=(",", ":")).encode()


def bookmark(version: int | str) -> bytes:
    """Encode a bookmark as the API server writes it for pods, nulls included."""
    meta = {"resourceVersion": str(version), "creationTimestamp": None}
    thing = {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": {"containers": None}, "status": {}}
    return event("BOOKMARK", thing)


def error(code: int, reason: str) -> bytes:
    """Encode an ERROR line."""
    return event("ERROR", {"kind": "Status", "metadata": {}, "code": code, "reason": reason, "message": "no"})


def load(name: str) -> Any:
    """Read a recorded fixture."""
    return json.loads((FIXTURES / name).read_text())
