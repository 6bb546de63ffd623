"""How a kill and a change of readiness are timed, the same wherever a Service leads to the pod."""

from collections.abc import Callable, Iterator

from kubealive_tui.experiments._words import short
from kubealive_tui.model import Action, Aspect, Milestone, Reading, Role, RunFacts, Source, Stopwatch

__all__ = [
    "first_failed",
    "first_ok",
    "is_kill",
    "kill_stopwatch",
    "kill_title",
    "killed",
    "ready_stopwatch",
    "unready_stopwatch",
    "unserved",
]


def first_failed(run: RunFacts, *, optional: bool = True) -> Milestone:
    """When clients began to lose requests: the first failed one as it was planned.

    One that was under way when the trigger came counts from the trigger, since it was not lost before.
    """
    outages = run.outages()
    at_us = max(outages[0].begin_us, run.trigger.time_us) if outages else None
    return Milestone("first failed", at_us, Source.CLIENT, Role.BAD, Role.BAD, weight=3, optional=optional)


def first_ok(run: RunFacts) -> Milestone:
    """When the last outage ended: the first ok that was followed by 1 s without failure. Nothing lost, none."""
    outages = run.outages()
    at_us = outages[-1].end_us if outages else None
    return Milestone("first ok", at_us, Source.CLIENT, Role.GOOD, Role.GOOD, weight=7, optional=True)


def killed(run: RunFacts) -> Iterator[Milestone]:
    """From the kill to the successor's first reply; measured milestones only where traffic was."""
    pod, successor = run.target, run.successor() or ""
    unmeasured = not run.measured() or run.unloaded()
    terminating = run.pod(pod, lambda p: p.deleting or p.deleted)
    yield Milestone("terminating", terminating, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=4)
    not_ready = run.endpoint(pod, lambda e: not e.ready or e.removed)
    yield Milestone("not ready", not_ready, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=2)
    last = run.last_reply(pod)
    yield Milestone("last reply", last, Source.CLIENT, Role.LEAVING, weight=1, optional=True)
    left = run.endpoint(pod, lambda e: e.removed)
    yield Milestone("left the Service", left, Source.WATCH, Role.LEAVING, Role.WAITING, weight=5)
    placed = run.pod(successor, lambda p: Aspect.SCHEDULED in p.changed or p.node != "")
    yield Milestone("scheduled", placed, Source.WATCH, Role.WAITING, weight=1)
    ready = run.pod(successor, lambda p: p.ready)
    yield Milestone("successor ready", ready, Source.WATCH, Role.GOOD, Role.GOOD, weight=6)
    serving = run.first_reply(successor) if successor else None
    yield Milestone("serving", serving, Source.CLIENT, Role.GOOD, Role.GOOD, weight=3, optional=unmeasured)


def unserved(run: RunFacts, *, speaks: str) -> Iterator[Milestone]:
    """From the kill of a pod that no Service leads to until its successor answers what is sampled of it.

    `speaks` is the word for that answer.
    """
    successor = run.successor() or ""
    terminating = run.pod(run.target, lambda p: p.deleting or p.deleted)
    yield Milestone("terminating", terminating, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=4)
    placed = run.pod(successor, lambda p: p.node != "")
    yield Milestone("successor placed", placed, Source.WATCH, Role.WAITING, Role.WAITING, weight=2)
    gone = run.pod(run.target, lambda p: p.deleted)
    yield Milestone("gone", gone, Source.WATCH, Role.LEAVING, weight=1)
    ready = run.pod(successor, lambda p: p.ready)
    yield Milestone("successor ready", ready, Source.WATCH, Role.GOOD, Role.GOOD, weight=5)
    spoken = run.first(Reading, lambda reading: reading.uid == successor and not reading.error)
    yield Milestone(speaks, spoken, Source.CLIENT, Role.GOOD, Role.GOOD, weight=3)


def unreadied(run: RunFacts) -> Iterator[Milestone]:
    """From the fault to the last request that the pod served."""
    pod = run.target
    not_ready = run.pod(pod, lambda p: not p.ready)
    yield Milestone("not ready", not_ready, Source.WATCH, Role.WAITING, Role.WAITING, weight=3)
    slice_ = run.endpoint(pod, lambda e: not e.ready)
    yield Milestone("not ready in the slice", slice_, Source.WATCH, Role.LEAVING, Role.WAITING, weight=4)
    last = run.last_reply(pod)
    yield Milestone("last reply", last, Source.CLIENT, Role.LEAVING, weight=2, optional=True)


def readied(run: RunFacts) -> Iterator[Milestone]:
    """From the cure to the pod's first reply."""
    pod = run.target
    ready = run.pod(pod, lambda p: p.ready)
    yield Milestone("ready", ready, Source.WATCH, Role.GOOD, Role.GOOD, weight=3)
    slice_ = run.endpoint(pod, lambda e: e.ready)
    yield Milestone("ready in the slice", slice_, Source.WATCH, Role.GOOD, Role.GOOD, weight=4)
    first = run.first_reply(pod)
    yield Milestone(
        "first reply", first, Source.CLIENT, Role.GOOD, weight=2, optional=not run.measured() or run.unloaded()
    )


def is_kill(action: Action) -> bool:
    """Whether the action deletes a pod."""
    return action.verb == "delete_pod"


def _readiness_to(word: str) -> Callable[[Action], bool]:
    def matches(action: Action) -> bool:
        given = action.parameters
        return action.verb == "fault" and (given.get("fault"), given.get("fail")) == ("readiness", word)

    return matches


def kill_title(action: Action) -> str:
    """What a kill is called over its rail."""
    forced = "FORCE " if action.parameters.get("grace_seconds") == "0" else ""
    return f"{forced}KILL {short(action.target_name)}"


kill_stopwatch = Stopwatch(is_kill, kill_title, killed, limit_s=60.0)
unready_stopwatch = Stopwatch(
    _readiness_to("always"), lambda action: f"READINESS OFF {short(action.target_name)}", unreadied, limit_s=30.0
)
ready_stopwatch = Stopwatch(
    _readiness_to("never"), lambda action: f"READINESS ON {short(action.target_name)}", readied, limit_s=30.0
)
