"""How a kill and a scaling are timed where pods have names: what DNS said meanwhile, and who answered."""

from collections.abc import Iterator
from dataclasses import replace

from kubealive_tui.experiments._names import led_to
from kubealive_tui.experiments._stopwatches import kill_stopwatch
from kubealive_tui.experiments.state._seats import SET, Fate, host_of, number_of, value_in
from kubealive_tui.model import (
    Action,
    Aspect,
    CallResult,
    DnsAnswer,
    Milestone,
    PodTransition,
    Role,
    RunFacts,
    Source,
    Stopwatch,
    WorkloadTransition,
)

__all__ = [
    "BY_NAME",
    "NEW_ADDRESS",
    "OLD_ANSWER",
    "POD_BACK",
    "TTL_OVER",
    "VALUE_BACK",
    "rebirth_stopwatch",
    "scale_stopwatch",
]

POD_BACK = "pod back"
OLD_ANSWER = "last old answer"
NEW_ADDRESS = "new address"
TTL_OVER = "its TTL over"
BY_NAME = "by name"
VALUE_BACK = "value read back"


def reborn(run: RunFacts) -> Iterator[Milestone]:
    """From the kill of a seat's pod until its successor is called by name, and what was stored is read back."""
    name = run.action.target_name
    host, heir = host_of(name), _heir(run)
    terminating = run.pod(run.target, lambda p: p.deleting or p.deleted)
    yield Milestone("terminating", terminating, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=1)
    back = run.pod(heir, lambda p: p.ready)
    yield Milestone(POD_BACK, back, Source.WATCH, Role.GOOD, Role.WAITING, weight=6)
    if number_of(name) is not None:
        yield from _addresses(run, host, heir)
    calls = [(at, call) for at, call in run.of(CallResult) if call.name == host and call.pod_uid == heir != ""]
    first = next((at for at, _ in calls), None)
    yield Milestone(BY_NAME, first, Source.CLIENT, Role.GOOD, Role.GOOD, weight=5)
    values = [(at, value_in(call)) for at, call in calls]
    read = next((at for at, value in values if value.fate is Fate.HELD), None)
    # A pod that says that nothing is stored will not say otherwise by itself.
    nothing = any(value.fate is Fate.NONE for _, value in values)
    yield Milestone(VALUE_BACK, read, Source.CLIENT, Role.GOOD, weight=3, optional=nothing)


def _heir(run: RunFacts) -> str:
    """UID of the pod that takes the seat, by name in the set and by owner elsewhere; empty before there is one."""
    name = run.action.target_name
    if number_of(name) is None:
        return run.successor() or ""
    made = (p.uid for _, p in run.of(PodTransition) if p.name == name and _is_made(p) and p.uid != run.target)
    return next(made, "")


def _is_made(pod: PodTransition) -> bool:
    return Aspect.CREATED in pod.changed and not pod.found


def _addresses(run: RunFacts, host: str, heir: str) -> Iterator[Milestone]:
    """What the name led to meanwhile: how long the old address, from when on the new one."""
    old, new = run.address(run.target), run.address(heir)
    # The last of several equal answers is told when a new one comes, with its own time: it may be from before.
    began = run.trigger.time_us
    said = [(at, a) for at, a in run.of(DnsAnswer) if at >= began and (a.walk or a.name) == host and a.type == "A"]
    stale = [(at, answer) for at, answer in said if old and old in led_to(answer) and new not in led_to(answer)]
    moved = min((at for at, answer in said if new and new in led_to(answer)), default=None)
    # While nothing else was answered, the last old answer is yet to come.
    last = None if moved is None else max((at for at, _ in stale), default=None)
    yield Milestone(OLD_ANSWER, last, Source.DNS, Role.LEAVING, weight=4, optional=True)
    # Several servers keep an answer each: the one that may keep it longest decides.
    ends = (at + answer.ttl_seconds * 1_000_000 for at, answer in stale if answer.ttl_seconds is not None)
    over = max(ends, default=None)
    yield Milestone(TTL_OVER, over, Source.DNS, Role.MUTED, weight=0, optional=True)
    yield Milestone(NEW_ADDRESS, moved, Source.DNS, Role.GOOD, weight=2)


def scaled(run: RunFacts) -> Iterator[Milestone]:
    """Each number as it comes or goes: one pod at a time, upwards from the lowest, down from the highest."""
    wanted = int(run.action.parameters.get("replicas", "0"))
    had = next((w.current for _, w in run.of(WorkloadTransition) if w.uid == run.target), None)
    if had is None:
        yield Milestone("noticed", None, Source.WATCH, Role.WAITING)
        return
    for number in range(had, wanted):
        yield from _comes(run, number)
    for number in reversed(range(wanted, had)):
        yield from _goes(run, number)


def _comes(run: RunFacts, number: int) -> Iterator[Milestone]:
    name = f"{SET}-{number}"
    mine = [(at, p) for at, p in run.of(PodTransition) if p.name == name]
    made = next((at for at, p in mine if _is_made(p)), None)
    yield Milestone(f"{number} made", made, Source.WATCH, Role.WAITING, Role.WAITING, weight=2)
    ready = next((at for at, p in mine if p.ready), None)
    yield Milestone(f"{number} ready", ready, Source.WATCH, Role.GOOD, Role.WAITING, weight=3)
    called = run.first(CallResult, lambda call: call.name == host_of(name) and call.pod_name == name)
    yield Milestone(f"{number} by name", called, Source.CLIENT, Role.GOOD, Role.GOOD, weight=4)


def _goes(run: RunFacts, number: int) -> Iterator[Milestone]:
    mine = [(at, p) for at, p in run.of(PodTransition) if p.name == f"{SET}-{number}"]
    leaving = next((at for at, p in mine if p.deleting or p.deleted), None)
    yield Milestone(f"{number} leaving", leaving, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=2)
    gone = next((at for at, p in mine if p.deleted), None)
    yield Milestone(f"{number} gone", gone, Source.WATCH, Role.MUTED, Role.MUTED, weight=3)


def _is_scale(action: Action) -> bool:
    return action.verb == "scale" and action.target_name == SET


# An answer may be kept for half a minute, and a negative one as well; a node that has to pull the image is slower.
# One that has an old answer still speaks up within the settling time, as often as the name is asked then.
rebirth_stopwatch = replace(kill_stopwatch, milestones=reborn, limit_s=90.0, settle_s=4.0)
scale_stopwatch = Stopwatch(
    _is_scale,
    lambda action: f"SCALE {action.target_name} to {action.parameters.get('replicas', '?')}",
    scaled,
    limit_s=120.0,
)
