"""One HTTP POST to a pod, and no more: the agent's budget has no room for an HTTP client library here.

The fault port is our own small server in the same cluster: one request a connection, a body with a length.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from kubealive_agent._errors import CallError, UnsentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["post"]

MAX_REPLY = 16 * 1024
"""Bytes of an answer that are read: the fault port answers with less than one kilobyte."""


async def post(
    host: str, port: int, path: str, *, body: bytes, headers: Mapping[str, str], deadline: float
) -> tuple[int, bytes]:
    """Status and body of the answer to JSON.

    Raises CallError when there is none within `deadline` seconds, and UnsentError where it could not be asked.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    failed: type[CallError] = UnsentError
    try:
        async with asyncio.timeout(deadline):
            reader, writer = await asyncio.open_connection(host, port, limit=MAX_REPLY)
            failed = CallError
            return await _exchange(reader, writer, _request(where, path, body=body, headers=headers))
    except TimeoutError as exc:
        raise failed(f"{where} did not answer within {deadline:g} s") from exc
    except OSError as exc:
        raise failed(f"{where} cannot be reached: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise CallError(f"{where} does not answer in HTTP: {exc}") from exc


def _request(where: str, path: str, *, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = {"Host": where, **headers, "Content-Type": "application/json", "Content-Length": len(body)}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode("ascii") + body


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, bytes]:
    try:
        writer.write(request)
        await writer.drain()
        reply = b""
        while len(reply) < MAX_REPLY and (piece := await reader.read(MAX_REPLY)):
            reply += piece
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return _parse(reply)


def _parse(reply: bytes) -> tuple[int, bytes]:
    head, separator, body = reply.partition(b"\r\n\r\n")
    parts = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if not separator or len(parts) < 2 or not parts[0].startswith(b"HTTP/1."):
        raise ValueError(f"got {reply[:60]!r}")
    return int(parts[1]), body
