"""Where everything goes: one frame from a screen model.

From the top: header, tabs, lesson, views, timeline, keys. Where room is short views give way by the rules of
`share_out`; where there is more, tables show all rows, charts grow and the timeline gets longer. A wide terminal
has the timeline beside the views.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from textual.strip import Strip

from kubealive_tui.model import Heading, Role, Size, Table, line
from kubealive_tui.ui._profile import Palette
from kubealive_tui.ui.draw._blocks import STAGES, Block, Pointing, block_of, share_out
from kubealive_tui.ui.draw._frame import (
    entry_line,
    entry_lines,
    header_line,
    key_line,
    lesson_line,
    rule_line,
    tab_line,
)
from kubealive_tui.ui.draw._screen import Composition, Hit, ScreenModel
from kubealive_tui.ui.draw._strips import Pieces, beside, measure, strip_of
from kubealive_tui.ui.draw._table import NOWHERE, Drawing, Window

__all__ = ["LEAST", "SIDE_BY_SIDE", "compose", "views_size"]

# The smallest terminal that holds a whole tab, and the width from which the timeline stands beside it.
LEAST = Size(80, 24)
SIDE_BY_SIDE = 140
# Cells of the timeline beside the views: what a usual entry needs, and no more than its share of a wide screen.
_TIMELINE_LEAST = 58
_TIMELINE_SHARE = 0.4
_VIEWS_WANTED = 100
_GUTTER = 1
# Header, tabs and lesson.
_TOP = 3
# A terminal is never higher than this.
_ENDLESS = 10_000
# Room beyond this goes to charts as well, half and half with the timeline.
_TIMELINE_FIRST = 8


@dataclass(slots=True)
class _Body:
    """Lines between lesson and keys as they are put together."""

    lines: list[Pieces] = field(default_factory=list)
    rows: dict[int, str] = field(default_factory=dict)
    window: Window = NOWHERE
    pointer: int | None = None
    timeline_page: int = 0

    def add(self, drawing: Drawing, *, pointed: bool) -> None:
        """Append a view's lines and remember which of them are rows."""
        base = len(self.lines)
        self.rows.update({base + offset: key for offset, key in enumerate(drawing.keys) if key is not None})
        self.lines += drawing.lines
        if pointed:
            self.window = drawing.window
            self.pointer = None if drawing.pointer is None else base + drawing.pointer


def compose(screen: ScreenModel, size: Size, palette: Palette) -> Composition:
    """The frame of this screen: `size.height` strips of `size.width` cells, and what lies where for the mouse.

    Below 80x24 the frame says so and shows nothing else.
    """
    if size.width < LEAST.width or size.height < LEAST.height:
        return Composition(_too_small(size, palette))
    data = palette.stale if screen.stale else palette
    room = size.height - _TOP - 1 - (1 if screen.notice else 0)
    wide = size.width >= SIDE_BY_SIDE
    body = _body(screen, Size(_views_width(size.width) if wide else size.width, room), data, wide=wide)
    tabs, tab_hits = tab_line(screen.tabs, screen.active, size.width, palette)
    top = [header_line(screen.header, size.width, palette), tabs, lesson_line(screen.lesson, palette)]
    bottom, key_hits = _bottom(screen, size.width, palette)
    lines = [*body.lines[:room], *[()] * (room - len(body.lines))]
    middle = _strips(lines, size.width, data)
    if wide:
        views = _views_width(size.width)
        timeline, body.timeline_page = _side(screen, Size(size.width - views - _GUTTER, room), data)
        middle = _beside(lines, timeline, size.width, data)
    return Composition(
        strips=(*_strips(top, size.width, palette), *middle, *_strips(bottom, size.width, palette)),
        rows={_TOP + at: key for at, key in body.rows.items() if at < room},
        tabs=tab_hits,
        keys=key_hits,
        scroll=body.window.first,
        page=body.window.size,
        timeline_page=body.timeline_page,
        cursor=_cursor(screen, body, size),
    )


def views_size(size: Size) -> Size:
    """What a screen of this size leaves to the views: less across where the timeline stands beside them."""
    return Size(_views_width(size.width), size.height) if size.width >= SIDE_BY_SIDE else size


def _views_width(width: int) -> int:
    """Cells of the views where the timeline stands beside them."""
    timeline = max(min(width - _VIEWS_WANTED - _GUTTER, round(width * _TIMELINE_SHARE)), _TIMELINE_LEAST)
    return width - timeline - _GUTTER


def _strips(lines: Sequence[Pieces], width: int, palette: Palette) -> list[Strip]:
    return [strip_of(pieces, width, palette) for pieces in lines]


def _body(screen: ScreenModel, area: Size, palette: Palette, *, wide: bool) -> _Body:
    """The views in `area`, and under them the timeline unless it stands beside."""
    pointed = _pointed(screen)
    pointing = Pointing(screen.selected, screen.scroll)
    blocks = [
        block_of(view, area.width, palette, pointing if index == pointed else None)
        for index, view in enumerate(screen.views)
    ]
    if not wide:
        blocks.append(_timeline(screen, palette))
    heights = share_out(blocks, area.height)
    spare = area.height - sum(heights) - sum(block.head for block in blocks)
    gaps = sum(block.head for block in blocks[1:])
    apart = wide and spare >= 2 * gaps
    _grow(blocks, heights, spare - (gaps if apart else 0), wide=wide)
    body = _Body(timeline_page=0 if wide else heights[-1])
    for index, (block, height) in enumerate(zip(blocks, heights, strict=True)):
        if block.heading and apart and body.lines:
            body.lines.append(())
        if block.heading:
            body.lines.append(rule_line(block.heading, area.width, palette))
        body.add(block.draw(height), pointed=index == pointed)
    return body


