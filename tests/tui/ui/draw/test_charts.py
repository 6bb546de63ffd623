"""Charts: no bin is lost, no failure hidden, nothing unknown shown as zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_tui.model import Bins, Lane, Lines, Matrix, MatrixCell, Role, Series, Stack, Strip, line
from kubealive_tui.ui._profile import Palette, Profile
from kubealive_tui.ui.draw._charts import (
    bins_lines,
    column_heights,
    lane_rows,
    lines_lines,
    mark_line,
    rebin,
    stack_lines,
)
from kubealive_tui.ui.draw._matrix import matrix_lines
from kubealive_tui.ui.draw._strips import Pieces, strip_of

PALETTE = Palette.of(Profile())
VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=1, max_size=200)


def texts(lines: list[Pieces], width: int = 30) -> list[str]:
    return [strip_of(pieces, width, PALETTE).text.rstrip() for pieces in lines]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=200), st.integers(1, 120))
def test_rebin_keeps_sums(values: list[int], cells: int) -> None:
    """Where bins are merged each goes into exactly one cell; where they are spread none is left out."""
    merged = rebin(values, cells, sum)
    assert len(merged) == cells
    if len(values) >= cells:
        assert sum(value or 0 for value in merged) == sum(values)
    else:
        assert set(merged) == set(values)


@given(VALUES, st.integers(1, 120))
def test_rebin_never_hides_the_worst(values: list[float | None], cells: int) -> None:
    """The highest value survives in some cell."""
    known = [value for value in values if value is not None]
    merged = [value for value in rebin(values, cells, max) if value is not None]
    assert max(merged, default=None) == max(known, default=None)


@pytest.mark.parametrize(
    ("values", "cells", "merged"),
    [
        ([], 3, [None, None, None]),
        ([None, 4.0], 2, [None, 4.0]),
        ([None, 4.0], 1, [4.0]),
        ([1.0, 2.0], 4, [1.0, 1.0, 2.0, 2.0]),
        ([float("nan"), float("inf")], 2, [None, None]),
    ],
    ids=["nothing", "unknown", "unknown beside known", "spread", "not numbers"],
)
def test_rebin(values: list[float | None], cells: int, merged: list[float | None]) -> None:
    """Unknown bins are left out of a merge, and stay unknown alone."""
    assert rebin(values, cells, max) == merged


@given(VALUES, st.floats(0, 1e6), st.integers(1, 6), st.integers(1, 8))
def test_heights(values: list[float | None], top: float, rows: int, least: int) -> None:
    """Heights stay within the rows; unknown stays unknown, zero stays zero, and a trace shows."""
    for value, height in zip(values, column_heights(values, top, rows, least=least), strict=True):
        assert (height is None) == (value is None)
        if value is not None and height is not None:
            assert 0 <= height <= rows * 8
            assert height >= least or value == 0 or top == 0


def test_bins() -> None:
    """Lanes over one axis: labels at the left, the scale at its lane, the span in the corner."""
    ok = Lane("ok", (None, None, 50.0, 100.0), Role.GOOD, 100.0, "100/s")
    lost = Lane("lost", (0.0, 0.0, 1.0, 0.0), Role.BAD, 1_000.0)
    assert texts(bins_lines(Bins((ok, lost), span="−4 s"), 30, 2, PALETTE)) == [
        "  ok   ········▄▄▄▄████ 100/s",
        "  lost         ▄▄▄▄     −4 s",
    ]


@pytest.mark.parametrize(
    ("roles", "room", "rows"),
    [
        ([Role.GOOD, Role.BAD], 2, [1, 1]),
        ([Role.GOOD, Role.BAD], 8, [6, 2]),
        ([Role.GOOD, Role.ACCENT], 5, [3, 2]),
        ([Role.BAD], 5, [2]),
        ([Role.GOOD, Role.BAD], 1, [1, 1]),
        ([], 4, []),
    ],
    ids=["least", "failures stay low", "shared", "failures alone", "too little", "none"],
)
def test_lane_rows(roles: list[Role], room: int, rows: list[int]) -> None:
    """Lanes share the room; one of failures takes little of it."""
    assert lane_rows([Lane("", (), role, 1.0) for role in roles], room) == rows


@pytest.mark.parametrize("room", [2, 3, 6], ids=["one each", "odd", "three each"])
def test_stack_bands_have_one_height(room: int) -> None:
    """Both versions get bands of one height, whatever the room."""
    view = Stack(("v3", "v2"), ((0.0, 0.5, 1.0), (1.0, 0.5, 0.0)), span="−3 s")
    drawn = texts(stack_lines(view, 30, room, PALETTE))
    assert len(drawn) == room // 2 * 2
    assert drawn[0].startswith("  v3")
    assert drawn[len(drawn) // 2].startswith("  v2")
    assert drawn[-1].endswith("−3 s")


def test_lines() -> None:
    """A filled chart with the target as a thin line through it, and steps below on the same axis."""
    view = Lines(
        Series("cpu", (None, 0.0, 50.0, 100.0)),
        top=100.0,
        unit="%",
        target=50.0,
        steps=(Series("pods", (1.0, 1.0, 2.0, 4.0), Role.VERSION_NEW),),
    )
    assert texts(lines_lines(view, 32, 5, PALETTE), 32) == [
        "  100 %             ████",
        "   50 % ──────────────── target",
        "                ████████",
        "    0 % ····▁▁▁▁████████",
        "   pods ▂▂▂▂▂▂▂▂▄▄▄▄████ 4",
    ]


def test_target_stays_visible_on_a_full_cell() -> None:
    """Over the fill the target is drawn in its own colour on the fill's ground."""
    view = Lines(Series("cpu", (100.0,)), top=100.0, target=50.0)
    through = [style for pieces in lines_lines(view, 30, 4, PALETTE) for text, style in pieces if "─" in text]
    assert through == [PALETTE.over(Role.WAITING, Role.ACCENT)]


def test_nothing_measured() -> None:
    """Without a value there are dots, and a dash for the last step."""
    view = Lines(Series("cpu", ()), top=0.0, steps=(Series("pods", ()),))
    assert texts(lines_lines(view, 20, 3, PALETTE), 20) == [
        "     0",
        "     0 ··········",
        "  pods ·········· –",
    ]


def test_marks_keep_the_newest() -> None:
    """Where there are too many marks the oldest are left out."""
    view = Strip("probes", tuple(("●" if index else "✕", Role.GOOD) for index in range(40)))
    assert texts([mark_line(view, 20, PALETTE)], 20) == ["  probes ●●●●●●●●●●"]


def cells(*words: str) -> tuple[MatrixCell, ...]:
    return tuple(MatrixCell(line(text)) for text in words)


def test_matrix() -> None:
    """Values stand under the end of their heads."""
    view = Matrix(("SURGE", "ALL"), (("on", cells("0", "–")), ("off", cells("38", "61"))), label_width=4)
    assert texts(matrix_lines(view, 30, 3, PALETTE)) == [
        "          SURGE   ALL",
        "   on         0     –",
        "   off       38    61",
    ]


def test_matrix_too_wide() -> None:
    """Heads that are too wide together share the room and are cut."""
    view = Matrix(("A" * 20, "B" * 20), (("on", cells("0", "1")),), label_width=4)
    assert texts(matrix_lines(view, 30, 3, PALETTE))[0] == "        " + "A" * 9 + "… " + "B" * 9 + "…"
