"""Records as the specification of Kubernetes has them."""

import struct
from typing import Any

import pytest

from kubealive_sandbox.api import Api
from kubealive_sandbox.controllers import endpoint_slices
from kubealive_sandbox.network import Dns, _cache
from tests.sandbox.controllers.stage import settle
from tests.sandbox.objects import NAMESPACE, new_api, pod, run_as, service

A, CNAME, SOA, PTR, AAAA, SRV = 1, 5, 6, 12, 28, 33
OK, SERVFAIL, NXDOMAIN = 0, 2, 3
HOME = f"{NAMESPACE}.svc.cluster.local"


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def dns() -> Dns:
    """A Service with an address, a headless one with two pods of which one has a name, and one elsewhere."""
    api = new_api()
    api.create("Service", service())
    api.create("Service", service("heads", clusterIP="None"))
    api.create("Service", {**service("away"), "spec": {"type": "ExternalName", "externalName": "example.com"}})
    for name, target in (("near", "web"), ("round", "about"), ("about", "round")):
        alias = {"type": "ExternalName", "externalName": f"{target}.{HOME}"}
        api.create("Service", {**service(name), "spec": alias})
    api.create("Pod", pod("one", node="node-1"))
    api.create("Pod", pod("two", node="node-1", hostname="two", subdomain="heads"))
    api.create("Pod", pod("not-ready", node="node-1"))
    for at, name in enumerate(("one", "two", "not-ready")):
        run_as(api, name, ip=f"127.77.129.{at}", ready=name != "not-ready")
    await settle(api, endpoint_slices)
    return Dns(api)


def asked(name: str, kind: int) -> bytes:
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


def ask(dns: Dns, name: str, kind: int) -> tuple[int, list[tuple[int, str]]]:
    query = asked(name, kind)
    reply = dns.respond(query, room=65535)
    assert reply is not None
    number, flags, _, answers, _, _ = struct.unpack_from(">6H", reply)
    assert number == 7
    return flags & 15, read(reply, len(query), answers)


def ttls(dns: Dns, name: str, kind: int = A) -> set[int]:
    """The TTL of every record of an answer, and the SOA's minimum where there is one."""
    reply = dns.respond(asked(name, kind), room=65535)
    assert reply is not None
    _, _, _, *counts = struct.unpack_from(">6H", reply)
    at, found = len(asked(name, kind)), set()
    for _ in range(sum(counts)):
        _, at = name_at(reply, at)
        kind, _, ttl, length = struct.unpack_from(">2HIH", reply, at)
        at += 10 + length
        found.add(ttl)
        if kind == SOA:
            found.add(struct.unpack_from(">I", reply, at - 4)[0])
    return found


def read(reply: bytes, at: int, count: int) -> list[tuple[int, str]]:
    found = []
    for _ in range(count):
        _, at = name_at(reply, at)
        kind, _, _, length = struct.unpack_from(">2HIH", reply, at)
        at += 10
        found.append((kind, data_at(reply, at, kind)))
        at += length
    return sorted(found)


def data_at(reply: bytes, at: int, kind: int) -> str:
    if kind == A:
        return ".".join(map(str, reply[at : at + 4]))
    if kind == SRV:
        return f"{struct.unpack_from('>3H', reply, at)[2]} {name_at(reply, at + 6)[0]}"
    return name_at(reply, at)[0]


def name_at(reply: bytes, at: int) -> tuple[str, int]:
    parts = []
    while length := reply[at]:
        parts.append(reply[at + 1 : at + 1 + length].decode())
        at += length + 1
    return ".".join(parts), at + 1


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        pytest.param(f"web.{HOME}", A, (OK, [(A, "127.77.96.2")]), id="a Service"),
        pytest.param(f"WEB.{HOME}", A, (OK, [(A, "127.77.96.2")]), id="case does not matter"),
        pytest.param(f"web.{HOME}", AAAA, (OK, []), id="no IPv6"),
        pytest.param(f"none.{HOME}", A, (NXDOMAIN, []), id="no such Service"),
        pytest.param("example.com", A, (NXDOMAIN, []), id="not of this cluster"),
        pytest.param(
            f"127-77-129-9.{NAMESPACE}.pod.cluster.local", A, (OK, [(A, "127.77.129.9")]), id="any pod's address"
        ),
        pytest.param(f"web.{NAMESPACE}.pod.cluster.local", A, (NXDOMAIN, []), id="no address"),
        pytest.param(
            f"heads.{HOME}", A, (OK, [(A, "127.77.129.0"), (A, "127.77.129.1")]), id="headless: ready pods"
        ),
        pytest.param(f"two.heads.{HOME}", A, (OK, [(A, "127.77.129.1")]), id="a pod by its hostname"),
        pytest.param(f"127-77-129-0.heads.{HOME}", A, (OK, [(A, "127.77.129.0")]), id="a pod without one"),
        pytest.param(f"away.{HOME}", A, (OK, [(CNAME, "example.com")]), id="ExternalName"),
        pytest.param(
            f"near.{HOME}", A, (OK, [(A, "127.77.96.2"), (CNAME, f"web.{HOME}")]), id="ExternalName of a Service"
        ),
        pytest.param(f"near.{HOME}", CNAME, (OK, [(CNAME, f"web.{HOME}")]), id="only the name"),
        pytest.param(f"near.{HOME}", AAAA, (OK, []), id="ExternalName of a Service without IPv6"),
        pytest.param(f"near.{HOME}", SRV, (OK, []), id="ExternalName without SRV"),
        pytest.param(f"away.{HOME}", AAAA, (OK, [(CNAME, "example.com")]), id="ExternalName, IPv6"),
        pytest.param(f"away.{HOME}", SRV, (OK, []), id="ExternalName elsewhere without SRV"),
        pytest.param(
            f"round.{HOME}",
            A,
            (OK, [(CNAME, f"{each}.{HOME}") for each in ["about"] * 4 + ["round"] * 4]),
            id="a circle",
        ),
        pytest.param(f"_http._tcp.web.{HOME}", SRV, (OK, [(SRV, f"80 web.{HOME}")]), id="SRV of a Service"),
        pytest.param(
            f"_http._tcp.heads.{HOME}",
            SRV,
            (OK, [(SRV, f"8080 127-77-129-0.heads.{HOME}"), (SRV, f"8080 two.heads.{HOME}")]),
            id="SRV of a headless one",
        ),
        pytest.param(f"_none._tcp.web.{HOME}", SRV, (NXDOMAIN, []), id="no such port"),
        pytest.param("1.129.77.127.in-addr.arpa", PTR, (OK, [(PTR, f"two.heads.{HOME}")]), id="PTR of a pod"),
        pytest.param("2.96.77.127.in-addr.arpa", PTR, (OK, [(PTR, f"web.{HOME}")]), id="PTR of a Service"),
    ],
)
async def test_an_answer(dns: Dns, name: str, kind: int, wanted: Any) -> None:
    """Code and records."""
    assert ask(dns, name, kind) == wanted


