"""What the metrics API is told of containers."""

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
