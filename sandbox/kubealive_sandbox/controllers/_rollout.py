"""The arithmetic of a rolling update: how many of the new and of the old there may be, now."""

from kubealive_sandbox.api import Object
from kubealive_sandbox.controllers._common import share

__all__ = ["most_unavailable", "proportional", "rolling"]

Change = tuple[Object, int]


def limits(spec: Object) -> tuple[int, int]:
    """Surge and unavailability as counts; both 0 would never move, so that one pod may then be missing."""
    if spec["strategy"]["type"] != "RollingUpdate":
        return 0, 0
    rolling, total = spec["strategy"]["rollingUpdate"], spec["replicas"]
    surge, missing = share(rolling["maxSurge"], total, up=True), share(rolling["maxUnavailable"], total, up=False)
    return surge, (1 if not surge and not missing else missing)


def most_unavailable(spec: Object) -> int:
    """How many pods may be missing while the Deployment counts as available."""
    return min(limits(spec)[1], spec["replicas"]) if spec["replicas"] else 0


def rolling(deployment: Object, new: Object, old: list[Object]) -> list[Change]:
    """What to scale now: the new ReplicaSet up as far as the surge lets it, or else the old ones down."""
    spec = deployment["spec"]
    wanted, have = spec["replicas"], new["spec"]["replicas"]
    surge, _ = limits(spec)
    if have > wanted:
        return [(new, wanted)]
    total = have + sum(each["spec"]["replicas"] for each in old)
    room = wanted + surge - total
    if have < wanted and room > 0:
        return [(new, have + min(room, wanted - have))]
    return _down(spec, new, old)


def _down(spec: Object, new: Object, old: list[Object]) -> list[Change]:
    wanted, missing = spec["replicas"], most_unavailable(spec)
    least = wanted - missing
    sets = [*old, new]
    total = sum(each["spec"]["replicas"] for each in sets)
    new_unavailable = new["spec"]["replicas"] - _available(new)
    most = total - least - new_unavailable
    if most <= 0:
        return []
    targets = {each["metadata"]["uid"]: each["spec"]["replicas"] for each in old}
    by_age = sorted(old, key=lambda each: str(each["metadata"]["creationTimestamp"]))
    for each in by_age:
        uid, unhealthy = each["metadata"]["uid"], each["spec"]["replicas"] - _available(each)
        cut = max(0, min(most, unhealthy))
        targets[uid] -= cut
        most -= cut
    spare = sum(_available(each) for each in sets) - least
    for each in by_age:
        uid = each["metadata"]["uid"]
        cut = max(0, min(spare, targets[uid], _available(each)))
        targets[uid] -= cut
        spare -= cut
    return [
        (each, count) for each in old if (count := targets[each["metadata"]["uid"]]) != each["spec"]["replicas"]
    ]


def _available(each: Object) -> int:
    return int(min(each.get("status", {}).get("availableReplicas", 0), each["spec"]["replicas"]))


def proportional(deployment: Object, new: Object | None, old: list[Object]) -> list[Change]:
    """What to scale when the size changed, or while paused: every ReplicaSet that has pods, by its share."""
    spec, sets = deployment["spec"], [*([new] if new else []), *old]
    running = [each for each in sets if each["spec"]["replicas"]]
    surge, _ = limits(spec)
    if len(running) <= 1:
        one = running[0] if running else new
        return [(one, spec["replicas"])] if one is not None else []
    most = spec["replicas"] + (surge if spec["replicas"] else 0)
    total = sum(each["spec"]["replicas"] for each in running)
    left, changes = most - total, []
    for each in sorted(running, key=lambda each: -each["spec"]["replicas"]):
        size = each["spec"]["replicas"]
        part = round(size * most / total) - size if total else 0
        part = min(max(part, left), 0) if left < 0 else max(min(part, left), 0)
        left -= part
        changes.append((each, size + part))
    first, size = changes[0]
    changes[0] = (first, max(0, size + left))
    return changes
