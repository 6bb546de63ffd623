"""Whether a spread over pods is likely by chance: the χ² test, without a numerics library.

scipy would bring 60 MB for this one function. The upper tail of χ² is the regularised incomplete gamma function
Q(k/2, x/2), by its series and continued fraction (Numerical Recipes, 6.2; DLMF 8.9).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LEAST_EXPECTED", "Spread", "chi_square_tail", "spread_of"]

# Below five expected a cell, the χ² approximation is not to be trusted (the textbook rule).
LEAST_EXPECTED = 5.0
_STEPS = 500
_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Spread:
    """How evenly counts fall: expected share, largest deviation (both 0 to 1), and p.

    `p` is the chance of a spread at least this uneven if every pod were equally likely; None where the counts
    are too few for the test.
    """

    expected: float
    deviation: float
    p: float | None
    total: int


def spread_of(counts: Sequence[int]) -> Spread | None:
    """The spread over these pods; None without a pod or a request."""
    total = sum(counts)
    if not counts or not total:
        return None
    expected = total / len(counts)
    deviation = max(abs(n - expected) for n in counts) / total
    p = None
    if expected >= LEAST_EXPECTED:
        x = sum((n - expected) ** 2 / expected for n in counts)
        p = chi_square_tail(x, len(counts) - 1)
    return Spread(1 / len(counts), deviation, p, total)


def chi_square_tail(x: float, degrees: int) -> float:
    """P(χ² with `degrees` of freedom ≥ x); 1.0 for no freedom."""
    if degrees <= 0 or x <= 0:
        return 1.0
    a, half = degrees / 2, x / 2
    scale = math.exp(-half + a * math.log(half) - math.lgamma(a))
    return 1.0 - _series(a, half) * scale if half < a + 1 else _fraction(a, half) * scale


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for n in range(1, _STEPS):
        term *= x / (a + n)
        total += term
        if term < total * _EPSILON:
            break
    return total


def _fraction(a: float, x: float) -> float:
    b = x + 1 - a
    c, d = 1e300, 1 / b
    result = d
    for n in range(1, _STEPS):
        factor = -n * (n - a)
        b += 2
        d = 1 / (factor * d + b)
        c = b + factor / c
        result *= d * c
        if abs(d * c - 1) < _EPSILON:
            break
    return result
