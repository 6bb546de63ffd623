"""How faults of a pod are timed: what the kubelet noticed and did, and what clients lost meanwhile.

Two kinds: those that end a container's run, which the kubelet heals by itself, and those that it sees no reason to
heal (a failing readiness probe, failing replies), which last until somebody cures them.
"""

from collections.abc import Callable, Iterator, Mapping

from kubealive_tui.experiments._stopwatches import first_failed, first_ok
from kubealive_tui.experiments._words import back_off, short
from kubealive_tui.model import (
    Action,
    Aspect,
    KubeEvent,
    Milestone,
    Phase,
    PodTransition,
    Role,
    RunFacts,
    Source,
    Stopwatch,
)
from kubealive_tui.store import CLUSTER, Store

__all__ = ["BACK_OFF", "LIMIT_S", "fault_of", "fault_stopwatches", "replies_fail"]

# The label of the milestone that tells of a back-off begins so; behind it stand the kubelet's own seconds.
BACK_OFF = "back-off"
# A back-off of 80 s, the fourth in a row, still ends within it.
LIMIT_S = 90.0

_TITLES: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "liveness": lambda _: "INFECT",
    "exit": lambda given: f"CRASH exit {given.get('code', '?')}",
    "hang": lambda _: "HANG",
    "eat": lambda _: "OOM",
    "readiness": lambda _: "READINESS OFF",
    "errors": lambda given: f"ERRORS {given.get('percent', '?')} %",
}


def fault_of(verb: str, given: Mapping[str, str]) -> str:
    """The name of the fault that an action begins (`liveness`, `exit`, ...); nothing for all other actions."""
    fault = given.get("fault", "")
    if verb != "fault" or fault not in _TITLES or given.get("fail") == "never" or given.get("percent") == "0":
        return ""
    return fault


def _title(action: Action) -> str:
    return f"{_TITLES[action.parameters['fault']](action.parameters)} {short(action.target_name)}"


def _event(run: RunFacts, reason: str) -> int | None:
    return run.first(KubeEvent, lambda e: e.object_uid == run.target and e.reason == reason and not e.found)


def _earliest(*times: int | None) -> int | None:
    return min((at for at in times if at is not None), default=None)


def _restarted(pod: PodTransition) -> bool:
    return Aspect.RESTARTS in pod.changed


def _cured(run: RunFacts) -> Milestone:
    """When somebody asked for the end of the fault, of those who got it; it is awaited from nobody.

    It counts from the request, as every trigger does: what follows may be seen before the acceptance is.
    """
    cures = [(at_us, action) for at_us, action in run.of(Action) if _cures(run, action)]
    taken = next(((at_us, action) for at_us, action in cures if action.phase is Phase.ACCEPTED), None)
    at_us = None
    if taken is not None:
        asked = (at for at, action in cures if _same(action, taken[1]) and action.phase is Phase.REQUESTED)
        at_us = next(asked, taken[0])
    return Milestone("cured", at_us, Source.USER, Role.ACCENT, weight=4, optional=True)


def _cures(run: RunFacts, action: Action) -> bool:
    given = action.parameters
    ends = given.get("fault") == "cure" or given.get("fail") == "never" or given.get("percent") == "0"
    return action.verb == "stop_all" or (ends and (action.verb, action.target_uid) == ("fault", run.target))


def _same(one: Action, other: Action) -> bool:
    return (one.verb, one.request_id) == (other.verb, other.request_id)


def _ended(run: RunFacts) -> Iterator[Milestone]:
    """From the fault to a container that runs and is ready again, each by whichever told of it first.

    Detected: the Event Killing, or the pod was seen unready or restarted. Restarted: the Event Started, or the pod
    was seen with one restart more; the Event usually comes first, and for a crash before anything else.
    """
    pod, cured = run.target, _cured(run)
    broken = run.pod(pod, lambda p: not p.ready or _restarted(p))
    ready = None if broken is None else run.pod(pod, lambda p: p.ready, after=broken)
    detected = _earliest(_event(run, "Killing"), broken)
    # What was noticed before the cure takes its course.
    spared = cured.at_us is not None and detected is None
    started = _earliest(_event(run, "Started"), run.pod(pod, _restarted))
    yield first_failed(run)
    yield Milestone("detected", detected, Source.WATCH, Role.WAITING, Role.WAITING, weight=4, optional=spared)
    yield from _backed_off(run)
    yield Milestone("restarted", started, Source.WATCH, Role.LEAVING, Role.WAITING, weight=5, optional=spared)
    if cured.at_us is not None:
        yield cured
    yield Milestone("ready", ready, Source.WATCH, Role.GOOD, Role.GOOD, weight=6, optional=spared)
    yield first_ok(run)


def _backed_off(run: RunFacts) -> Iterator[Milestone]:
    """When the kubelet said that it waits, and for how long; nothing where it did not."""
    for at_us, pod in run.of(PodTransition):
        if pod.uid == run.target and (waits := back_off(pod.message)) is not None:
            label = f"{BACK_OFF} {waits} s"
            yield Milestone(label, at_us, Source.WATCH, Role.WAITING, Role.WAITING, weight=2, optional=True)
            return


def _unreadied(run: RunFacts) -> Iterator[Milestone]:
    """From a readiness probe that fails to one that succeeds again, which is up to whoever made it fail."""
    pod = run.target
    broken = run.pod(pod, lambda p: not p.ready)
    ready = None if broken is None else run.pod(pod, lambda p: p.ready, after=broken)
    cured = _cured(run)
    spared = broken is None and cured.at_us is not None
    yield first_failed(run)
    yield Milestone("detected", broken, Source.WATCH, Role.WAITING, Role.WAITING, weight=4, optional=spared)
    yield cured
    yield Milestone("ready", ready, Source.WATCH, Role.GOOD, Role.GOOD, weight=6, optional=spared)
    yield first_ok(run)


def _erring(run: RunFacts) -> Iterator[Milestone]:
    """From the first failing reply to the last: no controller looks at replies, so nothing of one is awaited."""
    yield first_failed(run, optional=not run.measured() or run.unloaded())
    yield _cured(run)
    yield first_ok(run)


def _begins(*faults: str) -> Callable[[Action], bool]:
    return lambda action: fault_of(action.verb, action.parameters) in faults


fault_stopwatches = (
    Stopwatch(_begins("liveness", "exit", "hang", "eat"), _title, _ended, limit_s=LIMIT_S),
    Stopwatch(_begins("readiness"), _title, _unreadied, limit_s=LIMIT_S),
    Stopwatch(_begins("errors"), _title, _erring, limit_s=LIMIT_S),
)


def replies_fail(store: Store, experiment: str, uid: str) -> bool:
    """Whether the pod was told to fail its replies and neither cured nor restarted since, as far as facts go."""
    for fact in reversed(store.ledger(experiment).timeline):
        body = fact.body
        if isinstance(body, PodTransition):
            if body.uid == uid and _restarted(body):
                return False
        elif isinstance(body, Action) and body.target_uid == uid and body.phase is Phase.ACCEPTED:
            fault = body.parameters.get("fault")
            if fault in {"errors", "cure"}:
                on = fault == "errors" and body.parameters.get("percent") != "0"
                return on and not _stopped_since(store, fact.time_us)
    return False


def _stopped_since(store: Store, time_us: int) -> bool:
    """Whether somebody has stopped everything since, which cures all pods."""
    return any(
        fact.time_us >= time_us
        and isinstance(fact.body, Action)
        and (fact.body.verb, fact.body.phase) == ("stop_all", Phase.ACCEPTED)
        for fact in store.ledger(CLUSTER).timeline
    )
