"""The views that tabs share: what the load's line says of its requests."""

from dataclasses import replace

import pytest

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._blocks import POD, load_line, load_view, lost_view, pod_table
from kubealive_tui.experiments.balance import lab
from kubealive_tui.model import Column, Outcome, Size, plain
from kubealive_tui.store import Store
from tests.tui.signals import at, fact, frame, load_started, pod, pod_change, replies, running_load, snapshot


def figures(width: int, *, retransmitted: int = 0, retried: int = 0) -> str:
    store = Store({lab.name: lab.stopwatches})
    store.apply(snapshot(running_load()))
    measured = replies(1.0, ("p1", Outcome.OK, 9), retransmitted=retransmitted, retried=retried)
    store.apply(frame(2, 1.5, fact(1, 0.0, load_started()), fact(2, 1.2, measured)))
    view = load_view(Scene(store, lab, lab.settings(), None, Size(width, 24)))
    assert view.heading is not None
    return plain(view.heading.figures)


@pytest.mark.parametrize(
    ("troubles", "said", "unsaid"),
    [
        pytest.param({}, (), ("retransmitted", "retried"), id="none"),
        pytest.param({"retransmitted": 2}, ("retransmitted 2",), ("retried",), id="retransmitted"),
        pytest.param({"retried": 3}, ("retried 3",), ("retransmitted",), id="retried"),
    ],
)
def test_requests_that_only_just_arrived_are_said(
    troubles: dict[str, int], said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    """A wide screen tells of retransmitted and silently retried requests, and only where there are any."""
    words = figures(120, **troubles)
    assert all(word in words for word in said)
    assert not any(word in words for word in unsaid)


@pytest.mark.parametrize(
    ("ended", "title", "in_a_line"),
    [
        pytest.param(False, "LOAD 44s", ["load 44s  ▶ 100/s"], id="running"),
        pytest.param(True, "LAST LOAD", [], id="ended"),
        pytest.param(None, "LOAD", [], id="none yet"),
    ],
)
def test_totals_say_of_what_they_are(*, ended: bool | None, title: str, in_a_line: list[str]) -> None:
    """They count since the load began, and not over the minute of the chart under them."""
    store = Store({lab.name: lab.stopwatches})
    store.apply(snapshot(*(() if ended or ended is None else (running_load(),))))
    if ended is not None:
        store.apply(frame(2, 1.5, fact(1, 1.0, load_started()), fact(2, 1.2, replies(1.0, ("p1", Outcome.OK, 9)))))
    store.apply(frame(3, 45.0))
    scene = Scene(store, lab, lab.settings())

    heading = load_view(scene).heading
    assert heading is not None
    assert plain(heading.title) == title
    assert [plain(each.text)[:17] for each in load_line(scene)] == in_a_line


def test_a_narrow_screen_keeps_to_the_totals() -> None:
    """At 80 columns there is room for what is lost, not for what nearly was."""
    assert "retried" not in figures(80, retried=3)


@pytest.mark.parametrize(
    ("unsent", "lag_us", "said"),
    [
        pytest.param(0, 99_000, [], id="in time"),
        pytest.param(3, 0, ["the generator itself: 3 not sent"], id="not sent"),
        pytest.param(0, 340_000, ["the generator itself: up to 0.34 s late"], id="late"),
        pytest.param(3, 340_000, ["the generator itself: 3 not sent, up to 0.34 s late"], id="both"),
    ],
)
def test_what_the_generator_owes_is_told_apart(unsent: int, lag_us: int, said: list[str]) -> None:
    """Its own lateness is nobody's loss, and is said at every width as soon as it matters; the worst one stays."""
    store = Store({lab.name: lab.stopwatches})
    store.apply(snapshot(running_load()))
    rows = (("p1", Outcome.OK, 9), *((("", Outcome.LOCAL, unsent),) if unsent else ()))
    bins = [replace(replies(1.0, *rows), lag_max_us=lag_us), replies(1.1, ("p1", Outcome.OK, 1))]
    facts = [fact(1, 0.0, load_started()), *(fact(n, 1.2, each) for n, each in enumerate(bins, 2))]
    store.apply(frame(9, 1.5, *facts))

    assert [plain(each.text) for each in lost_view(Scene(store, lab, lab.settings()))] == said


def test_a_table_of_pods_has_the_columns_that_a_tab_asks_for() -> None:
    """Columns go by their titles; restarts say how long ago the last one was, where that is known."""
    store = Store({lab.name: lab.stopwatches})
    pods = [pod("p1", restarts=3, last_restart_us=at(18)), pod("p2", restarts=1), pod("p3")]
    store.apply(snapshot(*map(pod_change, pods), seconds=30))
    scene = Scene(store, lab, lab.settings(), None, Size(80, 24))
    table = pod_table(scene, base=(POD, Column("RESTARTS", 11)), extra=(), cells=lambda _: ())

    assert [[plain(c) for c in table.row(uid).cells if isinstance(c, tuple)] for uid in table.keys] == [
        ["…d8c-aaap1", "3 (12s ago)"],
        ["…d8c-aaap2", "1"],
        ["…d8c-aaap3", "0"],
    ]
