"""Where client outages begin and end, decided once, here.

Outcomes arrive out of order: a refusal takes microseconds, a timeout seconds. The tracker therefore puts them
back into the order of their planned sends and judges one only when all before it are known, so that the order
of arrival cannot change an edge.
"""

from typing import Final, Literal

from kubealive_agent.load._wire import Edge, Outcome

QUIET_US: Final = 1_000_000
"""An outage ends at the first ok that is followed by this long without failure."""


class OutageTracker:
    """The outages of one load, as a state machine over outcomes in planned order.

    Sends are numbered 0, 1, 2 … in planned order. An outcome `local` is evidence of nothing, neither of
    failure nor of recovery, and is passed over.
    """

    def __init__(self, load_id: int) -> None:
        self._load_id = load_id
        self._edges: list[Edge] = []
        self._waiting: dict[int, tuple[int, Outcome]] = {}
        self._next = 0
        self._last_planned_us: int | None = None
        self._outages = 0
        self._failed: dict[Outcome, int] = {}
        self._first_ok_us: int | None = None
        self._first_ok_gap_us = 0

    @property
    def settled(self) -> int:
        """How many sends, counted from the first, have been judged."""
        return self._next

    def resolve(self, sequence: int, *, planned_us: int, outcome: Outcome) -> None:
        """Take the outcome of one send; each sequence number comes exactly once."""
        if sequence != self._next:
            self._waiting[sequence] = (planned_us, outcome)
            return
        self._judge(planned_us, outcome)
        self._next += 1
        while self._waiting and (known := self._waiting.pop(self._next, None)):
            self._judge(*known)
            self._next += 1

    def quiet_until(self, now_us: int) -> None:
        """Every send planned before `now_us` has been judged: an outage ends if its second is over."""
        if self._first_ok_us is not None and now_us >= self._first_ok_us + QUIET_US:
            self._end()

    def finish(self) -> None:
        """The load is over: an outage without an end says so."""
        if self._failed and self._last_planned_us is not None:
            self._emit("open", self._last_planned_us, 0)
            self._failed = {}

    def take_edges(self) -> list[Edge]:
        """The edges found since the last call, oldest first."""
        edges, self._edges = self._edges, []
        return edges

    def _judge(self, planned_us: int, outcome: Outcome) -> None:
        if outcome == "ok" and not self._failed:
            self._last_planned_us = planned_us
            return
        if outcome == "local":
            return
        gap_us = planned_us - self._last_planned_us if self._last_planned_us is not None else 0
        self._last_planned_us = planned_us
        self.quiet_until(planned_us)
        if outcome != "ok":
            self._fail(planned_us, outcome, gap_us)
        elif self._failed and self._first_ok_us is None:
            self._first_ok_us, self._first_ok_gap_us = planned_us, gap_us

    def _fail(self, planned_us: int, outcome: Outcome, gap_us: int) -> None:
        self._first_ok_us = None
        begins = not self._failed
        self._failed[outcome] = self._failed.get(outcome, 0) + 1
        if begins:
            self._outages += 1
            self._emit("begin", planned_us, gap_us)

    def _end(self) -> None:
        if self._first_ok_us is not None:
            self._emit("end", self._first_ok_us, self._first_ok_gap_us)
        self._failed, self._first_ok_us = {}, None

    def _emit(self, kind: Literal["begin", "end", "open"], at_us: int, interval_us: int) -> None:
        self._edges.append(
            Edge(
                load_id=self._load_id,
                outage_id=self._outages,
                kind=kind,
                at_us=at_us,
                failed=sum(self._failed.values()),
                outcomes=dict(self._failed),
                interval_us=interval_us,
            )
        )
