"""Protobuf objects into the model's entities, field by field.

Written out instead of walking descriptors: a busy cluster changes a thousand objects a second, and a mistyped
field is found by the type checker. A number that only a newer agent knows becomes UNKNOWN.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Protocol, TypeVar

from kubealive.v1 import state_pb2 as wire
from kubealive_tui import model

__all__ = ["KINDS", "change", "condition", "load", "members_of", "termination"]

_M = TypeVar("_M", bound=Enum)


class _Numbered(Protocol):
    """A generated enum: its names and numbers."""

    def items(self) -> Iterable[tuple[str, Any]]: ...


def members_of(numbered: _Numbered, members: type[_M], prefix: str) -> dict[int, _M]:
    """Return the model's member for each number of a wire enum; numbers without one are left out."""
    known = members.__members__
    names = ((number, name.removeprefix(prefix)) for name, number in numbered.items())
    return {int(number): known[name] for number, name in names if name in known}


KINDS = members_of(wire.Kind, model.Kind, "KIND_")
_CONTAINER_STATES = members_of(wire.Container.State, model.ContainerState, "STATE_")
_LOAD_MODES = members_of(wire.LoadMode, model.LoadMode, "LOAD_MODE_")


def change(message: wire.Change) -> model.Change | None:
    """Convert one change; None where a newer agent tells of something that has no place in the model."""
    kind = KINDS.get(message.kind)
    if kind is None:
        return None
    if message.deleted:
        return model.Change(kind, message.uid, None)
    field = message.WhichOneof("value")
    if field is None:
        return None
    return model.Change(kind, message.uid, _ENTITIES[field](message.uid, kind, getattr(message, field)))


def termination(message: wire.Termination) -> model.Termination:
    """Convert how a container's run ended."""
    return model.Termination(
        reason=message.reason,
        exit_code=message.exit_code,
        finished_us=message.finished_us if message.HasField("finished_us") else None,
        message=message.message,
    )


def condition(message: wire.Condition) -> model.Condition:
    """Convert a condition."""
    return model.Condition(
        type=message.type,
        status=message.status,
        reason=message.reason,
        message=message.message,
        changed_us=message.changed_us if message.HasField("changed_us") else None,
        updated_us=message.updated_us if message.HasField("updated_us") else None,
    )


def load(message: wire.Load) -> model.Load:
    """Convert a load. A mode of a newer agent is shown as the default one."""
    return model.Load(
        uid=message.load_id,
        experiment=message.experiment,
        target=_target(message.target),
        mode=_LOAD_MODES.get(message.mode, model.LoadMode.NEW),
        rate=message.rate if message.HasField("rate") else None,
        cpu=message.cpu,
        actor=message.actor,
        since_us=message.since_us,
        until_us=message.until_us if message.HasField("until_us") else None,
        action_id=message.action_id,
        count=message.count if message.HasField("count") else None,
        connections=message.connections,
    )


def _target(message: wire.LoadTarget) -> model.Target:
    return model.Target(
        service=message.service,
        pod_uid=message.pod_uid,
        node=message.node,
        port=message.port,
        path=message.path or "/",
    )


def _container(message: wire.Container) -> model.Container:
    return model.Container(
        name=message.name,
        state=_CONTAINER_STATES.get(message.state, model.ContainerState.UNKNOWN),
        reason=message.reason,
        message=message.message,
        ready=message.ready,
        restarts=message.restarts,
        started_us=message.started_us if message.HasField("started_us") else None,
        last_termination=termination(message.last_termination) if message.HasField("last_termination") else None,
        termination=termination(message.termination) if message.HasField("termination") else None,
    )


def _pod(uid: str, _: model.Kind, message: wire.Pod) -> model.Pod:
    return model.Pod(
        uid=uid,
        name=message.name,
        experiment=message.experiment,
        owner_uid=message.owner_uid,
        owner_name=message.owner_name,
        owner_kind=KINDS.get(message.owner_kind, model.Kind.UNKNOWN),
        node=message.node,
        ip=message.ip,
        status=message.status,
        ready=message.ready,
        created_us=message.created_us,
        deletion_us=message.deletion_us if message.HasField("deletion_us") else None,
        grace_seconds=message.grace_seconds,
        restarts=message.restarts,
        last_restart_us=message.last_restart_us if message.HasField("last_restart_us") else None,
        image=message.image,
        containers=tuple(_container(one) for one in message.containers),
        labels=dict(message.labels),
        message=message.message,
        cpu_request_millis=message.cpu_request_millis if message.HasField("cpu_request_millis") else None,
        memory_limit_bytes=message.memory_limit_bytes if message.HasField("memory_limit_bytes") else None,
        hostname=message.hostname,
        subdomain=message.subdomain,
        claims=tuple(message.claims),
        host_ports=tuple(message.host_ports),
        service_account=message.service_account,
        memory_request_bytes=message.memory_request_bytes if message.HasField("memory_request_bytes") else None,
        cpu_limit_millis=message.cpu_limit_millis if message.HasField("cpu_limit_millis") else None,
        annotations=dict(message.annotations),
        annotations_left_out=message.annotations_left_out,
    )


