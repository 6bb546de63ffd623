"""Runs and the stopwatch: what followed a trigger, as a pure function of facts.

A run is one trigger and what follows; its milestones are queries over the facts between them. Two viewers with
the same facts therefore see the same run, and a reconnect rebuilds it. An experiment writes a stopwatch as a
generator over `RunFacts`; this module opens, evaluates and closes runs.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from kubealive_tui.model._facts import (
    Action,
    AgentNote,
    Aspect,
    EdgeKind,
    EndpointTransition,
    EpochMark,
    Fact,
    FactBody,
    LoadState,
    LoadTransition,
    LossMark,
    OutageEdge,
    Phase,
    PodTransition,
    TrafficBin,
    TrafficRow,
)
from kubealive_tui.model._text import Role

__all__ = [
    "Ending",
    "Milestone",
    "Outage",
    "Run",
    "RunFacts",
    "Source",
    "Stopwatch",
    "evaluate",
    "next_look",
]

# A request in flight when the trigger came is its victim, though it was planned before: one bin's width.
IN_FLIGHT_US = 100_000
# An open run is looked at so often by the time of its facts. A milestone is told within a second of its own time,
# so that a run which settles after 2.5 s is seen to settle before it is over, however rarely frames come.
LOOK_US = 1_000_000

BodyT = TypeVar("BodyT", bound=FactBody)


class Source(Enum):
    """Whose word a milestone is; the value is the word on the screen."""

    USER = "you"
    WATCH = "watch"
    CLIENT = "client"
    DNS = "dns"
    KUBELET = "kubelet"


class Ending(Enum):
    """Why a run is over."""

    OPEN = "running"
    COMPLETE = "complete"
    LIMIT = "time limit"
    INTERRUPTED = "interrupted by the next trigger"
    REPLACED = "agent replaced"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Milestone:
    """A moment of a run; `at_us` None while it has not come.

    `role` colours the mark; `after` is the state the object was in from here on. `weight` decides which label
    gives way where two collide (the lower one). `optional` milestones do not keep a run open.
    """

    label: str
    at_us: int | None
    source: Source
    role: Role = Role.TEXT
    after: Role | None = None
    weight: int = 1
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which clients lost requests; end None while it lasts. `interval_us` is the error bar."""

    begin_us: int
    end_us: int | None
    failed: int
    interval_us: int

    @property
    def seconds(self) -> float | None:
        """Its length, or None while it lasts."""
        return None if self.end_us is None else (self.end_us - self.begin_us) / 1e6


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands: milestones in the order of the stopwatch, what clients lost, and why it ended."""

    action_id: str
    title: str
    verb: str
    actor: str
    target_name: str
    target_uid: str
    began_us: int
    ended_us: int | None
    ending: Ending
    milestones: tuple[Milestone, ...]
    outages: tuple[Outage, ...] = ()
    failed: int = 0
    planned: int = 0
    incomplete: str = ""
    measured: bool = False

    @property
    def last_us(self) -> int | None:
        """Time of the latest milestone reached, or None."""
        return max((m.at_us for m in self.milestones if m.at_us is not None), default=None)

    def seconds(self, label: str) -> float | None:
        """Seconds from the trigger to the milestone of this label, or None."""
        for milestone in self.milestones:
            if milestone.label == label and milestone.at_us is not None:
                return (milestone.at_us - self.began_us) / 1e6
        return None


class RunFacts:
    """The facts of one run, with the queries that milestones are made of.

    Every query looks at facts from the trigger on. Times are microseconds; None means not seen (yet). Requests
    planned from `until_us` on are the next run's, though this one's facts may tell of them.
    """

    def __init__(self, trigger: Fact, facts: Sequence[Fact], *, until_us: int | None = None) -> None:
        assert isinstance(trigger.body, Action)  # noqa: S101 - the caller picked it by type
        self.trigger = trigger
        self._until_us = until_us
        self._from_us = trigger.time_us - IN_FLIGHT_US
        self._to_us = math.inf if until_us is None else until_us - IN_FLIGHT_US
        self.action: Action = trigger.body
        self.target = self.action.target_uid
        self._by_type: dict[type, list[Fact]] = {}
        for fact in facts:
            self._by_type.setdefault(type(fact.body), []).append(fact)

    def of(self, kind: type[BodyT]) -> Iterator[tuple[int, BodyT]]:
        """(time, body) of every fact of this type, in order."""
        for fact in self._by_type.get(kind, ()):
            if isinstance(fact.body, kind):
                yield fact.time_us, fact.body

    def first(self, kind: type[BodyT], where: Callable[[BodyT], bool], *, after: int = 0) -> int | None:
        """Time of the first fact of this type that fits, not before `after`."""
        return next((at for at, body in self.of(kind) if at >= after and where(body)), None)

    def pod(self, uid: str, where: Callable[[PodTransition], bool], *, after: int = 0) -> int | None:
        """Time of the pod's first transition that fits."""
        return self.first(PodTransition, lambda body: body.uid == uid and where(body), after=after)

    def endpoint(self, uid: str, where: Callable[[EndpointTransition], bool], *, after: int = 0) -> int | None:
        """Time of the first change of the pod's endpoint entry that fits."""
        return self.first(EndpointTransition, lambda body: body.pod_uid == uid and where(body), after=after)

    def successor(self) -> str | None:
        """UID of the first pod of the target's owner that was created after the trigger, or None."""
        owner = self.owner()
        for _, body in self.of(PodTransition):
            if Aspect.CREATED in body.changed and not body.found and body.owner_uid == owner != "":
                return body.uid
        return None

    def owner(self) -> str:
        """UID of the target pod's controller, as its own transitions say; empty when none was seen."""
        return next((body.owner_uid for _, body in self.of(PodTransition) if body.uid == self.target), "")

    def rows(self) -> Iterator[TrafficRow]:
        """Traffic rows planned from the trigger on, and failures that were in flight when it came."""
        began = self.trigger.time_us
        for _, body in self.of(TrafficBin):
            for row in body.rows:
                if row.last_planned_us >= _reach(row, began) and not self._next(row):
                    yield row

    def _next(self, row: TrafficRow) -> bool:
        """Whether the requests are those of the trigger that interrupted this run."""
        return self._until_us is not None and row.first_planned_us >= _reach(row, self._until_us)

    def first_reply(self, uid: str | None) -> int | None:
        """End of the pod's first ok reply after the trigger; the bin that holds it carries that time."""
        times = [row.first_end_us for row in self.rows() if row.pod_uid == uid and not row.outcome.failed]
        return min((at for at in times if at >= self.trigger.time_us), default=None)

    def last_reply(self, uid: str) -> int | None:
        """End of the pod's last reply."""
        times = [row.last_end_us for row in self.rows() if row.pod_uid == uid]
        return max((at for at in times if at >= self.trigger.time_us), default=None)

    def measured(self) -> bool:
        """Whether any traffic was measured."""
        return bool(self._by_type.get(TrafficBin))

    def unloaded(self) -> bool:
        """Whether the traffic that measured this ended inside it, so that nothing more can be measured."""
        states = [body.state for _, body in self.of(LoadTransition)]
        return bool(states) and states[-1] is LoadState.STOPPED

    def lost(self) -> tuple[int, int]:
        """(failed, ended) requests planned from the trigger on; the generator's own faults are in neither."""
        failed = ended = 0
        for row in self.rows():
            failed += row.count if row.outcome.failed else 0
            ended += row.count if row.outcome.failed or row.outcome.name == "OK" else 0
        return failed, ended

    def outages(self) -> tuple[Outage, ...]:
        """Client outages that began after the trigger, in order."""
        found: dict[tuple[str, int], Outage] = {}
        for _, edge in self.of(OutageEdge):
            key = (edge.load_id, edge.outage_id)
            if edge.edge is EdgeKind.BEGIN:
                if self._from_us <= edge.at_us < self._to_us:
                    found[key] = Outage(edge.at_us, None, edge.failed, edge.interval_us)
            elif key in found:
                end = edge.at_us if edge.edge is EdgeKind.END else None
                found[key] = Outage(found[key].begin_us, end, edge.failed, edge.interval_us)
        return tuple(found.values())

    def incomplete(self) -> str:
        """Why facts are missing inside this run, or nothing."""
        if any(True for _ in self.of(LossMark)):
            return "facts were lost on the way"
        if any(note.watch_gap for _, note in self.of(AgentNote)):
            return "the agent could not watch the cluster for a while"
        return ""


