"""Lines out of chunks, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_agent.kube._lines import MAX_LINE_BYTES, TOO_LONG, LineSplitter


@given(st.lists(st.binary(max_size=5).map(lambda line: line.replace(b"\n", b""))), st.data())
def test_any_split_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    """However the bytes are cut on their way, the lines are the same; empty ones are left out."""
    text = b"".join(line + b"\n" for line in lines)
    got: list[bytes] = []
    splitter = LineSplitter(got.append)
    while text:
        size = data.draw(st.integers(1, len(text)))
        splitter.feed(text[:size])
        text = text[size:]
    assert got == [line for line in lines if line]


@pytest.mark.parametrize("chunks", [[b"abcdef\nab\n"], [b"abc", b"def", b"ghi\nab\n"]], ids=["one", "many"])
def test_a_line_beyond_the_limit_costs_only_itself(chunks: list[bytes]) -> None:
    """It comes as TOO_LONG, and the next line is whole."""
    got: list[bytes] = []
    splitter = LineSplitter(got.append, limit=5)
    for chunk in chunks:
        splitter.feed(chunk)
    assert got == [TOO_LONG, b"ab"]


def test_an_endless_line_is_not_kept() -> None:
    """What is beyond the limit is dropped while it comes, not at its end."""
    splitter = LineSplitter(print, limit=5)
    for _ in range(100):
        splitter.feed(b"x" * 5)
    assert not splitter._pieces


def test_ten_megabytes_fit() -> None:
    """The limit permits an object of 10 MB."""
    assert MAX_LINE_BYTES > 10 * 1000 * 1000