def _workload(uid: str, kind: model.Kind, message: wire.Workload) -> model.Workload:
    deadline = message.progress_deadline_seconds if message.HasField("progress_deadline_seconds") else None
    return model.Workload(
        uid=uid,
        kind=KINDS.get(message.kind, kind),
        name=message.name,
        experiment=message.experiment,
        owner_uid=message.owner_uid,
        created_us=message.created_us,
        desired=message.desired,
        current=message.current,
        updated=message.updated,
        ready=message.ready,
        available=message.available,
        generation=message.generation,
        observed_generation=message.observed_generation,
        revision=message.revision,
        image=message.image,
        paused=message.paused,
        strategy=message.strategy,
        max_surge=message.max_surge,
        max_unavailable=message.max_unavailable,
        progress_deadline_seconds=deadline,
        pre_stop_seconds=message.pre_stop_seconds if message.HasField("pre_stop_seconds") else None,
        environment=dict(message.environment),
        conditions=tuple(condition(one) for one in message.conditions),
        container=message.container,
        readiness_probe=message.readiness_probe,
    )


def _port(message: wire.Port) -> model.Port:
    return model.Port(
        name=message.name,
        port=message.port,
        protocol=message.protocol,
        target=message.target,
        node_port=message.node_port,
    )


def _slice(uid: str, _: model.Kind, message: wire.Slice) -> model.Slice:
    return model.Slice(
        uid=uid,
        name=message.name,
        experiment=message.experiment,
        service=message.service,
        endpoints=tuple(_endpoint(one) for one in message.endpoints),
        ports=tuple(_port(one) for one in message.ports),
    )


def _endpoint(message: wire.Endpoint) -> model.Endpoint:
    return model.Endpoint(
        pod_uid=message.pod_uid,
        pod_name=message.pod_name,
        addresses=tuple(message.addresses),
        node=message.node,
        hostname=message.hostname,
        ready=message.ready,
        serving=message.serving,
        terminating=message.terminating,
    )


def _autoscaler(uid: str, _: model.Kind, message: wire.Autoscaler) -> model.Autoscaler:
    window = message.scale_down_window_seconds if message.HasField("scale_down_window_seconds") else None
    return model.Autoscaler(
        uid=uid,
        name=message.name,
        experiment=message.experiment,
        target_name=message.target_name,
        min_replicas=message.min_replicas,
        max_replicas=message.max_replicas,
        current_replicas=message.current_replicas,
        desired_replicas=message.desired_replicas,
        target_utilization=message.target_utilization,
        current_utilization=message.current_utilization if message.HasField("current_utilization") else None,
        last_scale_us=message.last_scale_us if message.HasField("last_scale_us") else None,
        scale_down_window_seconds=window,
        conditions=tuple(condition(one) for one in message.conditions),
    )


def _node(uid: str, _: model.Kind, message: wire.Node) -> model.Node:
    return model.Node(
        uid=uid,
        name=message.name,
        state=message.state,
        unschedulable=message.unschedulable,
        internal_ip=message.internal_ip,
        kubelet_version=message.kubelet_version,
        cpu_capacity_millis=message.cpu_capacity_millis,
        memory_capacity_bytes=message.memory_capacity_bytes,
        conditions=tuple(condition(one) for one in message.conditions),
    )


def _service(uid: str, _: model.Kind, message: wire.Service) -> model.Service:
    return model.Service(
        uid=uid,
        name=message.name,
        experiment=message.experiment,
        type=message.type,
        cluster_ip=message.cluster_ip,
        external_name=message.external_name,
        external_traffic_policy=message.external_traffic_policy,
        selector=dict(message.selector),
        ports=tuple(_port(one) for one in message.ports),
        publish_not_ready=message.publish_not_ready,
        cluster_ips=tuple(message.cluster_ips),
    )


def _claim(uid: str, _: model.Kind, message: wire.Claim) -> model.Claim:
    return model.Claim(
        uid=uid,
        name=message.name,
        experiment=message.experiment,
        phase=message.phase,
        storage_class=message.storage_class,
        volume=message.volume,
        capacity_bytes=message.capacity_bytes if message.HasField("capacity_bytes") else None,
    )


def _usage(uid: str, kind: model.Kind, message: wire.Usage) -> model.Usage:
    return model.Usage(
        uid=uid,
        kind=kind,
        name=message.name,
        cpu_millis=message.cpu_millis,
        memory_bytes=message.memory_bytes,
        measured_us=message.measured_us,
        window_seconds=message.window_seconds,
    )


def _load(_: str, __: model.Kind, message: wire.Load) -> model.Load:
    return load(message)


# Each takes the uid and kind of its Change and the message in the oneof field of this name.
_ENTITIES: dict[str, Callable[[str, model.Kind, Any], model.Entity]] = {
    "pod": _pod,
    "workload": _workload,
    "slice": _slice,
    "autoscaler": _autoscaler,
    "node": _node,
    "service": _service,
    "claim": _claim,
    "usage": _usage,
    "load": _load,
}
