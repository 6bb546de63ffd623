"""The kubelet's view of the agent: `/livez` and `/readyz`, on all addresses, and nothing else.

gRPC stays on loopback, where no probe reaches it. What listens to the whole pod network has to be too small
to be worth attacking: it reads one request line, answers a word and closes.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubealive_agent.clock import Clock

__all__ = ["Health"]

_LOG = logging.getLogger(__name__)

MAX_REQUEST = 4096
"""Bytes of a request before it is refused: a probe's has about 150."""

MAX_CONNECTIONS = 16
"""Simultaneous probes; the kubelet opens two."""

REQUEST_SECONDS = 2.0
"""A probe that has not sent its request by then is closed."""

BEAT_SECONDS = 1.0
"""How often the event loop shows that its timers run."""

STALE_US = 10_000_000
"""An event loop whose timers are so late serves nobody; the kubelet had better restart it."""


class Health:
    """Answers probes from two facts: the loop's timers run, and the agent is ready to be used."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beat_us = clock.now_us()
        self._connections = 0
        self.ready = False
        """Whether the first lists are done and the agent is not ending."""

    async def beat(self) -> None:
        """Show signs of life until cancelled."""
        while True:
            self._beat_us = self._clock.now_us()
            await asyncio.sleep(BEAT_SECONDS)

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen while the context is open; gives the port. Raises OSError when the address cannot be had."""
        async with AsyncExitStack() as stack:
            server = await asyncio.start_server(self._serve, host, port, limit=MAX_REQUEST)
            await stack.enter_async_context(server)
            bound: int = server.sockets[0].getsockname()[1]
            if host == "0.0.0.0":  # noqa: S104 -- compared with, not bound to
                with suppress(OSError):  # a node without IPv6
                    also = await asyncio.start_server(self._serve, "::", bound, limit=MAX_REQUEST)
                    await stack.enter_async_context(also)
            yield bound

    def answer(self, request_line: bytes) -> tuple[HTTPStatus, str]:
        """What is said to `GET PATH HTTP/1.1`."""
        method, _, rest = request_line.partition(b" ")
        if method not in {b"GET", b"HEAD"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, "only GET"
        match rest.split(b" ")[0].partition(b"?")[0]:
            case b"/livez":
                late = self._clock.now_us() - self._beat_us > STALE_US
                return (HTTPStatus.SERVICE_UNAVAILABLE, "stalled") if late else (HTTPStatus.OK, "ok")
            case b"/readyz":
                return (HTTPStatus.OK, "ok") if self.ready else (HTTPStatus.SERVICE_UNAVAILABLE, "not ready")
            case _:
                return HTTPStatus.NOT_FOUND, "only /livez and /readyz"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= MAX_CONNECTIONS:
                async with asyncio.timeout(REQUEST_SECONDS):
                    request = await reader.readuntil(b"\r\n\r\n")
                    writer.write(_reply(*self.answer(request.split(b"\r\n", 1)[0])))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as exc:
            _LOG.debug("probe connection ended early: %s", exc)
        finally:
            self._connections -= 1
            writer.close()


def _reply(status: HTTPStatus, text: str) -> bytes:
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}"
    ).encode("ascii")
