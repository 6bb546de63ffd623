"""DNS by hand: questions, answers, and everything that is no answer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from kubealive_workloads import _dns
from kubealive_workloads._dns import Resolver, ask, look_up, read_resolver
from kubealive_workloads._errors import DnsError
from tests.workloads.nameserver import HEAD, a, by_zone, name, nameserver, question, record, reply, srv

if TYPE_CHECKING:
    from pathlib import Path

SRV_NAME = "_http._tcp.backend.lab.svc.cluster.local"
TARGET = "backend.lab.svc.cluster.local"
QUERY = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + name(SRV_NAME) + struct.pack(">HH", _dns.SRV, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("search a.b c.d.\nnameserver 10.96.0.10\noptions ndots:5\n", ("10.96.0.10", ("a.b", "c.d"), 5)),
        ("nameserver ::1\nnameserver 10.0.0.1\n", ("::1", (), 1)),
        ("nameserver 1.1.1.1\nsearch a\nsearch b\noptions timeout:1 ndots:x\n", ("1.1.1.1", ("b",), 1)),
    ],
    ids=["a pod's", "the first server", "the last search list"],
)
def test_the_resolvers_settings(tmp_path: Path, text: str, expected: tuple[str, tuple[str, ...], int]) -> None:
    """As resolv.conf(5) reads them."""
    (tmp_path / "resolv.conf").write_text(text)
    found = read_resolver(str(tmp_path / "resolv.conf"))

    assert found is not None
    assert (found.server, found.search, found.ndots) == expected


def test_without_a_server_there_is_no_resolver(tmp_path: Path) -> None:
    """Neither a missing file nor one that names none is guessed at."""
    (tmp_path / "empty").write_text("search a\n")

    assert read_resolver(str(tmp_path / "missing")) is None
    assert read_resolver(str(tmp_path / "empty")) is None


@pytest.mark.parametrize(
    ("asked", "ndots", "names"),
    [
        ("web", 5, ["web.a.", "web.b.", "web."]),
        ("x.y", 1, ["x.y.", "x.y.a.", "x.y.b."]),
        ("web.a.", 5, ["web.a."]),
    ],
    ids=["few dots", "as it is first", "a trailing dot"],
)
def test_the_walk_of_a_name(asked: str, ndots: int, names: list[str]) -> None:
    """The search list in turn, before or after the name as it is."""
    assert Resolver("x", search=("a", "b"), ndots=ndots).full(asked) == names


def test_an_srv_record_and_its_lifetime() -> None:
    """Priority, weight, port and target of each, and the lowest TTL."""
    zone = {(SRV_NAME, _dns.SRV): [srv(TARGET, 80, ttl=30), srv(f"b.{TARGET}", 81, ttl=12)]}
    with nameserver(by_zone(zone)) as server:
        answer = ask(server.resolver(), f"{SRV_NAME}.", _dns.SRV, seconds=5)

    assert (answer.rcode, answer.ttl) == ("NOERROR", 12)
    assert list(answer.records) == [(0, 100, 80, TARGET), (0, 100, 81, f"b.{TARGET}")]


def test_the_search_ends_at_the_first_records() -> None:
    """Names that do not exist are passed over; the answer says which name it is of."""
    zone = {("web.b", _dns.A): [a("10.0.0.1")]}
    with nameserver(by_zone(zone)) as server:
        answer = look_up(server.resolver("a", "b"), "web", _dns.A, seconds=5)

    assert (answer.name, list(answer.records)) == ("web.b.", ["10.0.0.1"])
    assert server.asked == ["web.a", "web.b"]
    assert answer.took_ms > 0


@pytest.mark.parametrize(
    ("rcode", "word"), [(2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (11, "RCODE11")], ids=str
)
def test_an_rcode_in_a_word(rcode: int, word: str) -> None:
    """What the server says is told as it is, and only a name that does not exist is sought further."""
    with nameserver(lambda query: [reply(query, (), rcode=rcode)]) as server:
        answer = look_up(server.resolver("a"), "web", _dns.A, seconds=5)

    assert (answer.rcode, list(answer.records), answer.ttl) == (word, [], None)
    assert len(server.asked) == (2 if rcode == 3 else 1)


def test_silence_is_a_timeout() -> None:
    """A lost datagram is sent again, and after its time the question is given up."""
    with nameserver(lambda _: []) as server:
        answer = ask(server.resolver(), "web.", _dns.A, seconds=0.4)

    assert answer.rcode == "TIMEOUT"
    assert len(server.asked) == 2


def test_an_answer_to_another_question_is_passed_over() -> None:
    """Its number differs; the right one comes behind it."""

    def respond(query: bytes) -> list[bytes]:
        right = reply(query, [a("10.0.0.1")])
        return [bytes((right[0] ^ 1,)) + right[1:], right]

    with nameserver(respond) as server:
        assert list(ask(server.resolver(), "web.", _dns.A, seconds=5).records) == ["10.0.0.1"]


@pytest.mark.parametrize("asked", ["a..b.", "x" * 64 + ".", ".".join(["x" * 60] * 5) + ".", "ü."])
def test_a_name_that_cannot_be_asked(asked: str) -> None:
    """It is said so, and nobody is asked."""
    with nameserver(lambda _: []) as server:
        assert ask(server.resolver(), asked, _dns.A, seconds=5).rcode == "BADNAME"
    assert not server.asked


def test_a_server_that_is_not_there() -> None:
    """The kernel's refusal is no answer, and does not raise."""
    with nameserver(lambda _: []) as server:
        gone = server.resolver()

    assert ask(gone, "web.", _dns.A, seconds=0.4).rcode in {"UNREACHABLE", "TIMEOUT"}


