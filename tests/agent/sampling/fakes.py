"""A DNS server on loopback, an HTTP server, and a sleep that a test lets pass."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from kubealive_agent.sampling._dns import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Naps:
    """A sleep that ends when the test says so; remembers for how long each was wanted."""

    def __init__(self) -> None:
        self.wanted: list[float] = []
        self._sleepers: list[asyncio.Future[None]] = []

    async def sleep(self, seconds: float) -> None:
        self.wanted.append(seconds)
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append(sleeper)
        await sleeper

    async def over(self) -> None:
        """Wake all sleepers, and let everything run that can."""
        sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)
        await settle()


async def settle() -> None:
    """Let everything run that waits for nothing but its turn."""
    for _ in range(20):
        await asyncio.sleep(0)


class FakeAsker:
    """Answers by (name, type); what it has no answer for does not exist."""

    def __init__(self, replies: dict[tuple[str, str], Reply] | None = None) -> None:
        self.replies = replies or {}
        self.asked: list[tuple[str, str]] = []

    async def ask(self, name: str, kind: str) -> Reply:
        self.asked.append((name, kind))
        return self.replies.get((name, kind), Reply("NXDOMAIN", soa_minimum_seconds=30, ttl_seconds=30))


def found(*addresses: str) -> Reply:
    """An answer with these addresses."""
    return Reply("NOERROR", answers=tuple(sorted(addresses)), addresses=addresses, ttl_seconds=30)


class Zone(asyncio.DatagramProtocol):
    """Answers with what `respond` makes of each question; None says nothing."""

    def __init__(self, respond: Callable[[dns.message.Message, bool], bytes | None]) -> None:
        self._respond = respond
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._respond(dns.message.from_wire(data), False)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)

    async def by_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2))
        answer = self._respond(dns.message.from_wire(await reader.readexactly(length)), True)
        if answer is not None:
            writer.write(len(answer).to_bytes(2) + answer)
        writer.close()


@asynccontextmanager
async def dns_server(respond: Callable[[dns.message.Message, bool], bytes | None]) -> AsyncIterator[int]:
    """A server on loopback, over UDP and TCP; gives its port."""
    zone = Zone(respond)
    server = await asyncio.start_server(zone.by_tcp, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: zone, local_addr=("127.0.0.1", port)
    )
    try:
        yield port
    finally:
        transport.close()
        server.close()
        await server.wait_closed()


def answer(
    query: dns.message.Message, *records: str, rcode: str = "NOERROR", soa: str = "", truncated: bool = False
) -> bytes:
    """An answer with records as in master files (NAME TTL IN TYPE DATA), and with an SOA record beside them."""
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.from_text(rcode))
    for section, texts in ((response.answer, records), (response.authority, (soa,) if soa else ())):
        for text in texts:
            name, ttl, _, kind, data = text.split(maxsplit=4)
            section.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
    if truncated:
        response.flags |= dns.flags.TC
    return response.to_wire(max_size=65_535)


@asynccontextmanager
async def http_server(reply: bytes | None) -> AsyncIterator[int]:
    """Sends `reply` to each request and closes; without one it says nothing. Gives its port."""
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            if reply is None:
                await reader.read()
            else:
                writer.write(reply)
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*(task for task in serving if task is not None))


def http(body: bytes = b"hi", *, status: str = "200 OK", uid: str = "uid-a") -> bytes:
    """A reply as the workloads give it."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nX-Pod-Uid: {uid}\r\nX-Pod-Name: getip-a\r\n"
    return head.encode() + b"X-Node-Name: node-1\r\n\r\n" + body
