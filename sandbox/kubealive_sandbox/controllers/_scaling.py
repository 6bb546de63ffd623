"""The arithmetic of an autoscaler: pure functions from pods and their use to a number of replicas."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["TOLERANCE", "Scaled", "Sum", "limited", "recommend"]

TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Sum:
    """A pod as the autoscaler counts it: its request and use in thousandths, None for a use that is not known.

    `settled` is false for a pod that is not ready yet, or too young for its use to mean anything.
    """

    request: int
    use: int | None
    settled: bool


@dataclass(frozen=True, slots=True)
class Scaled:
    """What follows: replicas, and the use of all known pods as a percentage of their requests."""

    replicas: int
    utilization: int
    average: int


def recommend(pods: Sequence[Sum], *, current: int, target: int) -> Scaled | None:
    """The number that brings the use to the target (a percentage).

    None where no pod's use is known, or where those whose use is known asked for nothing.
    """
    known = [pod for pod in pods if pod.use is not None and pod.settled]
    if not known:
        return None
    used, asked = sum(pod.use or 0 for pod in known), sum(pod.request for pod in known)
    if not asked:
        return None
    utilization = used * 100 // asked
    ratio = utilization / target
    missing = [pod for pod in pods if pod.use is None and pod.settled]
    unready = [pod for pod in pods if not pod.settled]
    average = used // len(known)
    if not missing and not (unready and ratio > 1):
        same = abs(1 - ratio) <= TOLERANCE
        return Scaled(current if same else math.ceil(ratio * len(known)), utilization, average)
    # Whoever is not heard of is taken to do nothing when more are wanted, and all that was asked when fewer are.
    counted = [*known, *missing, *(unready if ratio > 1 else ())]
    assumed = sum(0 if ratio > 1 else pod.request for pod in missing)
    again = (used + assumed) * 100 // sum(pod.request for pod in counted) / target
    turned = (ratio < 1 < again) or (ratio > 1 > again)
    if abs(1 - again) <= TOLERANCE or turned:
        return Scaled(current, utilization, average)
    wanted = math.ceil(again * len(counted))
    against = (again < 1 and wanted > current) or (again > 1 and wanted < current)
    return Scaled(current if against else wanted, utilization, average)


def limited(rules: Mapping[str, object], *, current: int, changed: Mapping[int, int], up: bool) -> int:
    """How far scaling rules let go from the current size; `changed` is what was changed in so many seconds."""
    select = rules.get("selectPolicy", "Max")
    if select == "Disabled":
        return current
    results = []
    for policy in rules.get("policies") or ():  # type: ignore[attr-defined]
        before = current - changed.get(policy["periodSeconds"], 0) * (1 if up else -1)
        if policy["type"] == "Pods":
            step = before + policy["value"] if up else before - policy["value"]
        elif up:
            step = math.ceil(before * (1 + policy["value"] / 100))
        else:
            step = int(before * (1 - policy["value"] / 100))
        results.append(step)
    farthest = max if (select == "Max") == up else min
    return max(0, farthest(results)) if results else current
