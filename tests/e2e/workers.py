"""Which test comes when, and with which others, where several workers share them."""

import pytest
from xdist.scheduler import LoadScopeScheduling

# Parts of their ids, the slowest first, and those with a load of a hundred a second not all at once. A worker is
# given its next test while it is at the one before: so quick ones stand behind those that the first workers begin
# with. The others begin with what needs no install, so that five of them do not share the processors at once.
ORDER = (
    "test_scale",
    "test_heal.py::test_the_",
    "test_without_drain",
    "test_missing_image_is",
    "test_refusals",
    "test_rendering",
    "test_what_is_refused",
    "test_a_killed_screen",
    "test_it_passes[service]",
    "test_it_passes[state]",
    "test_the_check_passes_and_its_update",
    "test_life",
    "test_a_graceful",
    "test_it_passes",
    "test_a_port_that",
    "test_the_main_job",
    "test_a_kill_keeps",
    "test_a_killed_pods",
    "test_a_rollout_in",
    "test_three_pods",
    "test_a_second_viewer",
    "test_an_agent_killed",
    "test_update",
    "test_install",
    "test_heal",
    "test_balance",
    "test_terminal",
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
