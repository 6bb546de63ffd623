"""Tables of objects: rows with a pointer, of which only the visible ones are ever built."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubealive_tui.model import Align, Bar, Cell, Column, Line, Role, Row, Span, Table
from kubealive_tui.ui._profile import Palette
from kubealive_tui.ui.draw._strips import Pieces, aligned, paint

__all__ = ["NOWHERE", "Drawing", "Window", "bar", "has_header", "table_lines", "window"]

# The pointer's place at the left of each row, and the cell left free at the right edge.
_MARGIN = 3
_POINTER = " ▸ "
# Columns that every terminal shows.
_ALWAYS = 80
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of a table that are shown: `size` from `first` on, then a hint when there are more."""

    first: int
    size: int
    above: int = 0
    below: int = 0


NOWHERE = Window(0, 0)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines of a view; `keys` has the row's key (or None) for each line, `pointer` the selected line."""

    lines: list[Pieces]
    keys: tuple[str | None, ...]
    window: Window
    pointer: int | None = None


def window(count: int, room: int, *, scroll: int = 0, selected: int | None = None) -> Window:
    """Which rows of `count` to show in `room` lines: from `scroll` on, moved as little as shows the selected."""
    if count <= room:
        return Window(0, count)
    size = max(room - 1, 1)
    first = min(max(scroll, 0), count - size)
    if selected is not None:
        first = min(max(first, selected - size + 1), selected)
    return Window(first, size, first, count - first - size)


def has_header(table: Table) -> bool:
    """Whether any column has a title."""
    return any(column.title for column in table.columns)


def table_lines(
    table: Table, width: int, room: int, palette: Palette, *, selected: str = "", scroll: int = 0
) -> Drawing:
    """The table in `width` cells and at most `room` lines, its column heads included, without its heading."""
    grid = _grid(table.columns, width)
    lines: list[Pieces] = []
    if has_header(table) and table.keys:
        lines.append(_header(grid, palette))
    if not table.keys:
        words = [(" " * _MARGIN, palette.blank), *paint(table.empty, palette)]
        return Drawing([words], (None,), NOWHERE)
    index = table.keys.index(selected) if table.selectable and selected in table.keys else None
    shown = window(len(table.keys), max(room - len(lines), 1), scroll=scroll, selected=index)
    keys: list[str | None] = [None] * len(lines)
    pointer = None
    for position in range(shown.first, shown.first + shown.size):
        key = table.keys[position]
        if position == index:
            pointer = len(lines)
        lines.append(_row(table.row(key), grid, palette, selected=position == index))
        keys.append(key if table.selectable else None)
    if (shown.above or shown.below) and len(lines) < room:
        lines.append(aligned(_more(shown), width, palette))
        keys.append(None)
    return Drawing(lines, tuple(keys), shown, pointer)


def bar(fraction: float, width: int) -> str:
    """A bar of at most `width` cells in eighths of a cell; anything over nothing shows."""
    eighths = round(min(max(fraction, 0.0), 1.0) * width * 8)
    if fraction > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


@dataclass(frozen=True, slots=True)
class _Grid:
    """Columns and the cells that each shown one takes, by its index."""

    columns: Sequence[Column]
    widths: dict[int, int]
    width: int


def _grid(columns: Sequence[Column], width: int) -> _Grid:
    """Which columns are shown, and how wide; those that wait for wider screens go first when room is short."""
    shown = {index: column.width for index, column in enumerate(columns) if column.least <= max(width, _ALWAYS)}
    free = width - _MARGIN - sum(shown.values()) - (len(shown) - 1)
    while free < 0 and len(shown) > 1:
        last = max(shown, key=lambda index: (columns[index].least, index))
        if columns[last].least <= _ALWAYS:
            break
        free += shown.pop(last) + 1
    for _ in range(-free):
        widest = max(shown, key=lambda index: shown[index])
        shown[widest] -= 1 if shown[widest] > 1 else 0
    growing = [index for index in shown if columns[index].grows]
    for place, index in enumerate(growing):
        shown[index] += max(free, 0) // len(growing) + (1 if place < max(free, 0) % len(growing) else 0)
    return _Grid(columns, shown, width)


def _header(grid: _Grid, palette: Palette) -> Pieces:
    pieces = [(" " * _MARGIN, palette.blank)]
    for index, width in grid.widths.items():
        title: Line = (Span(grid.columns[index].title, Role.DIM),)
        pieces += [*aligned(title, width, palette, grid.columns[index].align), (" ", palette.blank)]
    return pieces[:-1]


def _row(row: Row, grid: _Grid, palette: Palette, *, selected: bool) -> Pieces:
    ink = palette.band if selected else palette.past if row.past else palette
    pieces = [(_POINTER if selected else " " * _MARGIN, ink[Role.ACCENT])]
    used = _MARGIN
    for index, width in grid.widths.items():
        cell = row.cells[index] if index < len(row.cells) else ()
        pieces += _cell(cell, width, grid.columns[index].align, ink, past=row.past)
        used += width + 1
        pieces.append((" " if used <= grid.width else "", ink.blank))
    pieces.append((" " * max(grid.width - used, 0), ink.blank))
    return pieces


def _cell(cell: Cell, width: int, align: Align, ink: Palette, *, past: bool) -> Pieces:
    if not isinstance(cell, Bar):
        return aligned(cell, width, ink, align)
    blocks = bar(cell.fraction, width)
    return [
        (blocks, ink[Role.RULE if past else cell.role]),
        (" " * (width - len(blocks)), ink.blank),
    ]


def _more(shown: Window) -> Line:
    """What a scrolled table hides, in words."""
    words = [f"{shown.above} more ↑"] * bool(shown.above) + [f"{shown.below} more ↓"] * bool(shown.below)
    return (Span("   " + "  ".join(words), Role.DIM),)
