"""Views as blocks of lines: how high each wants to be, what it can do without, and how it is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from kubealive_tui.model import (
    Bins,
    Heading,
    Lines,
    Matrix,
    Rail,
    Sentence,
    Stack,
    Strip,
    Table,
    View,
)
from kubealive_tui.ui._profile import Palette
from kubealive_tui.ui.draw._charts import bins_lines, lines_lines, mark_line, stack_lines
from kubealive_tui.ui.draw._matrix import matrix_lines
from kubealive_tui.ui.draw._rail import milestone_lines, rail_heading, rail_lines
from kubealive_tui.ui.draw._strips import Pieces, paint
from kubealive_tui.ui.draw._table import NOWHERE, Drawing, has_header, table_lines

__all__ = ["STAGES", "Block", "Pointing", "block_of", "share_out"]

# Rows of a table that stay visible at each stage of want; below the last nothing of use is left.
_ROWS = (12, 12, 12, 6, 4, 2)
# Rail, times, words.
_RAIL = 3
# A chart's own lines: comfortable, least, and the most that more room gives it.
_CHART_COMFORT = 4
_CHART_LEAST = 2
_CHART_MOST = 16
_LANE_MOST = 6
# Stages of want: long tables give way first, then charts, the timeline's third line, tables again, and all.
STAGES = len(_ROWS)


@dataclass(frozen=True, slots=True)
class Pointing:
    """Where the pointer is: the selected key and the first visible row."""

    selected: str = ""
    scroll: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """A view's lines, its heading not counted.

    It wants `wanted` lines, makes do with `floors[stage]` at each stage of want, and uses up to `most`. `draw`
    takes the lines that it got. `grows` marks charts, which take room that nobody wants, `step` lines at a time.
    """

    heading: Heading | None
    wanted: int
    floors: tuple[int, ...]
    most: int
    draw: Callable[[int], Drawing]
    grows: bool = False
    step: int = 1

    @property
    def head(self) -> int:
        """Lines of the heading."""
        return 1 if self.heading else 0


def block_of(view: View, width: int, palette: Palette, pointing: Pointing | None) -> Block:
    """The view as a block; `pointing` is given to the one table that has the pointer."""
    match view:
        case Table():
            return _table(view, width, palette, pointing or Pointing())
        case Bins() | Stack() | Lines():
            return _chart(view, width, palette)
        case Matrix():
            wanted = 1 + len(view.rows)
            floors = _steps(wanted, wanted, min(wanted, 3))
            return Block(
                view.heading, wanted, floors, wanted, lambda room: _plain(matrix_lines(view, width, room, palette))
            )
        case Rail():
            return _rail(view, width, palette)
        case Strip():
            return _fixed(view.heading, [mark_line(view, width, palette)])
        case Sentence():
            return _fixed(view.heading, [[("  ", palette.blank), *paint(view.text, palette)]])


def _rail(view: Rail, width: int, palette: Palette) -> Block:
    """The rail; with room for all of them the milestones stand under it as a list."""
    if view.run is None:
        return _fixed(view.heading, rail_lines(view, width, palette))
    run = view.run
    heading = view.heading or rail_heading(run, view.now_us, figure=view.figure)

    def draw(room: int) -> Drawing:
        lines = rail_lines(view, width, palette)
        return _plain(lines + milestone_lines(run, palette) if room > len(lines) else lines[:room])

    count = len(run.milestones)
    return Block(heading, _RAIL, (_RAIL,) * STAGES, _RAIL + count, draw, step=max(count, 1))


def _table(view: Table, width: int, palette: Palette, pointing: Pointing) -> Block:
    head = 1 if has_header(view) and view.keys else 0
    count = max(len(view.keys), 1)
    wanted = head + min(count, view.most or count)
    floors = tuple(min(wanted, head + rows) for rows in _ROWS)

    def draw(room: int) -> Drawing:
        return table_lines(view, width, room, palette, selected=pointing.selected, scroll=pointing.scroll)

    return Block(view.heading, wanted, floors, head + count, draw)


def _steps(wanted: int, comfort: int, least: int) -> tuple[int, ...]:
    return (wanted, comfort, comfort, comfort, comfort, least)


def _chart(view: Bins | Stack | Lines, width: int, palette: Palette) -> Block:
    draw: Callable[[int], list[Pieces]]
    match view:
        case Lines():
            steps = len(view.steps)
            floors = _steps(view.rows + steps, min(_CHART_COMFORT, view.rows) + steps, _CHART_LEAST + steps)
            most, step = _CHART_MOST + steps, 1
            draw = partial(lines_lines, view, width, palette=palette)
        case Bins():
            lanes, step = max(len(view.lanes), 1), 1
            floors = _steps(lanes * view.rows_a_lane, lanes, lanes)
            most = lanes * _LANE_MOST
            draw = partial(bins_lines, view, width, palette=palette)
        case Stack():
            step, floors, most = 2, _steps(2, 2, 2), 2 * _LANE_MOST
            draw = partial(stack_lines, view, width, palette=palette)
    wanted = floors[0]
    return Block(
        view.heading, wanted, floors, max(most, wanted), lambda room: _plain(draw(room)), grows=True, step=step
    )


def _fixed(heading: Heading | None, lines: list[Pieces]) -> Block:
    return Block(heading, len(lines), (len(lines),) * STAGES, len(lines), lambda room: _plain(lines[:room]))


def _plain(lines: list[Pieces]) -> Drawing:
    return Drawing(lines, (None,) * len(lines), NOWHERE)


def share_out(blocks: Sequence[Block], room: int) -> list[int]:
    """Lines for each block, headings not counted, so that all together take at most `room` if they can.

    Stage by stage the block that is furthest over its floor gives up a line, until all fits.
    """
    heights = [block.wanted for block in blocks]
    over = sum(heights) + sum(block.head for block in blocks) - room
    for stage in range(STAGES):
        while over > 0:
            spare = [height - block.floors[stage] for height, block in zip(heights, blocks, strict=True)]
            if max(spare, default=0) <= 0:
                break
            heights[spare.index(max(spare))] -= 1
            over -= 1
    return heights
