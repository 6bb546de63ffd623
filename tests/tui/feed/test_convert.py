"""The border: every field of the contract that the model mirrors arrives, and nothing unknown breaks it."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from kubealive.v1 import agent_pb2, facts_pb2, state_pb2
from kubealive_tui import model
from kubealive_tui.errors import RefusedError
from kubealive_tui.feed import _convert, _convert_facts, _convert_state

# Fields that the model calls otherwise than the contract.
RENAMED = {
    ("Load", "load_id"): "uid",
    ("Loss", "from"): "first",
    ("Loss", "to"): "last",
    ("Reading", "number"): "value",
    ("Reading", "text"): "value",
    ("AgentNote", "level"): "warning",
}


def filled(message: Message, *, choose: str = "") -> Message:
    """Set every field to a value of its own; of a oneof the field `choose`, or the first."""
    for field in message.DESCRIPTOR.fields:
        group = field.containing_oneof
        if group is not None and len(group.fields) > 1:
            names = [one.name for one in group.fields]
            if field.name != (choose if choose in names else names[0]):
                continue
        _fill(message, field)
    return message


def _fill(message: Message, field: Any) -> None:
    entry = field.message_type.GetOptions().map_entry if field.message_type else False
    if entry:
        getattr(message, field.name)[f"key of {field.name}"] = f"value of {field.name}"
    elif field.message_type and field.is_repeated:
        filled(getattr(message, field.name).add())
        filled(getattr(message, field.name).add())
    elif field.message_type:
        getattr(message, field.name).SetInParent()
        filled(getattr(message, field.name))
    elif field.is_repeated:
        getattr(message, field.name).extend([_value(field), _value(field)])
    else:
        setattr(message, field.name, _value(field))


def _value(field: FieldDescriptor) -> Any:
    number = 1_000 + field.number
    if field.enum_type:
        return field.enum_type.values[-1].number
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    if field.type == FieldDescriptor.TYPE_STRING:
        return f"text of {field.name}"
    return number + 0.5 if field.type == FieldDescriptor.TYPE_DOUBLE else number


def differences(message: Message, converted: Any, path: str = "") -> Iterator[str]:
    """Name every field that was set in the message and is not the same in what it became."""
    kind = message.DESCRIPTOR.name
    for field, value in message.ListFields():
        name = RENAMED.get((kind, field.name), field.name)
        here = f"{path}{kind}.{field.name}"
        if field.containing_oneof is not None and field.message_type and len(field.containing_oneof.fields) > 1:
            continue
        group = field.containing_oneof
        if group is not None and group.name == "where":
            yield from _compare(value, getattr(converted, field.name), here)
        elif name not in {one.name for one in fields(converted)}:
            yield f"{here} has no place in {type(converted).__name__}"
        else:
            yield from _compare(value, getattr(converted, name), here)


def _compare(value: Any, converted: Any, here: str) -> Iterator[str]:
    if isinstance(value, Message) and is_dataclass(converted):
        yield from differences(value, converted, f"{here} → ")
    elif isinstance(value, Message) and isinstance(converted, tuple):
        pairs = [getattr(value, field.name) for field in value.DESCRIPTOR.fields]
        yield from (
            f"{here} became {converted!r}"
            for one, other in zip(pairs, converted, strict=True)
            if not _same(one, other)
        )
    elif isinstance(converted, tuple | list):
        if len(value) != len(converted):
            yield f"{here} has {len(value)} entries and became {len(converted)}"
        for one, other in zip(value, converted, strict=False):
            yield from _compare(one, other, here)
    elif not _same(value, converted):
        yield f"{here} = {value!r} became {converted!r}"


def _same(value: Any, converted: Any) -> bool:
    if isinstance(converted, Enum):
        return converted.name != "UNKNOWN"
    if isinstance(converted, frozenset | bool):
        return bool(converted)
    return bool((dict(value) if isinstance(converted, dict) else value) == converted)


FACTS = [field.name for field in facts_pb2.Fact.DESCRIPTOR.oneofs_by_name["fact"].fields]
CHANGES = [field.name for field in state_pb2.Change.DESCRIPTOR.oneofs_by_name["value"].fields]
BODIES = [field.name for field in agent_pb2.WatchResponse.DESCRIPTOR.oneofs_by_name["body"].fields]


@pytest.mark.parametrize("name", FACTS)
def test_every_field_of_a_fact_survives(name: str) -> None:
    """Whatever the agent wrote into a fact of this sort is in the model's fact."""
    message = facts_pb2.Fact()
    filled(message, choose=name)
    fact = _convert_facts.fact(message)
    assert (fact.sequence, fact.time_us) == (message.sequence, message.time_us)
    assert (fact.experiment, fact.action_id) == (message.experiment, message.action_id)
    assert list(differences(getattr(message, name), fact.body)) == []


