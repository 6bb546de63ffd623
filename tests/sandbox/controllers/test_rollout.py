"""The steps of a rolling update, as the real controller takes them."""

from typing import Any

import pytest

from kubealive_sandbox.controllers._rollout import proportional, rolling


def replica_set(name: str, replicas: int, available: int | None = None) -> dict[str, Any]:
    return {
        "metadata": {"uid": name, "name": name, "creationTimestamp": name},
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": replicas if available is None else available},
    }


def deployment(replicas: int, surge: Any = "25%", missing: Any = "25%") -> dict[str, Any]:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}}
    return {"spec": {"replicas": replicas, "strategy": strategy}}


def steps(changes: list[tuple[dict[str, Any], int]]) -> dict[str, int]:
    return {each["metadata"]["name"]: count for each, count in changes}


@pytest.mark.parametrize(
    ("given", "new", "old", "wanted"),
    [
        pytest.param(deployment(10), (0, 0), (10, 10), {"new": 3}, id="the new one takes the surge"),
        pytest.param(deployment(10), (3, 0), (10, 10), {"old": 8}, id="the old one gives what may be missing"),
        pytest.param(deployment(10), (3, 0), (8, 8), {"new": 5}, id="the new one takes what the old one gave"),
        pytest.param(deployment(10), (5, 0), (8, 8), {}, id="nothing until a new pod is available"),
        pytest.param(deployment(10), (5, 1), (8, 8), {"old": 7}, id="one for one"),
        pytest.param(deployment(4, 1, 0), (1, 0), (4, 4), {}, id="surge 1, nothing missing: wait"),
        pytest.param(deployment(4, 0, 1), (0, 0), (4, 4), {"old": 3}, id="no surge: the old one first"),
        pytest.param(deployment(4, "100%", 0), (0, 0), (4, 4), {"new": 4}, id="all at once"),
        pytest.param(deployment(4, 1, 0), (0, 0), (4, 2), {"new": 1}, id="unhealthy old pods do not hinder"),
        pytest.param(deployment(4, 1, 1), (1, 0), (4, 2), {"old": 3}, id="unhealthy old pods go first"),
        pytest.param(deployment(2, 1, 0), (4, 4), (0, 0), {"new": 2}, id="a new one that is too large"),
    ],
)
def test_a_rolling_update_takes_one_step(
    given: dict[str, Any], new: tuple[int, int], old: tuple[int, int], wanted: dict[str, int]
) -> None:
    """Never more than the surge, never fewer available than allowed."""
    assert steps(rolling(given, replica_set("new", *new), [replica_set("old", *old)])) == wanted


def test_a_size_that_changes_in_between_is_shared() -> None:
    """Each ReplicaSet that has pods grows by its share, the surge included."""
    found = proportional(deployment(20), replica_set("new", 5), [replica_set("old", 8)])

    assert steps(found) == {"old": 15, "new": 10}
