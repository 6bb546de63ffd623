"""The border between the contract and the model: the only place where messages become frames and back.

What a newer agent sends and this version does not know never raises: it becomes Unknown, or is passed over
where the model has no place for it.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from google.protobuf.message import Message

from kubealive.v1 import agent_pb2 as wire
from kubealive.v1 import state_pb2
from kubealive_tui import model
from kubealive_tui.errors import RefusedError
from kubealive_tui.feed._convert_facts import fact
from kubealive_tui.feed._convert_state import KINDS, change, members_of

__all__ = ["act_request", "frame", "info", "load_request", "refused", "sample", "stopped"]

_ACCESS_STATES = members_of(wire.KindAccess.State, model.AccessState, "STATE_")
_PROBE_FAILS = {
    None: wire.ProbeFault.FAILS_UNSPECIFIED,
    model.ProbeFails.NEVER: wire.ProbeFault.FAILS_NEVER,
    model.ProbeFails.ALWAYS: wire.ProbeFault.FAILS_ALWAYS,
    model.ProbeFails.NEXT: wire.ProbeFault.FAILS_NEXT,
}
_VERBS: dict[type, tuple[str, Callable[..., Message]]] = {
    model.Call: ("call", wire.Call),
    model.DeletePod: ("delete_pod", wire.DeletePod),
    model.LabelPod: ("label_pod", wire.LabelPod),
    model.Pause: ("pause", wire.Pause),
    model.Restart: ("restart", wire.Restart),
    model.Rollout: ("rollout", wire.Rollout),
    model.Scale: ("scale", wire.Scale),
    model.TrafficPolicy: ("traffic_policy", wire.TrafficPolicy),
    model.Undo: ("undo", wire.Undo),
}
_LOAD_MODES = {model.LoadMode.NEW: state_pb2.LOAD_MODE_NEW, model.LoadMode.KEPT: state_pb2.LOAD_MODE_KEPT}


def frame(message: wire.WatchResponse) -> model.Frame:
    """Convert one message of the stream; a sort of message that is not known here still moves the time."""
    return model.Frame(message.epoch, message.sequence, message.time_us, _body(message))


def _body(message: wire.WatchResponse) -> model.FrameBody:
    match message.WhichOneof("body"):
        case "batch":
            return model.Batch(_changes(message.batch.changes), [fact(one) for one in message.batch.facts])
        case "snapshot":
            part = message.snapshot
            facts = [fact(one) for one in part.facts]
            return model.Snapshot(part.first, part.last, _changes(part.changes), facts)
        case "status":
            return _status(message.status)
        case "loss":
            return model.Loss(getattr(message.loss, "from"), message.loss.to)
        case "goodbye":
            return model.Goodbye(message.goodbye.reason)
        case _:
            return model.Tick()


def _changes(messages: Iterable[state_pb2.Change]) -> list[model.Change]:
    return [converted for message in messages if (converted := change(message)) is not None]


def _status(message: wire.Status) -> model.Status:
    return model.Status(
        viewers=tuple(_viewer(one) for one in message.viewers),
        kinds=_access(message.kinds),
        started_us=message.started_us,
        rss_bytes=message.rss_bytes,
        journal_facts=message.journal_facts,
        journal_bytes=message.journal_bytes,
        journal_dropped=message.journal_dropped,
        load_local_errors=message.load_local_errors,
    )


def _viewer(message: wire.Viewer) -> model.Viewer:
    return model.Viewer(
        session_id=message.session_id,
        actor=message.actor,
        read_only=message.read_only,
        since_us=message.since_us,
        experiments=tuple(message.experiments),
        leaving_us=message.leaving_us if message.HasField("leaving_us") else None,
    )


def _access(messages: Iterable[wire.KindAccess]) -> tuple[model.Access, ...]:
    """Convert what is said of each kind; a state that is not known here counts as not being watched."""
    return tuple(
        model.Access(
            kind=KINDS.get(message.kind, model.Kind.UNKNOWN),
            state=_ACCESS_STATES.get(message.state, model.AccessState.RETRYING),
            reason=message.reason,
            since_us=message.since_us,
        )
        for message in messages
    )


def info(message: wire.GetInfoResponse) -> model.Info:
    """Convert who the agent is and what it can do."""
    caps = message.caps
    return model.Info(
        version=message.version,
        epoch=message.epoch,
        namespace=message.namespace,
        pod_name=message.pod_name,
        node_name=message.node_name,
        kubernetes_version=message.kubernetes_version,
        capabilities=frozenset(message.capabilities),
        kinds=_access(message.kinds),
        caps=model.Caps(caps.rate, caps.connections, caps.duration_seconds, caps.burst, caps.cpu)
        if message.HasField("caps")
        else model.Caps(),
        time_us=message.time_us,
        downward=dict(message.downward),
        resolver=_resolver(message.resolver) if message.HasField("resolver") else model.Resolver(),
    )


def _resolver(message: wire.Resolver) -> model.Resolver:
    return model.Resolver(message.domain, tuple(message.search), message.ndots, tuple(message.servers))


def act_request(request: model.Act, *, request_id: str, session_id: str) -> wire.ActRequest:
    """Convert one guarded change."""
    message = wire.ActRequest(
        request_id=request_id,
        session_id=session_id,
        experiment=request.experiment,
        uid=request.uid,
        dry_run=request.dry_run,
        observe=None if request.observe is None else _observe(request.observe),
    )
    field, verb = _verb(request.verb)
    getattr(message, field).CopyFrom(verb)
    return message


def _verb(verb: model.Verb) -> tuple[str, Message]:
    """The field of the request, and what belongs there."""
    if isinstance(verb, model.Fault):
        return "fault", _fault(verb)
    field, message = _VERBS[type(verb)]
    # The fields are called the same on both sides; None is absent.
    return field, message(**{one.name: getattr(verb, one.name) for one in fields(verb)})


def _fault(fault: model.Fault) -> wire.Fault:
    value: Any = fault.amount
    match fault.kind:
        case model.FaultKind.LIVENESS | model.FaultKind.READINESS:
            value = wire.ProbeFault(fails=_PROBE_FAILS[fault.fails], count=fault.amount)
        case model.FaultKind.HANG:
            value = wire.Hang()
        case model.FaultKind.CURE:
            value = wire.Cure()
    # The kind's value is the name of its field.
    return wire.Fault(**{fault.kind.value: value})


def _observe(observe: model.Observe) -> wire.Observe:
    return wire.Observe(
        target=_target(observe.target),
        mode=_LOAD_MODES[observe.mode],
        rate=observe.rate,
        lead_ms=observe.lead_ms,
        tail_ms=observe.tail_ms,
    )


def _target(target: model.Target) -> state_pb2.LoadTarget:
    message = state_pb2.LoadTarget(port=target.port, path=target.path)
    if target.service:
        message.service = target.service
    elif target.pod_uid:
        message.pod_uid = target.pod_uid
    elif target.node:
        message.node = target.node
    return message


def sample(given: model.Sample) -> wire.Sample:
    """Convert one question that is asked again and again."""
    message = wire.Sample(experiment=given.experiment, period_ms=given.period_ms)
    match given.what:
        case model.DnsSample(name=name, type=kind):
            message.dns.CopyFrom(wire.DnsSample(name=name, type=kind))
        case model.PodSample(path=path, app=app, port=port):
            message.pod.CopyFrom(wire.PodSample(app=app, path=path, port=port))
        case model.NodeSample(port=port, path=path):
            message.node.CopyFrom(wire.NodeSample(port=port, path=path))
        case model.CallSample(host=host, port=port, path=path):
            message.call.CopyFrom(wire.CallSample(host=host, port=port, path=path))
    return message


def load_request(request: model.SetLoad | model.StopLoad, *, session_id: str) -> wire.SetLoadRequest:
    """Convert the start, the change or the stop of an experiment's traffic."""
    message = wire.SetLoadRequest(session_id=session_id, experiment=request.experiment)
    if isinstance(request, model.StopLoad):
        message.stop.SetInParent()
        return message
    run = wire.SetLoadRequest.Run(
        target=_target(request.target),
        mode=_LOAD_MODES[request.mode],
        duration_seconds=request.duration_seconds,
        connections=request.connections,
    )
    if request.rate is not None:
        run.rate = request.rate
    elif request.burst is not None:
        run.burst = request.burst
    elif request.cpu is not None:
        run.cpu = request.cpu
    message.run.CopyFrom(run)
    return message


def refused(message: wire.Refusal, act: model.Act | None = None) -> RefusedError:
    """Convert a refusal into the error that its sentence makes.

    Of an `act` whose object is gone the agent knows the UID alone: the sentence names the object instead.
    """
    if act is not None and message.reason == wire.Refusal.REASON_GONE and act.uid in message.message:
        return RefusedError(f"{act.name} is gone; choose one that is listed now")
    return RefusedError(message.message or "the agent refused this without saying why; see its log")


def stopped(message: wire.StopAllResponse) -> str:
    """Say in words what stopping all did; raises RefusedError where pods could not be cured."""
    did = f"stopped {message.loads_stopped} loads and cured {message.pods_cured} pods"
    if message.not_cured:
        names = ", ".join(message.not_cured)
        raise RefusedError(f"{did}, but {names} did not answer at the fault port; delete these pods to cure them")
    return did
