"""Names as a resolver takes them, kept within the cluster's domain."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent import names as names_module
from kubealive_agent._errors import RefusalError
from kubealive_agent.names import Names, read_resolv_conf, steps, why_not_asked

POD = """\
# by the kubelet
search lab.svc.cluster.local svc.cluster.local cluster.local corp.example.com
nameserver 10.96.0.10
options ndots:5
"""
RESOLUTION = read_resolv_conf(POD, namespace="lab")


@pytest.fixture
def names() -> Names:
    return Names(RESOLUTION)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("search a.svc.x svc.x x\nnameserver 1\n", ("a.svc.x", "svc.x", "x")),
        ("search svc.old\nsearch a.svc.new. svc.new. \n", ("a.svc.new", "svc.new")),
        ("nameserver 1\n", ("lab.svc.cluster.local", "svc.cluster.local", "cluster.local")),
        ("search lan\n", ("lab.svc.cluster.local", "svc.cluster.local", "cluster.local", "lan")),
    ],
    ids=["a pod's", "the last counts", "none", "at home"],
)
def test_the_search_list(text: str, search: tuple[str, ...]) -> None:
    """As resolv.conf(5) reads it; outside of a pod with what the kubelet would have written."""
    assert read_resolv_conf(text, namespace="lab").search == search


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("search lab.svc.example.org svc.example.org example.org\nnameserver 10.0.0.10", "example.org"),
        ("nameserver 1.1.1.1\nsearch home.lan", "cluster.local"),
        ("", "cluster.local"),
    ],
    ids=["in a pod", "at home", "empty"],
)
def test_the_cluster_domain_comes_from_the_search_list(text: str, domain: str) -> None:
    """The domain is read, not assumed; outside a cluster it is the usual one."""
    assert read_resolv_conf(text, namespace="lab").domain == domain


@pytest.mark.parametrize(
    ("text", "ndots"),
    [("", 1), ("options ndots:2 edns0\noptions timeout:1", 2), ("options ndots:x", 1)],
    ids=["nothing", "other options later", "no number"],
)
def test_ndots_has_the_c_librarys_default(text: str, ndots: int) -> None:
    """Without a usable option one dot is enough for a name to be tried as it is."""
    assert read_resolv_conf(text, namespace="lab").ndots == ndots


def test_all_servers_are_kept_in_their_order() -> None:
    """The second is asked when the first fails."""
    text = "nameserver 10.96.0.10\nnameserver fd00::a\n"

    assert read_resolv_conf(text, namespace="lab").servers == ("10.96.0.10", "fd00::a")


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
        ("_http._tcp.web.lab.svc.cluster.local", [
            "_http._tcp.web.lab.svc.cluster.local.",
            "_http._tcp.web.lab.svc.cluster.local.lab.svc.cluster.local.",
            "_http._tcp.web.lab.svc.cluster.local.svc.cluster.local.",
            "_http._tcp.web.lab.svc.cluster.local.cluster.local.",
        ]),
    ],
    ids=["short", "an ordinal", "with a trailing dot", "full without one", "of a port", "six dots"],
)  # fmt: skip
def test_a_name_stands_for_full_names(names: Names, name: str, full: list[str]) -> None:
    """Fewer dots than ndots: the search list first, else as it is; names outside the cluster are left out."""
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


def test_steps_outside_of_the_cluster_are_named() -> None:
    """A client would go on outside; that is known as a step in its place, and not asked."""
    outside = [(step.name, step.place) for step in steps("web", RESOLUTION) if not step.asked]

    assert outside == [("web.corp.example.com.", 4), ("web.", 5)]


def test_only_three_types_are_asked_for() -> None:
    """What the experiments are about."""
    assert "not for 'TXT'" in why_not_asked("web", "TXT")
    assert not any(why_not_asked("web", kind) for kind in ("A", "AAAA", "SRV"))


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
