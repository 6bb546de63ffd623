"""A listener that carries each connection to a place that is chosen when it comes."""

import asyncio
import contextlib
from collections.abc import Callable

from kubealive_sandbox.network._addresses import real_port

__all__ = ["Place", "listen"]

BACKLOG = 512  # a load of new connections must not wait for retransmissions
DIAL_S = 1.0
PIECE = 65536

Place = tuple[str, int]


async def listen(host: str, port: int, *, choose: Callable[[], Place | None]) -> asyncio.Server:
    """Listen at a place of the cluster; `choose` says where a new connection goes, None that it is refused.

    Raises OSError where the place cannot be had.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = choose()
        if place is None:
            writer.transport.abort()
            return
        try:
            async with asyncio.timeout(DIAL_S):
                there, back = await asyncio.open_connection(place[0], real_port(place[1]))
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_carry(reader, back), _carry(there, writer))
        finally:
            for each in (writer, back):
                each.close()

    return await asyncio.start_server(serve, host, real_port(port), backlog=BACKLOG)


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
