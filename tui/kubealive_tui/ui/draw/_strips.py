"""From words with roles to terminal lines of an exact width.

Names, messages and annotations come from a cluster, so that anything may be in them: control sequences, joiners,
wide and combining characters. All text passes `clean` here, once, and is measured and cut in cells. Neighbours of
one style become one segment, since each style change costs some 35 bytes on the wire.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kubealive_tui.model import Align, Line, Span
from kubealive_tui.ui._profile import Palette

__all__ = [
    "Piece",
    "Pieces",
    "aligned",
    "beside",
    "clean",
    "cut",
    "cut_line",
    "measure",
    "paint",
    "spread",
    "strip_of",
]

Piece = tuple[str, Style]
Pieces = Sequence[Piece]

# A screen of 50 lines and its neighbours in time: unchanged lines come back as the same object, which keeps the
# bytes that Textual rendered for it.
_STRIPS_KEPT = 1024
# Words recur from frame to frame; this many are cleaned and measured once.
_TEXTS_KEPT = 4096

_PLAIN = re.compile(r"[\x20-\x7e]*\Z")
_WORDS = re.compile(r"\S+\s*|\s+")
_CUT = "…"
# Joiners and variation selectors change the width of their neighbours by rules that terminals disagree on.
_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))


@lru_cache(maxsize=_TEXTS_KEPT)
def clean(text: str) -> str:
    """The text without anything that could move the cursor or change its neighbours' width.

    Control characters become spaces, invisible formatting is dropped, half a surrogate pair becomes `�`.
    """
    if _PLAIN.match(text):
        return text
    return "".join(map(_harmless, text))


def _harmless(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    if category == "Cf" or character in _SELECTORS:
        return ""
    return "�" if category == "Cs" else character


def measure(text: Line | str) -> int:
    """Cells that the text takes on the screen."""
    if isinstance(text, str):
        return cell_len(clean(text))
    return sum(cell_len(clean(span.text)) for span in text)


@lru_cache(maxsize=_TEXTS_KEPT)
def cut(text: str, width: int) -> str:
    """The text in at most `width` cells; what was cut off is shown by `…` in the last one."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    return _head(text, width - 1) + _CUT if width > 0 else ""


def _head(text: str, width: int) -> str:
    """As many whole characters as fit into `width` cells."""
    used = 0
    for index, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > width:
            return text[:index]
    return text


def cut_line(text: Line, width: int) -> Line:
    """The line in at most `width` cells, cut as `cut` does."""
    if width <= 0:
        return ()
    if measure(text) <= width:
        return text
    kept: list[Span] = []
    room = width - 1
    for span in text:
        whole = clean(span.text)
        head = _head(whole, room)
        if head != whole:
            return (*kept, Span(head + _CUT, span.role))
        kept.append(span)
        room -= cell_len(head)
    return tuple(kept)


def wrap_line(text: Line, width: int, most: int) -> list[Line]:
    """The line broken between words into at most `most` lines of `width` cells; the last one is cut if need be."""
    lines: list[list[Span]] = [[]]
    used = 0
    for span in text:
        for word in _WORDS.findall(clean(span.text)):
            if used and used + cell_len(word.rstrip()) > width and len(lines) < most:
                lines.append([])
                used = 0
            lines[-1].append(Span(word, span.role))
            used += cell_len(word)
    return [
        cut_line(tuple(words), max(width, 1)) if index == most - 1 else tuple(words)
        for index, words in enumerate(lines)
    ]


def paint(text: Line, palette: Palette) -> list[Piece]:
    """The line in the palette's styles."""
    return [(clean(span.text), palette[span.role]) for span in text]


def aligned(text: Line, width: int, palette: Palette, align: Align = Align.LEFT) -> list[Piece]:
    """The line in exactly `width` cells, at one side of them."""
    text = cut_line(text, width)
    blank = (" " * (width - measure(text)), palette.blank)
    pieces = paint(text, palette)
    return [blank, *pieces] if align is Align.RIGHT else [*pieces, blank]


def spread(left: Line, right: Line, width: int, palette: Palette, *, gap: int = 2) -> list[Piece]:
    """One line with words at both edges; where they meet, the left ones are cut."""
    right = cut_line(right, width)
    room = max(width - measure(right) - gap, 0) if right else width
    left = cut_line(left, room)
    fill = width - measure(left) - measure(right)
    return [*paint(left, palette), (" " * fill, palette.blank), *paint(right, palette)]


def strip_of(pieces: Iterable[Piece], width: int, palette: Palette) -> Strip:
    """A strip of exactly `width` cells: cut with `…`, or filled up with the palette's ground."""
    return _strip(tuple(pieces), width, palette.blank)


def beside(left: Pieces, left_width: int, right: Pieces, width: int, palette: Palette) -> Strip:
    """Two columns in one strip: the left in `left_width` cells, the right in what remains of `width`."""
    return _beside(tuple(left), left_width, tuple(right), width, palette.blank)


@lru_cache(maxsize=_STRIPS_KEPT)
def _beside(left: tuple[Piece, ...], left_width: int, right: tuple[Piece, ...], width: int, blank: Style) -> Strip:
    return Strip.join([_strip(left, left_width, blank), _strip(right, width - left_width, blank)])


@lru_cache(maxsize=_STRIPS_KEPT)
def _strip(pieces: tuple[Piece, ...], width: int, blank: Style) -> Strip:
    used = sum(cell_len(text) for text, _ in pieces)
    fitted = list(pieces) if used <= width else _without_blanks(pieces, used - width)
    used = sum(cell_len(text) for text, _ in fitted)
    if used > width:
        fitted = _marked(fitted, width)
        used = sum(cell_len(text) for text, _ in fitted)
    fitted.append((" " * (width - used), blank))
    return Strip([Segment(text, style) for text, style in _merged(fitted)], width)


def _without_blanks(pieces: Pieces, excess: int) -> list[Piece]:
    """The pieces without up to `excess` of the blanks at their end, where nothing is lost by a cut."""
    kept = list(pieces)
    while excess > 0 and kept:
        text, style = kept.pop()
        blanks = min(len(text) - len(text.rstrip(" ")), excess)
        excess -= blanks
        if blanks < len(text):
            kept.append((text[: len(text) - blanks], style))
            break
    return kept


def _marked(pieces: Pieces, width: int) -> list[Piece]:
    """The pieces cut to `width` cells at most, the last of which says so."""
    kept: list[Piece] = []
    room = width - 1
    for text, style in pieces if width > 0 else ():
        head = _head(text, room)
        if head != text:
            return [*kept, (head + _CUT, style)]
        kept.append((text, style))
        room -= cell_len(text)
    return kept


def _merged(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one look joined; spaces take the style beside them when the ground is the same."""
    merged: list[Piece] = []
    for text, style in pieces:
        if not text:
            continue
        if merged:
            before, other = merged[-1]
            if other == style or (_same_ground(style, other) and text.isspace()):
                merged[-1] = (before + text, other)
                continue
            if before.isspace() and _same_ground(style, other):
                merged[-1] = (before + text, style)
                continue
        merged.append((text, style))
    return merged


def _same_ground(one: Style, other: Style) -> bool:
    return one.bgcolor == other.bgcolor and not one.reverse and not other.reverse
