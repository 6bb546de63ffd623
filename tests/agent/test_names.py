"""Names as a resolver takes them, kept within the cluster's domain."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent import names as names_module
from kubealive_agent._errors import RefusalError
from kubealive_agent.names import Names, read_search

SEARCH = ("lab.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example.com")


@pytest.fixture
def names() -> Names:
    return Names(search=SEARCH, domain="cluster.local", namespace="lab")


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("search a.svc.x svc.x x\nnameserver 1\n", ("a.svc.x", "svc.x", "x")),
        ("search old\nsearch new. \n", ("new",)),
        ("nameserver 1\n", ()),
        ("", ()),
    ],
    ids=["a pod's", "the last counts", "none", "empty"],
)
def test_the_search_list(text: str, search: tuple[str, ...]) -> None:
    """As resolv.conf(5) reads it."""
    assert read_search(text) == search


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("web", ["web.lab.svc.cluster.local.", "web.svc.cluster.local.", "web.cluster.local."]),
        ("web-1.web", ["web-1.web.lab.svc.cluster.local.", "web-1.web.svc.cluster.local.",
                       "web-1.web.cluster.local."]),
        ("web.lab.svc.cluster.local.", ["web.lab.svc.cluster.local."]),
        ("WEB.lab.svc.cluster.local", [
            "web.lab.svc.cluster.local.lab.svc.cluster.local.", "web.lab.svc.cluster.local.svc.cluster.local.",
            "web.lab.svc.cluster.local.cluster.local.", "web.lab.svc.cluster.local.",
        ]),
        ("_http._tcp.web", ["_http._tcp.web.lab.svc.cluster.local.", "_http._tcp.web.svc.cluster.local.",
                            "_http._tcp.web.cluster.local."]),
    ],
    ids=["short", "an ordinal", "with a trailing dot", "full without one", "of a port"],
)  # fmt: skip
def test_a_name_stands_for_full_names(names: Names, name: str, full: list[str]) -> None:
    """The search list's domains in turn, those outside the cluster left out."""
    assert names.full(name) == full


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("example.com.", Refusal.REASON_NOT_OURS),
        ("notcluster.local.", Refusal.REASON_NOT_OURS),
        ("", Refusal.REASON_INVALID),
        (".", Refusal.REASON_INVALID),
        ("a..b", Refusal.REASON_INVALID),
        ("a b", Refusal.REASON_INVALID),
        ("-a", Refusal.REASON_INVALID),
        ("x" * 64, Refusal.REASON_INVALID),
        (".".join(["x" * 60] * 5), Refusal.REASON_INVALID),
        ("10.0.0.1.", Refusal.REASON_NOT_OURS),
    ],
    ids=[
        "the world",
        "a look-alike",
        "empty",
        "root",
        "empty label",
        "space",
        "hyphen",
        "long label",
        "long",
        "IP",
    ],
)
def test_names_that_are_not_asked_for(names: Names, name: str, reason: Refusal.Reason.ValueType) -> None:
    """What is no name, or leads out of the cluster, is refused before anybody is asked."""
    with pytest.raises(RefusalError) as caught:
        names.full(name)

    assert caught.value.reason == reason


def test_outside_a_pod_the_search_list_is_the_usual_one() -> None:
    """A resolv.conf without the cluster's domains gives what the kubelet would have written."""
    names = Names(search=("corp.example.com",), domain="cluster.local", namespace="lab")

    assert names.full("web")[0] == "web.lab.svc.cluster.local."


async def test_the_first_name_with_an_address_counts(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names without an answer are passed over, and the same address counts once."""
    asked: list[str] = []

    async def getaddrinfo(host: str, *_: object, **__: object) -> list[tuple[Any, ...]]:
        asked.append(host)
        if host == "web.svc.cluster.local.":
            return [(0, 0, 0, "", ("10.0.0.1", 0)), (0, 0, 0, "", ("10.0.0.1", 0))]
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    assert await names.addresses("web") == ["10.0.0.1"]
    assert asked == ["web.lab.svc.cluster.local.", "web.svc.cluster.local."]


async def test_a_resolver_that_hangs_is_an_answer_too(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its deadline the name has no address."""

    async def getaddrinfo(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(names_module, "LOOKUP_SECONDS", 0.01)

    assert await names.addresses("web") == []
