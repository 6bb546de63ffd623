"""Runs and the stopwatch: what followed a trigger, as a pure function of facts.

A run is one trigger and what follows; its milestones are queries over the facts between them. Two viewers with
the same facts therefore see the same run, and a reconnect rebuilds it. An experiment writes a stopwatch as a
generator over `RunFacts`; this module opens, evaluates and closes runs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from kubealive_tui.model._facts import (
    Action,
    EpochMark,
    Fact,
)
from kubealive_tui.model._run_facts import Outage, RunFacts
from kubealive_tui.model._text import Role
from kubealive_tui.model._traffic import OutageEdge, TrafficBin

__all__ = [
    "Ending",
    "Milestone",
    "Run",
    "Source",
    "Stopwatch",
    "evaluate",
    "next_look",
]

# An open run is looked at so often by the time of its facts. A milestone is told within a second of its own time,
# so that a run which settles after 2.5 s is seen to settle before it is over, however rarely frames come.
LOOK_US = 1_000_000


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
    OVERTAKEN = "changed by somebody else"
    REPLACED = "agent replaced"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Milestone:
    """A moment of a run; `at_us` None while it has not come.

    `role` colours the mark; `after` is the state the object was in from here on. `weight` decides which label
    gives way where two collide (the lower one). `optional` milestones do not keep a run open. `note` is what it
    came to in this run (`1 → 4`), told behind the label, which is the same in every run.
    """

    label: str
    at_us: int | None
    source: Source
    role: Role = Role.TEXT
    after: Role | None = None
    weight: int = 1
    optional: bool = False
    note: str = ""

    @property
    def words(self) -> str:
        """Label and note."""
        return f"{self.label} {self.note}".rstrip()


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands: milestones in the order of the stopwatch, what clients lost, and why it ended.

    `given` is what its action was asked for, by name and in words.
    """

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
    given: Mapping[str, str] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """How one kind of trigger is timed.

    `milestones` is a generator function over `RunFacts`; `matches` picks the Action facts that start a run;
    `title` names the run from its action. A run without its last milestone ends after `limit_s`, and one whose
    object was changed by somebody without an action of ours when `overtaken` says: what came later is not its own.
    """

    matches: Callable[[Action], bool]
    title: Callable[[Action], str]
    milestones: Callable[[RunFacts], Iterable[Milestone]]
    limit_s: float = 60.0
    settle_s: float = field(default=2.5)
    overtaken: Callable[[RunFacts], int | None] | None = None


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
    run, cut_us = _own(stopwatch, RunFacts(trigger, facts, until_us=interrupted_us), facts, interrupted_us)
    milestones = tuple(stopwatch.milestones(run))
    failed, planned = run.lost()
    outages = run.outages()
    ending, ended = _ending(stopwatch, run, milestones, outages, now_us)
    if cut_us is not None and ending in {Ending.OPEN, Ending.LIMIT}:
        settled = now_us >= cut_us + int(stopwatch.settle_s * 1e6)
        ending, ended = (Ending.OVERTAKEN, cut_us) if settled else (Ending.OPEN, None)
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
        # Traffic that ended with the trigger is no measure: 0 lost of 0 would read as if all had gone well.
        measured=run.measured() and (planned > 0 or ending is Ending.OPEN),
        given=run.action.parameters,
    )


def _own(
    stopwatch: Stopwatch, run: RunFacts, facts: Sequence[Fact], interrupted_us: int | None
) -> tuple[RunFacts, int | None]:
    """What is this run's own, and when somebody else's change overtook it: requests before that are still its."""
    cut_us = stopwatch.overtaken(run) if stopwatch.overtaken else None
    if cut_us is None:
        return run, None
    own = [fact for fact in facts if fact.time_us < cut_us or isinstance(fact.body, TrafficBin | OutageEdge)]
    return RunFacts(run.trigger, own, until_us=min(cut_us, interrupted_us or cut_us)), cut_us


def _unmeasured(run: RunFacts, milestones: Sequence[Milestone]) -> str:
    missing = any(m.at_us is None and m.source is Source.CLIENT for m in milestones)
    missing = missing or any(outage.left for outage in run.outages())
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
    refused = run.refused()
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
    awaited = any(m.at_us is None and not m.optional for m in milestones)
    if awaited or any(o.end_us is None and not o.left for o in outages):
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
