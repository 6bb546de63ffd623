"""The README tells all that the program takes, and the check's limits as the code has them."""

from pathlib import Path

import pytest

from kubealive_tui.cli import Setting, settings
from kubealive_tui.experiments import Experiment, Limit, discover

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", settings(), ids=lambda setting: setting.flag)
def test_a_setting_is_in_the_readme(setting: Setting) -> None:
    """Each flag stands beside its environment variable."""
    assert f"| `{setting.flag}` | `{setting.variable}` |" in README


@pytest.mark.parametrize("lab", discover(), ids=lambda lab: lab.name)
def test_a_tab_is_in_the_readme(lab: Experiment) -> None:
    """Each tab has its line."""
    assert f"| {lab.order} {lab.title} |" in README


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        pytest.param(lab.name, limit, id=f"{lab.name}: {limit.finding}")
        for lab in discover()
        for limit in lab.limits
    ],
)
def test_a_limit_of_a_check_is_in_the_readme(name: str, limit: Limit) -> None:
    """What a check demands stands in the table as the code has it."""
    assert f"| {name} | {limit.finding} | {limit.wanted} |" in README


def test_the_readme_lists_no_other_limits() -> None:
    """A row that no check demands would be a promise without a test."""
    names = {lab.name for lab in discover()}
    rows = [line for line in README.splitlines() if line.startswith("| ") and line[2:].partition(" |")[0] in names]

    assert len(rows) == sum(len(lab.limits) for lab in discover())


@pytest.mark.parametrize("lab", discover(), ids=lambda lab: lab.name)
def test_every_check_says_what_it_demands(lab: Experiment) -> None:
    """A check without limits would pass on anything."""
    assert lab.limits
