"""The views that tabs share: what the load's line says of its requests."""

import pytest

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._blocks import load_view
from kubealive_tui.experiments.balance import lab
from kubealive_tui.model import Outcome, Size, plain
from kubealive_tui.store import Store
from tests.tui.signals import fact, frame, load_started, replies, running_load, snapshot


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


def test_a_narrow_screen_keeps_to_the_totals() -> None:
    """At 80 columns there is room for what is lost, not for what nearly was."""
    assert "retried" not in figures(80, retried=3)
