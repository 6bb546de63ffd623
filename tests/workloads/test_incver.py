"""The program `incver`: which version answers, and what the broken one costs."""

from __future__ import annotations

import pytest

from kubealive_workloads._config import BROKEN_VERSION
from kubealive_workloads.programs import load
from tests.workloads.harness import get, serving


@pytest.mark.parametrize(
    ("version", "status", "body"),
    [("v3", 200, b"v3\n"), ("", 200, b"unknown\n"), (BROKEN_VERSION, 503, b"serves nobody")],
    ids=["version", "unknown version", "broken"],
)
def test_answers_with_its_version(version: str, status: int, body: bytes) -> None:
    """A client sees which version served it; the broken one serves none and says so."""
    with serving(load("incver"), VERSION=version) as running:
        reply = get(running.port, "/")
        ready = get(running.port, "/readyz")

    assert reply.status == status
    assert body in reply.body
    assert reply.headers["x-version"] == (version or "unknown")
    assert ready.status == status


def test_says_who_it_is_as_json() -> None:
    """With `Accept: application/json` the reply is the whole identity."""
    with serving(load("incver"), VERSION="v2") as running:
        assert get(running.port, "/", Accept="application/json").json["version"] == "v2"