LOOP = b"\xc0\x0c"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (reply(QUERY, [srv(TARGET, 80)])[:-3], "MALFORMED"),
        (reply(QUERY, [record(_dns.SRV, b"\0\0")]), "MALFORMED"),
        (reply(QUERY, [], flags=0x8380), "TRUNCATED"),
        (reply(QUERY, [], flags=0x0180), "MALFORMED"),
        (QUERY[:2] + struct.pack(">HHHHH", 0x8180, 1, 0, 0, 0) + name("other") + b"\0\1\0\1", "MALFORMED"),
        (QUERY[:2] + struct.pack(">HHHHH", 0x8180, 1, 0, 0, 0) + LOOP + b"\0\1\0\1", "MALFORMED"),
        (QUERY[:2] + struct.pack(">HHHHH", 0x8180, 1, 9, 0, 0) + QUERY[HEAD.size :], "MALFORMED"),
        (QUERY[:2] + struct.pack(">HHHHH", 0x8180, 0, 0, 0, 0), "MALFORMED"),
        (reply(QUERY, [record(_dns.SRV, b"\0" * 6 + b"\xff\xff")]), "MALFORMED"),
        (reply(QUERY, [record(_dns.SRV, b"\0" * 6 + b"\2\xff\xff\0")]), "MALFORMED"),
    ],
    ids=[
        "cut", "short record", "truncated", "a question", "another name", "a pointer to itself", "missing records",
        "no question", "a pointer out of it", "no ASCII",
    ],
)  # fmt: skip
def test_what_is_no_answer(data: bytes, word: str) -> None:
    """Whatever a server sends, it is read or said to be unreadable, in one word."""
    with pytest.raises(DnsError, match=f"^{word}$"):
        _dns.read_answer(data, f"{SRV_NAME}.", _dns.SRV)


def test_the_question_is_well_formed() -> None:
    """One question of the internet class, recursion desired, and an OPT record for long answers."""
    seen: list[bytes] = []

    def respond(query: bytes) -> list[bytes]:
        seen.append(query)
        return [reply(query, ())]

    with nameserver(respond) as server:
        ask(server.resolver(), f"{SRV_NAME}.", _dns.SRV, seconds=5)

    assert struct.unpack(">HHHHH", seen[0][2:12]) == (0x0100, 1, 0, 0, 1)
    assert question(seen[0])[:2] == (SRV_NAME, _dns.SRV)
    assert seen[0].endswith(b"\0" + struct.pack(">HHIH", _dns.OPT, _dns.MAX_ANSWER_BYTES, 0, 0))
