"""Usage from the metrics API, and what is told when it is not there."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from kubealive.v1 import state_pb2
from kubealive_agent.kube import ForbiddenError, NotFoundError, Query, StatusError
from kubealive_agent.sampling import POLL_S, poll_usage
from kubealive_agent.sampling._metrics import UidOf, _seconds
from tests.agent.kube.fakes import FakeSink, FakeTime, load

OBJECTS = load("objects.json")
POD, NODE = OBJECTS["pod-metrics"], OBJECTS["node-metrics"]


class Api:
    """Answers polls of pods and of nodes from a script of rounds, then waits."""

    def __init__(self, *rounds: tuple[Any, Any]) -> None:
        self._answers = [answer for each in rounds for answer in each]
        self.exhausted = asyncio.Event()

    async def request(self, method: str, path: str, *, query: Query | None = None) -> bytes:
        if not self._answers:
            self.exhausted.set()
            await asyncio.Event().wait()
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps({"items": answer}).encode()

    def watch(self, path: str, *, query: Query, idle_deadline: float) -> Any:
        raise AssertionError("usage cannot be watched")


async def poll(
    *rounds: tuple[Any, Any], uid: str | None = "uid", uid_of: UidOf | None = None, watched: bool = False
) -> tuple[FakeSink, FakeTime]:
    api, sink, time = Api(*rounds), FakeSink(), FakeTime()
    task = asyncio.create_task(
        poll_usage(
            api,
            namespace="lab",
            sink=sink,
            uid_of=uid_of or (lambda _name, **_: uid),
            watched=lambda: watched,
            timing=time.timing(),
        )
    )
    async with asyncio.timeout(5):
        await api.exhausted.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return sink, time


async def test_recorded_usage() -> None:
    """Pods are keyed by UID, nodes by name; numbers carry the window they were measured over."""
    sink, time = await poll(([POD], [NODE]))
    pod, node = sink.values["uid"], sink.values["node-1"]
    assert isinstance(pod, state_pb2.Usage)
    assert isinstance(node, state_pb2.Usage)
    assert (pod.name, pod.memory_bytes > 1 << 20, pod.window_seconds >= 7) == ("db-0", True, True)
    assert node.cpu_millis > 0
    assert sink.state_names == ["WATCHING", "WATCHING"]
    assert sum(time.slept) == POLL_S


async def test_numbers_of_pods_are_told_soon_to_those_who_watch() -> None:
    """While an autoscaler is watched its pods' usage is asked for each second, the nodes' as before."""
    api = [([POD], [NODE]), *[([POD], [POD])] * 7]
    sink, time = await poll(*api, watched=True)
    assert sum(time.slept) == POLL_S
    assert sink.looks == 15


async def test_containers_add_up() -> None:
    """A pod's usage is the sum over its containers."""
    usage = [{"usage": {"cpu": "1500000n", "memory": "1Mi"}}, {"usage": {"cpu": "2m"}}]
    sink, _ = await poll(([{**POD, "containers": usage}], []))
    pod = sink.values["uid"]
    assert isinstance(pod, state_pb2.Usage)
    assert (pod.cpu_millis, pod.memory_bytes) == (4, 1 << 20)


async def test_only_news_is_told() -> None:
    """The same measurement twice is told once; a pod that left the answer is gone."""
    sink, _ = await poll(([POD], []), ([POD], []), ([], []))
    assert sink.applied == [("uid", "there"), ("uid", "gone")]


async def test_pod_that_nobody_knows() -> None:
    """A name without a UID is left out."""
    sink, _ = await poll(([POD], []), uid=None)
    assert sink.applied == []


async def test_a_successor_of_the_same_name_starts_without_usage() -> None:
    """What its predecessor used is asked for by the time it was measured at, and is not taken for its own."""
    late = {**POD, "timestamp": "2100-01-01T00:00:00Z"}

    def uid_of(name: str, *, at_us: int) -> str | None:
        assert name == "db-0"
        return "uid" if at_us >= 4_102_444_800_000_000 else None

    sink, _ = await poll(([POD], []), ([late], []), uid_of=uid_of)
    assert sink.applied == [("uid", "there")]


@pytest.mark.parametrize(
    ("failure", "state", "words"),
    [
        (NotFoundError(404, reason="NotFound", message="no"), "ABSENT", "install metrics-server"),
        (ForbiddenError(403, reason="Forbidden", message="no"), "FORBIDDEN", "no right to list metrics of nodes"),
        (StatusError(503, reason="", message="unable to handle"), "RETRYING", "unable to handle"),
        (b"<html>", "RETRYING", "answers what it should not"),
        ([{**NODE, "window": "soon"}], "RETRYING", "'soon' is no duration"),
    ],
    ids=["absent", "forbidden", "down", "html", "odd"],
)
async def test_nodes_fail_alone(failure: Any, state: str, words: str) -> None:
    """What keeps the nodes' usage away is told in a sentence, once, and pods go on."""
    sink, _ = await poll(([POD], failure), ([POD], failure), ([POD], [NODE]))
    assert sink.state_names == ["WATCHING", state, "WATCHING"]
    assert len(sink.reasons) == 1
    assert words in sink.reasons[0]
    assert set(sink.values) == {"uid", "node-1"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("17.988s", 18), ("1m15.05s", 75), ("1h0m0s", 3600), ("900ms", 1)]
)
def test_durations_of_go(text: str, seconds: int) -> None:
    """Windows are written as Go writes durations."""
    assert _seconds(text) == seconds
