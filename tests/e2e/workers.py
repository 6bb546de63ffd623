"""Which test comes when, and with which others, where several workers share them."""

import pytest
from xdist.scheduler import LoadScopeScheduling

# The slowest first, as parts of their ids. A worker is given its next test while it is at the one before: so quick
# ones stand behind those that the workers begin with.
ORDER = (
    "test_scale",
    "test_heal.py::test_the_",
    "test_without_drain",
    "test_the_check_passes_and_its_update",
    "test_a_killed_screen",
    "test_refusals",
    "test_rendering",
    "test_what_is_refused",
    "test_a_refusal",
    "test_a_missing_image",
    "test_each_value",
    "test_update",
    "test_install",
    "test_it_passes",
    "test_heal",
    "test_terminal",
    "test_balance",
    "test_dns",
    "test_state",
    "test_daemon",
    "test_trouble",
)
# What stands on one fixture: a check that is watched for a minute, a namespace.
TOGETHER = ("test_heal.py::test_the_", "test_refusals")


def place(item: pytest.Item) -> tuple[bool, int]:
    """Where a test stands among all; what cuts power comes last."""
    named = (number for number, part in enumerate(ORDER) if part in item.nodeid)
    return item.get_closest_marker("power") is not None, next(named, len(ORDER))


class Apart(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """Gives each worker one test after another, whichever file it is of, and those that belong together as one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((part for part in TOGETHER if part in nodeid), nodeid)
