"""The plan of an open loop."""

import pytest

from kubealive_agent.load._schedule import Schedule


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(1_000.0, [7, 1_007, 2_007, 3_007]), (3.0, [7, 333_340, 666_674, 1_000_007])],
    ids=["whole", "fraction"],
)
def test_sends_are_even(rate: float, expected: list[int]) -> None:
    """Sends are 1/rate s apart, counted from the start, so that fractions do not add up to a drift."""
    schedule = Schedule(rate, start_us=7)
    assert [schedule.take() for _ in expected] == expected


def test_faster_begins_soon() -> None:
    """A slow load that becomes fast does not first sit out its long interval."""
    schedule = Schedule(0.1, start_us=0)
    assert schedule.take() == 0
    schedule.change(10.0, now_us=1_000_000)
    assert [schedule.take(), schedule.take()] == [1_100_000, 1_200_000]


def test_slower_keeps_the_next_send() -> None:
    """A fast load that becomes slow still sends what was planned next."""
    schedule = Schedule(10.0, start_us=0)
    schedule.take()
    schedule.change(1.0, now_us=50_000)
    assert [schedule.take(), schedule.take()] == [100_000, 1_100_000]
