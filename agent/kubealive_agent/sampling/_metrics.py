"""What pods and nodes use, from the metrics API, which can be polled and not watched.

The numbers are those that the autoscaler decides by. They are up to 16 s old when they appear, so each carries
the time and the length of the window that it was measured over.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from kubealive.v1 import agent_pb2, state_pb2
from kubealive_agent._hints import own_command
from kubealive_agent.kube import (
    AccessState,
    Api,
    ForbiddenError,
    Kind,
    KubeError,
    MalformedError,
    NotFoundError,
    Sink,
    Timing,
    micros,
    quantity_millis,
    quantity_whole,
)

# metrics-server refreshes its numbers each 15 s; asking more often shows the same ones, but shows new ones sooner.
POLL_S = 15.0
# While somebody watches an autoscaler, new numbers are told within this: an answer of a few kilobytes a second.
WATCHED_POLL_S = 1.0

_API = "/apis/metrics.k8s.io/v1beta1"

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class _Name(msgspec.Struct):
    name: str


class _Container(msgspec.Struct):
    usage: dict[str, str]


class _Metrics(msgspec.Struct):
    """Of a pod (containers) or of a node (usage)."""

    metadata: _Name
    timestamp: datetime
    window: str
    containers: list[_Container] | None = None
    usage: dict[str, str] | None = None


class _List(msgspec.Struct):
    items: list[_Metrics] | None = None


class UidOf(Protocol):
    """Finds the UID of the pod that had a name at a time, or None."""

    def __call__(self, name: str, /, *, at_us: int) -> str | None:
        """Look it up."""


async def poll_usage(
    client: Api,
    *,
    namespace: str,
    sink: Sink,
    uid_of: UidOf,
    watched: Callable[[], bool],
    timing: Timing | None = None,
) -> None:
    """Tell the sink the usage of the namespace's pods and of the nodes each POLL_S until cancelled.

    While `watched` says so the pods' is asked for each WATCHED_POLL_S, from at most so long after it began on.

    The metrics API says no more of a pod than its name, and for a while after a pod was replaced by one of the
    same name its numbers are those of the old one; `uid_of` is therefore asked with the time of measurement.
    None leaves the pod out until the next poll. Nodes are keyed by name. Each of the two kinds may be missing on
    its own.
    """
    pace = timing or Timing()
    pods, nodes = _pods(client, namespace, sink, uid_of), _nodes(client, namespace, sink)
    due_s = 0.0
    while True:
        if due_s <= 0 or watched():
            await pods.poll()
            sink.measured()
        if due_s <= 0:
            await nodes.poll()
            due_s = POLL_S
        await pace.sleep(WATCHED_POLL_S)
        due_s -= WATCHED_POLL_S


@dataclass(frozen=True, slots=True)
class _Answer:
    """How a poll went, as the sink is told."""

    state: AccessState
    reason: str = ""


class _Poll:
    """Asks for one kind of usage and reports what is new and what is gone."""

    def __init__(
        self,
        client: Api,
        *,
        kind: Kind,
        what: str,
        path: str,
        namespace: str,
        sink: Sink,
        key_of: Callable[[state_pb2.Usage], str | None],
    ) -> None:
        self._client = client
        self._kind = kind
        self._what = what
        self._path = path
        self._grants = own_command("reset", namespace=namespace)
        self._sink = sink
        self._key_of = key_of
        self._known: dict[str, state_pb2.Usage] = {}
        self._told: _Answer | None = None

    async def poll(self) -> None:
        """Ask once; a failure is told as access and ends there."""
        answer = await self._ask()
        if answer != self._told:
            self._told = answer
            self._sink.access(self._kind, answer.state, answer.reason)

    async def _ask(self) -> _Answer:
        try:
            body = await self._client.request("GET", self._path)
            self._report(_usages(body))
        except NotFoundError:
            return _Answer(
                agent_pb2.KindAccess.STATE_ABSENT,
                "no metrics API here: install metrics-server to see usage and to autoscale",
            )
        except ForbiddenError:
            return _Answer(
                agent_pb2.KindAccess.STATE_FORBIDDEN,
                f"the agent has no right to list {self._what}; `{self._grants}` grants it",
            )
        except KubeError as exc:
            return _Answer(agent_pb2.KindAccess.STATE_RETRYING, f"no {self._what}: {exc}")
        return _Answer(agent_pb2.KindAccess.STATE_WATCHING)

    def _report(self, usages: list[state_pb2.Usage]) -> None:
        now = {key: usage for usage in usages if (key := self._key_of(usage))}
        for key, usage in now.items():
            if self._known.get(key) != usage:
                self._sink.apply(self._kind, key, usage, found=False)
        for key in self._known.keys() - now.keys():
            self._sink.apply(self._kind, key, None, found=False)
        self._known = now


def _pods(client: Api, namespace: str, sink: Sink, uid_of: UidOf) -> _Poll:
    return _Poll(
        client,
        kind=state_pb2.KIND_POD_USAGE,
        what=f"metrics of pods in namespace {namespace}",
        path=f"{_API}/namespaces/{namespace}/pods",
        namespace=namespace,
        sink=sink,
        key_of=lambda usage: uid_of(usage.name, at_us=usage.measured_us),
    )


def _nodes(client: Api, namespace: str, sink: Sink) -> _Poll:
    return _Poll(
        client,
        kind=state_pb2.KIND_NODE_USAGE,
        what="metrics of nodes",
        path=f"{_API}/nodes",
        namespace=namespace,
        sink=sink,
        key_of=lambda usage: usage.name,
    )


def _usages(body: bytes) -> list[state_pb2.Usage]:
    try:
        return [_usage(each) for each in msgspec.json.decode(body, type=_List).items or ()]
    except (msgspec.DecodeError, ValueError) as exc:
        raise MalformedError(f"the metrics API answers what it should not: {exc}") from exc


def _usage(metrics: _Metrics) -> state_pb2.Usage:
    """Sum over the containers of a pod; of a node the API says the sum."""
    parts = [metrics.usage or {}, *(each.usage for each in metrics.containers or ())]
    return state_pb2.Usage(
        name=metrics.metadata.name,
        cpu_millis=sum(quantity_millis(part.get("cpu", "0")) for part in parts),
        memory_bytes=sum(quantity_whole(part.get("memory", "0")) for part in parts),
        measured_us=micros(metrics.timestamp) or 0,
        window_seconds=_seconds(metrics.window),
    )


def _seconds(duration: str) -> int:
    """Read a Go duration ("1m15.05s"), rounded to seconds. Raises ValueError for what is none."""
    parts = _DURATION_PART.findall(duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is no duration")
    return round(sum(float(number) * _SECONDS[unit] for number, unit in parts))
