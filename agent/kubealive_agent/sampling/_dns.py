"""One question to the cluster's DNS servers, as a client puts it: over UDP, over TCP where that is too small.

Nothing is cached here, so that what is seen is what the servers say at this moment.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEADLINE_S", "DnsClient", "Reply"]

DEADLINE_S = 2.0
"""For one server's answer. The C library waits 5 s; in a cluster an answer takes a millisecond, and a tab wants to
say that there is none before its reader has stopped wondering."""

_PORT = 53
_TCP_LENGTH = 2

_NEXT_SERVER = frozenset({"TIMEOUT", "UNREACHABLE", "MALFORMED", "SERVFAIL", "REFUSED", "NOTIMP"})
"""Answers after which the C library asks the next server of resolv.conf."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `answers` are sorted texts, `addresses` stand as the server ordered them."""

    rcode: str
    answers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ttl_seconds: int | None = None
    soa_minimum_seconds: int | None = None
    truncated: bool = False
    took_us: int = 0
    server: str = ""

    @property
    def found(self) -> bool:
        """Whether a search ends here: there are records, and not only the way to another name."""
        return self.rcode == "NOERROR" and any(not text.startswith("CNAME ") for text in self.answers)


class _Question(Protocol):
    wire: bytes

    def read(self, wire: bytes) -> Reply | None: ...


class _Codec(Protocol):
    def question(self, name: str, kind: str) -> _Question: ...


class DnsClient:
    """Asks the servers of resolv.conf in their order until one has an answer."""

    def __init__(self, servers: Sequence[str], *, port: int = _PORT, deadline_s: float = DEADLINE_S) -> None:
        self._servers = tuple(servers)
        self._port = port
        self._deadline_s = deadline_s
        self._codec: _Codec | None = None

    async def ask(self, name: str, kind: str) -> Reply:
        """The answer of the first server that has one, else the last server's failure; never raises."""
        codec = self._codec
        if codec is None:
            # In a thread, since a twentieth of a second is long for whoever streams facts meanwhile.
            module = await asyncio.to_thread(import_module, "kubealive_agent.sampling._message")
            codec = self._codec = cast("_Codec", module)
        question = codec.question(name, kind)
        reply = Reply("UNREACHABLE")
        for server in self._servers:
            began = time.perf_counter_ns()
            reply = await self._ask(server, question)
            took_us = (time.perf_counter_ns() - began) // 1000
            reply = replace(reply, server=server, took_us=took_us)
            if reply.rcode not in _NEXT_SERVER:
                break
        return reply

    async def _ask(self, server: str, question: _Question) -> Reply:
        try:
            reply = await self._by_udp(server, question)
            if reply is not None and reply.truncated:
                async with asyncio.timeout(self._deadline_s):
                    reply = await self._by_tcp(server, question)
        except TimeoutError:
            return Reply("TIMEOUT")
        except OSError:
            return Reply("UNREACHABLE")
        return reply or Reply("TIMEOUT")

    async def _by_udp(self, server: str, question: _Question) -> Reply | None:
        """The answer; None where none has come in time. One that came while the agent was late is an answer."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Reply] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Waiting(question, done), remote_addr=(server, self._port)
        )
        try:
            transport.sendto(question.wire)
            await asyncio.wait((done,), timeout=self._deadline_s)
            return done.result() if done.done() else None
        finally:
            transport.abort()

    async def _by_tcp(self, server: str, question: _Question) -> Reply:
        reader, writer = await asyncio.open_connection(server, self._port)
        try:
            writer.write(len(question.wire).to_bytes(_TCP_LENGTH) + question.wire)
            length = int.from_bytes(await reader.readexactly(_TCP_LENGTH))
            return question.read(await reader.readexactly(length)) or Reply("MALFORMED")
        except asyncio.IncompleteReadError:
            return Reply("UNREACHABLE")
        finally:
            writer.transport.abort()


class _Waiting(asyncio.DatagramProtocol):
    """Takes the first datagram that answers; a stranger's are as if they had not come."""

    def __init__(self, question: _Question, done: asyncio.Future[Reply]) -> None:
        self._question = question
        self._done = done

    def datagram_received(self, data: bytes, _addr: object) -> None:
        reply = self._question.read(data)
        if reply is not None and not self._done.done():
            self._done.set_result(reply)

    def error_received(self, exc: Exception) -> None:
        """The network says that nobody is there."""
        with suppress(asyncio.InvalidStateError):
            self._done.set_exception(exc)
