"""What the metrics API is told of containers, and which of them are killed for what they use."""

import asyncio
import os
import signal
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubealive_sandbox.kubelet import usage
from tests.sandbox.objects import NAMESPACE, new_api


@dataclass(frozen=True)
class Program:
    pid: int = 7


@dataclass(frozen=True)
class Running:
    name: str = "web"
    process: Program = Program()
    commands: set[Any] = field(default_factory=set)


@pytest.mark.parametrize(
    ("age", "windows"),
    [
        pytest.param(9.0, [], id="too young to say anything"),
        pytest.param(12.0, ["12.000s"], id="since its start"),
        pytest.param(15.0, [], id="not there at a look that it was old enough for"),
    ],
)
async def test_a_fresh_container_is_measured_as_metrics_server_does(
    age: float, windows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its start, if that was ten seconds ago and after the last look; else from the next look on."""
    api = new_api()
    meta = {"name": "web", "namespace": NAMESPACE}
    pod = api.create("Pod", {"metadata": meta, "spec": {"containers": [{"name": "web", "image": "web:v1"}]}})
    monkeypatch.setattr(usage, "_born", lambda pid: api.now().timestamp() - age)
    monkeypatch.setattr(usage, "_cpu", lambda pid: 6.0)
    monkeypatch.setattr(usage, "_memory", lambda pid: 1 << 20)
    running: Any = Running()
    measured = usage.Usage(api, lambda: [("node-1", pod, running)])

    measured._sample()
    found = measured.pods(NAMESPACE)

    assert [each["window"] for each in found] == windows
    assert [each["containers"][0]["usage"]["cpu"] for each in found] == ["500000000n"] * len(windows)


@dataclass
class Endable:
    """This process, as if it were a container's; it hears of its end."""

    pid: int = field(default_factory=os.getpid)
    ended: bool = False

    def signal(self, number: int) -> None:
        self.ended = number == signal.SIGKILL


class Contained:
    """As much of a container as its use is measured by."""

    def __init__(self, name: str, limits: Any) -> None:
        self.name, self.spec = name, {"resources": {"limits": limits}}
        self.process, self.out_of_memory, self.commands = Endable(), False, set[Any]()


async def looked_at(monkeypatch: pytest.MonkeyPatch, *containers: Contained) -> asyncio.Task[None]:
    """The task that has looked at these often enough to see each."""
    monkeypatch.setattr(usage, "MEMORY_S", 0)
    pod = {"metadata": {"name": "p", "namespace": NAMESPACE, "uid": "u"}}
    running: Any = [("node-1", pod, each) for each in containers]
    task = asyncio.create_task(usage.Usage(new_api(), lambda: running).run())
    for _ in range(2 * usage.SELDOM):
        await asyncio.sleep(0)
    return task


@pytest.mark.parametrize(
    ("limit", "killed"),
    [
        pytest.param("1Mi", True, id="too little"),
        pytest.param("1e3", True, id="an exponent"),
        pytest.param("1Pi", False, id="more than there is"),
        pytest.param("0", False, id="none"),
    ],
)
async def test_a_container_is_killed_over_its_limit(
    monkeypatch: pytest.MonkeyPatch, limit: str, *, killed: bool
) -> None:
    """And a limit of 0 is none, as it is to the kernel."""
    one = Contained("one", {"memory": limit})
    task = await looked_at(monkeypatch, one)
    task.cancel()

    assert (one.process.ended, one.out_of_memory) == (killed, killed)


async def test_one_container_does_not_keep_the_others_from_being_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What nobody foresaw over one of them ends nothing."""
    odd, fat = Contained("odd", {"memory": "much"}), Contained("fat", {"memory": "1Mi"})
    task = await looked_at(monkeypatch, odd, fat)

    assert not task.done()
    assert (odd.out_of_memory, fat.out_of_memory) == (False, True)
    task.cancel()
