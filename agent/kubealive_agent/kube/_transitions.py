"""What happened between two states of an object, as facts: pure functions, so that a recording proves them.

The facts come without sequence and time, which the journal adds. An object that was not known before is
compared with an empty one, so whatever already holds when it is first seen is told as well.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from google.protobuf.message import Message

from kubealive.v1 import facts_pb2, state_pb2
from kubealive_agent.kube._sink import Kind
from kubealive_agent.kube._transitions_pod import pod_transition


def transitions(
    kind: Kind, uid: str, *, old: Message | None, new: Message | None, found: bool
) -> Iterator[facts_pb2.Fact]:
    """Yield a fact for each change between two states of the object; None stands for its absence.

    `found` marks objects that were there when the agent began to look. A condition that is no longer there
    is told with an empty status. Kinds without a history of their own (Services, usage) yield nothing.
    """
    differ = _DIFFER.get(kind)
    if differ is None or old is new is None:
        return
    experiment = getattr(new or old, "experiment", "")
    for fact in differ(_Step(kind, uid, old, new, found)):
        fact.experiment = experiment
        yield fact


class _Step(NamedTuple):
    """One change of one object; the states are messages of the kind, which only the tables below know."""

    kind: Kind
    uid: str
    old: Any
    new: Any
    found: bool


def _pod(step: _Step) -> Iterable[facts_pb2.Fact]:
    fact = pod_transition(step.uid, old=step.old, new=step.new, found=step.found)
    return (fact,) if fact else ()


def _slice(step: _Step) -> Iterator[facts_pb2.Fact]:
    """One fact for each entry that appeared, changed or went."""
    service = (step.new or step.old).service
    before, after = _entries(step.old), _entries(step.new)
    for key, entry in after.items():
        if key not in before or _answers(entry) != _answers(before[key]):
            yield _endpoint(service, entry, removed=False, found=step.found)
    for key in before.keys() - after.keys():
        yield _endpoint(service, before[key], removed=True, found=step.found)


def _entries(each: state_pb2.Slice | None) -> dict[tuple[str, str], state_pb2.Endpoint]:
    """Key entries by pod and address: a StatefulSet's new pod may come with the name of the old one."""
    return {} if each is None else {(entry.pod_uid, _address(entry)): entry for entry in each.endpoints}


def _address(entry: state_pb2.Endpoint) -> str:
    return entry.addresses[0] if entry.addresses else ""


def _answers(entry: state_pb2.Endpoint) -> tuple[bool, bool, bool]:
    return entry.ready, entry.serving, entry.terminating


def _endpoint(service: str, entry: state_pb2.Endpoint, *, removed: bool, found: bool) -> facts_pb2.Fact:
    return facts_pb2.Fact(
        endpoint=facts_pb2.EndpointTransition(
            service=service,
            pod_uid=entry.pod_uid,
            pod_name=entry.pod_name,
            address=_address(entry),
            ready=entry.ready,
            serving=entry.serving,
            terminating=entry.terminating,
            removed=removed,
            found=found,
        )
    )


def _workload(step: _Step) -> Iterator[facts_pb2.Fact]:
    before = step.old and _workload_transition(step, step.old)
    after = _workload_transition(step, step.new or step.old)
    if before != after or step.new is None:
        after.deleted = step.new is None
        yield facts_pb2.Fact(workload=after)
    yield from _conditions(step)


def _workload_transition(step: _Step, workload: state_pb2.Workload) -> facts_pb2.WorkloadTransition:
    return facts_pb2.WorkloadTransition(
        kind=step.kind,
        uid=step.uid,
        name=workload.name,
        owner_uid=workload.owner_uid,
        desired=workload.desired,
        current=workload.current,
        updated=workload.updated,
        ready=workload.ready,
        available=workload.available,
        revision=workload.revision,
        image=workload.image,
        paused=workload.paused,
        found=step.found,
    )


def _conditions(step: _Step, *, only: frozenset[str] | None = None) -> Iterator[facts_pb2.Fact]:
    """One fact for each condition whose status or reason changed; those of an object that is gone went too."""
    if step.new is None:
        return
    before, after = _by_type(step.old, only=only), _by_type(step.new, only=only)
    for kind, condition in after.items():
        if kind not in before or _verdict(condition) != _verdict(before[kind]):
            yield _condition(step, condition)
    for kind in before.keys() - after.keys():
        yield _condition(step, state_pb2.Condition(type=kind))


def _by_type(thing: Any, *, only: frozenset[str] | None) -> dict[str, state_pb2.Condition]:
    given: Iterable[state_pb2.Condition] = thing.conditions if thing else ()
    return {each.type: each for each in given if only is None or each.type in only}


def _verdict(condition: state_pb2.Condition) -> tuple[str, str]:
    return condition.status, condition.reason


def _condition(step: _Step, condition: state_pb2.Condition) -> facts_pb2.Fact:
    return facts_pb2.Fact(
        condition=facts_pb2.ConditionTransition(
            kind=step.kind,
            uid=step.uid,
            name=step.new.name,
            condition=condition,
            found=step.found,
        )
    )


def _autoscaler(step: _Step) -> Iterator[facts_pb2.Fact]:
    """Its conditions; its numbers are told beside those that it decides by."""
    yield from _conditions(step)


def _node(step: _Step) -> Iterator[facts_pb2.Fact]:
    yield from _conditions(step, only=frozenset({"Ready"}))
    if step.new and step.new.unschedulable != bool(step.old and step.old.unschedulable):
        yield _reading(step, "unschedulable", "true" if step.new.unschedulable else "false")


def _claim(step: _Step) -> Iterator[facts_pb2.Fact]:
    """The phase, and `Deleted` for a claim that is gone, which the API has no phase for."""
    before = step.old.phase if step.old else ""
    after = step.new.phase if step.new else "Deleted"
    if before != after:
        yield _reading(step, "phase", after)


def _reading(step: _Step, name: str, text: str) -> facts_pb2.Fact:
    subject = (step.new or step.old).name
    return facts_pb2.Fact(
        reading=facts_pb2.Reading(kind=step.kind, uid=step.uid, subject=subject, name=name, text=text)
    )


_DIFFER: dict[Kind, Callable[[_Step], Iterable[facts_pb2.Fact]]] = {
    state_pb2.KIND_POD: _pod,
    state_pb2.KIND_ENDPOINT_SLICE: _slice,
    state_pb2.KIND_DEPLOYMENT: _workload,
    state_pb2.KIND_REPLICA_SET: _workload,
    state_pb2.KIND_STATEFUL_SET: _workload,
    state_pb2.KIND_DAEMON_SET: _workload,
    state_pb2.KIND_AUTOSCALER: _autoscaler,
    state_pb2.KIND_NODE: _node,
    state_pb2.KIND_CLAIM: _claim,
}
