"""Which answers of samples become facts, so that asking each second does not fill the journal.

A journal of 8 MiB has to last for 15 minutes beside a load's bins. What is new is written at once; what says the
same is written now and then, so that its age is known; and the last of the old answers is written when a new one
comes, so that how long the old one held is known to one period. What is beyond the budget is counted and said.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubealive.v1.facts_pb2 import AgentNote, Fact
from kubealive_agent._facts import FACT_OVERHEAD

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from kubealive_agent.clock import Clock
    from kubealive_agent.journal import Journal

__all__ = ["Answer", "Recorder"]

RESTATE_US = 5_000_000
"""From one writing of an unchanged answer to the next, at least."""

RESTATE_EACH_US = 150_000
"""More for each question that is asked now: the 200 of the DNS matrix then write 2 kB a second, and not 12."""

MAX_RESTATE_US = 60_000_000
"""The longest that an unchanged answer goes unwritten."""

BUDGET_BYTES_PER_S = 4 * 1024
"""Facts of all samples: 15 minutes of it are under half of the journal."""

BUDGET_BURST = 256 * 1024
"""What may come at once: a tab's first answers, or a change of all of them."""

FORGET_US = 120_000_000
"""Answers to what has not been asked for so long are no news and no `before` to anybody."""

MAX_KNOWN = 4096
"""Questions whose last answer is remembered: 512 samples of up to five steps, and the pods of the experiments."""

_NOTE_EACH_US = 30_000_000
"""From one note on what was not written to the next."""

_MAX_SAID = 1024
"""Notes that are remembered as said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question; `said` is what makes it equal to another."""

    question: Hashable
    fact: Fact
    said: Hashable


@dataclass(slots=True)
class _Told:
    """The last answer to a question: what it says, when that was written, and the newest unwritten one."""

    said: Hashable
    experiment: str
    written_us: int
    asked_us: int
    held: Fact | None = None


class Recorder:
    """Writes the facts of samples."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._known: OrderedDict[Hashable, _Told] = OrderedDict()
        self._said: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._tokens = float(BUDGET_BURST)
        self._filled_us = clock.now_us()
        self._unwritten: dict[str, int] = {}
        self._noted_us = 0

    def answers(self, answers: Sequence[Answer]) -> None:
        """Take what came of one asking: the steps of a walk, or a single answer. All of it is written, or none.

        `changed` of a DnsAnswer is set here.
        """
        now = self._clock.now_us()
        known = [self._known.get(answer.question) for answer in answers]
        held: list[tuple[Fact, int]] = []
        due = False
        for answer, told in zip(answers, known, strict=True):
            changed = told is not None and told.said != answer.said
            due = due or changed or told is None or now - told.written_us >= self._restate_us()
            if answer.fact.WhichOneof("fact") == "dns":
                answer.fact.dns.changed = changed
            if changed and told is not None and told.held is not None:
                held.append((told.held, told.asked_us))
        if not due:
            self._hold(answers, now)
        elif self._afford(*(fact for fact, _ in held), *(answer.fact for answer in answers)):
            for fact, asked_us in held:
                self._journal.add(fact, time_us=asked_us)
            self._write(answers, now)

    def _hold(self, answers: Sequence[Answer], now: int) -> None:
        for answer in answers:
            told = self._known[answer.question]
            told.held, told.asked_us = answer.fact, now
            self._known.move_to_end(answer.question)

    def _write(self, answers: Sequence[Answer], now: int) -> None:
        for answer in answers:
            self._journal.add(answer.fact)
            self._known[answer.question] = _Told(answer.said, answer.fact.experiment, now, now)
            self._known.move_to_end(answer.question)
        self._forget(now)

    def restate(self, experiments: Collection[str]) -> None:
        """Write the next answers of these experiments, whatever they say: somebody has begun to look."""
        for told in self._known.values():
            if told.experiment in experiments:
                told.written_us = 0

    def call(self, fact: Fact) -> None:
        """Take the result of a call; each is written."""
        if self._afford(fact):
            self._journal.add(fact)

    def left_out(self, experiment: str, sentence: str) -> None:
        """Say once why a sample is not asked."""
        key = (experiment, sentence)
        if key not in self._said:
            self._note(experiment, sentence)
        self._said[key] = None
        self._said.move_to_end(key)
        if len(self._said) > _MAX_SAID:
            self._said.popitem(last=False)

    def _restate_us(self) -> int:
        return min(max(RESTATE_US, RESTATE_EACH_US * len(self._known)), MAX_RESTATE_US)

    def _afford(self, *facts: Fact) -> bool:
        """Take the facts' size from the budget; false, and counted, where it is used up."""
        now = self._clock.now_us()
        self._tokens = min(BUDGET_BURST, self._tokens + (now - self._filled_us) * BUDGET_BYTES_PER_S / 1e6)
        self._filled_us = now
        size = sum(fact.ByteSize() + FACT_OVERHEAD for fact in facts)
        if size <= self._tokens:
            self._tokens -= size
            return True
        experiment = facts[0].experiment
        self._unwritten[experiment] = self._unwritten.get(experiment, 0) + 1
        if now - self._noted_us >= _NOTE_EACH_US:
            self._noted_us = now
            for name, count in self._unwritten.items():
                self._note(
                    name,
                    f"{count} answers of samples were not written: samples may fill "
                    f"{BUDGET_BYTES_PER_S // 1024} KiB a second, and these are more",
                )
            self._unwritten.clear()
        return False

    def _note(self, experiment: str, sentence: str) -> None:
        note = AgentNote(level=AgentNote.LEVEL_WARNING, message=sentence)
        self._journal.add(Fact(experiment=experiment, note=note))

    def _forget(self, now: int) -> None:
        while self._known:
            oldest = next(iter(self._known.values()))
            if len(self._known) <= MAX_KNOWN and now - oldest.asked_us <= FORGET_US:
                return
            self._known.popitem(last=False)
