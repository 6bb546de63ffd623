"""`kubealive doctor`: what it asks, and how each answer reads."""

from collections.abc import Mapping
from typing import Any

import pytest

from kubealive_tui.cli._examination import Look, State, examine_api, line
from kubealive_tui.install import ApiError


class FakeApi:
    """A cluster without an install, in which some verbs are denied and some paths fail."""

    def __init__(
        self, *, denied: frozenset[tuple[str, str]] = frozenset(), failing: Mapping[str, int] | None = None
    ) -> None:
        self.denied = denied
        self.failing = failing or {}

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: float = 10.0,  # noqa: ASYNC109 - the interface
    ) -> Any:
        for start, status in self.failing.items():
            if path.startswith(start):
                raise ApiError(status, "", f"{path} failed")
        if path == "/version":
            return {"gitVersion": "v1.34.4"}
        if path.endswith("selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            resource = "/".join(part for part in (asked["resource"], asked["subresource"]) if part)
            everything = asked["verb"] == "*" and not self.denied
            return {
                "status": {"allowed": everything or (asked["verb"], resource) not in {*self.denied, ("*", "*")}}
            }
        return {"items": []}


async def looks(api: FakeApi) -> dict[str, Look]:
    return {look.subject + look.words.partition(":")[0]: look async for look in examine_api(api, "kubealive")}


async def test_a_cluster_without_an_install() -> None:
    """All rights are there and only the install is missing, with the command that mends it."""
    found = await looks(FakeApi())

    assert [look.state for look in found.values()] == [State.FINE] * 4 + [State.MISSING]
    assert line(list(found.values())[-1]) == (
        "✕ missing    install     no agent in namespace kubealive; `kubealive up` installs it"
    )


async def test_missing_rights_are_named() -> None:
    """Verb, resource and namespace of each right that is lacking, by what it is needed for."""
    found = await looks(FakeApi(denied=frozenset({("create", "pods/portforward"), ("patch", "clusterroles")})))

    use, install = found["rightsto look and act"], found["rightsto install"]
    assert (use.state, install.state) == (State.MISSING, State.MISSING)
    assert use.words == "to look and act: you may not create pods/portforward in namespace kubealive"
    assert install.words.endswith("you may not patch clusterroles.rbac.authorization.k8s.io in the whole cluster")


@pytest.mark.parametrize(
    ("failing", "last", "count"),
    [
        pytest.param({"/version": 0}, State.UNASKED, 1, id="unreachable"),
        pytest.param({"/apis/authorization": 401}, State.UNASKED, 2, id="not logged in"),
    ],
)
async def test_an_api_that_cannot_be_asked_ends_the_looks(
    failing: dict[str, int], last: State, count: int
) -> None:
    """What needs its answers is not guessed."""
    found = [look async for look in examine_api(FakeApi(failing=failing), "kubealive")]

    assert (found[-1].state, len(found)) == (last, count)


async def test_absent_metrics_are_missing() -> None:
    """Without the metrics API the autoscaling experiment says nothing, and doctor says why beforehand."""
    found = await looks(FakeApi(failing={"/apis/metrics.k8s.io": 404}))

    assert found["metrics APIabsent, so that CPU is unknown and nothing autoscales"].state is State.MISSING


async def test_whoever_may_not_look_at_the_install_is_told_so() -> None:
    """A user who can only reach the agent is missing a right, and the looks go on."""
    found = await looks(FakeApi(failing={"/apis/apps": 403}))

    assert found["installunknown"].state is State.MISSING
