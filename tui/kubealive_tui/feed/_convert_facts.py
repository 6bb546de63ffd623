"""Protobuf facts into the model's, field by field.

A fact whose meaning hangs on a number that this version does not know (a new phase, a new edge) is kept as
Unknown, like a fact of a new sort: shown as "newer agent", and never mistaken for something else.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from kubealive.v1 import facts_pb2 as wire
from kubealive_tui import model
from kubealive_tui.feed._convert_state import KINDS, condition, load, members_of, termination

__all__ = ["fact"]

_PHASES = members_of(wire.Action.Phase, model.Phase, "PHASE_")
_ASPECTS = members_of(wire.PodTransition.Aspect, model.Aspect, "ASPECT_")
_OUTCOMES = members_of(wire.Outcome, model.Outcome, "OUTCOME_")
_EDGES = members_of(wire.OutageEdge.Edge, model.EdgeKind, "EDGE_")
_GAPS = members_of(wire.AgentNote.WatchGap, model.WatchGap, "WATCH_GAP_")
_LOAD_STATES = members_of(wire.LoadTransition.State, model.LoadState, "STATE_")


def fact(message: wire.Fact) -> model.Fact:
    """Convert one fact; what a newer agent alone knows keeps its place in the journal as Unknown."""
    return model.Fact(
        sequence=message.sequence,
        time_us=message.time_us,
        experiment=message.experiment,
        body=_body(message),
        action_id=message.action_id,
    )


def _body(message: wire.Fact) -> model.FactBody:
    field = message.WhichOneof("fact")
    if field is None:
        unknown: Any = UnknownFieldSet(message)  # its stubs lack the iteration that it has
        return model.Unknown(max((one.field_number for one in unknown), default=0))
    body = _BODIES[field](getattr(message, field))
    return body if body is not None else model.Unknown(wire.Fact.DESCRIPTOR.fields_by_name[field].number)


def _action(message: wire.Action) -> model.Action | None:
    phase = _PHASES.get(message.phase)
    if phase is None:
        return None
    return model.Action(
        request_id=message.request_id,
        actor=message.actor,
        verb=message.verb,
        phase=phase,
        target_kind=KINDS.get(message.target_kind, model.Kind.UNKNOWN),
        target_name=message.target_name,
        target_uid=message.target_uid,
        parameters=dict(message.parameters),
        message=message.message,
    )


def _pod(message: wire.PodTransition) -> model.PodTransition:
    ended = termination(message.last_termination) if message.HasField("last_termination") else None
    return model.PodTransition(
        uid=message.uid,
        name=message.name,
        changed=frozenset(_ASPECTS[number] for number in message.changed if number in _ASPECTS),
        node=message.node,
        owner_uid=message.owner_uid,
        status=message.status,
        ready=message.ready,
        deleting=message.deleting,
        restarts=message.restarts,
        image=message.image,
        ip=message.ip,
        last_termination=ended,
        created_us=message.created_us,
        found=message.found,
        message=message.message,
    )


def _endpoint(message: wire.EndpointTransition) -> model.EndpointTransition:
    return model.EndpointTransition(
        service=message.service,
        pod_uid=message.pod_uid,
        pod_name=message.pod_name,
        address=message.address,
        ready=message.ready,
        serving=message.serving,
        terminating=message.terminating,
        removed=message.removed,
        found=message.found,
    )


def _event(message: wire.KubeEvent) -> model.KubeEvent:
    return model.KubeEvent(
        uid=message.uid,
        type=message.type,
        reason=message.reason,
        message=message.message,
        object_kind=message.object_kind,
        object_name=message.object_name,
        object_uid=message.object_uid,
        component=message.component,
        count=message.count,
        happened_us=message.happened_us,
        found=message.found,
    )


def _traffic(message: wire.TrafficBin) -> model.TrafficBin:
    return model.TrafficBin(
        load_id=message.load_id,
        start_us=message.start_us,
        width_us=message.width_us,
        planned=message.planned,
        sent=message.sent,
        rows=tuple(_row(one) for one in message.rows),
        latency=tuple((one.bucket, one.count) for one in message.latency),
        lag_max_us=message.lag_max_us,
        ports_quarantined=message.ports_quarantined,
    )


def _row(message: wire.TrafficRow) -> model.TrafficRow:
    return model.TrafficRow(
        outcome=_OUTCOMES.get(message.outcome, model.Outcome.UNKNOWN),
        count=message.count,
        pod_uid=message.pod_uid,
        pod_name=message.pod_name,
        node=message.node,
        version=message.version,
        first_planned_us=message.first_planned_us,
        last_planned_us=message.last_planned_us,
        first_end_us=message.first_end_us,
        last_end_us=message.last_end_us,
        retransmitted=message.retransmitted,
        retried=message.retried,
    )


def _outage(message: wire.OutageEdge) -> model.OutageEdge | None:
    edge = _EDGES.get(message.edge)
    if edge is None:
        return None
    outcomes = ((_OUTCOMES.get(one.outcome, model.Outcome.UNKNOWN), one.count) for one in message.outcomes)
    return model.OutageEdge(
        load_id=message.load_id,
        outage_id=message.outage_id,
        edge=edge,
        at_us=message.at_us,
        failed=message.failed,
        interval_us=message.interval_us,
        outcomes=tuple(outcomes),
    )


def _dns(message: wire.DnsAnswer) -> model.DnsAnswer:
    minimum = message.soa_minimum_seconds if message.HasField("soa_minimum_seconds") else None
    return model.DnsAnswer(
        name=message.name,
        type=message.type,
        rcode=message.rcode,
        answers=tuple(message.answers),
        ttl_seconds=message.ttl_seconds if message.HasField("ttl_seconds") else None,
        soa_minimum_seconds=minimum,
        took_us=message.took_us,
        server=message.server,
        changed=message.changed,
        walk=message.walk,
        step=message.step,
    )


def _reading(message: wire.Reading) -> model.Reading:
    field = message.WhichOneof("value")
    value = message.number if field == "number" else message.text if field == "text" else None
    return model.Reading(
        kind=KINDS.get(message.kind, model.Kind.UNKNOWN),
        uid=message.uid,
        subject=message.subject,
        name=message.name,
        value=value,
        taken_us=message.taken_us if message.HasField("taken_us") else None,
        error=message.error,
    )


def _scaling(message: wire.ScalingSample) -> model.ScalingSample:
    def known(field: str) -> Any:
        return getattr(message, field) if message.HasField(field) else None  # type: ignore[arg-type]  # a literal there

    return model.ScalingSample(
        uid=message.uid,
        name=message.name,
        utilization=known("utilization"),
        measured_pods=message.measured_pods,
        unmeasured_pods=message.unmeasured_pods,
        measured_us=known("measured_us"),
        target_utilization=message.target_utilization,
        min_replicas=message.min_replicas,
        max_replicas=message.max_replicas,
        desired_replicas=message.desired_replicas,
        current_replicas=message.current_replicas,
        seen_utilization=known("seen_utilization"),
        previous_desired_replicas=known("previous_desired_replicas"),
    )


def _condition(message: wire.ConditionTransition) -> model.ConditionTransition:
    return model.ConditionTransition(
        kind=KINDS.get(message.kind, model.Kind.UNKNOWN),
        uid=message.uid,
        name=message.name,
        condition=condition(message.condition),
        found=message.found,
    )


def _workload(message: wire.WorkloadTransition) -> model.WorkloadTransition:
    return model.WorkloadTransition(
        kind=KINDS.get(message.kind, model.Kind.UNKNOWN),
        uid=message.uid,
        name=message.name,
        owner_uid=message.owner_uid,
        desired=message.desired,
        current=message.current,
        updated=message.updated,
        ready=message.ready,
        available=message.available,
        revision=message.revision,
        image=message.image,
        paused=message.paused,
        deleted=message.deleted,
        found=message.found,
    )


def _load(message: wire.LoadTransition) -> model.LoadTransition | None:
    state = _LOAD_STATES.get(message.state)
    if state is None:
        return None
    return model.LoadTransition(
        load_id=message.load_id,
        state=state,
        reason=message.reason,
        load=load(message.load) if message.HasField("load") else None,
    )


def _call(message: wire.CallResult) -> model.CallResult:
    return model.CallResult(
        name=message.name,
        address=message.address,
        port=message.port,
        outcome=_OUTCOMES.get(message.outcome, model.Outcome.UNKNOWN),
        http_status=message.http_status,
        pod_uid=message.pod_uid,
        pod_name=message.pod_name,
        node=message.node,
        body=message.body,
        took_us=message.took_us,
        error=message.error,
    )


def _note(message: wire.AgentNote) -> model.AgentNote:
    return model.AgentNote(
        message=message.message,
        warning=message.level == wire.AgentNote.LEVEL_WARNING,
        watch_gap=_GAPS.get(message.watch_gap),
    )


# Each takes the message in the oneof field of this name; None says that it cannot be understood.
_BODIES: dict[str, Callable[[Any], model.FactBody | None]] = {
    "action": _action,
    "pod": _pod,
    "endpoint": _endpoint,
    "event": _event,
    "traffic": _traffic,
    "outage": _outage,
    "dns": _dns,
    "reading": _reading,
    "condition": _condition,
    "workload": _workload,
    "load": _load,
    "call": _call,
    "note": _note,
    "scaling": _scaling,
}
