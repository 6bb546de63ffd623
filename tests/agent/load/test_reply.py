"""Replies, whole and in pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_agent.load._reply import MAX_BODY_BYTES, MAX_HEAD_BYTES, NOBODY, Reply, ReplyError, Server

IDENTITY = b"X-Pod-Name: getip-1\r\nx-pod-uid: u-1\r\nX-NODE-NAME:node-1\r\nX-Version:  v1\r\n"
SERVER = Server(b"u-1", b"getip-1", b"node-1", b"v1")
WHOLE = b"HTTP/1.1 200 OK\r\n" + IDENTITY + b"Content-Length: 5\r\n\r\nhello"


@given(cuts=st.lists(st.integers(min_value=0, max_value=len(WHOLE)), max_size=6))
def test_cut_anywhere(cuts: list[int]) -> None:
    """However a reply is cut, it is whole with its last byte and not before."""
    edges = [0, *sorted(cuts), len(WHOLE)]
    pieces = [WHOLE[a:b] for a, b in pairwise(edges) if a != b]
    reply = Reply()
    assert [reply.feed(piece) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert (reply.status, reply.server, reply.keeps) == (200, SERVER, True)


@pytest.mark.parametrize(
    ("data", "status", "whole", "keeps"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, True, True),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, True, True),
        (b"HTTP/1.1 503 x\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nno", 503, True, False),
        (b"HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx", 404, True, True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, True, True),
        (b"HTTP/1.1 200 OK\r\n\r\nall until the end", 200, False, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, False, True),
    ],
    ids=["no-body", "no-reason", "close", "http-1.0", "interim", "no-length", "chunked"],
)
def test_framing(data: bytes, status: int, *, whole: bool, keeps: bool) -> None:
    """Status, end and whether the connection is kept are read as HTTP/1.1 has them."""
    reply = Reply()
    assert reply.feed(data) is whole
    assert (reply.status, reply.keeps) == (status, keeps)
    assert reply.ends_with_close() is not whole


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ntoo much",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n",
    ],
    ids=["other-protocol", "no-status", "http-2", "negative", "huge", "overlong", "endless-head", "long-head"],
)
def test_not_a_reply(data: bytes) -> None:
    """What is no HTTP/1 reply, or beyond the caps, is refused and not waited for."""
    with pytest.raises(ReplyError):
        Reply().feed(data)


def test_clear_forgets() -> None:
    """A cleared reply knows nothing of the one before."""
    reply = Reply()
    reply.feed(WHOLE)
    reply.clear()
    assert (reply.begun, reply.status, reply.server) == (False, 0, NOBODY)
    assert not reply.ends_with_close()


def test_close_within_head_is_no_reply() -> None:
    """A server that closes before its head is whole has not answered."""
    reply = Reply()
    reply.feed(b"HTTP/1.1 200 O")
    assert reply.begun
    assert not reply.ends_with_close()
