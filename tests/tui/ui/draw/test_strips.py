"""Words become lines of an exact width, whatever is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kubealive_tui.model import Align, Line, Role, Span, line, plain
from kubealive_tui.ui._profile import Colours, Palette, Profile
from kubealive_tui.ui.draw._strips import (
    aligned,
    beside,
    clean,
    cut,
    cut_line,
    measure,
    paint,
    spread,
    strip_of,
    wrap_line,
)

PALETTE = Palette.of(Profile())
AWKWARD = st.sampled_from(
    ["…", "界", "é", "e\u0301", "👩\u200d👧", "☂\ufe0f", "\x1b[31m", "\t", "\u202e", "", "🇩🇪", "\ud800"]
)
TEXTS = st.one_of(st.text(max_size=30), st.lists(AWKWARD, max_size=8).map("".join))
LINES = st.lists(st.builds(Span, TEXTS, st.sampled_from(Role)), max_size=5).map(tuple)
WIDTHS = st.integers(0, 50)


@given(LINES, WIDTHS)
def test_strip_has_the_asked_width(text: Line, width: int) -> None:
    """A strip is as wide as was asked for, by its own word and by its cells."""
    strip = strip_of(paint(text, PALETTE), width, PALETTE)
    assert strip.cell_length == width
    assert cell_len(strip.text) == width


@given(LINES, LINES, st.integers(0, 40), st.integers(0, 40))
def test_beside_has_the_asked_width(left: Line, right: Line, views: int, more: int) -> None:
    """Two columns together are as wide as was asked for."""
    strip = beside(paint(left, PALETTE), views, paint(right, PALETTE), views + more, PALETTE)
    assert cell_len(strip.text) == views + more


@given(LINES, WIDTHS, st.sampled_from(Align))
def test_aligned_has_the_asked_width(text: Line, width: int, align: Align) -> None:
    """A cell of a table keeps its width."""
    assert sum(cell_len(words) for words, _ in aligned(text, width, PALETTE, align)) == width


@given(LINES, LINES, st.integers(10, 60))
def test_spread_has_the_asked_width(left: Line, right: Line, width: int) -> None:
    """Words at both edges fill the line exactly."""
    assert sum(cell_len(words) for words, _ in spread(left, right, width, PALETTE)) == width


@given(TEXTS, WIDTHS)
def test_cut_never_exceeds(text: str, width: int) -> None:
    """A cut text fits, and one that fits is not touched."""
    assert cell_len(cut(text, width)) <= width
    if measure(text) <= width:
        assert cut(text, width) == clean(text)


@given(LINES, WIDTHS)
def test_cut_line_never_exceeds(text: Line, width: int) -> None:
    """A cut line fits in cells."""
    assert measure(cut_line(text, width)) <= width


@given(TEXTS)
def test_clean_leaves_nothing_dangerous(text: str) -> None:
    """What is left can be encoded and moves no cursor, and cleaning it again changes nothing."""
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in cleaned)
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("getip-d8c-88bbp", 20, "getip-d8c-88bbp"),
        ("getip-d8c-88bbp", 8, "getip-d…"),
        ("界界界", 6, "界界界"),
        ("界界界", 5, "界界…"),
        ("界界界", 4, "界…"),
        ("ab", 1, "…"),
        ("ab", 0, ""),
        ("a\x1b[31mb", 9, "a [31mb"),
        ("one\ntwo", 9, "one two"),
    ],
    ids=["fits", "cut", "wide fits", "wide cut", "wide never split", "one cell", "no cell", "escape", "newline"],
)
def test_cut(text: str, width: int, shown: str) -> None:
    """A text that is too long ends with the mark of a cut."""
    assert cut(text, width) == shown


def test_equal_styles_become_one_segment() -> None:
    """Neighbours of one style are one segment, and blanks take the style beside them."""
    text = line("a", "b", (" ", Role.GOOD), "c", ("  d", Role.BAD))
    strip = strip_of(paint(text, PALETTE), 20, PALETTE)
    assert [segment.text for segment in strip] == ["ab c", "  d" + " " * 13]


def test_blanks_keep_out_of_reverse() -> None:
    """A reversed word does not spread its ground over the blanks beside it."""
    palette = Palette.of(Profile(Colours.NONE))
    strip = strip_of([(" ", palette.blank), ("Tab", palette.tab), (" ", palette.blank)], 6, palette)
    assert [segment.text for segment in strip] == [" ", "Tab", "  "]


def test_only_blanks_are_cut_in_silence() -> None:
    """Blanks beyond the edge are dropped without a mark; words are not."""
    style = PALETTE[Role.TEXT]
    assert strip_of([("abc", style), ("    ", style)], 4, PALETTE).text == "abc "
    assert strip_of([("abc", style), ("  d", style)], 4, PALETTE).text == "abc…"


def test_an_unchanged_line_is_the_same_object() -> None:
    """Equal words give the same strip, which keeps what was rendered for it."""
    assert strip_of(paint(line("same"), PALETTE), 9, PALETTE) is strip_of(paint(line("same"), PALETTE), 9, PALETTE)


def test_cut_line_keeps_roles() -> None:
    """The mark of a cut has the role of the words it stands for."""
    assert cut_line(line("ab", ("cdef", Role.BAD)), 4) == (Span("ab"), Span("c…", Role.BAD))
    assert plain(cut_line(line("ab", ("cd", Role.BAD)), 2)) == "a…"


@given(LINES, st.integers(1, 30), st.integers(1, 4))
def test_wrap_loses_nothing_but_at_the_end(text: Line, width: int, most: int) -> None:
    """Wrapped lines are the same words in the same order, within the number of lines allowed."""
    lines = wrap_line(text, width, most)
    assert 1 <= len(lines) <= most
    if len(lines) < most:
        assert "".join(map(plain, lines)) == clean(plain(text))


def test_wrap_between_words() -> None:
    """Lines break between words, and the last one is cut."""
    wrapped = wrap_line(line("one two ", ("three four five", Role.BAD)), 9, 2)
    assert [plain(words) for words in wrapped] == ["one two ", "three fo…"]
