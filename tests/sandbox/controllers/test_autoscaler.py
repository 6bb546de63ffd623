"""How many replicas an autoscaler wants, and how fast it goes there."""

import asyncio
from typing import Any

import pytest

from kubealive_sandbox.api import Api, Object
from kubealive_sandbox.controllers import Autoscalers
from kubealive_sandbox.controllers._scaling import Scaled, Sum, limited, recommend
from kubealive_sandbox.controllers.autoscaler import BEHIND_S, PERIOD_S
from kubealive_sandbox.kubelet.usage import WINDOW_S
from tests.sandbox.objects import NAMESPACE, Clock, deployment, new_api, run_as, template


def pods(*uses: int | None, settled: bool = True) -> list[Sum]:
    return [Sum(250, use, settled) for use in uses]


@pytest.mark.parametrize(
    ("given", "current", "wanted"),
    [
        pytest.param(pods(250), 1, Scaled(2, 100, 250), id="twice the target: twice as many"),
        pytest.param(pods(130, 130), 2, Scaled(2, 52, 130), id="within the tolerance"),
        pytest.param(pods(10, 10, 10, 10), 4, Scaled(1, 4, 10), id="idle"),
        pytest.param(
            pods(250, None), 2, Scaled(2, 100, 250), id="one unheard of does nothing, as far as is known"
        ),
        pytest.param(pods(500, None), 2, Scaled(4, 200, 500), id="and even so more are needed"),
        pytest.param(pods(10, None), 2, Scaled(2, 4, 10), id="one unheard of may be busy when fewer are wanted"),
        pytest.param(
            [*pods(500), *pods(0, settled=False)], 2, Scaled(4, 200, 500), id="starting ones do nothing yet"
        ),
        pytest.param(pods(None), 1, None, id="nothing known"),
        pytest.param([], 1, None, id="no pods"),
    ],
)
def test_the_arithmetic(given: list[Sum], current: int, wanted: Scaled | None) -> None:
    """At a target of 50 %, with requests of 250 thousandths."""
    assert recommend(given, current=current, target=50) == wanted


@pytest.mark.parametrize(
    ("rules", "changed", "up", "wanted"),
    [
        pytest.param({"policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]}, {}, True, 14, id="pods"),
        pytest.param(
            {"policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}, {}, True, 20, id="percent"
        ),
        pytest.param(
            {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]}, {15: 3}, True, 11, id="some used up"
        ),
        pytest.param(
            {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 15}]}, {}, False, 9, id="down"
        ),
        pytest.param({"selectPolicy": "Disabled", "policies": []}, {}, False, 10, id="never"),
    ],
)
def test_how_far_the_rules_let_it_go(rules: Any, changed: dict[int, int], *, up: bool, wanted: int) -> None:
    """From ten replicas."""
    assert limited(rules, current=10, changed=changed, up=up) == wanted


class Stage:
    """An autoscaler of 1 to 5 at 50 % with a window of 60 s, its Deployment, and how busy each pod is."""

    def __init__(self, *, request: str | None = "250m") -> None:
        self.clock = Clock()
        self.api: Api = new_api(self.clock)
        made = template()
        made["spec"]["containers"][0]["resources"] = {"requests": {"cpu": request}} if request else {}
        self.api.create("Deployment", deployment(replicas=1, template=made))
        for number in range(5):
            name = f"web-{number}"
            meta = {"name": name, "namespace": NAMESPACE, "labels": {"app": "web"}}
            self.api.create("Pod", {"metadata": meta, "spec": made["spec"]})
            self._start(run_as(self.api, name, ip=f"127.77.129.{number}"))
        target = {"type": "Utilization", "averageUtilization": 50}
        spec = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        }
        self.api.create(
            "HorizontalPodAutoscaler", {"metadata": {"name": "a", "namespace": NAMESPACE}, "spec": spec}
        )
        self.busy = 250
        self.autoscalers = Autoscalers(self.api, self.usage)
        self.clock.pass_by(600)

    def _start(self, pod: Object) -> None:
        status = {**pod["status"], "startTime": pod["metadata"]["creationTimestamp"]}
        self.api.update("Pod", {**pod, "status": status}, sub="status")

    def usage(self, namespace: str) -> list[Object]:
        at = self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        return [
            {"metadata": {"name": f"web-{number}"}, "timestamp": at, "window": "15.000s",
             "containers": [{"name": "web", "usage": {"cpu": f"{self.busy}m"}}]}
            for number in range(5)
        ]  # fmt: skip

    def tick(self, seconds: float = 15) -> int:
        """Let so much time pass and look once; the size wanted then."""
        self.clock.pass_by(seconds)
        (one,) = self.api.select("HorizontalPodAutoscaler")
        self.autoscalers.reconcile(one)
        return int(self.api.select("Deployment")[0]["spec"]["replicas"])

    def condition(self, kind: str, field: str = "reason") -> str:
        (one,) = self.api.select("HorizontalPodAutoscaler")
        return str(next(each[field] for each in one["status"]["conditions"] if each["type"] == kind))

    def change(self, spec: Object) -> None:
        """Have the autoscaler want something else."""
        self.api.patch("HorizontalPodAutoscaler", NAMESPACE, "a", {"spec": spec})


def test_it_grows_at_once_and_shrinks_after_its_window() -> None:
    """Up to its maximum by the default rules, down when the last high recommendation is a minute old."""
    stage = Stage()
    grown = stage.tick()
    stage.busy = 1
    sizes = [stage.tick() for _ in range(6)]

    assert grown == 5
    assert sizes == [5, 5, 5, 5, 1, 1]


def test_it_says_what_limits_it() -> None:
    """More than the maximum is wanted, and that is its condition."""
    stage = Stage()
    stage.tick()

    assert stage.condition("ScalingLimited") == "TooManyReplicas"
    assert stage.condition("AbleToScale") == "SucceededRescale"


def test_without_a_request_it_does_nothing_and_says_why() -> None:
    """A percentage of nothing is nothing."""
    stage = Stage(request=None)

    assert stage.tick() == 1
    assert stage.condition("ScalingActive") == "FailedGetResourceMetric"


async def test_it_looks_soon_after_each_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have one period and begin together, so its own first look is a moment later."""
    stage, waits = Stage(), list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) > 2:
            raise asyncio.CancelledError

    monkeypatch.setattr("kubealive_sandbox.controllers.autoscaler.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await stage.autoscalers.run()

    assert PERIOD_S == WINDOW_S
    assert waits == [BEHIND_S, PERIOD_S, PERIOD_S]


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        pytest.param("Deployment", "none", 'deployments.apps "none" not found', id="no such object"),
        pytest.param("Foo", "web", 'no matches for kind "Foo" in group "apps"', id="no such kind"),
        pytest.param("Pod", "web-0", 'no matches for kind "Pod" in group "apps"', id="a kind of another group"),
        pytest.param("DaemonSet", "d", "the server could not find the requested resource", id="no scale"),
    ],
)
def test_what_cannot_be_scaled_is_said(kind: str, name: str, words: str) -> None:
    """By a condition and an Event, in the words of a real cluster."""
    stage = Stage()
    stage.change({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name}})
    stage.tick()

    assert stage.condition("AbleToScale") == "FailedGetScale"
    said = stage.condition("AbleToScale", "message")
    assert said == f"the HPA controller was unable to get the target's current scale: {words}"
    assert [each["message"] for each in stage.api.select("Event")] == [words]


@pytest.mark.parametrize(
    ("metric", "reason", "words"),
    [
        pytest.param(
            {"type": "Resource", "resource": {"name": "cpu", "target": {
                "type": "AverageValue", "averageValue": "100m"}}},
            "FailedGetResourceMetric", "and not AverageValue", id="another target",
        ),
        pytest.param(
            {"type": "Pods", "pods": {"metric": {"name": "x"}, "target": {
                "type": "AverageValue", "averageValue": "1"}}},
            "FailedGetPodsMetric", "and not Pods", id="another kind of metric",
        ),
    ],
)  # fmt: skip
def test_what_the_sandbox_does_not_compute_is_said(metric: Object, reason: str, words: str) -> None:
    """The condition says it, and nothing is scaled."""
    stage = Stage()
    stage.change({"metrics": [metric]})

    assert stage.tick() == 1
    assert stage.condition("ScalingActive") == reason
    assert stage.condition("ScalingActive", "message").endswith(words)


def test_a_request_of_nothing_is_no_measure() -> None:
    """A share of 0 CPU is no number; the words are those of a real cluster."""
    stage = Stage(request="0")

    assert stage.tick() == 1
    assert stage.condition("ScalingActive") == "FailedGetResourceMetric"
    said = stage.condition("ScalingActive", "message")
    assert said.endswith("failed to get cpu utilization: no metrics returned matched known pods")


async def test_one_autoscaler_does_not_keep_the_others_from_being_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What nobody foresaw over one of them ends nothing."""
    stage = Stage()
    (one,) = stage.api.select("HorizontalPodAutoscaler")
    stage.api.create("Namespace", {"metadata": {"name": "before"}})
    target = {"metadata": {"name": "web", "namespace": "before"}, "spec": deployment()["spec"]}
    stage.api.create("Deployment", target)
    odd = {"metadata": {"name": "a", "namespace": "before"}, "spec": one["spec"]}
    stage.api.create("HorizontalPodAutoscaler", odd)

    def usage(namespace: str) -> list[Object]:
        return stage.usage(namespace) if namespace == NAMESPACE else [{}]

    stage.clock.pass_by(15)
    monkeypatch.setattr("kubealive_sandbox.controllers.autoscaler.BEHIND_S", 0)
    task = asyncio.create_task(Autoscalers(stage.api, usage).run())
    for _ in range(3):
        await asyncio.sleep(0)

    assert not task.done()
    assert stage.api.find("Deployment", NAMESPACE, "web")["spec"]["replicas"] == 5  # type: ignore[index]
    task.cancel()
