"""Kubernetes objects as the contract's state: each projector keeps what an experiment shows, and no more.

All of them raise ValueError for a quantity or number that the API does not allow.
"""

from collections.abc import Iterable, Iterator

from kubealive.v1 import facts_pb2, state_pb2
from kubealive_agent.kube import _raw as raw
from kubealive_agent.kube._meta import conditions, controller, created, experiment, micros
from kubealive_agent.kube._quantity import quantity_millis, quantity_whole

_REVISION = "deployment.kubernetes.io/revision"
_SERVICE_NAME = "kubernetes.io/service-name"


def project_deployment(raw_object: raw.Workload) -> state_pb2.Workload:
    """Trim a Deployment."""
    return _workload(raw_object, kind=state_pb2.KIND_DEPLOYMENT)


def project_replica_set(raw_object: raw.Workload) -> state_pb2.Workload:
    """Trim a ReplicaSet."""
    return _workload(raw_object, kind=state_pb2.KIND_REPLICA_SET)


def project_stateful_set(raw_object: raw.Workload) -> state_pb2.Workload:
    """Trim a StatefulSet."""
    return _workload(raw_object, kind=state_pb2.KIND_STATEFUL_SET)


def project_daemon_set(raw_object: raw.Workload) -> state_pb2.Workload:
    """Trim a DaemonSet; its numbers have names of their own, and the nodes say how many are desired."""
    projected = _workload(raw_object, kind=state_pb2.KIND_DAEMON_SET)
    status = raw_object.status
    projected.desired = status.desired_number_scheduled
    projected.current = status.current_number_scheduled
    projected.updated = status.updated_number_scheduled
    projected.ready = status.number_ready
    projected.available = status.number_available
    return projected


def _workload(workload: raw.Workload, *, kind: state_pb2.Kind.ValueType) -> state_pb2.Workload:
    meta, spec, status = workload.metadata, workload.spec, workload.status
    owner = controller(meta)
    strategy = spec.strategy or spec.update_strategy or raw.Strategy()
    rolling = strategy.rolling_update or raw.RollingUpdate()
    container = _first_container(spec)
    return state_pb2.Workload(
        kind=kind,
        name=meta.name,
        experiment=experiment(meta),
        owner_uid=owner.uid if owner else "",
        created_us=created(meta),
        desired=1 if spec.replicas is None else spec.replicas,
        current=status.replicas,
        updated=status.updated_replicas,
        ready=status.ready_replicas,
        available=status.available_replicas,
        generation=meta.generation,
        observed_generation=status.observed_generation,
        revision=int((meta.annotations or {}).get(_REVISION, "0")),
        image=container.image,
        paused=spec.paused,
        strategy=strategy.type,
        max_surge=str(rolling.max_surge),
        max_unavailable=str(rolling.max_unavailable),
        progress_deadline_seconds=spec.progress_deadline_seconds,
        pre_stop_seconds=_pre_stop(container),
        environment={each.name: each.value for each in container.env or () if each.value_from is None},
        conditions=conditions(status.conditions),
        container=container.name,
        readiness_probe=container.readiness_probe is not None,
    )


def _first_container(spec: raw.WorkloadSpec) -> raw.TemplateContainer:
    pod = spec.template.spec if spec.template else None
    return next(iter((pod and pod.containers) or ()), raw.TemplateContainer())


def _pre_stop(container: raw.TemplateContainer) -> int | None:
    """Seconds of a declared `sleep`; what a command would take is not known."""
    handler = container.lifecycle.pre_stop if container.lifecycle else None
    return handler.sleep.seconds if handler and handler.sleep else None


def project_slice(each: raw.Slice) -> state_pb2.Slice:
    """Trim an EndpointSlice."""
    return state_pb2.Slice(
        name=each.metadata.name,
        experiment=experiment(each.metadata),
        service=(each.metadata.labels or {}).get(_SERVICE_NAME, ""),
        endpoints=map(_endpoint, each.endpoints or ()),
        ports=_ports(each.ports),
    )


def _endpoint(endpoint: raw.Endpoint) -> state_pb2.Endpoint:
    """Trim an endpoint; a condition that is left out means what the API documents for it."""
    given = endpoint.conditions
    ready = given.ready is not False
    target = endpoint.target_ref if endpoint.target_ref and endpoint.target_ref.kind == "Pod" else None
    return state_pb2.Endpoint(
        pod_uid=target.uid if target else "",
        pod_name=target.name if target else "",
        addresses=endpoint.addresses or (),
        node=endpoint.node_name or "",
        hostname=endpoint.hostname or "",
        ready=ready,
        serving=ready if given.serving is None else given.serving,
        terminating=given.terminating is True,
    )


