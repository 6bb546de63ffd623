"""Dialogs as data, and the one function that draws them.

A dialog takes the lower part of the screen, as much as its text needs and no more, so that the rows it is about
stay in sight. What does not fit scrolls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Protocol

from rich.cells import cell_len

from kubealive_tui.model import Heading, Line, Role, Size, Span, line
from kubealive_tui.ui._profile import Palette as Colours
from kubealive_tui.ui.draw import Composition, KeyHint, key_line, paint, rule_line, strip_of

__all__ = ["Dialog", "Page", "Reply", "Text", "overlay", "wrapped"]

# Header and tabs stay in sight: where am I holds for what a dialog asks, too.
LINES_KEPT_ABOVE = 2
_INDENT = 2


class Reply(Enum):
    """What a key did to a dialog."""

    STAY = auto()
    CLOSE = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Page:
    """A dialog as it is drawn: `lines` are wrapped to the width, `marked` is one of them, kept in sight."""

    title: Line
    lines: Sequence[Line]
    keys: tuple[KeyHint, ...]
    scroll: int = 0
    marked: int | None = None
    figures: Line = ()


class Dialog(Protocol):
    """Something open over a tab."""

    def page(self, size: Size, /) -> Page:
        """What it shows now, at most `size.height` lines of it at once."""
        ...

    def press(self, key: str) -> Reply:
        """React to a key."""
        ...

    def paste(self, text: str) -> None:
        """Take pasted text."""
        ...


class Text:
    """A dialog to read. `lines` is asked at every frame, so that what it says stays true while it is open."""

    def __init__(
        self,
        title: Line,
        lines: Callable[[], Sequence[Line]],
        *,
        keys: tuple[KeyHint, ...] = (),
        on_key: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._title = title
        self._lines = lines
        self._keys = keys
        self._on_key = on_key
        self._scroll = 0
        self._room = self._length = 1

    def page(self, size: Size) -> Page:
        """The text, wrapped, from where it is scrolled to."""
        lines = [piece for text in self._lines() for piece in wrapped(text, size.width - 2 * _INDENT)]
        self._room, self._length = size.height, len(lines)
        self._scroll = min(self._scroll, max(self._length - self._room, 0))
        keys = (*self._keys, KeyHint("esc", "close"))
        if self._length > self._room:
            keys = (*keys, KeyHint("j k", "scroll"))
        return Page(self._title, lines, keys, self._scroll)

    def press(self, key: str) -> Reply:
        """Scroll, or close."""
        steps = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": self._room, "space": self._room}
        steps |= {"pageup": -self._room, "g": -self._length, "home": -self._length}
        steps |= {"G": self._length, "end": self._length}
        if key in steps:
            last = max(self._length - self._room, 0)
            self._scroll = min(max(self._scroll + steps[key], 0), last)
            return Reply.STAY
        if key in {"escape", "enter", "q", "?", "e"}:
            return Reply.CLOSE
        if key == "ctrl+c":
            return Reply.QUIT
        self._on_key(key)
        return Reply.STAY

    def paste(self, text: str) -> None:
        """Nothing is typed here."""


def wrapped(text: Line, width: int) -> list[Line]:
    """The line as lines of at most `width` cells, broken at spaces; continued ones keep its indent.

    A word that is wider than that stands alone and is cut where it is drawn.
    """
    if sum(cell_len(span.text) for span in text) <= width:
        return [text]
    indent = " " * (len(text[0].text) - len(text[0].text.lstrip(" ")))
    lines: list[Line] = []
    row: list[Span] = []
    used = 0
    for span in text:
        for word in _words(span.text):
            breaks = bool(row) and used + cell_len(word.rstrip()) > width and not word.isspace()
            if breaks:
                lines.append(tuple(row))
                row, used = ([Span(indent)] if indent else []), len(indent)
            piece = word.lstrip() if breaks else word
            row.append(Span(piece, span.role))
            used += cell_len(piece)
    return [*lines, tuple(row)]


def _words(text: str) -> list[str]:
    """The text in words, each with the spaces behind it."""
    words: list[str] = []
    for piece in text.split(" "):
        if piece or not words:
            words.append(piece + " ")
        else:
            words[-1] += " "
    words[-1] = words[-1][:-1]
    return [word for word in words if word]


def overlay(beneath: Composition, dialog: Dialog, size: Size, colours: Colours) -> Composition:
    """The screen with the dialog over its lower part; a screen too small for it is left as it is."""
    room = size.height - LINES_KEPT_ABOVE - 2
    if room < 1 or len(beneath.strips) != size.height:
        return beneath
    page = dialog.page(Size(size.width, room))
    shown = min(len(page.lines), room)
    first = _first(page, shown)
    more = len(page.lines) - first - shown
    figures = line((f"{more} more ↓", Role.MUTED)) if more > 0 else page.figures
    rule = strip_of(rule_line(Heading(page.title, figures), size.width, colours), size.width, colours)
    indent = (" " * _INDENT, colours.blank)
    body = [
        strip_of([indent, *paint(text, ground)], size.width, ground)
        for index, text in enumerate(page.lines[first : first + shown], first)
        for ground in [colours.band if index == page.marked else colours]
    ]
    pieces, hits = key_line(page.keys, size.width, colours)
    keys = strip_of(pieces[:-1] if not any(k.key == "?" for k in page.keys) else pieces, size.width, colours)
    top = size.height - shown - 2
    rows = {y: key for y, key in beneath.rows.items() if y < top}
    return replace(
        beneath,
        strips=(*beneath.strips[:top], rule, *body, keys),
        rows=rows,
        keys=hits,
        cursor=(0, size.height - 1),
    )


def _first(page: Page, shown: int) -> int:
    """The first line shown: as scrolled, but with the marked line in sight."""
    first = page.scroll
    if page.marked is not None:
        first = min(max(first, page.marked - shown + 1), page.marked)
    return max(0, min(first, len(page.lines) - shown))
