"""Requests as bytes and replies as bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubealive_workloads._errors import RequestError
from kubealive_workloads._http import MAX_BODY_BYTES, MAX_HEAD_BYTES, ReplyWriter, Request, parse, text

HOST = b"Host: a\r\n"


def outcome(received: bytes) -> object:
    """Say what the parser decides about these bytes, comparable; None while it has not."""
    try:
        parsed = parse(received)
    except RequestError as error:
        return error.status, str(error)
    return None if parsed is None else (fields(parsed[0]), parsed[1])


def fields(request: Request) -> tuple[object, ...]:
    """Give all that a request says, comparable."""
    return request.method, request.path, request.headers, request.body, request.keep_alive


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", ("GET", "/", True, b""), id="plain"),
        pytest.param(b"GET /a?b=/c HTTP/1.1\r\n" + HOST + b"\r\n", ("GET", "/a", True, b""), id="query left out"),
        pytest.param(
            b"GET http://a:1/b HTTP/1.1\r\n" + HOST + b"\r\n", ("GET", "/b", True, b""), id="absolute form"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabcGET",
            ("POST", "/", True, b"abc"),
            id="body",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + HOST + b"connection: Foo, CLOSE\r\n\r\n", ("GET", "/", False, b""), id="close"
        ),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", ("GET", "/", False, b""), id="1.0 closes"),
        pytest.param(
            b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ("GET", "/", True, b""), id="1.0 asks to stay"
        ),
    ],
)
def test_reads_a_request(received: bytes, expected: tuple[object, ...]) -> None:
    """A request is read for what it says, and what follows it is left alone."""
    parsed = parse(received)
    assert parsed is not None
    request = parsed[0]
    assert (request.method, request.path, request.keep_alive, request.body) == expected


@pytest.mark.parametrize(
    ("received", "status"),
    [
        pytest.param(b"\r\n\r\n", 400, id="nothing"),
        pytest.param(b"hello\r\n\r\n", 400, id="no request line"),
        pytest.param(b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="two spaces"),
        pytest.param(b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="byte beyond ASCII"),
        pytest.param(b"GET / HTTP/1.1\n\n", 400, id="bare line ends"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400, id="two hosts"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"a : b\r\n\r\n", 400, id="space before the colon"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n c\r\n\r\n", 400, id="folded header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"a: \0\r\n\r\n", 400, id="zero byte in a value"),
        pytest.param(b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505, id="wrong version"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="HTTP/2 preface"),
        pytest.param(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", 400, id="negative length"),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
            id="two lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
            413,
            id="large body",
        ),
        pytest.param(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", 411, id="chunks"),
        pytest.param(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n\r\n", 417, id="expectation"),
        pytest.param(b"GET /" + b"a" * MAX_HEAD_BYTES, 431, id="endless head"),
        pytest.param(b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431, id="large head"),
    ],
)
def test_refuses_what_is_no_request(received: bytes, status: int) -> None:
    """What cannot be served is refused with the status and a sentence that say why."""
    with pytest.raises(RequestError) as caught:
        parse(received)
    assert caught.value.status == status
    assert str(caught.value)


def test_takes_a_head_of_exactly_the_limit() -> None:
    """The limit itself is still allowed."""
    head = b"GET / HTTP/1.1\r\n" + HOST + b"x: "
    head += b"a" * (MAX_HEAD_BYTES - len(head))
    assert parse(head + b"\r\n\r\n") is not None
    assert parse(head + b"\r\n\r") is None


PIECES = st.sampled_from(
    (
        b"GET / HTTP/1.1\r\n|POST /a HTTP/1.0\r\n|Host: a\r\n|Content-Length: 4\r\n|Content-Length: x\r\n|"
        b"Connection: close\r\n|Transfer-Encoding: chunked\r\n|\r\n|\r|\n|body| |:|\0"
    ).split(b"|")
)
STREAMS = st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=12).map(b"".join))


@settings(database=None, deadline=None, max_examples=300)
@given(stream=STREAMS, data=st.data())
def test_is_independent_of_how_the_network_cut_the_bytes(stream: bytes, data: st.DataObject) -> None:
    """Once a prefix is decided upon, no further bytes change that; and nothing but a RequestError is raised."""
    cut = data.draw(st.integers(0, len(stream)))
    early = outcome(stream[:cut])
    assert early is None or early == outcome(stream)


@pytest.mark.parametrize(("keep_alive", "word"), [(True, "keep-alive"), (False, "close")], ids=["kept", "closed"])
def test_writes_a_reply(*, keep_alive: bool, word: str) -> None:
    """A reply carries identity, date, length and whether the connection goes on."""
    writer = ReplyWriter(b"X-Pod-Name: p\r\n", wall=lambda: 784111777.9)
    head, _, body = writer.write(text("hello"), keep_alive=keep_alive).partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "HTTP/1.1 200 OK",
        "X-Pod-Name: p",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Length: 6",
        f"Connection: {word}",
    ]
    assert body == b"hello\n"


@pytest.mark.parametrize("second", range(0, 366 * 86400, 3 * 86400 + 3601))
def test_dates_are_those_of_the_standard(second: int) -> None:
    """Every weekday and month is spelled as RFC 9110 has it."""
    reply = ReplyWriter(b"", wall=lambda: second).write(text(""), keep_alive=False)

    assert f"Date: {format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)}\r\n".encode() in reply
