"""The ack gate as a state machine; times are handed in."""

import pytest

from kubealive_tui.ui._gate import MOST_MISSES, MOST_UNANSWERED, PATIENCE_S, Gate


def test_two_frames_may_be_on_their_way() -> None:
    """The third frame waits until the first is answered."""
    gate = Gate()
    for _ in range(MOST_UNANSWERED):
        assert gate.open(0.0)
        gate.asked(0.0)
    assert not gate.open(0.1)
    gate.answered(0.2)
    assert gate.open(0.2)
    assert gate.round_trip_s == pytest.approx(0.2)


def test_silence_opens_the_gate() -> None:
    """A terminal that does not answer in time holds nothing up."""
    gate = Gate()
    for _ in range(MOST_UNANSWERED):
        gate.asked(5.0)
    assert gate.wait_s(5.25) == pytest.approx(PATIENCE_S - 0.25)
    assert gate.open(5.0 + PATIENCE_S)
    assert gate.wait_s(5.0 + PATIENCE_S) == 0.0


def test_a_terminal_that_never_answers_is_not_asked_again() -> None:
    """After some misses in a row the gate is off, and stays open."""
    gate = Gate()
    for miss in range(MOST_MISSES):
        gate.asked(miss * 10.0)
        assert gate.open(miss * 10.0 + PATIENCE_S)
    assert not gate.enabled
    gate.asked(100.0)
    gate.asked(100.0)
    assert gate.open(100.0)


def test_an_answer_forgives_misses() -> None:
    """Only misses in a row count."""
    gate = Gate()
    for round_ in range(2 * MOST_MISSES):
        gate.asked(round_ * 10.0)
        assert gate.open(round_ * 10.0 + PATIENCE_S)
        gate.asked(round_ * 10.0 + 5)
        gate.answered(round_ * 10.0 + 5.1)
    assert gate.enabled


def test_unasked_answers_change_nothing() -> None:
    """A cursor report that nobody asked for (a key of some terminals looks like one) is ignored."""
    gate = Gate()
    gate.answered(1.0)
    assert gate.round_trip_s is None
    assert gate.open(1.0)
