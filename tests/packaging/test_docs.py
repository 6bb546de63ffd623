"""The README tells all that the program takes, and the check's limits as the code has them."""

from pathlib import Path

import pytest

from kubealive_tui.cli import Setting, settings
from kubealive_tui.experiments import balance, discover

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", settings(), ids=lambda setting: setting.flag)
def test_a_setting_is_in_the_readme(setting: Setting) -> None:
    """Each flag stands beside its environment variable."""
    assert f"| `{setting.flag}` | `{setting.variable}` |" in README


@pytest.mark.parametrize("lab", discover(), ids=lambda lab: lab.name)
def test_an_experiment_is_in_the_readme(lab: object) -> None:
    """Each tab has its line, and each check its limits."""
    name, title, order = (getattr(lab, word) for word in ("name", "title", "order"))
    assert f"| {order} {title} |" in README
    assert f"| {name} |" in README


@pytest.mark.parametrize(
    "limit",
    [
        f"within {balance.READY_WITHIN_S:.0f} s",
        f"p ≥ {balance.LEAST_P}",
        f"served {balance.BURST} new connections",
        f"within {balance.KILL_WITHIN_S:.0f} s",
        f"≤ {balance.MOST_LOST_SHARE * 100:.0f} %",
    ],
)
def test_the_limits_are_those_of_the_code(limit: str) -> None:
    """The table says what the check demands."""
    assert limit in README