def _ports(ports: Iterable[raw.Port] | None) -> Iterator[state_pb2.Port]:
    for port in ports or ():
        yield state_pb2.Port(
            name=port.name or "",
            port=port.port or 0,
            protocol=port.protocol or "TCP",
            target=str(port.target_port),
            node_port=port.node_port,
        )


def project_service(service: raw.Service) -> state_pb2.Service:
    """Trim a Service."""
    spec = service.spec
    return state_pb2.Service(
        name=service.metadata.name,
        experiment=experiment(service.metadata),
        type=spec.type,
        cluster_ip=spec.cluster_ip,
        cluster_ips=[each for each in spec.cluster_ips or () if each != "None"],
        external_name=spec.external_name,
        external_traffic_policy=spec.external_traffic_policy,
        selector=spec.selector or {},
        ports=_ports(spec.ports),
        publish_not_ready=spec.publish_not_ready_addresses,
    )


def project_autoscaler(autoscaler: raw.Autoscaler) -> state_pb2.Autoscaler:
    """Trim an autoscaler of autoscaling/v2; of its metrics only CPU utilisation is kept."""
    meta, spec, status = autoscaler.metadata, autoscaler.spec, autoscaler.status
    target = next((each.target for each in _cpu(spec.metrics) if each.target), None)
    current = next((each.current for each in _cpu(status.current_metrics) if each.current), None)
    scale_down = spec.behavior.scale_down if spec.behavior else None
    return state_pb2.Autoscaler(
        name=meta.name,
        experiment=experiment(meta),
        target_name=spec.scale_target_ref.name,
        min_replicas=1 if spec.min_replicas is None else spec.min_replicas,
        max_replicas=spec.max_replicas,
        current_replicas=status.current_replicas,
        desired_replicas=status.desired_replicas,
        target_utilization=(target and target.average_utilization) or 0,
        current_utilization=current.average_utilization if current else None,
        last_scale_us=micros(status.last_scale_time),
        scale_down_window_seconds=scale_down.stabilization_window_seconds if scale_down else None,
        conditions=conditions(status.conditions),
    )


def _cpu(metrics: Iterable[raw.Metric] | None) -> Iterator[raw.ResourceMetric]:
    for metric in metrics or ():
        if metric.resource and metric.resource.name == "cpu":
            yield metric.resource


def project_node(node: raw.Node) -> state_pb2.Node:
    """Trim a node."""
    status = node.status
    capacity = status.capacity or {}
    internal = (each.address for each in status.addresses or () if each.type == "InternalIP")
    return state_pb2.Node(
        name=node.metadata.name,
        state=_node_state(status.conditions),
        unschedulable=node.spec.unschedulable,
        internal_ip=next(internal, ""),
        kubelet_version=status.node_info.kubelet_version,
        cpu_capacity_millis=quantity_millis(capacity.get("cpu", "0")),
        memory_capacity_bytes=quantity_whole(capacity.get("memory", "0")),
        conditions=conditions(status.conditions),
    )


def _node_state(given: Iterable[raw.Condition] | None) -> str:
    words = {"True": "Ready", "False": "NotReady"}
    ready = next((each.status for each in given or () if each.type == "Ready"), "")
    return words.get(ready, "Unknown")


def project_claim(claim: raw.Claim) -> state_pb2.Claim:
    """Trim a PersistentVolumeClaim."""
    capacity = (claim.status.capacity or {}).get("storage")
    return state_pb2.Claim(
        name=claim.metadata.name,
        experiment=experiment(claim.metadata),
        phase=claim.status.phase,
        storage_class=claim.spec.storage_class_name or "",
        volume=claim.spec.volume_name,
        capacity_bytes=None if capacity is None else quantity_whole(capacity),
    )


def project_event(event: raw.Event) -> facts_pb2.KubeEvent:
    """Trim an Event; its time is the latest that the component wrote."""
    series = event.series or raw.EventSeries()
    happened = series.last_observed_time or event.last_timestamp or event.event_time
    return facts_pb2.KubeEvent(
        uid=event.metadata.uid,
        type=event.type,
        reason=event.reason,
        message=event.message,
        object_kind=event.involved_object.kind,
        object_name=event.involved_object.name,
        object_uid=event.involved_object.uid,
        component=event.source.component or event.reporting_component,
        count=series.count or event.count or 1,
        happened_us=micros(happened or event.first_timestamp) or created(event.metadata),
    )
