"""Questions over the wire: what servers answer, and what their silence is called."""

import dns.message
import pytest

from kubealive_agent.sampling._dns import DnsClient
from tests.agent.sampling.fakes import answer, dns_server

NAME = "web.lab.svc.cluster.local."
SOA = "cluster.local. 12 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 30"
SILENCE_S = 0.05


def client(port: int, *servers: str, deadline_s: float = 5.0) -> DnsClient:
    return DnsClient(servers or ("127.0.0.1",), port=port, deadline_s=deadline_s)


@pytest.mark.parametrize(
    ("kind", "records", "answers"),
    [
        ("A", (f"{NAME} 30 IN A 10.0.0.2", f"{NAME} 7 IN A 10.0.0.1"), ("10.0.0.1", "10.0.0.2")),
        ("AAAA", (f"{NAME} 7 IN AAAA fd00::1",), ("fd00::1",)),
        ("SRV", (f"{NAME} 7 IN SRV 0 50 80 a.{NAME}",), (f"0 50 80 a.{NAME}",)),
        ("A", (f"{NAME} 7 IN CNAME x.org.", "x.org. 9 IN A 10.0.0.9"), ("10.0.0.9", "CNAME x.org.")),
    ],
    ids=["A", "AAAA", "SRV", "CNAME"],
)
async def test_records_are_answers(kind: str, records: tuple[str, ...], answers: tuple[str, ...]) -> None:
    """All records of the type, sorted, with the way to them, and the time for which all of them may be kept."""
    async with dns_server(lambda query, _: answer(query, *records)) as port:
        reply = await client(port).ask(NAME, kind)

    assert (reply.rcode, reply.answers, reply.ttl_seconds, reply.found) == ("NOERROR", answers, 7, True)
    assert reply.server == "127.0.0.1"
    assert reply.took_us > 0


async def test_addresses_keep_the_servers_order() -> None:
    """A caller takes the first address, so the order in which the server shuffled them is kept beside."""
    records = (f"{NAME} 30 IN A 10.0.0.2", f"{NAME} 30 IN A 10.0.0.1")
    async with dns_server(lambda query, _: answer(query, *records)) as port:
        assert (await client(port).ask(NAME, "A")).addresses == ("10.0.0.2", "10.0.0.1")


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
async def test_a_denial_says_how_long_it_is_remembered(rcode: str) -> None:
    """No such name, or no such record: the SOA says for how long, and how much of that is left."""
    async with dns_server(lambda query, _: answer(query, rcode=rcode, soa=SOA)) as port:
        reply = await client(port).ask(NAME, "A")

    assert (reply.rcode, reply.answers, reply.found) == (rcode, (), False)
    assert (reply.soa_minimum_seconds, reply.ttl_seconds) == (30, 12)


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
async def test_a_servers_failure_is_its_own(rcode: str) -> None:
    """A server that fails is not a name that does not exist."""
    async with dns_server(lambda query, _: answer(query, rcode=rcode)) as port:
        assert (await client(port).ask(NAME, "A")).rcode == rcode


async def test_silence_is_a_timeout() -> None:
    """Nothing came within the deadline, and from whom is said."""
    async with dns_server(lambda _query, _: None) as port:
        reply = await client(port, deadline_s=SILENCE_S).ask(NAME, "A")

    assert (reply.rcode, reply.server) == ("TIMEOUT", "127.0.0.1")


async def test_nobody_there_is_unreachable() -> None:
    """A Service without endpoints is answered for by the network at once: that is not silence."""
    async with dns_server(lambda _query, _: None) as port:
        pass

    assert (await client(port).ask(NAME, "A")).rcode == "UNREACHABLE"


async def test_without_a_server_nothing_is_reachable() -> None:
    """A resolv.conf that names no server."""
    assert (await DnsClient(()).ask(NAME, "A")).rcode == "UNREACHABLE"


async def test_what_is_no_answer_is_called_so() -> None:
    """A datagram that begins like an answer to the question and is none."""
    async with dns_server(lambda query, _: query.to_wire()[:2] + b"\xff") as port:
        assert (await client(port).ask(NAME, "A")).rcode == "MALFORMED"


async def test_strangers_datagrams_are_ignored() -> None:
    """An answer with another id, or to another question, is nobody's answer."""

    def stranger(query: dns.message.Message, _: object) -> bytes:
        other = dns.message.make_query("evil.cluster.local.", "A", id=query.id)
        return answer(other, "evil.cluster.local. 1 IN A 10.6.6.6")

    async with dns_server(stranger) as port:
        assert (await client(port, deadline_s=SILENCE_S).ask(NAME, "A")).rcode == "TIMEOUT"


async def test_a_cut_answer_is_fetched_whole() -> None:
    """What does not fit into a datagram is asked for again over TCP."""
    records = tuple(f"{NAME} 30 IN A 10.0.{n}.1" for n in range(200))
    async with dns_server(
        lambda query, tcp: answer(query, *records) if tcp else answer(query, truncated=True)
    ) as port:
        assert len((await client(port).ask(NAME, "A")).answers) == 200


async def test_the_next_server_is_asked_when_one_fails() -> None:
    """As the C library does; the answer says whose it is."""
    async with dns_server(lambda query, _: answer(query, f"{NAME} 30 IN A 10.0.0.1")) as port:
        reply = await client(port, "127.0.0.9", "127.0.0.1").ask(NAME, "A")

    assert (reply.rcode, reply.server) == ("NOERROR", "127.0.0.1")
