"""The runs of one experiment, kept up as facts arrive.

A run opens with an Action that one of the experiment's stopwatches matches, collects what follows, and is
evaluated as a pure function (`model.evaluate`) until it ends; then it is frozen. Only one run is open at a time:
the next trigger interrupts it, unless that one is refused.

When a run is over is decided by the times of the facts alone, never by when they came here: whoever gets a quarter
of an hour in one snapshot closes each run before the same fact as somebody who watched it happen.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kubealive_tui.model import (
    Action,
    AgentNote,
    Ending,
    EpochMark,
    Fact,
    LossMark,
    OutageEdge,
    Phase,
    Run,
    Stopwatch,
    TrafficBin,
    WatchGap,
    evaluate,
    next_look,
)

__all__ = ["RunBook"]

# What EXPERIMENTS promises to keep.
KEPT_RUNS = 20
# A minute of traffic on many pods is some thousand facts; ten times that means something is out of hand.
MOST_FACTS = 50_000


@dataclass(slots=True)
class _Open:
    stopwatch: Stopwatch
    trigger: Fact
    facts: list[Fact] = field(default_factory=list)
    overflow: int = 0
    look_us: int = 0
    interrupted_us: int | None = None
    # The run that this one's trigger interrupted, as if it had not: until the trigger was taken.
    before: "_Open | None" = None

    def collect(self, fact: Fact) -> None:
        """Take a fact, for the run before as well."""
        if len(self.facts) >= MOST_FACTS:
            self.overflow += 1
        else:
            self.facts.append(fact)
        if self.before is not None:
            self.before.collect(fact)


class RunBook:
    """The open run and the last 20 ended ones, oldest first."""

    def __init__(self, stopwatches: Sequence[Stopwatch]) -> None:
        self._stopwatches = tuple(stopwatches)
        self._open: _Open | None = None
        self._ended: deque[Run] = deque(maxlen=KEPT_RUNS)
        self._current: Run | None = None
        # The run that was interrupted last: outcomes of its requests may still come.
        self._settling: _Open | None = None
        # The note that began a gap in the watching which is not known to be over.
        self._gap: Fact | None = None

    def add(self, fact: Fact) -> None:
        """Take one fact, in journal order."""
        if self._open is not None and fact.time_us >= self._open.look_us:
            self.advance(fact.time_us)
        self._mind_the_gap(fact)
        self._settle(fact)
        body = fact.body
        if isinstance(body, Action) and body.phase is Phase.REQUESTED:
            for stopwatch in self._stopwatches:
                if stopwatch.matches(body):
                    before = self._interrupt(fact.time_us)
                    gap = [] if self._gap is None else [self._gap]
                    self._open = _Open(stopwatch, fact, gap, before=before)
                    return
        if self._open is None:
            return
        self._open.collect(fact)
        if isinstance(body, Action) and fact.action_id == self._open.trigger.action_id:
            self._answered(self._open, body.phase, fact.time_us)

    def _answered(self, opened: _Open, phase: Phase, at_us: int) -> None:
        """The open run's trigger was taken, or refused: then the run before goes on as if it had not been."""
        before, opened.before = opened.before, None
        if phase is Phase.REFUSED and before is not None:
            self._ended.pop()
            self._settling = None
            self._open = before
            self.advance(at_us)

    def _settle(self, fact: Fact) -> None:
        """Count what an interrupted run's own requests came to, until none of them can be in flight any more."""
        settling = self._settling
        if (
            settling is None
            or settling.interrupted_us is None
            or not isinstance(fact.body, TrafficBin | OutageEdge)
        ):
            return
        if fact.time_us >= settling.interrupted_us + int(settling.stopwatch.settle_s * 1e6):
            self._settling = None
            return
        settling.facts.append(fact)
        run = replace(
            self._evaluate(settling, settling.interrupted_us),
            ending=Ending.INTERRUPTED,
            ended_us=settling.interrupted_us,
        )
        if self._ended and self._ended[-1].action_id == run.action_id:
            self._ended[-1] = run

    def _mind_the_gap(self, fact: Fact) -> None:
        match fact.body:
            case AgentNote(watch_gap=WatchGap.BEGAN):
                self._gap = fact
            case AgentNote(watch_gap=WatchGap.ENDED) | LossMark() | EpochMark():
                self._gap = None
            case _:
                pass

    def advance(self, now_us: int) -> None:
        """Evaluate the open run at this agent time, up to which facts are here, and freeze it if it has ended."""
        if self._open is None:
            return
        run = self._evaluate(self._open, now_us)
        if run.ending is Ending.OPEN:
            self._current = run
            self._open.look_us = next_look(self._open.stopwatch, run, now_us)
            return
        self._close(run)

    def _evaluate(self, opened: _Open, now_us: int) -> Run:
        run = evaluate(
            opened.stopwatch, opened.trigger, opened.facts, now_us, interrupted_us=opened.interrupted_us
        )
        if opened.overflow:
            run = replace(run, incomplete=f"{opened.overflow:,} facts more than a run can hold")
        return run

    def _interrupt(self, at_us: int) -> _Open | None:
        """End the open run, and give back what it was where it had not ended by itself."""
        self._settling = before = None
        if self._open is not None:
            before = replace(self._open, facts=list(self._open.facts), look_us=0, before=None)
            self._open.interrupted_us, self._open.before = at_us, None
            run = self._evaluate(self._open, at_us)
            if run.ending is Ending.OPEN:
                run = replace(run, ending=Ending.INTERRUPTED, ended_us=at_us)
                self._settling = self._open
            else:
                before = None
            self._close(run)
        return before

    def _close(self, run: Run) -> None:
        self._open = self._current = None
        # A refused action changed nothing; its sentence is in the timeline, and it is no measurement.
        if run.ending is not Ending.REFUSED:
            self._ended.append(run)

    @property
    def current(self) -> Run | None:
        """The open run as of the last `advance`."""
        return self._current

    @property
    def ended(self) -> Sequence[Run]:
        """Ended runs, oldest first, at most 20."""
        return tuple(self._ended)

    @property
    def all(self) -> Sequence[Run]:
        """Ended runs and the open one, oldest first."""
        return (*self._ended, *([self._current] if self._current else []))

    @property
    def last(self) -> Run | None:
        """The open run, else the newest ended one."""
        return self._current or (self._ended[-1] if self._ended else None)
