"""Words with a role: how experiments say what to show without knowing colours or terminals.

A role is what a word means (good, leaving, yours); the screen's palette turns it into a style for the theme and
the colours that the terminal has. State always has a glyph or a word as well, so that nothing is lost without
colour.
"""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["GLYPH", "Line", "Role", "Span", "line", "plain"]


class Role(Enum):
    """What a piece of text means."""

    TEXT = auto()
    STRONG = auto()
    MUTED = auto()
    DIM = auto()
    RULE = auto()
    ACCENT = auto()
    GOOD = auto()
    WAITING = auto()
    LEAVING = auto()
    BAD = auto()
    VERSION_OLD = auto()
    VERSION_NEW = auto()


# Shape carries what colour cannot in 16 colours or none.
GLYPH: dict[Role, str] = {
    Role.GOOD: "●",
    Role.WAITING: "○",
    Role.LEAVING: "◌",
    Role.BAD: "✕",
    Role.DIM: "–",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text of one role."""

    text: str
    role: Role = Role.TEXT


Line = tuple[Span, ...]


def line(*parts: str | Span | tuple[str, Role] | Line) -> Line:
    """A line from strings (TEXT), (text, role) pairs, spans, or further lines; empty pieces are dropped."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            spans.append(Span(part))
        elif isinstance(part, Span):
            spans.append(part)
        elif len(part) == 2 and isinstance(part[0], str) and isinstance(part[1], Role):
            spans.append(Span(part[0], part[1]))
        else:
            spans.extend(part)
    return tuple(span for span in spans if span.text)


def plain(text: Line) -> str:
    """The words alone."""
    return "".join(span.text for span in text)
