"""The client over real loopback connections to a server that follows a script."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubealive_agent.kube import (
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    KubeClient,
    KubeError,
    MalformedError,
    NotFoundError,
    StatusError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
    _client,
)
from kubealive_agent.kube._http import Connection

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Answers each request with the next of its handlers; remembers requests and connections."""

    handlers: list[Handler]
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next((int(line[15:]) for line in head.splitlines() if line.startswith("Content-L")), 0)
                body = (await reader.readexactly(length)).decode()
                self.requests.append(head + body)
                await self.handlers.pop(0)(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def served(*handlers: Handler) -> AsyncIterator[tuple[Server, KubeClient]]:
    state = Server(list(handlers))
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = KubeClient.at(f"http://127.0.0.1:{port}", token="secret")
    try:
        async with server:
            yield state, client
            client.close()
    finally:
        client.close()


def answer(code: int, body: bytes = b"", *, more: str = "") -> Handler:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {code} X\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body)

    return send


def chunked(*pieces: bytes, cut: bool = False) -> Handler:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        if cut:
            writer.close()
        else:
            writer.write(b"0\r\n\r\n")

    return send


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0)


async def watched(
    client: KubeClient, *, take: Callable[[bytes], None] | None = None, idle_deadline: float = 5
) -> list[bytes]:
    """Read a watch to its end; the lines, unless somebody else takes them."""
    got: list[bytes] = []
    async with client.watch("/x", query={"watch": "1"}, idle_deadline=idle_deadline) as lines:
        await lines(take or got.append)
    return got


async def test_request_as_it_goes_out() -> None:
    """Path, query, token, content type and body are what was asked for."""
    async with served(answer(200, b"{}")) as (server, client):
        got = await client.request(
            "PATCH",
            "/api/v1/x",
            query={"fieldValidation": "Strict"},
            body=b'{"a":1}',
            content_type="application/merge-patch+json",
        )
    assert got == b"{}"
    (request,) = server.requests
    assert request.startswith("PATCH /api/v1/x?fieldValidation=Strict HTTP/1.1\r\n")
    assert "Authorization: Bearer secret" in request
    assert "Content-Type: application/merge-patch+json" in request
    assert request.endswith('{"a":1}')


async def test_reads_share_a_connection() -> None:
    """One connection is kept for reads."""
    async with served(answer(200), answer(200), answer(200)) as (server, client):
        for _ in range(3):
            await client.request("GET", "/x")
        assert server.connections == 1


async def test_dead_kept_connection_is_replaced() -> None:
    """A read whose kept connection died under it is asked again, over a new one."""
    async with served(answer(200, b"1"), hang_up, answer(200, b"2")) as (server, client):
        assert await client.request("GET", "/x") == b"1"
        assert await client.request("GET", "/x") == b"2"
        assert server.connections == 2


async def test_changes_are_never_repeated() -> None:
    """A change without an answer is an error: nobody knows whether it was carried out."""
    async with served(answer(200), hang_up, answer(200)) as (server, client):
        await client.request("GET", "/x")
        with pytest.raises(UnreachableError):
            await client.request("DELETE", "/x")
        assert len(server.requests) == 2
        assert server.connections == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, GoneError),
        (422, InvalidError),
        (429, ThrottledError),
        (500, StatusError),
        (302, StatusError),
    ],
)
async def test_refusals_by_code(code: int, kind: type[StatusError]) -> None:
    """The error's class says what to do, its message is the server's."""
    async with served(answer(code, b'{"kind":"Status","reason":"R","message":"in words"}')) as (_, client):
        with pytest.raises(kind, match="in words") as caught:
            await client.request("GET", "/x")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.reason) == (code, "R")


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"<html>\n  Bad Gateway</html>", "<html> Bad Gateway</html>"), (b"", "no body"), (b"\xff" * 999, "\ufffd")],
    ids=["html", "empty", "binary"],
)
async def test_refusal_that_is_no_status(body: bytes, words: str) -> None:
    """What a proxy says is quoted, cut to a line."""
    async with served(answer(502, body)) as (_, client):
        with pytest.raises(StatusError, match=words) as caught:
            await client.request("GET", "/x")
    assert len(caught.value.message) <= 200


