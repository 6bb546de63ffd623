"""One HTTP request to one address, and how it ended: for calls by name and for what is sampled.

It measures nothing by the hundred, as the load engine does, and so may be simple: a connection a request, on the
agent's own loop. The outcome's words are those of the load engine, so that a refused connection is called the same
wherever it is met.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11

from kubealive.v1.facts_pb2 import OUTCOME_CLOSED, OUTCOME_CONNECT_TIMEOUT, OUTCOME_READ_TIMEOUT, CallResult
from kubealive_agent._traffic import outcome
from kubealive_agent.load import CONNECT_TIMEOUT_US, READ_TIMEOUT_US, failure, of_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubealive.v1.facts_pb2 import Outcome

__all__ = ["MAX_BODY", "Question", "ask"]

CONNECT_SECONDS = CONNECT_TIMEOUT_US / 1e6

READ_SECONDS = READ_TIMEOUT_US / 1e6
"""From the request to the end of its reply."""

MAX_BODY = 1024
"""Bytes of a reply that are kept: what the contract says of CallResult.body."""

MAX_READ = 256 * 1024
"""Bytes of a reply that are read before the server is no workload of ours."""

_PIECE = 16 * 1024

_UNTOLD = b"unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. `host` is the name that goes into the Host header; the address where that is empty."""

    path: str = "/"
    method: str = "GET"
    body: bytes = b""
    host: str = ""
    keep: int = MAX_BODY
    """Bytes of the reply's body that are kept."""


async def ask(address: str, port: int, question: Question, *, name: str = "") -> CallResult:
    """Ask once; never raises for what the other side does. `name` is what the result is called.

    `took_us` is from before the connection to the end of the reply, or to the failure.
    """
    result = CallResult(name=name or question.host or address, address=address, port=port)
    started = time.monotonic()
    try:
        result.outcome = await _exchange(result, question)
    finally:
        result.took_us = int((time.monotonic() - started) * 1e6)
    return result


async def _exchange(result: CallResult, question: Question) -> Outcome.ValueType:
    failed = OUTCOME_CONNECT_TIMEOUT
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(result.address, result.port, limit=_PIECE)
        failed = OUTCOME_READ_TIMEOUT
        async with asyncio.timeout(READ_SECONDS):
            return await _speak(reader, writer, result, question)
    except TimeoutError:
        return failed
    except OSError as exc:
        return outcome(failure(exc.errno))
    except h11.ProtocolError:
        return OUTCOME_CLOSED
    finally:
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _speak(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, result: CallResult, question: Question
) -> Outcome.ValueType:
    protocol = h11.Connection(h11.CLIENT)
    host = question.host.rstrip(".") or (f"[{result.address}]" if ":" in result.address else result.address)
    headers = [("Host", f"{host}:{result.port}"), ("Connection", "close"), ("Accept", "application/json")]
    if question.body or question.method != "GET":
        headers.append(("Content-Length", str(len(question.body))))
    request = h11.Request(method=question.method, target=question.path, headers=headers)
    parts = [
        protocol.send(request),
        protocol.send(h11.Data(data=question.body)),
        protocol.send(h11.EndOfMessage()),
    ]
    with suppress(ConnectionError):  # whoever refuses early may have answered before it closed
        writer.write(b"".join(part or b"" for part in parts))
        await writer.drain()
    return await _read(reader, protocol, result, keep=question.keep)


async def _read(
    reader: asyncio.StreamReader, protocol: h11.Connection, result: CallResult, *, keep: int
) -> Outcome.ValueType:
    body, seen = b"", 0
    while True:
        event = protocol.next_event()
        match event:
            case h11.NEED_DATA:
                protocol.receive_data(await reader.read(_PIECE))
            case h11.Response():
                result.http_status = event.status_code
                _identify(result, dict(event.headers))
            case h11.Data(data=data):
                seen += len(data)
                if seen > MAX_READ:
                    return OUTCOME_CLOSED
                body += bytes(data)[: max(0, keep - len(body))]
                result.body = body.decode("utf-8", "replace")
            case h11.EndOfMessage():
                return outcome(of_status(result.http_status))
            case h11.ConnectionClosed():
                return OUTCOME_CLOSED
            case _:
                pass


def _identify(result: CallResult, headers: Mapping[bytes, bytes]) -> None:
    """Who answered, by the reply alone; a value that is no text is shown as far as it is.

    A workload that was not told who it is says `unknown`, which names nobody.
    """
    said = {name: value.decode("utf-8", "replace") for name, value in headers.items() if value != _UNTOLD}
    result.pod_uid = said.get(b"x-pod-uid", "")
    result.pod_name = said.get(b"x-pod-name", "")
    result.node = said.get(b"x-node-name", "")
