"""Rights: what is asked of the API server, and how what is missing reads."""

from collections.abc import Mapping
from typing import Any

import pytest

from kubealive_tui.install import (
    Right,
    listed_rights,
    missing_rights,
    rights_refusal,
    rights_to_install,
    rights_to_reach,
)


class Reviewer:
    """Answers access reviews, and keeps what was asked."""

    def __init__(self, *, denied: frozenset[str] = frozenset(), silent: bool = False) -> None:
        self.denied = denied
        self.silent = silent
        self.asked: list[str] = []

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
        asked = body["spec"]["resourceAttributes"]
        words = f"{asked['verb']} {asked['resource']}" + (
            f"/{asked['subresource']}" if asked["subresource"] else ""
        )
        self.asked.append(words)
        return {} if self.silent else {"status": {"allowed": not self.denied & {words}}}


PODS = Right(verb="list", resource="pods", namespace="n")


async def test_whoever_may_do_everything_is_asked_once() -> None:
    """An install needs dozens of rights, and an administrator has them all."""
    api = Reviewer()

    assert await missing_rights(api, rights_to_install("n")) == ()
    assert api.asked == ["* *"]


async def test_each_right_is_asked_for_once() -> None:
    """Manifests of one kind need one right, and what is denied comes in the order of asking."""
    api = Reviewer(denied=frozenset({"* *", "patch deployments", "list pods"}))

    missing = await missing_rights(api, rights_to_install("n"))

    assert [(right.verb, right.what) for right in missing] == [("patch", "deployments.apps"), ("list", "pods")]
    assert len(api.asked) == len(set(api.asked)) > 20


async def test_few_rights_are_asked_outright() -> None:
    """Reaching the agent needs three, which fit into one round trip."""
    api = Reviewer(denied=frozenset({"create pods/portforward"}))

    missing = await missing_rights(api, rights_to_reach("n"))

    assert [right.verb for right in missing] == ["create"]
    assert sorted(api.asked) == ["create pods/portforward", "get pods/portforward", "list pods"]


async def test_an_answer_without_a_word_is_a_no() -> None:
    """A review that does not say yes denies."""
    assert await missing_rights(Reviewer(silent=True), [PODS]) == (PODS,)


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        pytest.param([PODS], "list pods in namespace n", id="one"),
        pytest.param(
            rights_to_reach("n"),
            "list pods in namespace n; get and create pods/portforward in namespace n",
            id="verbs of one resource",
        ),
        pytest.param(
            [Right(verb=verb, group="apps", resource="deployments") for verb in ("get", "create", "patch")],
            "get, create and patch deployments.apps in the whole cluster",
            id="cluster-wide",
        ),
        pytest.param(
            [PODS, Right(verb="list", resource="events", namespace="n")],
            "list pods, events in namespace n",
            id="resources of one verb",
        ),
    ],
)
def test_rights_in_words(rights: list[Right], words: str) -> None:
    """Verbs together where they are the same, one place after another."""
    assert listed_rights(rights) == words


def test_a_refusal_says_how_to_see_the_same() -> None:
    """Whoever can grant the right is told how to prove it."""
    assert rights_refusal([PODS]) == (
        "you may not list pods in namespace n; whoever administers the cluster can grant it, "
        "and `kubectl auth can-i list pods -n n` then says yes"
    )
