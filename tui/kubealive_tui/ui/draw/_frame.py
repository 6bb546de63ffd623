"""The lines around the views: where am I, tabs, lesson, rules, timeline, keys."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from kubealive_tui.model import GLYPH, Entry, Heading, Line, LinkState, Role, Span, line
from kubealive_tui.ui._profile import Palette
from kubealive_tui.ui.draw._screen import Header, Hit, KeyHint, Replay, Tab
from kubealive_tui.ui.draw._strips import Piece, Pieces, aligned, cut, cut_line, measure, paint, wrap_line

__all__ = [
    "clock",
    "entry_line",
    "entry_lines",
    "header_line",
    "key_line",
    "lesson_line",
    "rule_line",
    "tab_line",
]

_LINK_ROLE = {
    LinkState.CONNECTED: Role.GOOD,
    LinkState.REPLAYING: Role.ACCENT,
    LinkState.ENDED: Role.MUTED,
    LinkState.DEGRADED: Role.WAITING,
    LinkState.NOT_INSTALLED: Role.MUTED,
    LinkState.FAILED: Role.BAD,
}
_LINK_GLYPH = {
    LinkState.REPLAYING: "▶",
    LinkState.ENDED: "■",
    LinkState.DEGRADED: "◌",
    LinkState.NOT_INSTALLED: "–",
}
# Cells kept for context and namespace, the fewest in which a reason says anything, and those it gets before
# clock and counts do.
_LEAST_WHERE = 25
_LEAST_REASON = 12
_REASON_WANTED = 32
_REPLAY_BAR = 16
_STALE_RANK = 3
_LINK_RANK = 4
_SOURCE_CELLS = 9
# Of a rule's title as much stays as names what the figures are of: `CRASH exit 7 …676`.
_TITLE_CELLS = 18
# Cells before an entry's words, and lines that one entry may take beside the views.
_ENTRY_HEAD = 16 + _SOURCE_CELLS
_ENTRY_LINES = 3
# Angle marks: a step down in the path of names, and tabs that lie beyond an edge.
_BEYOND_LEFT = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
_BEYOND_RIGHT = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"


def header_line(header: Header, width: int, palette: Palette) -> Pieces:
    """Where am I at the left, link, nodes, viewers and clock at the right; the least important gives way first."""
    where = line(
        ("kubealive ", Role.ACCENT),
        (header.context, Role.MUTED),
        (f" {_BEYOND_RIGHT} ", Role.MUTED),
        header.namespace,
    )
    room = width - 2
    facts = _facts(header, room - _LEAST_WHERE - 2)
    right: list[Span] = []
    for fact in facts:
        right += [Span("  "), *fact] if right else fact
    where = cut_line(where, max(room - measure(tuple(right)) - 2, 0))
    gap = room - measure(where) - measure(tuple(right))
    pieces = [(" ", palette.blank), *paint(where, palette), (" " * max(gap, 0), palette.blank)]
    pieces += paint(tuple(right), palette)
    pieces[1] = (pieces[1][0], palette.bold(Role.ACCENT))
    return pieces


def _facts(header: Header, room: int) -> list[Line]:
    """What stands at the right, in order; what has no room is left out, the lowest of the ranks first.

    Why the link is lost stands behind the link's word, and clock and counts make room for it.
    """
    ranked = [(rank, fact) for rank, fact in _ranked(header) if fact]

    said = header.reason if not header.link.live else ""
    reason = min(measure(said) + 2, _REASON_WANTED) if said else 0

    def used() -> int:
        return sum(measure(fact) + 2 for _, fact in ranked) - 2

    while len(ranked) > 1 and used() + reason > room:
        least = min(ranked, key=lambda pair: pair[0])
        if used() <= room and least[0] >= _STALE_RANK:
            break
        ranked.remove(least)
    if said and room - used() >= _LEAST_REASON:
        words = line((cut(f": {said}", room - used()), Role.MUTED))
        ranked = [(rank, line(fact, words) if rank == _LINK_RANK else fact) for rank, fact in ranked]
    return [fact for _, fact in ranked]


def _ranked(header: Header) -> list[tuple[int, Line]]:
    """Everything there is to say, in order, each with its rank; empty where it is not known."""
    stale = header.age_s is not None and not header.link.live
    time: Line = () if header.now_us is None else line((clock(header.now_us, header.zone), Role.STRONG))
    return [
        (_LINK_RANK, _link(header)),
        (_STALE_RANK, line((f"data {_age(header.age_s or 0.0)} old", Role.WAITING)) if stale else ()),
        (1, _counted(header.nodes, "node", "nodes")),
        (0, _counted(header.viewers, "here", "here")),
        (5, line(("READ-ONLY", Role.WAITING)) if header.read_only else ()),
        (6, line(("FROZEN", Role.WAITING)) if header.frozen else ()),
        (2, time if header.replay is None else _position(header.replay)),
    ]


def _counted(count: int | None, one: str, many: str) -> Line:
    return () if count is None else line((f"{count} {one if count == 1 else many}", Role.MUTED))


def _link(header: Header) -> Line:
    """Glyph and word of the link, with its round trip or the attempt."""
    role = _LINK_ROLE.get(header.link, Role.WAITING)
    glyph = _LINK_GLYPH.get(header.link) or GLYPH[role]
    words = header.link.value
    if header.link is LinkState.CONNECTED and header.round_trip_ms is not None:
        words = f"{words} {header.round_trip_ms:.0f} ms"
    if header.attempt > 0 and header.link is LinkState.RECONNECTING:
        words = f"{words} ({header.attempt})"
    return line((f"{glyph} {words}", role))


def _position(replay: Replay) -> Line:
    """Where a recording stands: a bar, both times, and the speed when it is not one."""
    share = replay.position_s / replay.length_s if replay.length_s > 0 else 1.0
    done = round(min(max(share, 0.0), 1.0) * _REPLAY_BAR)
    speed = "" if replay.speed == 1.0 else f" ×{replay.speed:g}"
    state = "" if replay.playing else " paused"
    times = f" {_minutes(replay.position_s)} / {_minutes(replay.length_s)}"
    return line(
        ("━" * done, Role.ACCENT), ("─" * (_REPLAY_BAR - done), Role.RULE), times, (speed + state, Role.MUTED)
    )


def _minutes(seconds: float) -> str:
    whole = max(int(seconds), 0)
    return f"{whole // 60}:{whole % 60:02d}"


def _age(seconds: float) -> str:
    whole = max(int(seconds), 0)
    if whole < 100:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 100 * 60 else f"{whole // 3600} h"


def clock(at_us: int, zone: tzinfo) -> str:
    """The time of day in a zone."""
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(zone):%H:%M:%S}"


def tab_line(tabs: Sequence[Tab], active: int, width: int, palette: Palette) -> tuple[Pieces, tuple[Hit, ...]]:
    """The tabs, the active one in reverse, and where each lies; too many scroll, with angle marks at the edges."""
    first, last = _shown_tabs(tabs, active, width)
    pieces: list[Piece] = [(_BEYOND_LEFT if first > 0 else " ", palette[Role.MUTED])]
    hits: list[Hit] = []
    at = 1
    for index in range(first, last):
        tab = tabs[index]
        chosen = index == active
        start = at
        if chosen:
            text = f" {_tab_text(tab)} "
            pieces.append((text, palette.tab))
        else:
            text = f"{_tab_text(tab)} "
            digit = f"{tab.digit} " if tab.digit else ""
            pieces += [(digit, palette[Role.DIM]), (text[len(digit) :], palette[Role.MUTED])]
        at += measure(text)
        hits.append(Hit(start, at, str(index)))
        if chosen:
            pieces.append((" ", palette.blank))
            at += 1
    if last < len(tabs):
        pieces += [(" " * max(width - 1 - at, 0), palette.blank), (_BEYOND_RIGHT, palette[Role.MUTED])]
    return pieces, tuple(hits)


def _tab_text(tab: Tab) -> str:
    return f"{tab.digit} {tab.title}" if tab.digit else tab.title


def _shown_tabs(tabs: Sequence[Tab], active: int, width: int) -> tuple[int, int]:
    """The range of tabs that fits: from the first on where possible, else so that the active one is seen."""
    sizes = [measure(_tab_text(tab)) + (3 if index == active else 1) for index, tab in enumerate(tabs)]
    room = width - 2
    first = 0
    while first < active and sum(sizes[first : active + 1]) > room:
        first += 1
    last = first
    while last < len(tabs) and sum(sizes[first : last + 1]) <= room:
        last += 1
    return first, last


def lesson_line(lesson: Line, palette: Palette) -> Pieces:
    """What to look at, in one sentence."""
    return [(" ", palette.blank), *paint(lesson, palette)]


def rule_line(heading: Heading, width: int, palette: Palette) -> Pieces:
    """`─ TITLE ───── figures`, the figures at the right edge; the title is cut before they are, but its begin."""
    kept = min(measure(heading.title), _TITLE_CELLS, width // 4)
    figures = cut_line(heading.figures, max(width - 6 - kept, 0))
    title = cut_line(heading.title, max(width - measure(figures) - 6, 0))
    rule = palette[Role.RULE]
    fill = width - 2 - measure(title) - 1 - (measure(figures) + 1 if figures else 0)
    pieces = [("─ ", rule), *paint(title, palette), (" ", palette.blank), ("─" * max(fill, 0), rule)]
    return [*pieces, (" ", palette.blank), *paint(figures, palette)] if figures else pieces


def entry_line(entry: Entry, zone: tzinfo, palette: Palette) -> Pieces:
    """`HH:MM:SS.mmm source words` with the source in its colour; equal happenings are counted at the end."""
    return [*_entry_head(entry, zone, palette), *paint(_entry_words(entry), palette)]


def entry_lines(entry: Entry, zone: tzinfo, width: int, palette: Palette) -> list[Pieces]:
    """The entry in a narrow column: words that do not fit go on below their begin."""
    first, *more = wrap_line(_entry_words(entry), width - _ENTRY_HEAD, _ENTRY_LINES)
    indent = (" " * _ENTRY_HEAD, palette.blank)
    return [
        [*_entry_head(entry, zone, palette), *paint(first, palette)],
        *([indent, *paint(words, palette)] for words in more),
    ]


def _entry_head(entry: Entry, zone: tzinfo, palette: Palette) -> list[Piece]:
    stamp = f"{clock(entry.at_us, zone)}.{entry.at_us // 1000 % 1000:03d}"
    source: Line = (Span(entry.source, entry.role),)
    return [
        ("  ", palette.blank),
        (f"{stamp} ", palette[Role.MUTED]),
        *aligned(source, _SOURCE_CELLS, palette),
        (" ", palette.blank),
    ]


def _entry_words(entry: Entry) -> Line:
    return line(entry.text, (f" ×{entry.count}", Role.MUTED)) if entry.count > 1 else entry.text


def key_line(keys: Sequence[KeyHint], width: int, palette: Palette) -> tuple[Pieces, tuple[Hit, ...]]:
    """The keys of this tab, as many as fit, and where each lies; `?` is always the last."""
    pieces: list[Piece] = [(" ", palette.blank)]
    hits: list[Hit] = []
    at = 1
    for hint in (hint for hint in keys if hint.key != "?"):
        size = measure(hint.key) + 1 + measure(hint.label)
        if at + size + 2 + 1 > width:
            break
        pieces += paint_key(hint, palette)
        pieces.append(("  ", palette.blank))
        hits.append(Hit(at, at + size, hint.key))
        at += size + 2
    pieces.append(("?", palette.bold(Role.ACCENT)))
    return pieces, (*hits, Hit(at, at + 1, "?"))


def paint_key(hint: KeyHint, palette: Palette) -> list[Piece]:
    """A key in its colour and what it does."""
    label: Line = (Span(f" {hint.label}", Role.MUTED),)
    key: Line = (Span(hint.key),)
    return [(text, palette.bold(Role.ACCENT)) for text, _ in paint(key, palette)] + paint(label, palette)