@pytest.mark.parametrize("name", CHANGES)
def test_every_field_of_an_object_survives(name: str) -> None:
    """Whatever the agent wrote into an object of this sort is in the model's entity."""
    message = state_pb2.Change(kind=state_pb2.KIND_DEPLOYMENT, uid="u-1")
    value = getattr(message, name)
    value.SetInParent()
    filled(value)
    change = _convert_state.change(message)
    assert change is not None
    assert change.value is not None
    assert change.uid == "u-1"
    assert name == "load" or change.value.uid == "u-1"
    assert list(differences(value, change.value)) == []


@pytest.mark.parametrize("name", BODIES)
def test_every_field_of_a_frame_survives(name: str) -> None:
    """Each sort of message of the stream becomes its frame, with cursor and time."""
    message = agent_pb2.WatchResponse()
    filled(message, choose=name)
    message = agent_pb2.WatchResponse.FromString(message.SerializeToString())
    # A filled change is of the last kind and has `deleted` set: what it holds is proved above.
    frame = _convert.frame(message)
    assert (frame.epoch, frame.sequence, frame.time_us) == (message.epoch, message.sequence, message.time_us)
    body = getattr(message, name)
    wanted = {"snapshot": "SnapshotChunk"}.get(name, type(frame.body).__name__)
    assert body.DESCRIPTOR.name == wanted
    if isinstance(frame.body, model.Batch | model.Snapshot):
        assert len(frame.body.changes) == len(body.changes)
        assert [fact.sequence for fact in frame.body.facts] == [fact.sequence for fact in body.facts]
    if isinstance(frame.body, model.Snapshot):
        assert frame.body.first
        assert frame.body.last
    if not isinstance(frame.body, model.Batch | model.Snapshot):
        assert list(differences(body, frame.body)) == []


def test_every_field_of_the_info_survives() -> None:
    """Who the agent is and what it can do arrives whole."""
    message = agent_pb2.GetInfoResponse()
    filled(message)
    assert list(differences(message, _convert.info(message))) == []


@pytest.mark.parametrize("name", ["service", "pod_uid", "node"])
def test_a_target_survives_both_ways(name: str) -> None:
    """Where traffic goes is the same after the way down and up again."""
    target = model.Target(**{name: "x"}, port=8080, path="/y")
    request = _convert.load_request(model.SetLoad("balance", target, rate=5.0), session_id="s")
    assert _convert_state.load(state_pb2.Load(target=request.run.target)).target == target


def test_optional_fields_that_are_absent_are_none() -> None:
    """Absent is not zero: what the agent does not know stays unknown."""
    change = _convert_state.change(state_pb2.Change(kind=state_pb2.KIND_POD, uid="u", pod=state_pb2.Pod(name="p")))
    assert change is not None
    assert isinstance(change.value, model.Pod)
    assert change.value.deletion_us is None
    assert change.value.cpu_request_millis is None


def test_an_object_that_is_gone_has_no_value() -> None:
    """A deletion carries kind and uid alone."""
    message = state_pb2.Change(kind=state_pb2.KIND_NODE, uid="n", deleted=True)
    assert _convert_state.change(message) == model.Change(model.Kind.NODE, "n", None)


