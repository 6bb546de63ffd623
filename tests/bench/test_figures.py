"""The bench's own arithmetic: a bound that is read the wrong way round would be kept for ever."""

from __future__ import annotations

import math

import pytest
from bench._figures import Figure, percentile


@pytest.mark.parametrize(
    ("value", "most", "least", "kept"),
    [
        (2.5, 2.5, None, True),
        (2.51, 2.5, None, False),
        (0.7, None, 0.7, True),
        (0.69, None, 0.7, False),
        (5.0, None, None, True),
        (math.nan, 2.5, None, False),
        (math.nan, None, 0.7, False),
    ],
    ids=["at-most", "over", "at-least", "under", "unbounded", "nan-at-most", "nan-at-least"],
)
def test_a_bound_is_kept_at_its_own_value_and_never_by_nothing(
    value: float, *, most: float | None, least: float | None, kept: bool
) -> None:
    """A figure is within its bounds or not, and one that could not be computed is not."""
    assert Figure(what="x", value=value, unit="", most=most, least=least).kept is kept


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0)],
    ids=["p50", "p99", "most", "least"],
)
def test_percentiles_are_values_that_were_measured(share: float, expected: float) -> None:
    """The percentile of 1 to 100 is the number itself."""
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected
