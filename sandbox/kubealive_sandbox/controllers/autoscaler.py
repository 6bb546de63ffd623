"""HorizontalPodAutoscalers: each 15 s the use of CPU or memory against the target, and the size that follows."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kubealive_sandbox.apart import Apart
from kubealive_sandbox.api import BY_KIND, Api, ApiError, Object, amount, clone, matches, stamp
from kubealive_sandbox.controllers._common import condition, moment, set_condition
from kubealive_sandbox.controllers._events import Recorder
from kubealive_sandbox.controllers._scaling import Scaled, Sum, limited, recommend

__all__ = ["Autoscalers"]

_log = logging.getLogger(__name__)

PERIOD_S = 15.0
# Metrics are taken with the same period, and both begin with the sandbox. Any phase between the two is as true as
# another; with this one nobody waits for a decision that was made by an old measurement a moment before a new one.
BEHIND_S = 1.0
# Younger pods that are not ready, or were ready for less than this, do not count yet.
STARTING = timedelta(minutes=5)
READY_DELAY = timedelta(seconds=30)
DEFAULT_WINDOW_S = 300
# Sizes and changes that windows may look back to: an hour of them, at four a minute.
KEPT = 240

Usage = Callable[[str], list[Object]]


@dataclass(slots=True)
class _Memory:
    """What an autoscaler remembers: recommendations, and changes by direction, each with its time."""

    recommended: deque[tuple[datetime, int]] = field(default_factory=lambda: deque(maxlen=KEPT))
    changed: deque[tuple[datetime, int]] = field(default_factory=lambda: deque(maxlen=KEPT))


class Autoscalers:
    """Looks at every autoscaler each 15 s. `usage` gives the PodMetrics of a namespace."""

    def __init__(self, api: Api, usage: Usage) -> None:
        self.name = "autoscaler"
        self._api = api
        self._usage = usage
        self._events = Recorder(api, "horizontal-pod-autoscaler")
        self._memories: dict[str, _Memory] = {}
        self._apart = Apart(_log)

    async def run(self) -> None:
        """Look until cancelled."""
        await asyncio.sleep(BEHIND_S)
        while True:
            for each in self._api.select("HorizontalPodAutoscaler"):
                with self._apart.keep(f"autoscaler {each['metadata']['namespace']}/{each['metadata']['name']}"):
                    self.reconcile(each)
            await asyncio.sleep(PERIOD_S)

    def reconcile(self, autoscaler: Object) -> None:
        """Look at one, scale what it is for, and say why or why not."""
        new, now = clone(autoscaler), self._api.now()
        status = new.setdefault("status", {})
        said = _Say(status, stamp(now))
        target = self._target(autoscaler["metadata"]["namespace"], autoscaler["spec"]["scaleTargetRef"])
        if isinstance(target, str):
            said("AbleToScale", good=False, reason="FailedGetScale", message=_NO_SCALE + target)
            self._events.warning(autoscaler, "FailedGetScale", target)
        else:
            said("AbleToScale", good=True, reason="SucceededGetScale", message=_GOT_SCALE)
            self._decide(autoscaler, target, status, said, now)
        if status != autoscaler.get("status"):
            self._api.update("HorizontalPodAutoscaler", new, sub="status")

    def _target(self, namespace: str, reference: Object) -> Object | str:
        """What is to be scaled, or why it cannot be, in the words of the real API server."""
        group, kind = reference["apiVersion"].rpartition("/")[0], reference["kind"]
        resource = BY_KIND.get(kind)
        if resource is None or resource.group != group:
            return f'no matches for kind "{kind}" in group "{group}"'
        if not resource.scale:
            return "the server could not find the requested resource"
        found = self._api.find(kind, namespace, reference["name"])
        return f'{resource.plural}.{group} "{reference["name"]}" not found' if found is None else found

    def _decide(self, autoscaler: Object, target: Object, status: Object, said: "_Say", now: datetime) -> None:
        spec, current = autoscaler["spec"], target["spec"]["replicas"]
        status["currentReplicas"] = current
        if not current:
            said("ScalingActive", good=False, reason="ScalingDisabled", message=_DISABLED)
            return
        wanted = self._recommended(autoscaler, target, status, said, now)
        if wanted is None:
            status["desiredReplicas"] = status.get("desiredReplicas", 0) or current
            return
        wanted = self._stabilized(autoscaler, current, wanted, said, now)
        bounded = min(max(wanted, spec["minReplicas"]), spec["maxReplicas"])
        most = self._most(autoscaler, current, bounded, now)
        _say_limit(spec, wanted, bounded, most, said)
        status["desiredReplicas"] = most
        if most != current:
            self._scale(autoscaler, target, most, status, said, now)

    # ---------------------------------------------------------------- how many

    def _recommended(
        self, autoscaler: Object, target: Object, status: Object, said: "_Say", now: datetime
    ) -> int | None:
        """The largest number that any metric asks for; None, with the reason said, where none can tell."""
        found: list[int] = []
        shown: list[Object] = []
        for metric in autoscaler["spec"]["metrics"]:
            result = self._metric(metric, target, now)
            if isinstance(result, str):
                reason = f"FailedGet{metric['type']}Metric"
                said("ScalingActive", good=False, reason=reason, message=_FAILED + result)
                self._events.warning(autoscaler, reason, result)
                return None
            found.append(result.replicas)
            use = {"averageUtilization": result.utilization, "averageValue": f"{result.average}m"}
            shown.append({"type": "Resource", "resource": {"name": metric["resource"]["name"], "current": use}})
        status["currentMetrics"] = shown
        name = autoscaler["spec"]["metrics"][0]["resource"]["name"]
        words = f"the HPA was able to successfully calculate a replica count from {name} resource utilization "
        said("ScalingActive", good=True, reason="ValidMetricFound", message=words + "(percentage of request)")
        return max(found)

    def _metric(self, metric: Object, target: Object, now: datetime) -> Scaled | str:
        """What one metric asks for, or why that cannot be told."""
        resource = metric.get("resource") or {}
        wanted = (resource.get("target") or {}).get("averageUtilization")
        if wanted is None:
            return _OTHER.format(kind=resource.get("target", {}).get("type") or metric["type"])
        name, namespace = resource["name"], target["metadata"]["namespace"]
        selector = target["spec"]["selector"]
        pods = [p for p in self._api.select("Pod", namespace) if matches(selector, p["metadata"].get("labels"))]
        usage = {each["metadata"]["name"]: each for each in self._usage(namespace)}
        sums: list[Sum] = []
        for pod in pods:
            if pod["metadata"].get("deletionTimestamp") or pod["status"].get("phase") == "Failed":
                continue
            asked = 0
            for container in pod["spec"]["containers"]:
                request = ((container.get("resources") or {}).get("requests") or {}).get(name)
                if request is None:
                    own = f"{container['name']} of Pod {pod['metadata']['name']}"
                    return f"failed to get {name} utilization: missing request for {name} in container {own}"
                asked += round(amount(request) * 1000)
            sample = usage.get(pod["metadata"]["name"])
            sums.append(Sum(asked, _used(sample, name), _settled(pod, sample, name, now)))
        scaled = recommend(sums, current=target["spec"]["replicas"], target=wanted)
        if scaled is None:
            heard = any(each.settled and each.use is not None for each in sums)
            return f"failed to get {name} utilization: {_UNMATCHED if heard else _UNHEARD}"
        return scaled

    def _stabilized(self, autoscaler: Object, current: int, wanted: int, said: "_Say", now: datetime) -> int:
        """What the window of the direction leaves of a recommendation."""
        memory = self._memory(autoscaler)
        memory.recommended.append((now, wanted))
        behavior = autoscaler["spec"].get("behavior") or {}
        down = (behavior.get("scaleDown") or {}).get("stabilizationWindowSeconds")
        up = (behavior.get("scaleUp") or {}).get("stabilizationWindowSeconds", 0)
        lowest = [size for at, size in memory.recommended if at >= now - timedelta(seconds=up)]
        window = timedelta(seconds=DEFAULT_WINDOW_S if down is None else down)
        highest = [size for at, size in memory.recommended if at >= now - window]
        result = current
        result = max(result, min(lowest))
        result = min(result, max(highest))
        if result != wanted and wanted < current:
            said("AbleToScale", good=True, reason="ScaleDownStabilized", message=_STABILIZED)
        else:
            said("AbleToScale", good=True, reason="ReadyForNewScale", message=_READY)
        return result

    def _most(self, autoscaler: Object, current: int, wanted: int, now: datetime) -> int:
        """How far a size may go now."""
        behavior, memory = autoscaler["spec"].get("behavior"), self._memory(autoscaler)
        if wanted == current:
            return current
        up = wanted > current
        if not behavior:
            return min(wanted, max(2 * current, 4)) if up else wanted
        rules = behavior["scaleUp" if up else "scaleDown"]
        changed: dict[int, int] = {}
        for policy in rules.get("policies") or ():
            since = now - timedelta(seconds=policy["periodSeconds"])
            steps = [step for at, step in memory.changed if at > since and (step > 0) == up]
            changed[policy["periodSeconds"]] = abs(sum(steps))
        limit = limited(rules, current=current, changed=changed, up=up)
        return min(wanted, max(limit, current)) if up else max(wanted, min(limit, current))

    def _scale(
        self, autoscaler: Object, target: Object, replicas: int, status: Object, said: "_Say", now: datetime
    ) -> None:
        current, meta = target["spec"]["replicas"], target["metadata"]
        try:
            self._api.patch(target["kind"], meta["namespace"], meta["name"], {"spec": {"replicas": replicas}})
        except ApiError as exc:
            said("AbleToScale", good=False, reason="FailedUpdateScale", message=exc.message)
            return
        name = autoscaler["spec"]["metrics"][0]["resource"]["name"]
        above = f"{name} resource utilization (percentage of request) above target"
        why = above if replicas > current else "All metrics below target"
        self._events.normal(autoscaler, "SuccessfulRescale", f"New size: {replicas}; reason: {why}")
        words = f"the HPA controller was able to update the target scale to {replicas}"
        said("AbleToScale", good=True, reason="SucceededRescale", message=words)
        status["lastScaleTime"] = stamp(now)
        self._memory(autoscaler).changed.append((now, replicas - current))

    def _memory(self, autoscaler: Object) -> _Memory:
        return self._memories.setdefault(autoscaler["metadata"]["uid"], _Memory())


@dataclass(frozen=True, slots=True)
class _Say:
    """Sets conditions of one status at one time."""

    status: Object
    now: str

    def __call__(self, kind: str, *, good: bool, reason: str, message: str) -> None:
        set_condition(self.status, kind, state=str(good), reason=reason, message=message, now=self.now)


def _say_limit(spec: Object, wanted: int, bounded: int, most: int, said: _Say) -> None:
    if most != bounded:
        way = "increasing" if most < bounded else "decreasing"
        words = f"the desired replica count is {way} faster than the maximum scale rate"
        said("ScalingLimited", good=True, reason=f"Scale{'Up' if most < bounded else 'Down'}Limit", message=words)
    elif wanted > spec["maxReplicas"]:
        words = "the desired replica count is more than the maximum replica count"
        said("ScalingLimited", good=True, reason="TooManyReplicas", message=words)
    elif wanted < spec["minReplicas"]:
        words = "the desired replica count is less than the minimum replica count"
        said("ScalingLimited", good=True, reason="TooFewReplicas", message=words)
    else:
        words = "the desired count is within the acceptable range"
        said("ScalingLimited", good=False, reason="DesiredWithinRange", message=words)


def _used(sample: Object | None, name: str) -> int | None:
    if sample is None:
        return None
    used = [each["usage"].get(name) for each in sample["containers"]]
    return None if None in used else math.ceil(sum(map(amount, used)) * 1000)


def _settled(pod: Object, sample: Object | None, name: str, now: datetime) -> bool:
    """Whether the use of a pod says anything; CPU of a starting one does not."""
    if pod["status"].get("phase") == "Pending":
        return False
    if name != "cpu" or sample is None:
        return True
    ready, started = condition(pod, "Ready"), moment(pod["status"]["startTime"])
    turned = moment(ready["lastTransitionTime"]) if ready else started
    if now < started + STARTING:
        window = timedelta(seconds=float(sample["window"].rstrip("s")))
        return ready.get("status") == "True" and moment(sample["timestamp"]) >= turned + window
    return ready.get("status") == "True" or turned > started + READY_DELAY


_GOT_SCALE = "the HPA controller was able to get the target's current scale"
_NO_SCALE = "the HPA controller was unable to get the target's current scale: "
_UNMATCHED = "no metrics returned matched known pods"
_UNHEARD = "did not receive metrics for targeted pods (pods might be unready)"
_OTHER = "the sandbox computes averageUtilization of Resource metrics alone, and not {kind}"
_DISABLED = "scaling is disabled since the replica count of the target is zero"
_FAILED = "the HPA was unable to compute the replica count: "
_STABILIZED = "recent recommendations were higher than current one, applying the highest recent recommendation"
_READY = "recommended size matches current size"
