"""What happened to a pod, as the one fact that one watch event makes."""

from typing import Any

from kubealive.v1 import facts_pb2, state_pb2

Aspect = facts_pb2.PodTransition

_NEVER = state_pb2.Pod()


def pod_transition(
    uid: str, *, old: state_pb2.Pod | None, new: state_pb2.Pod | None, found: bool
) -> facts_pb2.Fact | None:
    """Return the transition as a fact, or None when nothing that is told has changed.

    A pod that is gone is told with the values that it had last.
    """
    pod = new or old or _NEVER
    changed = [Aspect.ASPECT_DELETED] if new is None else _changed(old, new)
    if not changed:
        return None
    restarted = Aspect.ASPECT_RESTARTS in changed
    transition: Any = {
        "uid": uid,
        "name": pod.name,
        "node": pod.node,
        "owner_uid": pod.owner_uid,
        "changed": changed,
        "status": pod.status,
        "ready": pod.ready,
        "deleting": pod.HasField("deletion_us"),
        "restarts": pod.restarts,
        "image": pod.image,
        "ip": pod.ip,
        "last_termination": _last_termination(old or _NEVER, pod) if restarted else None,
        "created_us": pod.created_us,
        "found": found,
        "message": pod.message,
    }
    # A mapping is read straight into its place, where a message of its own would be copied.
    return facts_pb2.Fact(pod=transition)


def _changed(old: state_pb2.Pod | None, new: state_pb2.Pod) -> list[facts_pb2.PodTransition.Aspect.ValueType]:
    before = old or _NEVER
    changed = [] if old else [Aspect.ASPECT_CREATED]
    restarted = new.restarts > before.restarts
    if new.node != before.node:
        changed.append(Aspect.ASPECT_SCHEDULED)
    if new.status != before.status:
        changed.append(Aspect.ASPECT_STATUS)
    # A container that was ended and is ready again within one event was not ready in between.
    if new.ready != before.ready or (restarted and new.ready):
        changed.append(Aspect.ASPECT_READY)
    if new.HasField("deletion_us") != before.HasField("deletion_us"):
        changed.append(Aspect.ASPECT_DELETING)
    if restarted:
        changed.append(Aspect.ASPECT_RESTARTS)
    # Labels and image belong to the creation of a pod, so they are told by themselves only when they change.
    if old and _relabelled(old, new):
        changed.append(Aspect.ASPECT_LABELS)
    if old and new.image != old.image:
        changed.append(Aspect.ASPECT_IMAGE)
    return changed


def _relabelled(old: state_pb2.Pod, new: state_pb2.Pod) -> bool:
    """Tell whether the labels differ; read by key, since a map makes a dict or a view only slowly."""
    before, after = old.labels, new.labels
    if len(before) != len(after):
        return True
    for key in after:  # noqa: SIM110  a generator would cost as much again
        if before.get(key) != after[key]:
            return True
    return False


def _last_termination(old: state_pb2.Pod, new: state_pb2.Pod) -> state_pb2.Termination | None:
    """Say how the run before ended, of the container whose restarts rose; of several, the latest end."""
    before = {container.name: container.restarts for container in old.containers}
    ends = [
        container.last_termination
        for container in new.containers
        if container.restarts > before.get(container.name, 0) and container.HasField("last_termination")
    ]
    return max(ends, key=lambda end: end.finished_us, default=None)
