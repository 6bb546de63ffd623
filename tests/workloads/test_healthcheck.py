"""The program `healthcheck`: well or not, it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubealive_workloads.programs import load
from tests.workloads.harness import InThread, get, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[InThread]:
    """Give a program that a test may make ill."""
    with serving(load("healthcheck")) as running:
        yield running


def test_goes_on_answering_while_its_liveness_fails(server: InThread) -> None:
    """The word changes, the status does not: only the kubelet acts on it."""
    assert get(server.port, "/").body == b"healthy\n"
    server.fault("liveness", fail="always")
    assert (get(server.port, "/").status, get(server.port, "/").body) == (200, b"unhealthy\n")
    assert get(server.port, "/livez").status == 503
    server.fault("cure")
    assert get(server.port, "/").body == b"healthy\n"


def test_is_not_unhealthy_for_want_of_readiness(server: InThread) -> None:
    """Whom Services leave out is well all the same."""
    server.fault("readiness", fail="always")
    assert get(server.port, "/").body == b"healthy\n"


def test_says_who_it_is_as_json(server: InThread) -> None:
    """With a wish for JSON the word stands beside the whole identity."""
    server.fault("liveness", fail="next", count=1)
    told = get(server.port, "/", Accept="application/json").json
    assert (told["healthy"], told["pod"], told["node"]) == (False, "getip-1", "node-1")
    get(server.port, "/livez")
    assert get(server.port, "/", Accept="application/json").json["healthy"] is True
