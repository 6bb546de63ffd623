"""One HTTP/1.1 connection to the API server: h11 for the protocol, an asyncio transport for the bytes.

A whole HTTP library would cost more memory than the rest of the agent, and it would hide the two things that
matter here: a dead peer has to be noticed, and a body has to be read as it comes. What a watch brings is handed on
in the very callback that received it, since a stream reader and a task in between cost more than the event itself.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Self, cast

import h11

from kubealive_agent.kube._chunked import ChunkedBody

# At which the transport is paused until somebody asks for what came. asyncio reads up to as much at a time.
_MAX_HELD_BYTES = 256 * 1024

# A watch is read as it comes, so many times in a row, and so many times a second from then on: to be woken for
# each event of a storm costs more than the events themselves. What comes then is seen up to 20 ms late. A rollout
# of a few pods, as stopwatches run on, is some dozens of reads in all.
_READS_IN_A_ROW = 50
_READS_PER_S = 50.0

# A peer that vanished without a word is noticed after idle + count * interval = 10 s without traffic, or after
# 10 s of unanswered bytes, as on the viewer's own link: until then nobody is told that what is shown is stale. The
# defaults of the platforms are hours and 15 minutes.
_KEEPALIVE_IDLE_S = 4
_KEEPALIVE_INTERVAL_S = 2
_KEEPALIVE_COUNT = 3
_USER_TIMEOUT_MS = 10_000


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


class Connection(asyncio.Protocol):
    """Carries one request at a time; whoever opened it closes it."""

    __slots__ = (
        "_chunked",
        "_ended",
        "_fault",
        "_heard",
        "_held",
        "_loop",
        "_now",
        "_protocol",
        "_reads_left",
        "_resting",
        "_silence",
        "_take",
        "_timer",
        "_transport",
        "_waiting",
        "answered",
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._transport: asyncio.Transport
        self._protocol = h11.Connection(h11.CLIENT)
        # A byte of the answer has come: from here on the server has certainly seen the request.
        self.answered = False
        self._chunked = False
        # What came and was not asked for yet, unless a watch takes it as it comes.
        self._held = bytearray()
        self._take: Callable[[bytes], None] | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._ended = False
        self._fault: Exception | None = None
        self._silence = 0.0
        self._heard = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._reads_left = float(_READS_IN_A_ROW)
        self._resting: asyncio.TimerHandle | None = None

    @classmethod
    async def open(cls, endpoint: Endpoint) -> Self:
        """Connect, with TLS where the endpoint has a context. Raises OSError."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, endpoint.host, endpoint.port, ssl=endpoint.ssl_context)
        return connection

    async def send(self, call: Call) -> h11.Response:
        """Send the request and return the head of the answer; the body is then read with `chunks` or `watch`."""
        self.answered = False
        request = h11.Request(method=call.method, target=call.target, headers=list(call.headers))
        parts: list[h11.Event] = [request]
        if call.body:
            parts.append(h11.Data(data=call.body))
        parts.append(h11.EndOfMessage())
        # Nobody waits until it is written: it is small, and its answer is waited for.
        self._transport.write(b"".join(self._protocol.send(part) or b"" for part in parts))
        while not isinstance(event := await self._next(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise ConnectionResetError("the server closed the connection without an answer")
        self._chunked = (b"transfer-encoding", b"chunked") in event.headers
        return event

    def end_when_silent(self, seconds: float) -> None:
        """Let whoever reads get a TimeoutError once nothing came for that long.

        One timer a connection does it, since a timer a read would be a sixth of what a watch event costs.
        """
        self._silence = seconds
        self._heard = self._now()
        self._check_silence()

    def _check_silence(self) -> None:
        left = self._heard + self._silence - self._now()
        if left > 0:
            self._timer = self._loop.call_later(left, self._check_silence)
        else:
            self._end(TimeoutError())

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raises OSError or h11.ProtocolError when it is cut."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def watch(self, take: Callable[[bytes], None]) -> None:
        """Hand on the body of a watch as it arrives; the connection cannot carry another request afterwards.

        Returns when the server has ended the body. Raises as `chunks` does, MalformedError when the body is not
        coded as its head says, and whatever `take` raises, which hears nothing more then.
        """
        if not self._chunked:
            async for piece in self.chunks():
                take(piece)
            return
        body = ChunkedBody()

        def decode(received: bytes) -> None:
            if piece := body.feed(received):
                take(piece)
            if body.ended:
                self._end(None)

        self._take = decode
        self.data_received(self._protocol.trailing_data[0] + self._released())
        while not self._ended:
            await self._news()
        if self._fault:
            raise self._fault
        if not body.ended:
            raise ConnectionResetError("the server closed the connection in the middle of its answer")

    async def _next(self) -> object:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self._receive())
        return event

    async def _receive(self) -> bytes:
        """Return what has come; nothing once the server has closed the connection."""
        if not self._held and not self._ended:
            await self._news()
        if self._fault and not self._held:
            raise self._fault
        return self._released()

    def _released(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        if not self._ended:
            self._transport.resume_reading()
        return held

    async def _news(self) -> None:
        self._waiting = self._loop.create_future()
        await self._waiting

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    # What asyncio tells its protocols.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        if hasattr(transport, "set_read_buffer_limits"):
            # With TLS, a pause is to reach the socket at once, rather than when much has been received in vain.
            transport.set_read_buffer_limits(high=1)
        _notice_dead_peers(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        """Hand on what came, or hold it."""
        since, self._heard = self._heard, self._now()
        self.answered = True
        if self._take is None:
            self._held += data
            if len(self._held) >= _MAX_HELD_BYTES:
                self._transport.pause_reading()
            self._wake()
        elif not self._ended:
            self._ration(self._heard - since)
            try:
                self._take(data)
            except Exception as exc:  # noqa: BLE001  it is raised again, in the task that reads the watch
                self._end(exc)

    def _ration(self, since: float) -> None:
        """Count a read of a watch, so many seconds after the one before, and rest when it was one too many."""
        self._reads_left = min(_READS_IN_A_ROW, self._reads_left + since * _READS_PER_S) - 1
        if self._reads_left < 0:
            self._transport.pause_reading()
            self._resting = self._loop.call_later(-self._reads_left / _READS_PER_S, self._rested)

    def _rested(self) -> None:
        if not self._ended:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever reads that nothing more comes."""
        self._end(exc)

    def _end(self, fault: Exception | None) -> None:
        if not self._ended:
            self._ended, self._fault = True, fault
            self._wake()

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
        return self._ended or self._transport.is_closing()

    def close(self) -> None:
        """Drop the connection at once; a farewell in TLS would wait for a peer that may be gone."""
        for timer in (self._timer, self._resting):
            if timer:
                timer.cancel()
        self._transport.abort()


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
