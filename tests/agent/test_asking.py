"""One HTTP request: who answered, with what, and how it ended when nobody did."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from kubealive.v1 import facts_pb2 as facts
from kubealive_agent import asking
from kubealive_agent.asking import Question, ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"


class Server:
    """Answers with `reply`, and keeps what it was asked."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.asked = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(part.split()[1]) for part in head.split(b"\r\n") if part.startswith(b"Content-Length")), 0
        )
        self.asked = head + await reader.readexactly(length)
        writer.write(self.reply)


@asynccontextmanager
async def serving(reply: bytes, *, silent: bool = False) -> AsyncIterator[tuple[Server, int]]:
    """A server on a free port; every connection of it is closed at the end."""
    server, served = Server(reply), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (reader.read() if silent else server.serve(reader, writer))
        writer.close()
        await writer.wait_closed()
        served.set()

    listening = await asyncio.start_server(serve, HOST, 0)
    async with listening:
        yield server, listening.sockets[0].getsockname()[1]
        await served.wait()


HEAD = b"HTTP/1.1 200 OK\r\nX-Pod-Name: web-1\r\nX-Pod-Uid: u1\r\nX-Node-Name: node-2\r\nContent-Length: 3\r\n\r\n"


async def test_the_reply_says_who_answered() -> None:
    """Pod, node, status and body come from the reply, the time from before the connection to its end."""
    async with serving(HEAD + b"ash") as (server, port):
        result = await ask(HOST, port, Question(path="/retrieve", host="web-1.web."), name="web-1.web")

    assert (result.outcome, result.http_status, result.body) == (facts.OUTCOME_OK, 200, "ash")
    assert (result.name, result.address, result.port) == ("web-1.web", HOST, port)
    assert (result.pod_name, result.pod_uid, result.node) == ("web-1", "u1", "node-2")
    assert result.took_us > 0
    assert server.asked.startswith(b"GET /retrieve HTTP/1.1\r\n")
    assert f"Host: web-1.web:{port}\r\n".encode() in server.asked


async def test_a_workload_that_does_not_know_itself_names_nobody() -> None:
    """Its word for what it was not told is no name."""
    async with serving(HEAD.replace(b"web-1", b"unknown").replace(b"u1", b"unknown") + b"ash") as (_, port):
        result = await ask(HOST, port, Question())

    assert (result.pod_name, result.pod_uid, result.node) == ("", "", "node-2")


async def test_a_body_is_sent() -> None:
    """A POST carries its body with a length."""
    async with serving(HEAD + b"ash") as (server, port):
        await ask(HOST, port, Question(method="POST", path="/store", body=b"ember"))

    assert server.asked.startswith(b"POST /store HTTP/1.1\r\n")
    assert server.asked.endswith(b"\r\n\r\nember")


async def test_of_a_long_body_the_first_bytes_are_kept() -> None:
    """A fact has no room for more; the reply is read to its end."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    async with serving(reply) as (_, port):
        result = await ask(HOST, port, Question())

    assert (result.outcome, len(result.body)) == (facts.OUTCOME_OK, asking.MAX_BODY)


@pytest.mark.parametrize(
    ("reply", "outcome", "status"),
    [
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", facts.OUTCOME_HTTP_4XX, 404),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", facts.OUTCOME_HTTP_5XX, 503),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the close", facts.OUTCOME_OK, 200),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"ash", facts.OUTCOME_OK, 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", facts.OUTCOME_CLOSED, 200),
        (b"", facts.OUTCOME_CLOSED, 0),
        (b"SSH-2.0-server\r\n\r\n", facts.OUTCOME_CLOSED, 0),
    ],
    ids=["not found", "unavailable", "no length", "interim", "cut", "nothing", "another protocol"],
)
async def test_how_a_reply_ends(reply: bytes, outcome: facts.Outcome.ValueType, status: int) -> None:
    """By its status, or as closed where it is not whole."""
    async with serving(reply) as (_, port):
        result = await ask(HOST, port, Question())

    assert (result.outcome, result.http_status) == (outcome, status)


async def test_nobody_listens() -> None:
    """A refused connection is called so."""
    with socket.socket() as closed:
        closed.bind((HOST, 0))
        result = await ask(HOST, closed.getsockname()[1], Question())

    assert result.outcome == facts.OUTCOME_REFUSED


async def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection was there: what timed out is the reply."""
    monkeypatch.setattr(asking, "READ_SECONDS", 0.02)

    async with serving(b"", silent=True) as (_, port):
        result = await ask(HOST, port, Question())

    assert result.outcome == facts.OUTCOME_READ_TIMEOUT


async def test_a_connection_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before there is a connection, it is the connecting that timed out."""
    monkeypatch.setattr(asking, "CONNECT_SECONDS", 0.02)

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", never)
    result = await ask(HOST, 1, Question())

    assert result.outcome == facts.OUTCOME_CONNECT_TIMEOUT
