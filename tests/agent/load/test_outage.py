"""Edges of client outages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_agent.load import Edge, Outcome
from kubealive_agent.load._outage import OutageTracker

STEP_US = 250_000
SYMBOLS: dict[str, Outcome] = {".": "ok", "x": "refused", "t": "connect-timeout", "l": "local"}


def _edges(outcomes: str, *, order: list[int] | None = None, quiet_until: int | None = None) -> list[Edge]:
    """The edges of sends 250 ms apart whose outcomes are spelled by SYMBOLS, told in `order`."""
    tracker = OutageTracker(1)
    for sequence in order or range(len(outcomes)):
        tracker.resolve(sequence, planned_us=sequence * STEP_US, outcome=SYMBOLS[outcomes[sequence]])
    if quiet_until is not None:
        tracker.quiet_until(quiet_until)
    tracker.finish()
    return tracker.take_edges()


def _brief(edges: list[Edge]) -> list[tuple[int, str, float, int]]:
    return [(edge.outage_id, edge.kind, edge.at_us / STEP_US, edge.failed) for edge in edges]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("", []),
        (".....", []),
        (".xx.....", [(1, "begin", 1, 1), (1, "end", 3, 2)]),
        ("x.....", [(1, "begin", 0, 1), (1, "end", 1, 1)]),
        (".x....", [(1, "begin", 1, 1), (1, "open", 5, 1)]),
        (".x...x.....", [(1, "begin", 1, 1), (1, "end", 6, 2)]),
        (".x....x", [(1, "begin", 1, 1), (1, "end", 2, 1), (2, "begin", 6, 1), (2, "open", 6, 1)]),
        (".l.l...", []),
        (".xlll....l.....", [(1, "begin", 1, 1), (1, "end", 5, 1)]),
        ("xxxx", [(1, "begin", 0, 1), (1, "open", 3, 4)]),
    ],
    ids=[
        "no-sends",
        "no-failure",
        "one-outage",
        "from-the-first-send",
        "ends-too-soon-to-tell",
        "failure-within-the-second",
        "failure-when-the-second-is-over",
        "own-fault-is-no-outage",
        "own-fault-does-not-delay-the-end",
        "never-recovers",
    ],
)
def test_edges(outcomes: str, expected: list[tuple[int, str, float, int]]) -> None:
    """An outage goes from the first failure to the first ok that is followed by 1 s without one."""
    assert _brief(_edges(outcomes)) == expected


def test_time_alone_ends_an_outage() -> None:
    """With nothing in flight, the end needs no further send, only the second."""
    late = _edges("x.", quiet_until=STEP_US + 1_000_000)
    assert _brief(late) == [(1, "begin", 0, 1), (1, "end", 1, 1)]
    early = _edges("x.", quiet_until=STEP_US + 999_999)
    assert _brief(early)[-1] == (1, "open", 1, 1)


def test_edge_tells_kinds_and_interval() -> None:
    """An edge counts its failures by kind and carries the gap to the send before as its error bar."""
    begin, end = _edges(".xtt......")
    assert (begin.outcomes, begin.interval_us) == ({"refused": 1}, STEP_US)
    assert (end.outcomes, end.interval_us) == ({"refused": 1, "connect-timeout": 2}, STEP_US)


def test_first_send_has_no_interval() -> None:
    """A load that fails from its first send knows nothing of the time before: its error bar is 0, unknown."""
    assert _edges("x")[0].interval_us == 0


@given(outcomes=st.text(alphabet=list(SYMBOLS), max_size=40), data=st.data())
def test_order_of_arrival_does_not_matter(outcomes: str, data: st.DataObject) -> None:
    """Outcomes that come in any order give the edges of the planned order."""
    order = data.draw(st.permutations(range(len(outcomes))))
    assert _edges(outcomes, order=order) == _edges(outcomes)


@given(outcomes=st.text(alphabet=list(SYMBOLS), max_size=60))
def test_edges_alternate(outcomes: str) -> None:
    """Every outage begins once and ends once, or is open and the last."""
    edges = _edges(outcomes)
    kinds = [edge.kind for edge in edges]
    assert kinds[::2] == ["begin"] * (len(edges) // 2)
    assert "open" not in kinds[:-1]
    assert [edge.at_us for edge in edges] == sorted(edge.at_us for edge in edges)


def test_nothing_is_judged_before_its_predecessors() -> None:
    """A known failure waits while an older send is in flight."""
    tracker = OutageTracker(1)
    tracker.resolve(1, planned_us=STEP_US, outcome="refused")
    assert tracker.take_edges() == []
    assert tracker.settled == 0
    tracker.resolve(0, planned_us=0, outcome="ok")
    assert [edge.at_us for edge in tracker.take_edges()] == [STEP_US]
    assert tracker.settled == 2
