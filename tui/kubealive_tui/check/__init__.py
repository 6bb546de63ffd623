"""Verdicts without a screen: the experiments' own checks, one after another, over the same store as the tabs."""

from kubealive_tui.check._drive import CheckDrive, driving
from kubealive_tui.check._runner import check

__all__ = ["CheckDrive", "check", "driving"]
