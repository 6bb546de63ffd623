"""One line of the timeline, as experiments and the screen both know it."""

from dataclasses import dataclass

from kubealive_tui.model._text import Line, Role

__all__ = ["Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened at `at_us` (agent time), by the word of `source`, in the colour of `role`.

    `count` is how many equal happenings this line stands for.
    """

    at_us: int
    source: str
    role: Role
    text: Line
    count: int = 1