@pytest.mark.parametrize(
    ("numbered", "known"),
    [
        (state_pb2.Kind, _convert_state.KINDS),
        (state_pb2.Container.State, _convert_state._CONTAINER_STATES),
        (state_pb2.LoadMode, _convert_state._LOAD_MODES),
        (facts_pb2.Action.Phase, _convert_facts._PHASES),
        (facts_pb2.PodTransition.Aspect, _convert_facts._ASPECTS),
        (facts_pb2.Outcome, _convert_facts._OUTCOMES),
        (facts_pb2.OutageEdge.Edge, _convert_facts._EDGES),
        (facts_pb2.LoadTransition.State, _convert_facts._LOAD_STATES),
        (facts_pb2.AgentNote.WatchGap, _convert_facts._GAPS),
        (agent_pb2.KindAccess.State, _convert._ACCESS_STATES),
    ],
    ids=["kind", "container", "mode", "phase", "aspect", "outcome", "edge", "load", "gap", "access"],
)
def test_every_number_of_an_enum_has_its_member(numbered: Any, known: dict[int, Enum]) -> None:
    """All but the unspecified number means something to the model, and no two the same."""
    assert sorted(known) == [number for number in sorted(numbered.values()) if number]
    assert len(set(known.values())) == len(known)


def with_unknown_field(message: Message, number: int) -> bytes:
    """The bytes of `message` with a field that this version does not know: length-delimited, empty."""
    tag = number << 3 | 2
    return message.SerializeToString() + bytes([tag & 0x7F | 0x80, tag >> 7, 0])


def test_a_fact_of_a_newer_agent_is_kept_as_unknown() -> None:
    """Its place in the journal stays, and its field number tells which it was."""
    raw = with_unknown_field(facts_pb2.Fact(sequence=7, time_us=8), 99)
    assert _convert_facts.fact(facts_pb2.Fact.FromString(raw)) == model.Fact(7, 8, "", model.Unknown(99))


@pytest.mark.parametrize(
    ("message", "number"),
    [
        (facts_pb2.Fact(action=facts_pb2.Action(phase=77)), 5),  # type: ignore[arg-type]
        (facts_pb2.Fact(outage=facts_pb2.OutageEdge(edge=77)), 10),  # type: ignore[arg-type]
        (facts_pb2.Fact(load=facts_pb2.LoadTransition(state=77)), 15),  # type: ignore[arg-type]
    ],
    ids=["phase", "edge", "load state"],
)
def test_a_fact_whose_meaning_is_not_known_is_unknown(message: facts_pb2.Fact, number: int) -> None:
    """A phase or an edge of a newer agent is never mistaken for one that is known here."""
    assert _convert_facts.fact(message).body == model.Unknown(number)


def test_numbers_of_a_newer_agent_become_unknown_members() -> None:
    """An outcome, kind or container state that is not known here is shown as unknown."""
    row = facts_pb2.TrafficRow(outcome=77, count=3)  # type: ignore[arg-type]
    body = _convert_facts.fact(facts_pb2.Fact(traffic=facts_pb2.TrafficBin(rows=[row]))).body
    assert isinstance(body, model.TrafficBin)
    assert body.rows[0].outcome is model.Outcome.UNKNOWN
    pod = facts_pb2.PodTransition(changed=[77, facts_pb2.PodTransition.ASPECT_READY])  # type: ignore[list-item]
    body = _convert_facts.fact(facts_pb2.Fact(pod=pod)).body
    assert isinstance(body, model.PodTransition)
    assert body.changed == {model.Aspect.READY}


def test_a_transition_says_why_its_pod_waits() -> None:
    """The words of the kubelet come through as they are."""
    pod = facts_pb2.PodTransition(status="CrashLoopBackOff", message="back-off 10s restarting failed container=a")
    body = _convert_facts.fact(facts_pb2.Fact(pod=pod)).body
    assert isinstance(body, model.PodTransition)
    assert body.message == "back-off 10s restarting failed container=a"


@pytest.mark.parametrize(
    "message",
    [
        state_pb2.Change(kind=77, uid="u", deleted=True),  # type: ignore[arg-type]
        state_pb2.Change(kind=state_pb2.KIND_POD, uid="u"),
    ],
    ids=["kind", "value"],
)
def test_objects_of_a_newer_agent_are_passed_over(message: state_pb2.Change) -> None:
    """What has no place in the model neither appears nor deletes anything."""
    batch = agent_pb2.WatchResponse(batch=agent_pb2.Batch(changes=[message]))
    assert _convert.frame(batch).body == model.Batch([], [])


