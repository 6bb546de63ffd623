"""One HTTP/1.1 connection to the API server: h11 for the protocol, asyncio streams for the bytes.

A whole HTTP library would cost more memory than the rest of the agent, and it would hide the two things that
matter here: a dead peer has to be noticed, and a body has to be read as it comes.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

import h11

from kubealive_agent.kube._chunked import ChunkedBody

# One read; what a page of a list or a burst of watch events fills quickly.
_READ_BYTES = 64 * 1024

# A peer that vanished without a word is noticed after idle + count * interval = 30 s without traffic, or
# after 30 s of unanswered bytes. The defaults of the platforms are hours and 15 minutes.
_KEEPALIVE_IDLE_S = 15
_KEEPALIVE_INTERVAL_S = 5
_KEEPALIVE_COUNT = 3
_USER_TIMEOUT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API server listens; `prefix` is the path before `/api`, empty for nearly everyone."""

    host: str
    port: int
    prefix: str = ""
    ssl_context: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes over the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


class Connection:
    """Carries one request at a time; whoever opened it closes it."""

    __slots__ = (
        "_chunked",
        "_heard",
        "_now",
        "_protocol",
        "_reader",
        "_silence",
        "_silent",
        "_timer",
        "_writer",
        "answered",
    )

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT)
        # A byte of the answer has come: from here on the server has certainly seen the request.
        self.answered = False
        self._chunked = False
        self._now = asyncio.get_running_loop().time
        self._silence = 0.0
        self._heard = 0.0
        self._silent = False
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(cls, endpoint: Endpoint) -> Self:
        """Connect, with TLS where the endpoint has a context. Raises OSError."""
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=endpoint.ssl_context)
        _notice_dead_peers(writer.get_extra_info("socket"))
        return cls(reader, writer)

    async def send(self, call: Call) -> h11.Response:
        """Send the request and return the head of the answer; the body is then read with `chunks` or `watch`."""
        self.answered = False
        request = h11.Request(method=call.method, target=call.target, headers=list(call.headers))
        parts: list[h11.Event] = [request]
        if call.body:
            parts.append(h11.Data(data=call.body))
        parts.append(h11.EndOfMessage())
        self._writer.write(b"".join(self._protocol.send(part) or b"" for part in parts))
        await self._writer.drain()
        while not isinstance(event := await self._next(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise ConnectionResetError("the server closed the connection without an answer")
        self._chunked = (b"transfer-encoding", b"chunked") in event.headers
        return event

    def end_when_silent(self, seconds: float) -> None:
        """Let a read raise TimeoutError once nothing came for that long.

        One timer a connection does it, since a timer a read would be a sixth of what a watch event costs.
        """
        self._silence = seconds
        self._heard = self._now()
        self._check_silence()

    def _check_silence(self) -> None:
        left = self._heard + self._silence - self._now()
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left, self._check_silence)
        else:
            self._silent = True
            self._writer.transport.abort()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raises OSError or h11.ProtocolError when it is cut."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def watch(self) -> AsyncIterator[bytes]:
        """Yield the body of a watch as it arrives, after which the connection cannot carry another request.

        Raises as `chunks` does, and MalformedError when the body is not coded as its head says.
        """
        if not self._chunked:
            async for piece in self.chunks():
                yield piece
            return
        body = ChunkedBody()
        received, _ = self._protocol.trailing_data
        while True:
            if piece := body.feed(received):
                yield piece
            if body.ended:
                return
            received = await self._receive()
            if not received:
                raise ConnectionResetError("the server closed the connection in the middle of its answer")

    async def _next(self) -> object:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self._receive())
        return event

    async def _receive(self) -> bytes:
        received = await self._reader.read(_READ_BYTES)
        if self._silent:
            raise TimeoutError
        self._heard = self._now()
        self.answered = self.answered or bool(received)
        return received

    def renew(self) -> bool:
        """Make ready for the next request; false when the connection cannot carry another."""
        if self.stale:
            return False
        try:
            self._protocol.start_next_cycle()
        except h11.LocalProtocolError:
            return False
        return True

    @property
    def stale(self) -> bool:
        """The server has closed the connection while it lay idle."""
        return self._reader.at_eof() or self._writer.is_closing()

    def close(self) -> None:
        """Drop the connection at once; a farewell in TLS would wait for a peer that may be gone."""
        if self._timer:
            self._timer.cancel()
        self._writer.transport.abort()


def _notice_dead_peers(sock: socket.socket) -> None:
    """Turn on keep-alive and the user timeout, each where the platform has it."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", _KEEPALIVE_IDLE_S),
        ("TCP_KEEPALIVE", _KEEPALIVE_IDLE_S),
        ("TCP_KEEPINTVL", _KEEPALIVE_INTERVAL_S),
        ("TCP_KEEPCNT", _KEEPALIVE_COUNT),
        ("TCP_USER_TIMEOUT", _USER_TIMEOUT_MS),
    ):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
