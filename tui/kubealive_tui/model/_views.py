"""The vocabulary in which an experiment says what its tab shows.

A view is data: the pane lays views out from top to bottom and draws each with a pure function. All nine tabs
are made of these; a view that only one tab could use does not belong here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from kubealive_tui.model._runs import Run
from kubealive_tui.model._text import Line, Role

__all__ = [
    "Align",
    "Bar",
    "Bins",
    "Cell",
    "Column",
    "Heading",
    "Lane",
    "Lines",
    "Matrix",
    "MatrixCell",
    "Rail",
    "Row",
    "Sentence",
    "Series",
    "Size",
    "Stack",
    "Strip",
    "Table",
    "View",
]


@dataclass(frozen=True, slots=True)
class Size:
    """Cells across and down that the terminal has."""

    width: int
    height: int


class Align(Enum):
    """Side of a column that its values keep to."""

    LEFT = auto()
    RIGHT = auto()


@dataclass(frozen=True, slots=True)
class Heading:
    """A rule line: a title at the left, key figures at the right."""

    title: Line
    figures: Line = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar in a cell; fraction of the cell, 0 to 1."""

    fraction: float
    role: Role = Role.ACCENT


Cell = Line | Bar


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `width` in cells; `grows` takes what is left over; `least` is the table's width from which the column is
    shown at all. A table is as wide as the terminal, and at least 80 where the timeline stands beside it.
    """

    title: str
    width: int
    align: Align = Align.LEFT
    grows: bool = False
    least: int = 80


@dataclass(frozen=True, slots=True)
class Row:
    """A row: one cell a column; `past` rows (gone, but counted) are drawn dimmed."""

    key: str
    cells: tuple[Cell, ...]
    past: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Objects in rows. `row` builds one row by its key, so that only visible rows cost anything.

    Selectable tables move the pointer; `most` caps the rows shown before the table scrolls, unless the screen
    has room to spare.
    """

    columns: tuple[Column, ...]
    keys: Sequence[str]
    row: Callable[[str], Row]
    heading: Heading | None = None
    selectable: bool = True
    most: int | None = None
    empty: Line = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """Equal time bins of one quantity, newest last; None where nothing was measured. `top` is the full height."""

    label: str
    values: tuple[float | None, ...]
    role: Role
    top: float
    scale: str = ""


@dataclass(frozen=True, slots=True)
class Bins:
    """Lanes over one time axis; `span` says how far back its left edge lies (`−60 s`)."""

    lanes: tuple[Lane, ...]
    heading: Heading | None = None
    span: str = ""
    rows_a_lane: int = 1


@dataclass(frozen=True, slots=True)
class Stack:
    """Shares that fill one height together, as two bands over time. Values are shares 0 to 1 of each bin."""

    labels: tuple[str, str]
    shares: tuple[tuple[float | None, ...], tuple[float | None, ...]]
    roles: tuple[Role, Role] = (Role.VERSION_NEW, Role.VERSION_OLD)
    heading: Heading | None = None
    span: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart; values by equal time bins, newest last."""

    label: str
    values: tuple[float | None, ...]
    role: Role = Role.ACCENT


@dataclass(frozen=True, slots=True)
class Lines:
    """A filled chart with a target as a thin line through it, and step series below on the same axis."""

    series: Series
    top: float
    unit: str = ""
    target: float | None = None
    steps: tuple[Series, ...] = ()
    heading: Heading | None = None
    rows: int = 5


@dataclass(frozen=True, slots=True)
class Rail:
    """The stopwatch of a run, drawn to scale; without a run a sentence says which keys start one.

    Without a heading the rail makes its own from the run; `figure` stands there in the place of what clients lost,
    on tabs that measure something else. `now_us` is the agent's time: an open run is drawn up to it.
    """

    run: Run | None
    heading: Heading | None = None
    figure: Line = ()
    hint: Line = ()
    now_us: int | None = None


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One cell of a matrix."""

    text: Line


@dataclass(frozen=True, slots=True)
class Matrix:
    """Results in rows and columns (strategy × drain, name × record type)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[MatrixCell, ...]], ...]
    heading: Heading | None = None
    label_width: int = 16


@dataclass(frozen=True, slots=True)
class Strip:
    """One glyph a moment, newest last: probes, ticks."""

    label: str
    marks: tuple[tuple[str, Role], ...]
    heading: Heading | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of words; wraps nowhere, cut at the edge."""

    text: Line
    heading: Heading | None = None


View = Table | Bins | Stack | Lines | Rail | Matrix | Strip | Sentence