def test_a_message_of_a_newer_agent_moves_the_time() -> None:
    """A body that is not known here counts as a tick."""
    raw = with_unknown_field(agent_pb2.WatchResponse(epoch=1, sequence=2, time_us=3), 99)
    message = agent_pb2.WatchResponse.FromString(raw)
    assert _convert.frame(message) == model.Frame(1, 2, 3, model.Tick())


VERBS: list[tuple[model.Verb, Callable[[agent_pb2.ActRequest], Any], Any]] = [
    (
        model.DeletePod(),
        lambda m: (m.WhichOneof("verb"), m.delete_pod.HasField("grace_seconds")),
        ("delete_pod", False),
    ),
    (
        model.DeletePod(0),
        lambda m: (m.delete_pod.HasField("grace_seconds"), m.delete_pod.grace_seconds),
        (True, 0),
    ),
    (model.Scale(0), lambda m: (m.WhichOneof("verb"), m.scale.replicas), ("scale", 0)),
    (
        model.Fault(model.FaultKind.READINESS, model.ProbeFails.NEXT, 3),
        lambda m: (m.fault.WhichOneof("kind"), m.fault.readiness.fails, m.fault.readiness.count),
        ("readiness", agent_pb2.ProbeFault.FAILS_NEXT, 3),
    ),
    (
        model.Fault(model.FaultKind.LIVENESS, model.ProbeFails.ALWAYS),
        lambda m: (m.fault.WhichOneof("kind"), m.fault.liveness.fails),
        ("liveness", agent_pb2.ProbeFault.FAILS_ALWAYS),
    ),
    (
        model.Fault(model.FaultKind.EXIT, amount=0),
        lambda m: (m.fault.WhichOneof("kind"), m.fault.exit_code),
        ("exit_code", 0),
    ),
    (model.Fault(model.FaultKind.HANG), lambda m: m.fault.WhichOneof("kind"), "hang"),
    (model.Fault(model.FaultKind.EAT, amount=9), lambda m: m.fault.eat_mib_per_second, 9),
    (model.Fault(model.FaultKind.DELAY, amount=9), lambda m: m.fault.delay_milliseconds, 9),
    (model.Fault(model.FaultKind.ERRORS, amount=9), lambda m: m.fault.error_percent, 9),
    (model.Fault(model.FaultKind.CURE), lambda m: m.fault.WhichOneof("kind"), "cure"),
    (
        model.Rollout(image="x:v2", drain=False),
        lambda m: (m.rollout.image, m.rollout.HasField("strategy"), m.rollout.HasField("drain"), m.rollout.drain),
        ("x:v2", False, True, False),
    ),
    (model.Pause(paused=False), lambda m: (m.WhichOneof("verb"), m.pause.paused), ("pause", False)),
    (model.Undo(), lambda m: (m.WhichOneof("verb"), m.undo.revision), ("undo", 0)),
    (model.Restart(), lambda m: m.WhichOneof("verb"), "restart"),
    (model.LabelPod("a", ""), lambda m: (m.label_pod.key, m.label_pod.HasField("value")), ("a", True)),
    (model.LabelPod("a", None), lambda m: (m.label_pod.key, m.label_pod.HasField("value")), ("a", False)),
    (model.TrafficPolicy("Local"), lambda m: m.traffic_policy.external_traffic_policy, "Local"),
    (
        model.Call("db-0.db", 80, "/store", "POST", "ash"),
        lambda m: (m.call.host, m.call.port, m.call.path, m.call.method, m.call.body),
        ("db-0.db", 80, "/store", "POST", "ash"),
    ),
]

SAMPLES: list[
    tuple[model.DnsSample | model.PodSample | model.NodeSample | model.CallSample, str, dict[str, Any]]
] = [
    (model.DnsSample("db", "SRV"), "dns", {"name": "db", "type": "SRV"}),
    (model.PodSample("/probes", app="db"), "pod", {"path": "/probes", "app": "db", "port": 0}),
    (model.NodeSample(8080, "/who"), "node", {"port": 8080, "path": "/who"}),
    (model.CallSample("db-0.db", 80), "call", {"host": "db-0.db", "port": 80, "path": "/"}),
]


