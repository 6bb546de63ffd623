"""The facts of one run, with the queries that milestones are made of."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kubealive_tui.model._facts import (
    Action,
    AgentNote,
    Aspect,
    EndpointTransition,
    Fact,
    FactBody,
    LoadState,
    LoadTransition,
    LossMark,
    Phase,
    PodTransition,
)
from kubealive_tui.model._traffic import EdgeKind, OutageEdge, TrafficBin, TrafficRow

__all__ = ["Outage", "RunFacts"]

# A request in flight when the trigger came is its victim, though it was planned before: one bin's width.
IN_FLIGHT_US = 100_000

BodyT = TypeVar("BodyT", bound=FactBody)


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which clients lost requests; end None while it lasts. `interval_us` is the error bar.

    `left` ones will never have an end: the load that measured them ended inside.
    """

    begin_us: int
    end_us: int | None
    failed: int
    interval_us: int
    left: bool = False

    @property
    def seconds(self) -> float | None:
        """Its length, or None while it lasts."""
        return None if self.end_us is None else (self.end_us - self.begin_us) / 1e6


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

    def address(self, uid: str) -> str:
        """The pod's address, as its own transitions say; empty when none was seen, or there is no such pod."""
        return next((body.ip for _, body in self.of(PodTransition) if uid and body.uid == uid and body.ip), "")

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

    def refused(self) -> int | None:
        """When the trigger itself was refused, or None."""
        facts = self._by_type.get(Action, ())
        return next((f.time_us for f in facts if f.action_id == self.trigger.action_id and _refuses(f)), None)

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
                left = edge.edge is EdgeKind.OPEN
                end = None if left else edge.at_us
                found[key] = Outage(found[key].begin_us, end, edge.failed, edge.interval_us, left)
        return tuple(found.values())

    def incomplete(self) -> str:
        """Why facts are missing inside this run, or nothing."""
        if any(True for _ in self.of(LossMark)):
            return "facts were lost on the way"
        if any(note.watch_gap for _, note in self.of(AgentNote)):
            return "the agent could not watch the cluster for a while"
        return ""


def _refuses(fact: Fact) -> bool:
    return isinstance(fact.body, Action) and fact.body.phase is Phase.REFUSED


def _reach(row: TrafficRow, trigger_us: int) -> int:
    """From which plan on requests are a trigger's: a little before it for those that it cut down in flight."""
    return trigger_us - IN_FLIGHT_US if row.outcome.failed and row.last_end_us >= trigger_us else trigger_us
