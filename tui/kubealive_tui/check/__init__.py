"""Verdicts without a screen: the experiments' own checks, one after another, over the same store as the tabs."""

from kubealive_tui.check._drive import CheckDrive
from kubealive_tui.check._limits import LIMIT_SECONDS, OTHERWISE_SECONDS, limit_of
from kubealive_tui.check._runner import check

__all__ = ["LIMIT_SECONDS", "OTHERWISE_SECONDS", "CheckDrive", "check", "limit_of"]
