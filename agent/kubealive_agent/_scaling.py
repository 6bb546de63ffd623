"""What an autoscaler has to decide by, and what it decided: its pods' metrics as it sums them, and its numbers.

The metrics API is polled, and state is only the newest; a chart and a stopwatch need each measurement as a fact.
There are few: the metrics API has something new each 15 s, and so has the autoscaler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubealive.v1.facts_pb2 import Fact, ScalingSample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubealive.v1.state_pb2 import Autoscaler, Pod, Usage, Workload

__all__ = ["Parts", "Scaling"]


class Parts(NamedTuple):
    """The objects that an autoscaler's decision hangs on, by UID."""

    autoscalers: Mapping[str, Autoscaler]
    deployments: Mapping[str, Workload]
    replica_sets: Mapping[str, Workload]
    pods: Mapping[str, Pod]
    usages: Mapping[str, Usage]


class _Told(NamedTuple):
    """What the last fact of an autoscaler was made of: when each pod was measured, and its own two numbers."""

    measured: Mapping[str, int]
    desired: int
    seen: int | None


class Scaling:
    """Makes a fact of each new measurement and each new decision; remembers the last of each autoscaler."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._wishes: dict[str, int] = {}

    def facts(self, parts: Parts) -> Iterator[Fact]:
        """A fact for each autoscaler whose measurements, or whose decision, are new since the last call."""
        told, self._told = self._told, {}
        wishes, self._wishes = self._wishes, {}
        for uid, autoscaler in parts.autoscalers.items():
            target = _target(autoscaler, parts)
            if target is None or not autoscaler.experiment:
                continue
            pods = _pods(target, parts)
            before, now = told.get(uid), _now(autoscaler, pods, parts)
            self._told[uid] = now
            # A new autoscaler says 0 until its first tick: what it found stands for its wish.
            self._wishes[uid] = now.desired or parts.deployments[target].current
            if now != before:
                sample = _sample(autoscaler, parts.deployments[target], pods, parts)
                sample.uid = uid
                wish = wishes.get(uid, 0)
                if now.desired and wish not in {0, now.desired}:
                    sample.previous_desired_replicas = wish
                yield Fact(experiment=autoscaler.experiment, scaling=sample)


def _now(autoscaler: Autoscaler, pods: Mapping[str, Pod], parts: Parts) -> _Told:
    seen = autoscaler.current_utilization if autoscaler.HasField("current_utilization") else None
    measured = {pod: parts.usages[pod].measured_us for pod in pods if pod in parts.usages}
    return _Told(measured, autoscaler.desired_replicas, seen)


def _target(autoscaler: Autoscaler, parts: Parts) -> str | None:
    """UID of the Deployment that it scales, or None."""
    named = (
        uid
        for uid, one in parts.deployments.items()
        if (one.name, one.experiment) == (autoscaler.target_name, autoscaler.experiment)
    )
    return next(named, None)


def _pods(target: str, parts: Parts) -> dict[str, Pod]:
    """The Deployment's pods that are not leaving: those that leave are in no autoscaler's sum."""
    owners = {uid for uid, one in parts.replica_sets.items() if one.owner_uid == target}
    return {
        uid: pod for uid, pod in parts.pods.items() if pod.owner_uid in owners and not pod.HasField("deletion_us")
    }


def _sample(autoscaler: Autoscaler, target: Workload, pods: Mapping[str, Pod], parts: Parts) -> ScalingSample:
    usages = {uid: parts.usages[uid] for uid in pods if uid in parts.usages}
    requested = sum(pods[uid].cpu_request_millis for uid in usages)
    used = sum(usage.cpu_millis for usage in usages.values())
    return ScalingSample(
        name=autoscaler.name,
        utilization=100 * used / requested if requested else None,
        measured_pods=len(usages),
        unmeasured_pods=len(pods) - len(usages),
        measured_us=min((usage.measured_us for usage in usages.values()), default=None),
        target_utilization=autoscaler.target_utilization,
        min_replicas=autoscaler.min_replicas,
        max_replicas=autoscaler.max_replicas,
        desired_replicas=autoscaler.desired_replicas,
        current_replicas=target.current,
        seen_utilization=autoscaler.current_utilization if autoscaler.HasField("current_utilization") else None,
    )
