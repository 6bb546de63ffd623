"""Facts in words: one timeline line each, the same on every tab.

A line says who speaks (you, pod, endpoint, client, event, load, node, dns, agent) and what happened; facts that
are not news (what the agent found at its start, traffic bins, an action's acceptance) have none.
"""

from collections.abc import Callable, Iterator

from kubealive_tui.experiments._action_words import action_words
from kubealive_tui.experiments._words import count, load_mode, load_size, said, short, within
from kubealive_tui.model import (
    Action,
    AgentNote,
    Aspect,
    CallResult,
    ConditionTransition,
    DnsAnswer,
    EdgeKind,
    EndpointTransition,
    Entry,
    EpochMark,
    Fact,
    Kind,
    KubeEvent,
    Line,
    LoadState,
    LoadTransition,
    LossMark,
    OutageEdge,
    Phase,
    PodTransition,
    Role,
    ScalingSample,
    Termination,
    Unknown,
    line,
    plain,
)
from kubealive_tui.store import CLUSTER, Store

__all__ = ["SOURCES", "ending_of", "entry_of", "timeline"]

SOURCES = ("you", "other", "pod", "endpoint", "client", "event", "load", "hpa", "state", "node", "dns", "agent")

_Told = tuple[str, Role, Line] | None


def timeline(store: Store, experiment: str, *, me: str, most: int, matches: str = "") -> list[Entry]:
    """The newest `most` lines of an experiment and of the cluster, newest first, equal neighbours as one.

    `matches` keeps lines whose source or words contain it, whatever the case.
    """
    wanted = matches.casefold()
    found: list[Entry] = []
    for fact in _newest_first(store, experiment):
        entry = entry_of(fact, me=me)
        if entry is None or (wanted and wanted not in f"{entry.source} {plain(entry.text)}".casefold()):
            continue
        if found and (found[-1].source, found[-1].text) == (entry.source, entry.text):
            newer = found.pop()
            entry = Entry(newer.at_us, newer.source, newer.role, newer.text, newer.count + 1)
        elif len(found) == most:
            break
        found.append(entry)
    return found


def _newest_first(store: Store, experiment: str) -> Iterator[Fact]:
    own = reversed(store.ledger(experiment).timeline)
    if experiment == CLUSTER:
        yield from own
        return
    cluster = (
        fact
        for fact in reversed(store.ledger(CLUSTER).timeline)
        if not isinstance(fact.body, LossMark | EpochMark)
    )
    ours, theirs = next(own, None), next(cluster, None)
    while ours or theirs:
        if theirs is None or (ours is not None and ours.time_us >= theirs.time_us):
            assert ours is not None  # noqa: S101 - one of the two is there, and it is not theirs
            yield ours
            ours = next(own, None)
        else:
            yield theirs
            theirs = next(cluster, None)


def entry_of(fact: Fact, *, me: str) -> Entry | None:
    """The timeline line of a fact, or None where it is no news. `me` is the actor who is shown as "you"."""
    teller = _TELLERS.get(type(fact.body))
    told = teller(fact.body, me) if teller else None
    if told is None:
        return None
    source, role, text = told
    return Entry(fact.time_us, source, role, text)


def ending_of(termination: Termination) -> str:
    """How a container's run ended: `OOMKilled, exit 137 (SIGKILL)`."""
    names = {1: "SIGHUP", 2: "SIGINT", 6: "SIGABRT", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}
    signal = termination.signal
    by = "" if signal is None else f" ({names.get(signal, f'signal {signal}')})"
    return f"{termination.reason or 'ended'}, exit {termination.exit_code}{by}"


def _action(body: Action, me: str) -> _Told:
    source, role = (
        ("you", Role.ACCENT) if body.actor == me else (body.actor.partition("@")[0] or "other", Role.ACCENT)
    )
    if body.phase is Phase.ACCEPTED:
        return None
    if body.phase is Phase.REFUSED:
        return source, Role.BAD, line(("refused ", Role.BAD), body.message)
    if body.phase is Phase.UNANSWERED:
        return source, Role.WAITING, line(("no answer: whether it happened is not known", Role.WAITING))
    return source, role, line(action_words(body))


def _pod(body: PodTransition, _me: str) -> _Told:
    if body.found:
        return None
    name, changed = short(body.name), body.changed
    on = f" on {body.node}" if body.node else ""
    if Aspect.DELETED in changed:
        return "pod", Role.DIM, line(f"{name} gone")
    if Aspect.RESTARTS in changed:
        why = f": {ending_of(body.last_termination)}" if body.last_termination else ""
        role = Role.GOOD if body.ready else Role.WAITING
        return "pod", role, line(f"{name} restarted ({body.restarts}){why}" + (", ready" if body.ready else ""))
    if Aspect.DELETING in changed:
        return "pod", Role.LEAVING, line(f"{name} terminating")
    if Aspect.READY in changed:
        ready = "ready" if body.ready else "not ready"
        return "pod", Role.GOOD if body.ready else Role.WAITING, line(f"{name} {ready}{on}")
    if Aspect.SCHEDULED in changed:
        return "pod", Role.WAITING, line(f"{name} placed{on}")
    if Aspect.CREATED in changed:
        return "pod", Role.WAITING, line(f"{name} created")
    if Aspect.STATUS in changed:
        calm = body.status in {"Running", "Completed", "ContainerCreating", "Pending"}
        return "pod", Role.WAITING if calm else Role.BAD, line(f"{name} {body.status}")
    return None