@pytest.mark.parametrize(("what", "field", "wanted"), SAMPLES, ids=[field for _, field, _ in SAMPLES])
def test_a_sample_says_the_same_on_the_wire(
    what: model.DnsSample | model.PodSample | model.NodeSample | model.CallSample,
    field: str,
    wanted: dict[str, Any],
) -> None:
    """Each sort of question sets its own field, beside whose it is and how often it is asked."""
    message = _convert.sample(model.Sample("state", what, period_ms=500))
    assert (message.experiment, message.period_ms, message.WhichOneof("what")) == ("state", 500, field)
    assert {name: getattr(getattr(message, field), name) for name in wanted} == wanted


@pytest.mark.parametrize(("verb", "read", "wanted"), VERBS, ids=[str(verb) for verb, _, _ in VERBS])
def test_a_verb_says_the_same_on_the_wire(
    verb: model.Verb, read: Callable[[agent_pb2.ActRequest], Any], wanted: Any
) -> None:
    """Each verb sets its own field, and zero is a value."""
    observe = model.Observe(model.Target(service="getip"), 100.0, model.LoadMode.KEPT)
    act = model.Act("balance", "u", "getip-1", verb, observe, dry_run=True)
    message = _convert.act_request(act, request_id="r", session_id="s")
    assert read(message) == wanted
    assert (message.request_id, message.session_id, message.experiment, message.uid) == ("r", "s", "balance", "u")
    assert message.dry_run
    assert (message.observe.rate, message.observe.mode) == (100.0, state_pb2.LOAD_MODE_KEPT)
    assert (message.observe.lead_ms, message.observe.tail_ms) == (1_000, 60_000)


@pytest.mark.parametrize(
    ("request_", "size", "value"),
    [
        (model.SetLoad("b", model.Target(service="s"), rate=2.5), "rate", 2.5),
        (model.SetLoad("b", model.Target(service="s"), burst=50), "burst", 50),
        (model.SetLoad("b", model.Target(service="s"), cpu=0.5), "cpu", 0.5),
    ],
    ids=["rate", "burst", "cpu"],
)
def test_a_load_says_its_size_on_the_wire(request_: model.SetLoad, size: str, value: float) -> None:
    """Exactly one of rate, burst and cpu is set."""
    message = _convert.load_request(request_, session_id="s")
    assert message.run.WhichOneof("size") == size
    assert getattr(message.run, size) == value


def test_stopping_a_load_is_a_request_of_its_own() -> None:
    """A stop names the experiment and nothing else."""
    message = _convert.load_request(model.StopLoad("balance"), session_id="s")
    assert (message.WhichOneof("load"), message.experiment) == ("stop", "balance")


def test_a_refusal_keeps_its_sentence() -> None:
    """What the agent says is what the user reads."""
    refusal = agent_pb2.Refusal(
        reason=agent_pb2.Refusal.REASON_GONE, message="pod getip-1 is gone; press x on another"
    )
    assert str(_convert.refused(refusal)) == "pod getip-1 is gone; press x on another"


@pytest.mark.parametrize(
    ("reason", "message", "said"),
    [
        pytest.param(
            agent_pb2.Refusal.REASON_GONE, "there is no object with UID 'u-1' any more; choose another",
            "getip-1 is gone; choose one that is listed now", id="the object itself"),
        pytest.param(
            agent_pb2.Refusal.REASON_GONE, "ReplicaSet getip-2 was replaced", "ReplicaSet getip-2 was replaced",
            id="something else"),
        pytest.param(agent_pb2.Refusal.REASON_REJECTED, "u-1: no", "u-1: no", id="another reason"),
    ],
)  # fmt: skip
def test_what_is_gone_is_named(reason: agent_pb2.Refusal.Reason.ValueType, message: str, said: str) -> None:
    """The agent knows what is gone by its UID alone, which nobody can read; whoever asked knows its name."""
    act = model.Act("balance", "u-1", "getip-1", model.DeletePod())

    assert str(_convert.refused(agent_pb2.Refusal(reason=reason, message=message), act)) == said


def test_pods_that_could_not_be_cured_are_named() -> None:
    """Stopping all says what it did, and raises where something still misbehaves."""
    assert _convert.stopped(agent_pb2.StopAllResponse(loads_stopped=1)) == "stopped 1 loads and cured 0 pods"
    with pytest.raises(RefusedError, match="getip-1, getip-2 did not answer"):
        _convert.stopped(agent_pb2.StopAllResponse(not_cured=["getip-1", "getip-2"]))