def _reach(row: TrafficRow, trigger_us: int) -> int:
    """From which plan on requests are a trigger's: a little before it for those that it cut down in flight."""
    return trigger_us - IN_FLIGHT_US if row.outcome.failed and row.last_end_us >= trigger_us else trigger_us


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """How one kind of trigger is timed.

    `milestones` is a generator function over `RunFacts`; `matches` picks the Action facts that start a run;
    `title` names the run from its action. A run without its last milestone ends after `limit_s`.
    """

    matches: Callable[[Action], bool]
    title: Callable[[Action], str]
    milestones: Callable[[RunFacts], Iterable[Milestone]]
    limit_s: float = 60.0
    settle_s: float = field(default=2.5)


def evaluate(
    stopwatch: Stopwatch, trigger: Fact, facts: Sequence[Fact], now_us: int, *, interrupted_us: int | None = None
) -> Run:
    """The run as it stands at `now_us`, from the facts that followed its trigger (both in agent time).

    With `interrupted_us` the next trigger came then: requests planned before it are still this run's, however
    late their outcome is known.

    A run is complete once every milestone that is not optional has come, no outage is open, and `settle_s` has
    passed since (requests still in flight may yet fail: the read timeout is 2 s). It ends at its last
    milestone.
    """
    run = RunFacts(trigger, facts, until_us=interrupted_us)
    milestones = tuple(stopwatch.milestones(run))
    failed, planned = run.lost()
    outages = run.outages()
    ending, ended = _ending(stopwatch, run, milestones, outages, now_us)
    return Run(
        action_id=trigger.action_id,
        title=stopwatch.title(run.action),
        verb=run.action.verb,
        actor=run.action.actor,
        target_name=run.action.target_name,
        target_uid=run.target,
        began_us=trigger.time_us,
        ended_us=ended,
        ending=ending,
        milestones=milestones,
        outages=outages,
        failed=failed,
        planned=planned,
        incomplete=run.incomplete() or _unmeasured(run, milestones),
        measured=run.measured(),
    )


