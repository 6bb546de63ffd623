"""The χ² test against the table that every statistics book prints."""

import pytest

from kubealive_tui.experiments._statistics import chi_square_tail, spread_of


@pytest.mark.parametrize(
    ("x", "degrees", "p"),
    [
        pytest.param(3.841, 1, 0.05, id="5 % of 1"),
        pytest.param(7.815, 3, 0.05, id="5 % of 3"),
        pytest.param(16.266, 3, 0.001, id="0.1 % of 3"),
        pytest.param(2.366, 3, 0.50, id="half of 3"),
        pytest.param(43.773, 30, 0.05, id="5 % of 30"),
        pytest.param(0.0, 3, 1.0, id="nothing"),
    ],
)
def test_the_tail_is_that_of_the_table(x: float, degrees: int, p: float) -> None:
    """The computed tail agrees with published critical values."""
    assert chi_square_tail(x, degrees) == pytest.approx(p, rel=2e-3)


@pytest.mark.parametrize(
    ("counts", "judged"),
    [
        pytest.param([5, 5, 5, 5], True, id="five expected"),
        pytest.param([5, 5, 5, 4], False, id="below five expected"),
        pytest.param([400], True, id="one pod"),
    ],
)
def test_too_few_replies_are_not_judged(counts: list[int], *, judged: bool) -> None:
    """Under five expected requests a pod there is no p."""
    spread = spread_of(counts)

    assert spread is not None
    assert (spread.p is not None) is judged


def test_no_replies_have_no_spread() -> None:
    """Nothing to judge is None."""
    assert spread_of([]) is None
    assert spread_of([0, 0]) is None


def test_one_pod_that_takes_all_is_not_chance() -> None:
    """A stuck client gives a p near zero and the deviation in full."""
    spread = spread_of([400, 0, 0, 0])

    assert spread is not None
    assert spread.p is not None
    assert spread.p < 1e-9
    assert spread.deviation == pytest.approx(0.75)
