"""Charts in eighth blocks: lanes, shares, filled lines; equal time bins, newest at the right.

A bin that was not measured is a dot on the ground, never a zero. Where there are more bins than cells each bin
goes into exactly one cell; where there are fewer each is shown by one cell or more.
"""

from collections.abc import Callable, Sequence
from math import isfinite

from kubealive_tui.model import Align, Bins, Lane, Line, Lines, Role, Series, Span, Stack, Strip
from kubealive_tui.ui._profile import Palette
from kubealive_tui.ui.draw._strips import Piece, Pieces, aligned, clean, measure, paint

__all__ = ["bins_lines", "column_heights", "lane_rows", "lines_lines", "mark_line", "rebin", "stack_lines"]

Values = Sequence[float | None]

_BLOCKS = " ▁▂▃▄▅▆▇█"
_UNKNOWN = "·"
# Where charts begin at the left, as sentences do, and the cell between a chart and its labels.
_LEFT = 2
_GAP = 1
# A single lost request must be seen beside thousands of good ones, so failures are at least half a cell high.
_LEAST_FAILURE = 4
# Lines that a lane of failures takes at most: that some were lost is what it has to show.
_FAILURE_ROWS = 2


def rebin(values: Values, cells: int, merge: Callable[[list[float]], float]) -> list[float | None]:
    """The values in exactly `cells` cells; several bins in one cell are merged, unknown ones left out."""
    count = len(values)
    if count == 0:
        return [None] * cells
    merged: list[float | None] = []
    for cell in range(cells):
        begin = cell * count // cells
        end = max((cell + 1) * count // cells, begin + 1)
        known = [value for value in values[begin:end] if value is not None and isfinite(value)]
        merged.append(merge(known) if known else None)
    return merged


def column_heights(values: Values, top: float, rows: int, *, least: int = 1) -> list[int | None]:
    """Height of each value in eighths of a cell over `rows` rows; anything over nothing is at least `least`."""
    full = rows * 8
    heights: list[int | None] = []
    for value in values:
        if value is None:
            heights.append(None)
        elif value <= 0 or top <= 0:
            heights.append(0)
        else:
            heights.append(min(max(round(min(value / top, 1.0) * full), least), full))
    return heights


def bins_lines(view: Bins, width: int, room: int, palette: Palette) -> list[Pieces]:
    """The lanes in `room` lines, each at least one high, without the heading."""
    left = _LEFT + max((measure(lane.label) for lane in view.lanes), default=0) + _GAP
    heights = lane_rows(view.lanes, room)
    notes = _notes([(lane.scale, rows) for lane, rows in zip(view.lanes, heights, strict=True)], view.span)
    right = max(map(measure, notes), default=0) + _GAP
    plot = max(width - left - right - 1, 1)
    lines: list[Pieces] = []
    for lane, rows in zip(view.lanes, heights, strict=True):
        for row, blocks in enumerate(_lane(lane, plot, rows, palette)):
            label = lane.label if row == 0 else ""
            note = notes[len(lines)]
            lines.append([*_label(label, left, palette), *blocks, *_note(note, palette)])
    return lines


def stack_lines(view: Stack, width: int, room: int, palette: Palette) -> list[Pieces]:
    """The two shares as bands of one height, a full band being all."""
    lanes = tuple(
        Lane(label, shares, role, top=1.0, scale="100 %" if index == 0 else "")
        for index, (label, shares, role) in enumerate(zip(view.labels, view.shares, view.roles, strict=True))
    )
    return bins_lines(Bins(lanes, span=view.span), width, room // 2 * 2, palette)


def lines_lines(view: Lines, width: int, room: int, palette: Palette) -> list[Pieces]:
    """The filled chart with its target, and the step series under it, in `room` lines, without the heading."""
    rows = max(room - len(view.steps), 2)
    axis = _axis(view, rows)
    labels = [plain for plain, _ in axis.values()] + [series.label for series in view.steps]
    left = _LEFT + max(map(measure, labels)) + _GAP
    ends = [_last(series) for series in view.steps]
    right = max(map(measure, [*ends, "target" if view.target is not None else ""])) + _GAP
    plot = max(width - left - right - 1, 1)
    heights = column_heights(rebin(view.series.values, plot, _mean), view.top, rows)
    target = None if view.target is None else _row_of(view.target, view.top, rows)
    lines: list[Pieces] = []
    for row in range(rows):
        label, role = axis.get(row, ("", Role.MUTED))
        blocks = _level(heights, rows - 1 - row, view.series.role, palette, thin=row == target, floor=True)
        note: Line = (Span("target", Role.WAITING),) if row == target else ()
        lines.append([*_axis_label(label, left, role, palette), *blocks, *_edge(note, palette)])
    for series, end in zip(view.steps, ends, strict=True):
        top = max((value for each in view.steps for value in each.values if value is not None), default=0.0)
        blocks = _level(column_heights(rebin(series.values, plot, max), top, 1), 0, series.role, palette)
        edge: Line = (Span(end, series.role),)
        lines.append([*_axis_label(series.label, left, Role.DIM, palette), *blocks, *_edge(edge, palette)])
    return lines


def mark_line(view: Strip, width: int, palette: Palette) -> Pieces:
    """One glyph a moment behind the label; when there are too many the oldest are left out."""
    left = _LEFT + (measure(view.label) + _GAP if view.label else 0)
    room = max(width - left - 1, 0)
    marks: Line = tuple(Span(clean(glyph)[:1], role) for glyph, role in view.marks[-room:] if room)
    return [*_label(view.label, left, palette), *paint(marks, palette)]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def lane_rows(lanes: Sequence[Lane], room: int) -> list[int]:
    """Lines of each lane, one at least; lanes of failures take little of a large chart, the others the rest."""
    rows = [1] * len(lanes)
    caps = [_FAILURE_ROWS if lane.role is Role.BAD else room for lane in lanes]
    spare = room - len(lanes)
    while spare > 0:
        takers = [index for index, cap in enumerate(caps) if rows[index] < cap]
        if not takers:
            break
        rows[min(takers, key=lambda index: rows[index])] += 1
        spare -= 1
    return rows


def _notes(scales: Sequence[tuple[str, int]], span: str) -> list[str]:
    """What stands at the right of each line: a lane's scale at its top, the span in the lower right corner."""
    notes = [text if row == 0 else "" for text, rows in scales for row in range(rows)]
    if span and notes:
        notes[-1] = f"{notes[-1]}  {span}" if notes[-1] else span
    return notes


def _lane(lane: Lane, plot: int, rows: int, palette: Palette) -> list[list[Piece]]:
    failures = lane.role is Role.BAD
    values = rebin(lane.values, plot, max if failures else _mean)
    heights = column_heights(values, lane.top, rows, least=_LEAST_FAILURE if failures else 1)
    return [_level(heights, rows - 1 - row, lane.role, palette) for row in range(rows)]


def _level(
    heights: Sequence[int | None],
    level: int,
    role: Role,
    palette: Palette,
    *,
    thin: bool = False,
    floor: bool = False,
) -> list[Piece]:
    """One line of a filled chart, `level` lines above its ground.

    `thin` draws the target through it where the fill leaves the cell empty or fills it whole; with `floor` a
    known zero still shows as a thin ground line.
    """
    fill, unknown = palette[role], palette[Role.RULE]
    through, beside = palette.over(Role.WAITING, role), palette[Role.WAITING]
    pieces: list[Piece] = []
    for height in heights:
        eighths = 0 if height is None else min(max(height - level * 8, 0), 8)
        if floor and level == 0 and height is not None:
            eighths = max(eighths, 1)
        glyph, style = _BLOCKS[eighths], fill
        if thin and eighths in {0, 8}:
            glyph, style = "─", through if eighths else beside
        elif height is None and level == 0:
            glyph, style = _UNKNOWN, unknown
        if pieces and pieces[-1][1] is style:
            pieces[-1] = (pieces[-1][0] + glyph, style)
        else:
            pieces.append((glyph, style))
    return pieces


def _axis(view: Lines, rows: int) -> dict[int, tuple[str, Role]]:
    """Labels of the value axis by line; where two fall together the target's stays."""

    def text(value: float) -> str:
        return f"{value:g} {view.unit}".rstrip()

    axis = {0: (text(view.top), Role.DIM), rows - 1: (text(0), Role.DIM)}
    if view.target is not None:
        axis[_row_of(view.target, view.top, rows)] = (text(view.target), Role.WAITING)
    return axis


def _row_of(value: float, top: float, rows: int) -> int:
    """The line, from above, in which a value lies."""
    share = value / top if top > 0 else 0.0
    return min(max(rows - 1 - int(share * rows), 0), rows - 1)


def _last(series: Series) -> str:
    """The newest known value of a series."""
    value = next((value for value in reversed(series.values) if value is not None), None)
    return "–" if value is None else f"{value:g}"


def _label(text: str, width: int, palette: Palette) -> list[Piece]:
    return [(" " * _LEFT, palette.blank), *aligned((Span(text, Role.DIM),), width - _LEFT, palette)]


def _axis_label(text: str, width: int, role: Role, palette: Palette) -> list[Piece]:
    label: Line = (Span(text, role),)
    return [*aligned(label, width - _GAP, palette, Align.RIGHT), (" " * _GAP, palette.blank)]


def _note(text: str, palette: Palette) -> list[Piece]:
    return _edge((Span(text, Role.DIM),), palette)


def _edge(text: Line, palette: Palette) -> list[Piece]:
    return [(" " * _GAP, palette.blank), *paint(text, palette)]