def test_what_is_no_query_gets_no_answer() -> None:
    """Noise is ignored."""
    dns = Dns(Api(new_api().store))

    assert dns.respond(b"") is None
    assert dns.respond(b"\xff" * 40) is None


@pytest.mark.parametrize(
    ("passed", "wanted", "left"),
    [
        pytest.param(0.0, "127.77.96.2", {5}, id="at once"),
        pytest.param(3.4, "127.77.96.2", {2}, id="while the old answer is kept"),
        pytest.param(4.9, "127.77.96.2", {1}, id="until its TTL is over"),
        pytest.param(5.0, "127.77.96.3", {5}, id="from then on"),
    ],
)
def test_an_answer_is_kept_for_its_ttl(passed: float, wanted: str, left: set[int]) -> None:
    """And says how much of it is left; what the objects say meanwhile is not looked at."""
    api, seconds = new_api(), Seconds()
    api.create("Service", service())
    dns = Dns(api, now=seconds)
    ask(dns, f"web.{HOME}", A)
    api.delete("Service", NAMESPACE, "web")
    api.create("Service", service(clusterIP="127.77.96.3"))
    seconds.now += passed

    assert ask(dns, f"web.{HOME}", A) == (OK, [(A, wanted)])
    assert ttls(dns, f"web.{HOME}") == left


@pytest.mark.parametrize(
    ("passed", "code"),
    [pytest.param(4.9, NXDOMAIN, id="while it is kept"), pytest.param(5.0, OK, id="from then on")],
)
def test_that_there_is_nothing_is_kept_too(passed: float, code: int) -> None:
    """So who asks too early hears of a new name late."""
    api, seconds = new_api(), Seconds()
    dns = Dns(api, now=seconds)
    first = ask(dns, f"web.{HOME}", A)[0], ttls(dns, f"web.{HOME}")
    api.create("Service", service())
    seconds.now += passed

    assert first == (NXDOMAIN, {5})
    assert ask(dns, f"web.{HOME}", A)[0] == code


def test_each_question_is_kept_by_itself() -> None:
    """Another type or spelling of a name is another question."""
    api = new_api()
    dns = Dns(api, now=Seconds())
    ask(dns, f"web.{HOME}", A)
    api.create("Service", service())

    assert ask(dns, f"web.{HOME}", AAAA)[0] == OK
    assert ask(dns, f"WEB.{HOME}", A)[0] == NXDOMAIN


def test_no_more_answers_are_kept_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes first."""
    monkeypatch.setattr(_cache, "MOST_KEPT", 2)
    api = new_api()
    dns = Dns(api, now=Seconds())
    for name in ("one", "two", "three"):
        ask(dns, f"{name}.{HOME}", A)
    for name in ("one", "two", "three"):
        api.create("Service", service(name))

    assert [ask(dns, f"{name}.{HOME}", A)[0] for name in ("three", "two", "one")] == [NXDOMAIN, NXDOMAIN, OK]


def test_a_name_that_cannot_be_answered_fails_alone() -> None:
    """The client hears that the server failed, and everybody else is answered."""
    api = new_api()
    api.create("Service", service())
    api.create("Service", {**service("odd"), "spec": {"type": "ExternalName", "externalName": "x" * 300}})
    dns = Dns(api)

    assert ask(dns, f"odd.{HOME}", A) == (SERVFAIL, [])
    assert ask(dns, f"web.{HOME}", A)[0] == OK
