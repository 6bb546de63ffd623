"""Results in rows and columns: one word a cell, under heads that keep their place."""

from kubealive_tui.model import Align, Line, Matrix, Role, Span
from kubealive_tui.ui._profile import Palette
from kubealive_tui.ui.draw._strips import Pieces, aligned, measure

__all__ = ["matrix_lines"]

_LEFT = 3
_GAP = 3


def matrix_lines(view: Matrix, width: int, room: int, palette: Palette) -> list[Pieces]:
    """Heads and as many rows as `room` lines hold, without the heading; values stand under their head's end."""
    widths = _widths(view, width - _LEFT - view.label_width - 1)
    head: list[Line] = [(Span(title, Role.DIM),) for title in view.columns]
    lines = [_cells((), head, view.label_width, widths, palette)]
    for label, cells in view.rows[: max(room - 1, 0)]:
        texts = [cell.text for cell in cells]
        lines.append(_cells((Span(label),), texts, view.label_width, widths, palette))
    return lines


def _widths(view: Matrix, room: int) -> list[int]:
    """Cells of each column, gap included: what its words need, or an equal share when that is too much."""
    wanted = [
        max([measure(title), *(measure(cells[index].text) for _, cells in view.rows if index < len(cells))])
        for index, title in enumerate(view.columns)
    ]
    for gap in range(_GAP, 0, -1):
        if sum(wanted) + gap * len(wanted) <= room:
            return [width + gap for width in wanted]
    return [max(room // len(wanted), 2)] * len(wanted) if wanted else []


def _cells(label: Line, texts: list[Line], label_width: int, widths: list[int], palette: Palette) -> Pieces:
    pieces = [(" " * _LEFT, palette.blank), *aligned(label, label_width, palette)]
    for text, width in zip(texts, widths, strict=False):
        pieces.append((" ", palette.blank))
        pieces += aligned(text, width - 1, palette, Align.RIGHT)
    return pieces
