"""What a screen says, and what drawing it gives back: the two ends of `compose`.

The pump fills a `ScreenModel` from store and experiment; the canvas shows the strips of a `Composition` and asks
its hits what lies under the mouse. Neither holds anything that changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from textual.strip import Strip

from kubealive_tui.model import Entry, Line, LinkState, Role, Span, View

__all__ = ["Composition", "Header", "Hit", "KeyHint", "Replay", "ScreenModel", "Tab"]

_TIMELINE: Line = (Span("TIMELINE", Role.STRONG),)
_NEWEST_FIRST: Line = (Span("newest first", Role.DIM),)
_NOTHING_YET: Line = (Span("nothing has happened yet", Role.DIM),)


@dataclass(frozen=True, slots=True)
class Replay:
    """Where a recording stands; seconds since its begin."""

    position_s: float
    length_s: float
    speed: float = 1.0
    playing: bool = True


@dataclass(frozen=True, slots=True)
class Header:
    """Where am I: the first line.

    `age_s` is how long the shown data has been without news; it is said when the link is not live. None counts
    (nodes, viewers) and a None clock are left out rather than guessed; `now_us` is agent time. With `replay` a
    position stands in the clock's place.
    """

    context: str
    namespace: str
    link: LinkState
    reason: str = ""
    attempt: int = 0
    round_trip_ms: float | None = None
    age_s: float | None = None
    nodes: int | None = None
    viewers: int | None = None
    read_only: bool = False
    frozen: bool = False
    now_us: int | None = None
    zone: tzinfo = UTC
    replay: Replay | None = None


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: the digit that opens it (empty beyond nine) and its short title."""

    digit: str
    title: str


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key of this tab and what it does; `key` may be two keys with one meaning (`+ -`)."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class ScreenModel:
    """Everything that one frame shows.

    `active` is an index into `tabs`. `timeline` is newest first and only its visible entries are asked for.
    `selected` is the row key under the pointer, in the first selectable table that has it; `scroll` is that
    table's first visible row as the last composition gave it back. `stale` dims all data. `notice` is one line
    of words (a refusal) above the keys; `prompt` stands in the keys' place (filter, confirmation), with the
    cursor behind it.
    """

    header: Header
    tabs: tuple[Tab, ...]
    active: int
    lesson: Line
    views: Sequence[View]
    timeline: Sequence[Entry] = ()
    timeline_title: Line = _TIMELINE
    timeline_figures: Line = _NEWEST_FIRST
    timeline_empty: Line = _NOTHING_YET
    timeline_scroll: int = 0
    keys: tuple[KeyHint, ...] = ()
    selected: str = ""
    scroll: int = 0
    stale: bool = False
    notice: Line = ()
    prompt: Line = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """Cells `start` to `end` (excluded) of one line, and what they stand for: a tab's index, a key."""

    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True)
class Composition:
    """A drawn screen: exactly as many strips as the terminal has lines, each exactly as wide.

    `rows` maps a line to the key of the table row drawn there. `tabs` (values are indices) lie on `tab_line`,
    `keys` (values as in `KeyHint.key`) on the last line. `scroll` and `page` are the first row and the number of
    rows of the selectable table; pass `scroll` into the next model. `cursor` (x, y) is where a reader's cursor
    belongs: behind the prompt, or on the selected row.
    """

    strips: tuple[Strip, ...]
    rows: Mapping[int, str] = field(default_factory=dict)
    tabs: tuple[Hit, ...] = ()
    tab_line: int = 1
    keys: tuple[Hit, ...] = ()
    scroll: int = 0
    page: int = 0
    timeline_page: int = 0
    cursor: tuple[int, int] | None = None
