"""A whole sandbox, and objects that a user may well apply: none ends it, and none is stuck."""

import signal
from typing import Any

import pytest

from kubealive_sandbox.api import Object
from kubealive_sandbox.controllers import autoscaler
from kubealive_sandbox.sandbox import Sandbox
from tests.sandbox.objects import NAMESPACE, deployment, pod, template
from tests.sandbox.whole import first_container, until


def limited(name: str, memory: str) -> Object:
    """A pod with that memory limit, which its program is far from or far over."""
    made = pod(name, terminationGracePeriodSeconds=0)
    made["spec"]["containers"][0]["resources"] = {"limits": {"memory": memory}}
    return made


def scaled(name: str, kind: str, target: Object) -> Object:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": "web"}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    spec = {"maxReplicas": 2, "scaleTargetRef": reference, "metrics": [metric]}
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def running(sandbox: Sandbox, *names: str) -> bool:
    return all(first_container(sandbox, name).get("state", {}).get("running") for name in names)


async def test_no_limit_of_memory_ends_it(sandbox: Sandbox) -> None:
    """Each is understood, and whoever is over one is still found."""
    for name, memory in {"none": "0", "vast": "1Pi", "exponent": "1e9"}.items():
        sandbox.api.create("Pod", limited(name, memory))
    await until(lambda: running(sandbox, "none", "vast", "exponent"))
    sandbox.api.create("Pod", limited("fat", "1e6"))
    await until(lambda: first_container(sandbox, "fat").get("lastState", {}).get("terminated"))

    assert first_container(sandbox, "fat")["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert running(sandbox, "none", "vast", "exponent")
    assert not sandbox.ended.done()


@pytest.mark.parametrize(
    ("kind", "target", "condition", "reason"),
    [
        pytest.param(
            "Deployment", {"type": "AverageValue", "averageValue": "100m"},
            "ScalingActive", "FailedGetResourceMetric", id="a target that is not computed",
        ),
        pytest.param(
            "DaemonSet", {"type": "Utilization", "averageUtilization": 50},
            "AbleToScale", "FailedGetScale", id="what has no scale",
        ),
        pytest.param(
            "Foo", {"type": "Utilization", "averageUtilization": 50},
            "AbleToScale", "FailedGetScale", id="what is not served",
        ),
    ],
)  # fmt: skip
async def test_no_autoscaler_ends_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str, target: Any, condition: str, reason: str
) -> None:
    """One that cannot work says so in its conditions."""
    monkeypatch.setattr(autoscaler, "PERIOD_S", 0.2)
    made = template(nodeSelector={"no": "such"})
    made["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    sandbox.api.create("Deployment", deployment(replicas=1, template=made))
    only = {"selector": {"matchLabels": {"app": "web"}}, "template": made}
    sandbox.api.create("DaemonSet", {"metadata": {"name": "web", "namespace": NAMESPACE}, "spec": only})
    sandbox.api.create("HorizontalPodAutoscaler", scaled("a", kind, target))

    def said() -> dict[str, str]:
        found = sandbox.api.find("HorizontalPodAutoscaler", NAMESPACE, "a") or {}
        return {each["type"]: each["reason"] for each in found["status"].get("conditions") or ()}

    assert (await until(said))[condition] == reason
    assert not sandbox.ended.done()


async def test_a_pod_that_cannot_be_prepared_can_be_deleted(sandbox: Sandbox) -> None:
    """Whatever the kubelet met with it, nobody else is kept from his own, and it goes when it is told to."""
    made = pod("odd")
    item = {"path": "cpu", "resourceFieldRef": {"containerName": "none", "resource": "limits.cpu"}}
    made["spec"]["volumes"] = [{"name": "about", "downwardAPI": {"items": [item]}}]
    sandbox.api.create("Pod", made)
    sandbox.api.create("Pod", pod("other"))
    await until(lambda: running(sandbox, "other"))
    sandbox.api.delete("Pod", NAMESPACE, "odd")
    await until(lambda: sandbox.api.find("Pod", NAMESPACE, "odd") is None)

    assert running(sandbox, "other")
    assert not sandbox.ended.done()


def hooked(name: str, hook: Object, **spec: Any) -> Object:
    """A pod whose program is found dead as soon as it is up, and has that hook before it is told to end."""
    made = pod(name, terminationGracePeriodSeconds=600, **spec)
    nobody = {"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 1}
    up = {"tcpSocket": {"port": "http"}, "periodSeconds": 1, "failureThreshold": 20}
    mine = {"lifecycle": {"preStop": hook}, "livenessProbe": nobody, "startupProbe": up}
    made["spec"]["containers"][0] |= mine
    return made


def ended(sandbox: Sandbox, name: str) -> Any:
    return first_container(sandbox, name).get("lastState", {}).get("terminated")


async def test_a_hook_finds_its_port_by_name(sandbox: Sandbox) -> None:
    """As probes do: the program hears of it, and ends as that path has it end."""
    sandbox.api.create("Pod", hooked("named", {"httpGet": {"path": "/exit", "port": "http"}}))

    assert (await until(lambda: ended(sandbox, "named")))["exitCode"] == 7


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param({"httpGet": {"path": "/", "port": "nope"}}, id="no such port"),
        pytest.param({"httpGet": {"path": "/", "port": 9}}, id="nobody there"),
        pytest.param({"exec": {"command": ["/no/such"]}}, id="no such program"),
        pytest.param({"exec": {"command": ["python3", "-c", "raise SystemExit(3)"]}}, id="a program that fails"),
    ],
)
async def test_a_hook_that_fails_is_said_and_stops_nothing(sandbox: Sandbox, hook: Object) -> None:
    """A real kubelet's Event, and then SIGTERM: the container is restarted, and the pod can be deleted."""
    sandbox.api.create("Pod", hooked("odd", hook))
    code = (await until(lambda: ended(sandbox, "odd")))["exitCode"]
    said = [each for each in sandbox.api.select("Event") if each["reason"] == "FailedPreStopHook"]
    sandbox.api.delete("Pod", NAMESPACE, "odd")
    await until(lambda: sandbox.api.find("Pod", NAMESPACE, "odd") is None)

    assert code == 128 + signal.SIGTERM
    assert [(each["type"], each["message"]) for each in said] == [("Warning", "PreStopHook failed")]
    assert said[0]["involvedObject"]["fieldPath"] == "spec.containers{web}"


async def test_a_probe_of_no_port_says_so_and_counts_neither_way(sandbox: Sandbox) -> None:
    """The pod is not ready, and its container is not restarted."""
    made = pod()
    lost = {"httpGet": {"port": "nope"}, "periodSeconds": 1, "failureThreshold": 1}
    made["spec"]["containers"][0] |= {"readinessProbe": lost, "livenessProbe": lost}
    sandbox.api.create("Pod", made)

    def counts() -> dict[str, int]:
        return {
            each["message"]: each["count"] for each in sandbox.api.select("Event") if each["type"] == "Warning"
        }

    await until(lambda: len(counts()) == 2 and min(counts().values()) > 1)
    words = 'probe errored and resulted in unknown state: strconv.Atoi: parsing "nope": invalid syntax'

    assert set(counts()) == {f"Readiness {words}", f"Liveness {words}"}
    assert first_container(sandbox, "web-1")["ready"] is False
    assert first_container(sandbox, "web-1")["restartCount"] == 0