def _endpoint(body: EndpointTransition, _me: str) -> _Told:
    if body.found:
        return None
    name = short(body.pod_name)
    if body.removed:
        return "endpoint", Role.LEAVING, line(f"{name} left the Service {body.service}")
    words = ["ready" if body.ready else "not ready"]
    if body.serving and not body.ready:
        words.append("still serving")
    if body.terminating:
        words.append("terminating")
    role = Role.GOOD if body.ready else Role.LEAVING if body.terminating else Role.WAITING
    return "endpoint", role, line(f"{name} {', '.join(words)}")


def _outage(body: OutageEdge, _me: str) -> _Told:
    kinds = ", ".join(f"{count(n)} {outcome.value}" for outcome, n in body.outcomes)
    match body.edge:
        case EdgeKind.BEGIN:
            first = body.outcomes[0][0].value if body.outcomes else "failed"
            return "client", Role.BAD, line(f"first failure: {first}")
        case EdgeKind.END:
            return (
                "client",
                Role.GOOD,
                line(f"ok again: {count(body.failed)} lost", (f" ({kinds})" if kinds else "", Role.MUTED)),
            )
        case EdgeKind.OPEN:
            return "client", Role.BAD, line(f"the load ended inside an outage: {count(body.failed)} lost")


def _event(body: KubeEvent, _me: str) -> _Told:
    if body.found:
        return None
    role = Role.MUTED if body.type == "Normal" else Role.WAITING
    return (
        "event",
        role,
        line((f"{body.reason} ", Role.TEXT), (f"{short(body.object_name)}: {body.message}", Role.MUTED)),
    )


def _condition(body: ConditionTransition, _me: str) -> _Told:
    if body.found:
        return None
    condition = body.condition
    words = condition.message or condition.reason
    if body.kind is Kind.NODE:
        if condition.type != "Ready":
            return None
        good = condition.status == "True"
        state = "Ready" if good else "NotReady"
        return "node", Role.GOOD if good else Role.BAD, line(f"{body.name} {state}: {words}")
    negative = condition.type in {"ReplicaFailure", "ScalingLimited"}
    good = (condition.status == "True") != negative
    text = f"{body.name} {condition.type} {condition.status.lower()}: {words}"
    source = "hpa" if body.kind is Kind.AUTOSCALER else "state"
    return source, Role.MUTED if good else Role.WAITING, line(text)


def _load(body: LoadTransition, _me: str) -> _Told:
    match body.state:
        case LoadState.STARTED if body.load and body.load.action_id:
            return "load", Role.ACCENT, line(f"{load_size(body.load)} to measure this, {load_mode(body.load)}")
        case LoadState.STOPPED if body.reason != "asked":
            why = _STOPS.get(body.reason, body.reason)
            return "load", Role.MUTED, line("stopped" + (f": {why}" if why else ""))
        case _:
            return None


_STOPS = {
    "count": "all requests sent",
    "time": "its time is over",
    "observed": "the measurement is over",
    "replaced": "another load took its place",
    "lease": "nobody looks at this experiment any more",
    "engine-died": "the load engine died",
}


def _dns(body: DnsAnswer, _me: str) -> _Told:
    if not body.changed:
        return None
    # A full name that the search list was put behind is another one, though it begins like it.
    other = ".svc." in body.walk and body.name != f"{body.walk}."
    name = body.name if other else within(body.name)
    return "dns", Role.LEAVING, line(f"{name} {body.type}: {', '.join(body.answers) or body.standing}")


def _call(body: CallResult, _me: str) -> _Told:
    came = str(body.http_status) if body.http_status >= 400 else body.outcome.value
    who = short(body.pod_name) or body.address
    words = said(body.body) or ("" if body.address else body.error)
    role = Role.BAD if body.outcome.failed and not 400 <= body.http_status < 500 else Role.TEXT
    text = f"called {body.name}: {came}" + (f", {who}" if who else "") + (f": {words}" if words else "")
    return "client", role, line(text)


def _scaling(body: ScalingSample, _me: str) -> _Told:
    if body.previous_desired_replicas is None:
        return None
    saw = "no metric" if body.seen_utilization is None else f"cpu {body.seen_utilization} % of request"
    step = f"desired {body.previous_desired_replicas} → {body.desired_replicas}"
    return "hpa", Role.ACCENT, line(f"{step}: {saw}, target {body.target_utilization} %")


def _note(body: AgentNote, _me: str) -> _Told:
    return "agent", Role.WAITING if body.warning else Role.MUTED, line(body.message)


def _loss(body: LossMark, _me: str) -> _Told:
    lost = body.last - body.first + 1
    return "agent", Role.BAD, line(f"{count(lost)} facts were lost on the way: what crosses this is incomplete")


def _epoch(_body: EpochMark, _me: str) -> _Told:
    return "agent", Role.WAITING, line("another agent took over: runs and loads before it have ended")


def _unknown(body: Unknown, _me: str) -> _Told:
    return "agent", Role.MUTED, line(f"newer agent: a fact this version does not know ({body.field_number})")


_TELLERS: dict[type, Callable[..., _Told]] = {
    Action: _action,
    AgentNote: _note,
    CallResult: _call,
    ConditionTransition: _condition,
    DnsAnswer: _dns,
    EndpointTransition: _endpoint,
    EpochMark: _epoch,
    KubeEvent: _event,
    LoadTransition: _load,
    LossMark: _loss,
    OutageEdge: _outage,
    PodTransition: _pod,
    ScalingSample: _scaling,
    Unknown: _unknown,
}
