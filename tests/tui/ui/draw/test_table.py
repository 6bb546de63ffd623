"""Tables: which rows and columns are shown, and what they look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_tui.model import Align, Bar, Column, Role, Row, Table, line
from kubealive_tui.ui._profile import Palette, Profile
from kubealive_tui.ui.draw._strips import strip_of
from kubealive_tui.ui.draw._table import Drawing, Window, bar, table_lines, window

PALETTE = Palette.of(Profile())
COLUMNS = (Column("POD", 8, grows=True), Column("RST", 4, Align.RIGHT), Column("IP", 10, least=100))


def pods(count: int, built: list[str] | None = None) -> Table:
    """A table of pods that notes which rows were built."""

    def row(key: str) -> Row:
        if built is not None:
            built.append(key)
        return Row(key, (line(key), line("0"), line("10.0.0.1")), past=key == "p1")

    return Table(COLUMNS, tuple(f"p{index}" for index in range(count)), row, empty=line("no pods yet"))


def texts(drawing: Drawing, width: int = 30) -> list[str]:
    return [strip_of(pieces, width, PALETTE).text.rstrip() for pieces in drawing.lines]


@pytest.mark.parametrize(
    ("count", "room", "scroll", "selected", "shown"),
    [
        (3, 5, 0, None, Window(0, 3)),
        (5, 5, 3, 4, Window(0, 5)),
        (6, 5, 0, None, Window(0, 4, 0, 2)),
        (6, 5, 9, None, Window(2, 4, 2, 0)),
        (9, 5, 0, 4, Window(1, 4, 1, 4)),
        (9, 5, 3, 1, Window(1, 4, 1, 4)),
        (9, 5, 3, 5, Window(3, 4, 3, 2)),
        (9, 1, 0, 7, Window(7, 1, 7, 1)),
    ],
    ids=["all", "exactly", "more below", "scrolled too far", "follows down", "follows up", "stays", "one line"],
)
def test_window(count: int, room: int, scroll: int, selected: int | None, shown: Window) -> None:
    """The window moves as little as keeps the selected row in it."""
    assert window(count, room, scroll=scroll, selected=selected) == shown


@given(st.integers(0, 40), st.integers(2, 20), st.integers(-5, 60), st.integers(0, 39))
def test_window_always_shows_the_selected(count: int, room: int, scroll: int, selected: int) -> None:
    """Rows, those above and those below are all there are, and the selected one is among the shown."""
    chosen = selected if selected < count else None
    shown = window(count, room, scroll=scroll, selected=chosen)
    assert shown.first + shown.size + shown.below == count
    assert shown.size + (1 if shown.above or shown.below else 0) <= room
    assert chosen is None or shown.first <= chosen < shown.first + shown.size


def test_only_visible_rows_are_built() -> None:
    """Of 5,000 rows only those on the screen cost anything."""
    built: list[str] = []
    drawing = table_lines(pods(5_000, built), 30, 6, PALETTE, selected="p4000")
    assert built == ["p3997", "p3998", "p3999", "p4000"]
    assert drawing.keys == (None, *built, None)
    assert texts(drawing)[-1] == "   3997 more ↑  999 more ↓"


def test_rows() -> None:
    """Heads, pointer, right-aligned numbers; the growing column takes the rest."""
    drawing = table_lines(pods(2), 30, 9, PALETTE, selected="p0")
    assert texts(drawing) == [
        "   POD                     RST",
        " ▸ p0                        0",
        "   p1                        0",
    ]
    assert drawing.pointer == 1


def test_band_and_past() -> None:
    """The selected row lies on the band up to the edge; a past row is dim."""
    _, selected, past = table_lines(pods(2), 30, 9, PALETTE, selected="p0").lines
    grounds = {segment.style.bgcolor for segment in strip_of(selected, 30, PALETTE) if segment.style}
    assert grounds == {PALETTE.band.blank.bgcolor}
    assert {style for text, style in past if text.strip()} == {PALETTE[Role.DIM]}


@pytest.mark.parametrize(
    ("width", "heads"), [(80, ["POD", "RST"]), (100, ["POD", "RST", "IP"])], ids=["80", "100"]
)
def test_columns_by_width(width: int, heads: list[str]) -> None:
    """A column that waits for a wider terminal is not shown before."""
    assert texts(table_lines(pods(1), width, 9, PALETTE), width)[0].split() == heads


def test_columns_that_do_not_fit_shrink() -> None:
    """Columns that are too wide together give up cells, the widest first, and nothing runs over the edge."""
    table = Table(
        (Column("A", 30), Column("B", 10)), ("k",), lambda key: Row(key, (line("a" * 30), line("b" * 10)))
    )
    assert texts(table_lines(table, 30, 5, PALETTE))[1] == "   " + "a" * 15 + "… " + "b" * 10


def test_empty() -> None:
    """A table without rows says so instead of showing heads."""
    assert texts(table_lines(pods(0), 30, 9, PALETTE)) == ["   no pods yet"]


@pytest.mark.parametrize(
    ("fraction", "blocks"),
    [(0.0, ""), (0.001, "▏"), (0.5, "██"), (0.53, "██▏"), (1.0, "████"), (7.0, "████"), (-1.0, "")],
    ids=["none", "a trace", "half", "an eighth more", "full", "over", "under"],
)
def test_bar(fraction: float, blocks: str) -> None:
    """Bars are in eighths, anything over nothing shows, and none is longer than its cell."""
    assert bar(fraction, 4) == blocks


def test_bar_in_a_row() -> None:
    """A bar fills its column in its own colour."""
    table = Table((Column("", 4),), ("k",), lambda key: Row(key, (Bar(0.5, Role.GOOD),)))
    (pieces,) = table_lines(table, 9, 5, PALETTE).lines
    assert ("██", PALETTE[Role.GOOD]) in pieces
