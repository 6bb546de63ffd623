"""What a bench finds: figures, some of them with a bound, and peers that were not there.

Ratios travel between machines and seconds do not, so bounds are on ratios wherever a peer exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

__all__ = ["Figure", "Finding", "Skipped", "percentile", "spread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured number. `most` and `least` are bounds, `beside` is what it was measured against, in words."""

    what: str
    value: float
    unit: str
    beside: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def bounded(self) -> bool:
        """Whether the figure can break anything."""
        return self.most is not None or self.least is not None

    @property
    def kept(self) -> bool:
        """Whether the value is within its bounds."""
        over = self.most is not None and not self.value <= self.most
        under = self.least is not None and not self.value >= self.least
        return not (over or under)

    @property
    def bound(self) -> str:
        """The bounds as a table shows them; empty when there are none."""
        least = "" if self.least is None else f"≥ {self.least:g}"
        most = "" if self.most is None else f"≤ {self.most:g}"
        return " ".join(filter(None, (least, most)))


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not measured, why not, and what would make it possible."""

    what: str
    why: str


Finding: TypeAlias = Figure | Skipped


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that `share` of them (0 to 1) do not exceed; nan when there are none."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share * len(ranked)) - 1))]


def spread(values: Sequence[float]) -> str:
    """Median and range in words: how far the rounds agree."""
    return f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