def _pointed(screen: ScreenModel) -> int | None:
    """The view that has the pointer: the first selectable table with the selected row, else the first one."""
    tables = [index for index, view in enumerate(screen.views) if isinstance(view, Table) and view.selectable]
    for index in tables:
        view = screen.views[index]
        if isinstance(view, Table) and screen.selected in view.keys:
            return index
    return tables[0] if tables else None


def _timeline(screen: ScreenModel, palette: Palette) -> Block:
    """The timeline as the last block: two entries at least, and one where tables need the line."""
    heading = _timeline_heading(screen)

    def draw(room: int) -> Drawing:
        lines = _entries(screen, room, palette)
        return Drawing(lines, (None,) * len(lines), NOWHERE)

    return Block(heading, 2, (2, 2, *[1] * (STAGES - 2)), _ENDLESS, draw)


def _timeline_heading(screen: ScreenModel) -> Heading:
    """What its figures say, or how many newer entries are above the first that is shown."""
    above = _first_entry(screen) if screen.timeline else 0
    figures = line((f"{above} newer ↑", Role.WAITING), ("; K goes back", Role.MUTED)) if above else ()
    return Heading(screen.timeline_title, figures or screen.timeline_figures)


def _entries(screen: ScreenModel, room: int, palette: Palette) -> list[Pieces]:
    """As many entries as there is room for, newest first."""
    if not screen.timeline:
        return [lesson_line(line(" ", *screen.timeline_empty), palette)]
    first = _first_entry(screen)
    last = min(first + room, len(screen.timeline))
    return [entry_line(screen.timeline[index], screen.header.zone, palette) for index in range(first, last)]


def _first_entry(screen: ScreenModel) -> int:
    """The newest entry that is shown."""
    return min(max(screen.timeline_scroll, 0), len(screen.timeline) - 1)


def _grow(blocks: Sequence[Block], heights: list[int], spare: int, *, wide: bool) -> None:
    """Give away lines that nobody wants: to hidden rows first, then to charts; a timeline below takes the rest."""
    views = [index for index, block in enumerate(blocks) if wide or index < len(blocks) - 1]
    if spare <= 0:
        return
    given = _give([i for i in views if not blocks[i].grows], blocks, heights, spare if wide else spare // 2)
    spare -= given
    charts = spare if wide else max(spare - _TIMELINE_FIRST, 0) // 2
    spare -= _give([i for i in views if blocks[i].grows], blocks, heights, charts)
    if not wide:
        heights[-1] += spare


def _give(takers: Sequence[int], blocks: Sequence[Block], heights: list[int], lines: int) -> int:
    """Hand out up to `lines`, in turns and in the steps that each block grows by; how many were taken."""
    given = 0
    turns = True
    while turns:
        turns = False
        for index in takers:
            step = blocks[index].step
            if heights[index] + step <= blocks[index].most and given + step <= lines:
                heights[index] += step
                given += step
                turns = True
    return given


def _beside(lines: Sequence[Pieces], timeline: Sequence[Pieces], width: int, palette: Palette) -> list[Strip]:
    """The views with the timeline at their right."""
    gutter = (" " * _GUTTER, palette.blank)
    right = [*timeline, *[()] * (len(lines) - len(timeline))]
    return [
        beside(left, _views_width(width), [gutter, *words], width, palette)
        for left, words in zip(lines, right, strict=True)
    ]


def _side(screen: ScreenModel, area: Size, palette: Palette) -> tuple[list[Pieces], int]:
    """The timeline as a column of its own with its heading, and how many entries it holds."""
    lines = [rule_line(_timeline_heading(screen), area.width, palette)]
    if not screen.timeline:
        return [*lines, *_entries(screen, 1, palette)], 0
    shown = 0
    for index in range(_first_entry(screen), len(screen.timeline)):
        entry = entry_lines(screen.timeline[index], screen.header.zone, area.width, palette)
        if len(lines) + len(entry) > area.height:
            break
        lines += entry
        shown += 1
    return lines, shown


def _bottom(screen: ScreenModel, width: int, palette: Palette) -> tuple[list[Pieces], tuple[Hit, ...]]:
    """The notice if there is one, and the keys or what is asked in their place."""
    notice = [lesson_line(screen.notice, palette)] if screen.notice else []
    if screen.prompt:
        return [*notice, lesson_line(screen.prompt, palette)], ()
    keys, hits = key_line(screen.keys, width, palette)
    return [*notice, keys], hits


def _cursor(screen: ScreenModel, body: _Body, size: Size) -> tuple[int, int] | None:
    """Where a reader's cursor belongs: behind what is being typed, else on the selected row."""
    if screen.prompt:
        return min(1 + measure(screen.prompt), size.width - 1), size.height - 1
    return None if body.pointer is None else (1, _TOP + body.pointer)


def _too_small(size: Size, palette: Palette) -> tuple[Strip, ...]:
    """One page that names the least size and the one at hand."""
    words = [
        line(("too small", Role.STRONG)),
        line("kubealive needs ", (f"{LEAST.width}x{LEAST.height}", Role.STRONG)),
        line("this terminal is ", (f"{size.width}x{size.height}", Role.WAITING)),
        line(("make it larger, or q to quit", Role.MUTED)),
    ]
    lines: list[Pieces] = [lesson_line(text, palette) for text in words[: size.height]]
    lines += [()] * (size.height - len(lines))
    return tuple(_strips(lines, size.width, palette))
