"""The chunked coding, as servers write it and as it must not be."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_agent.kube import MalformedError
from kubealive_agent.kube._chunked import MAX_LINE_BYTES, ChunkedBody

_CODED = st.lists(st.binary(min_size=1, max_size=40)).map(
    lambda pieces: (b"".join(pieces), b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces))
)


@given(_CODED, st.sampled_from([b"", b"X-Trailer: yes\r\n"]), st.data())
def test_any_split_gives_the_same_body(coded: tuple[bytes, bytes], trailer: bytes, data: st.DataObject) -> None:
    """However the bytes are cut on their way, the body is the same and its end is seen, not before."""
    body, rest = coded[0], coded[1] + b"0\r\n" + trailer + b"\r\n"
    decoder, got = ChunkedBody(), b""
    while rest:
        assert not decoder.ended
        size = data.draw(st.integers(1, len(rest)))
        got += decoder.feed(rest[:size])
        rest = rest[size:]
    assert (got, decoder.ended) == (body, True)


@given(st.lists(st.sampled_from([b"a", b"1", b"x", b";e=1", b" ", b"\r\n", b"\n"]), max_size=12))
def test_h11_takes_what_it_takes(parts: list[bytes]) -> None:
    """What is accepted, up to the last chunk, is what a full parser makes of the same bytes."""
    coded = b"".join(parts)
    decoder = ChunkedBody()
    try:
        got = decoder.feed(coded)
    except MalformedError:
        return
    assert got == _by_h11(coded)


def _by_h11(coded: bytes) -> bytes:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded)
    connection.next_event()
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    return body


@pytest.mark.parametrize(
    ("coded", "body"),
    [
        (b"3\r\none\r\n", b"one"),
        (b"3;name=value\r\none\r\n", b"one"),
        (b"3 \r\none\r\n", b"one"),
        (b"0A\r\n0123456789\r\n", b"0123456789"),
        (b"2\r\n\r\n\r\n", b"\r\n"),
        (b"3\r\none\r\n3\r\ntwo\r\n", b"onetwo"),
    ],
    ids=["plain", "extension", "padded size", "capitals", "line end as content", "two chunks"],
)
def test_chunks(coded: bytes, body: bytes) -> None:
    """What a chunk holds is given at once."""
    assert ChunkedBody().feed(coded) == body


def test_a_part_of_a_chunk() -> None:
    """A chunk is not waited for: what has come of it is given."""
    decoder = ChunkedBody()
    assert [decoder.feed(piece) for piece in (b"5\r\non", b"e", b"!!\r", b"\n")] == [b"on", b"e", b"!!", b""]


def test_what_follows_the_body() -> None:
    """It is not the body's."""
    decoder = ChunkedBody()
    assert decoder.feed(b"1\r\na\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n") == b"a"
    assert decoder.ended


@pytest.mark.parametrize(
    "coded",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"\r\n",
        b"-1\r\n",
        b"0x5\r\n",
        b"1_0\r\n",
        b"f" * 16 + b"\r\n",
        b"3\r\none!\r\n",
        b"1" * MAX_LINE_BYTES,
    ],
    ids=["text", "nothing", "negative", "prefix", "underscore", "huge", "overlong chunk", "endless line"],
)
def test_malformed(coded: bytes) -> None:
    """What is no chunked coding is an error of this package, at once."""
    with pytest.raises(MalformedError, match="chunk"):
        ChunkedBody().feed(coded)
