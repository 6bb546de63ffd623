"""Pods as the experiments see them: trimmed, with STATUS and the causes of trouble worked out."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence

from kubealive.v1 import state_pb2
from kubealive_agent.kube import _raw as raw
from kubealive_agent.kube._meta import controller, created, experiment, micros
from kubealive_agent.kube._quantity import quantity_millis, quantity_whole
from kubealive_agent.kube._status import holds, standing

# What the API server fills in when a pod's author says nothing.
_DEFAULT_GRACE_S = 30

# Characters of all annotations together: the API takes 256 KiB of them, which no screen shows.
_MAX_ANNOTATIONS = 4096

_OWNER_KINDS = {
    "ReplicaSet": state_pb2.KIND_REPLICA_SET,
    "StatefulSet": state_pb2.KIND_STATEFUL_SET,
    "DaemonSet": state_pb2.KIND_DAEMON_SET,
}

_NO_OWNER = raw.Owner()


def project_pod(pod: raw.Pod) -> state_pb2.Pod:
    """Trim a pod. Raises ValueError for quantities and numbers that the API does not allow."""
    meta, spec, status = pod.metadata, pod.spec, pod.status
    now = standing(pod)
    owner = controller(meta) or _NO_OWNER
    containers = spec.containers or ()
    requests = [each.resources.requests if each.resources else None for each in containers]
    limits = [each.resources.limits if each.resources else None for each in containers]
    projected = state_pb2.Pod(
        name=meta.name,
        experiment=experiment(meta),
        owner_uid=owner.uid,
        owner_name=owner.name,
        owner_kind=_OWNER_KINDS.get(owner.kind, state_pb2.KIND_UNSPECIFIED),
        node=spec.node_name,
        ip=status.pod_ip,
        status=now.status,
        ready=holds(status.conditions, "Ready"),
        created_us=created(meta),
        deletion_us=micros(meta.deletion_timestamp),
        grace_seconds=_grace(pod),
        restarts=now.restarts,
        last_restart_us=micros(now.last_restart),
        image=containers[0].image if containers else "",
        message=_message(pod),
        cpu_request_millis=_sum(requests, "cpu", quantity_millis),
        cpu_limit_millis=_sum(limits, "cpu", quantity_millis),
        memory_request_bytes=_sum(requests, "memory", quantity_whole),
        memory_limit_bytes=_sum(limits, "memory", quantity_whole),
        hostname=spec.hostname,
        subdomain=spec.subdomain,
        service_account=spec.service_account_name,
        claims=_claims(spec),
        host_ports=_host_ports(containers),
    )
    _repeat(pod, projected)
    return projected


def _repeat(pod: raw.Pod, projected: state_pb2.Pod) -> None:
    """Put what repeats into its place, since a message made elsewhere would be copied there."""
    for each in _long_running(pod):
        _add_container(projected.containers.add, each)
    _copy(pod.metadata.labels or {}, projected.labels)
    _annotate(projected, pod.metadata.annotations or {})


def _grace(pod: raw.Pod) -> int:
    """The grace that deletion was asked with, else the one that it would have."""
    asked, declared = pod.metadata.deletion_grace_period_seconds, pod.spec.termination_grace_period_seconds
    if asked is not None:
        return asked
    return _DEFAULT_GRACE_S if declared is None else declared


def _long_running(pod: raw.Pod) -> list[raw.ContainerStatus]:
    """The containers that are meant to run as long as the pod: its own, then its sidecars."""
    own, initial = pod.status.container_statuses or [], pod.status.init_container_statuses
    if not initial:
        return own
    sidecars = {each.name for each in pod.spec.init_containers or () if each.restart_policy == "Always"}
    return own + [each for each in initial if each.name in sidecars]


def _add_container(add: Callable[..., object], status: raw.ContainerStatus) -> None:
    running, waiting, ended = status.state.running, status.state.waiting, status.state.terminated
    words = waiting or ended
    add(
        name=status.name,
        state=_state(status.state),
        reason=words.reason if words else "",
        message=words.message if words else "",
        ready=status.ready,
        restarts=status.restart_count,
        started_us=micros(running.started_at) if running else None,
        last_termination=_termination(status.last_state.terminated),
        termination=_termination(ended),
    )


def _state(state: raw.ContainerState) -> state_pb2.Container.State.ValueType:
    if state.running:
        return state_pb2.Container.STATE_RUNNING
    if state.terminated:
        return state_pb2.Container.STATE_TERMINATED
    return state_pb2.Container.STATE_WAITING if state.waiting else state_pb2.Container.STATE_UNSPECIFIED


def _termination(end: raw.Terminated | None) -> state_pb2.Termination | None:
    if end is None:
        return None
    return state_pb2.Termination(
        reason=end.reason,
        exit_code=end.exit_code,
        finished_us=micros(end.finished_at),
        message=end.message,
    )


def _message(pod: raw.Pod) -> str:
    """Why the pod does not run: the scheduler's words, else a waiting container's, else the pod's own."""
    status = pod.status
    for condition in status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False" and condition.message:
            return condition.message
    for statuses in (status.init_container_statuses, status.container_statuses):
        for each in statuses or ():
            if each.state.waiting and each.state.waiting.message:
                return each.state.waiting.message
    return status.message


def _host_ports(containers: Sequence[raw.Container]) -> list[int]:
    return [port.host_port for each in containers for port in each.ports or () if port.host_port]


def _sum(given: Sequence[Mapping[str, str] | None], resource: str, read: Callable[[str], int]) -> int | None:
    """Sum what the containers request, or are limited to, of one resource.

    Absent unless all say it: without one's request the autoscaler counts none, and without one's limit nothing
    limits the pod.
    """
    total = None
    for each in given:
        if not each or resource not in each:
            return None
        total = (total or 0) + read(each[resource])
    return total


def _annotate(projected: state_pb2.Pod, given: Mapping[str, str]) -> None:
    """Keep the annotations of an experiment's pod, while they are of a size that people read."""
    if not projected.experiment:
        return
    if sum(len(key) + len(value) for key, value in given.items()) > _MAX_ANNOTATIONS:
        projected.annotations_left_out = True
        return
    _copy(given, projected.annotations)


def _copy(given: Mapping[str, str], into: MutableMapping[str, str]) -> None:
    """Pair by pair, since a whole mapping is taken over in Python, at twice the cost."""
    for key, value in given.items():
        into[key] = value


def _claims(spec: raw.PodSpec) -> list[str]:
    claims = (volume.persistent_volume_claim for volume in spec.volumes or ())
    return [claim.claim_name for claim in claims if claim]