@pytest.mark.parametrize(
    "handler",
    [hang_up, chunked(b"half", cut=True), silence],
    ids=["closed", "cut", "silent"],
)
async def test_no_whole_answer(handler: Handler) -> None:
    """Whatever keeps an answer from being whole is one error, and it comes in time."""
    async with served(handler) as (_, client):
        with pytest.raises(UnreachableError, match="GET /x"):
            await client.request("GET", "/x", deadline=0.05)


async def test_not_http() -> None:
    """A server that speaks something else is unreachable too."""

    async def babble(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    async with served(babble) as (_, client):
        with pytest.raises(UnreachableError):
            await client.request("GET", "/x")


async def test_nobody_listens_for_a_while() -> None:
    """A refused connection is an error of the moment: the same client goes on when the server is back."""
    state = Server([answer(200, b"1"), answer(200, b"2")])
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = KubeClient.at(f"http://127.0.0.1:{port}")
    server.close()
    with pytest.raises(UnreachableError, match="GET /x"):
        await client.request("GET", "/x")
    async with await asyncio.start_server(state.serve, "127.0.0.1", port):
        assert await client.request("GET", "/x") == b"1"
        client.close()


async def test_answer_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that would endanger the agent's memory is refused while it comes."""
    monkeypatch.setattr(_client, "MAX_ANSWER_BYTES", 10)
    async with served(chunked(b"123456", b"123456")) as (_, client):
        with pytest.raises(MalformedError, match="exceeds 10 bytes"):
            await client.request("GET", "/x")


async def test_lines_of_a_watch() -> None:
    """Lines come whole, however the chunks were cut, up to ten megabytes and more."""
    big = b"x" * 10_000_000
    async with served(chunked(b"one\ntw", b"o\n", big, b"\n")) as (_, client):
        assert await watched(client) == [b"one", b"two", big]


async def test_watch_that_is_not_chunked() -> None:
    """A body that ends with its length is read as well: a proxy may have put it together."""
    async with served(answer(200, b"one\ntwo\n")) as (_, client):
        assert await watched(client) == [b"one", b"two"]


async def test_watch_that_is_cut() -> None:
    """The lines before the cut are given, the half line is not."""
    got: list[bytes] = []
    async with served(chunked(b"one\nhal", cut=True)) as (_, client):
        with pytest.raises(UnreachableError, match=r"GET /x.*in the middle"):
            await watched(client, take=got.append)
    assert got == [b"one"]


async def test_watch_that_falls_silent() -> None:
    """A connection that only seems alive ends at the deadline for silence."""

    async def half_open(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n")

    got: list[bytes] = []
    async with served(half_open) as (_, client):
        with pytest.raises(UnreachableError, match=r"nothing came within 0.05 s"):
            await watched(client, take=got.append, idle_deadline=0.05)
    assert got == [b"one"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "GET /x: the API server has stopped answering"),
        (TimeoutError(), "GET /x: nothing came within 5 s"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "GET /x: .*reset by peer"),
        (None, "GET /x: .*in the middle of its answer"),
    ],
    ids=["no answer to a keep-alive", "silence", "reset", "closed"],
)
async def test_how_a_watch_is_lost_is_told(
    fault: Exception | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each end has its own words; a deadline that was not reached is not blamed."""

    async def half_open(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n")

    opened: list[Connection] = []
    made = Connection.connection_made

    def noted(connection: Connection, transport: asyncio.BaseTransport) -> None:
        opened.append(connection)
        made(connection, transport)

    monkeypatch.setattr(Connection, "connection_made", noted)
    async with served(half_open) as (_, client):
        with pytest.raises(UnreachableError, match=words):
            await watched(client, take=lambda _: opened[0].connection_lost(fault))


async def test_watch_that_is_refused() -> None:
    """A watch that the server refuses raises by its code when it is opened."""
    async with served(answer(410, b'{"reason":"Expired","message":"too old"}')) as (_, client):
        with pytest.raises(GoneError, match="too old"):
            await watched(client)


async def test_watch_that_is_no_chunked_coding() -> None:
    """What the head does not promise is an error of this package, after the lines before it."""
    got: list[bytes] = []

    async def babble(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)  # so that it comes by itself
        writer.write(b"GET\r\n")

    async with served(babble) as (_, client):
        with pytest.raises(MalformedError, match="'GET'"):
            await watched(client, take=got.append)
    assert got == [b"one"]


async def test_a_line_that_is_not_taken_ends_the_watch() -> None:
    """What is raised over a line comes out of the watch, and no further line is handed on."""
    got: list[bytes] = []

    def take(line: bytes) -> None:
        got.append(line)
        if line == b"two":
            raise GoneError(410, reason="Expired", message="too old")

    async with served(chunked(b"one\ntwo\nthree\n", b"four\n")) as (_, client):
        with pytest.raises(GoneError, match="too old"):
            await watched(client, take=take)
    assert got == [b"one", b"two"]


async def test_watch_that_is_given_up() -> None:
    """Whoever is cancelled while reading hears nothing more, and the connection is closed."""
    closed = asyncio.Event()

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"4\r\ntwo\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.001)
        closed.set()

    got: list[bytes] = []
    enough = asyncio.Event()

    def take(line: bytes) -> None:
        got.append(line)
        if len(got) == 3:
            enough.set()

    async with served(endless) as (_, client):
        task = asyncio.create_task(watched(client, take=take))
        async with asyncio.timeout(5):
            await enough.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        heard = len(got)
        async with asyncio.timeout(5):
            await closed.wait()
    assert len(got) == heard


@given(
    st.lists(st.binary(max_size=30), max_size=8),
    st.binary(max_size=30),
    st.integers(1, 7),
    st.sampled_from(["close", "abort"]),
)
@settings(max_examples=40, deadline=None)
def test_any_bytes_end_in_an_answer_or_an_error(pieces: list[bytes], junk: bytes, step: int, end: str) -> None:
    """Whatever follows a good start, in whatever pieces: its lines are given in their order, and nothing hangs."""
    coded = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded + junk

    async def send(writer: asyncio.StreamWriter) -> None:
        for at in range(0, len(text), step):
            writer.write(text[at : at + step])
            await asyncio.sleep(0)
        if end == "close":
            writer.close()
        else:
            writer.transport.abort()

    async def run() -> list[bytes]:
        got: list[bytes] = []
        async with served(send) as (_, client):
            with suppress(KubeError):
                await watched(client, take=got.append)
        return got

    whole = [line for line in b"".join(pieces).split(b"\n")[:-1] if line]
    got = asyncio.run(run())
    both = min(len(whole), len(got))
    assert got[:both] == whole[:both]
    assert junk or end == "abort" or got == whole


async def test_token_is_read_anew(tmp_path: Path) -> None:
    """A token that the kubelet replaced is used with the next request."""
    async with served(answer(200), answer(200)) as (server, client):
        token = tmp_path / "token"
        client._token = lambda: _client._read_token(token)
        for word in ("first\n", "second\n"):
            token.write_text(word)
            await client.request("GET", "/x")
    assert ["Bearer first\r\n" in server.requests[0], "Bearer second\r\n" in server.requests[1]] == [True, True]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: KubeClient.in_cluster(folder=folder, environ={}), "KUBERNETES_SERVICE_HOST"),
        (
            lambda folder: KubeClient.in_cluster(folder=folder, environ={"KUBERNETES_SERVICE_HOST": "10.0.0.1"}),
            r"ca\.crt.*automountServiceAccountToken",
        ),
        (lambda _: KubeClient.at("10.0.0.1:6443"), "expected http://HOST:PORT"),
        (lambda folder: _client._read_token(folder / "token"), "automountServiceAccountToken"),
    ],
    ids=["no-pod", "no-ca", "no-url", "no-token"],
)
def test_configuration_that_is_missing(make: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    """What is missing is named, with the next step."""
    with pytest.raises(ConfigurationError, match=words):
        make(tmp_path)


def test_every_error_is_the_packages_own() -> None:
    """A caller needs one class to catch them all."""
    assert all(issubclass(kind, KubeError) for kind in StatusError.by_code.values())
