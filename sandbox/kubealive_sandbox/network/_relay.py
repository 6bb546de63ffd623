"""How the sandbox itself listens and connects at places of the cluster, and carries connections between them."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from kubealive_sandbox.places import Places

__all__ = ["Place", "connect", "dial", "listen", "listening"]

BACKLOG = 512  # a load of new connections must not wait for retransmissions
# Less than a retransmission takes (1 s): one that is needed must fail here, as it does where clients reach pods
# themselves, and not hide an outage as a slow success.
DIAL_S = 0.9
PIECE = 65536

# Linux alone lets the packet wait that would only end the handshake.
_QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)

Place = tuple[str, int]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

# Of a connection whose client has gone, nobody else holds what still waits for the other side.
_carried: set[asyncio.Future[Any]] = set()


def listening(places: Places, place: Place, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A socket that is bound to that place. Raises OSError where it cannot be had."""
    sock = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        places.bind(sock, *place)
    except OSError:
        sock.close()
        raise
    return sock


async def connect(places: Places, place: Place, *, source: str, speaks_first: bool = False) -> socket.socket:
    """A connection to that place, seen to come from the address `source`. Raises OSError.

    Whoever speaks first, and at once, saves the program there a wake-up: the handshake ends with his first words.
    """
    sock = socket.socket()
    try:
        sock.setblocking(False)
        if speaks_first and _QUICK is not None:
            sock.setsockopt(socket.IPPROTO_TCP, _QUICK, 0)
        real = places.real(*place)
        places.bind(sock, source, 0)
        await _established(sock, real)
    except BaseException:
        sock.close()
        raise
    return sock


async def _established(sock: socket.socket, real: Place) -> None:
    """Connect. On loopback the handshake is over when that returns, though only a second call says so."""
    code = sock.connect_ex(real) and sock.connect_ex(real)
    if code in {errno.EINPROGRESS, errno.EALREADY}:
        loop = asyncio.get_running_loop()
        writable = loop.create_future()
        loop.add_writer(sock, writable.set_result, None)
        try:
            await writable
        finally:
            loop.remove_writer(sock)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code not in {0, errno.EISCONN}:
        raise OSError(code, os.strerror(code))


async def dial(places: Places, place: Place, *, source: str) -> Streams:
    """The same as streams."""
    return await asyncio.open_connection(sock=await connect(places, place, source=source))


async def listen(places: Places, at: Place, *, choose: Callable[[], Place | None]) -> asyncio.Server:
    """Listen at a place of the cluster; `choose` says where a new connection goes, None that it is refused.

    Who is connected to sees the caller's address, as behind kube-proxy. Raises OSError where the place is taken.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = choose()
        if place is None:
            writer.transport.abort()
            return
        source = places.seen(writer.get_extra_info("peername"))[0]
        try:
            async with asyncio.timeout(DIAL_S):
                there, back = await dial(places, place, source=source)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        both = asyncio.gather(_carry(reader, back), _carry(there, writer))
        _carried.add(both)
        try:
            await both
        finally:
            _carried.discard(both)
            for each in (writer, back):
                each.close()

    return await asyncio.start_server(serve, sock=listening(places, at), backlog=BACKLOG)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Carry bytes until one side ends; an end is passed on as an end, a break as a break."""
    try:
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
    except OSError:
        with contextlib.suppress(RuntimeError):
            sink.transport.abort()