def _unmeasured(run: RunFacts, milestones: Sequence[Milestone]) -> str:
    missing = any(m.at_us is None and m.source is Source.CLIENT for m in milestones)
    return "the load ended before it did" if missing and run.unloaded() else ""


def _ending(
    stopwatch: Stopwatch,
    run: RunFacts,
    milestones: tuple[Milestone, ...],
    outages: tuple[Outage, ...],
    now_us: int,
) -> tuple[Ending, int | None]:
    replaced = run.first(EpochMark, lambda _: True)
    if replaced is not None:
        return Ending.REPLACED, replaced
    refused = run.first(
        Action, lambda body: body.phase is Phase.REFUSED and body.request_id == run.action.request_id
    )
    if refused is not None:
        return Ending.REFUSED, refused
    last, limit = _last(run.trigger.time_us, milestones, outages), _limit(stopwatch, run.trigger.time_us)
    if last is not None and now_us >= last + int(stopwatch.settle_s * 1e6):
        return Ending.COMPLETE, last
    if now_us >= limit:
        return Ending.LIMIT, limit
    return Ending.OPEN, None


def _last(began_us: int, milestones: Sequence[Milestone], outages: Sequence[Outage]) -> int | None:
    """When the last thing that the run waits for came, or None while something is missing."""
    if any(m.at_us is None and not m.optional for m in milestones) or any(o.end_us is None for o in outages):
        return None
    reached = (m.at_us for m in milestones if m.at_us is not None)
    return max([began_us, *reached, *(o.end_us for o in outages if o.end_us is not None)])


def _limit(stopwatch: Stopwatch, began_us: int) -> int:
    return began_us + int(stopwatch.limit_s * 1e6)


def next_look(stopwatch: Stopwatch, run: Run, now_us: int) -> int:
    """When this run, open at `now_us`, has to be evaluated again: facts from then on may no longer be its own."""
    last = _last(run.began_us, run.milestones, run.outages)
    settled = now_us + LOOK_US if last is None else last + int(stopwatch.settle_s * 1e6)
    return min(settled, _limit(stopwatch, run.began_us))
