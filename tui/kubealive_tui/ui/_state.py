"""What the user has done to the screen, apart from what the cluster says: pointer, filter, settings, notice.

It lives as long as the session. Nothing here draws or waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kubealive_tui.experiments import Settings
from kubealive_tui.model import Role
from kubealive_tui.ui._prompt import Typed

__all__ = ["Notice", "TabState"]

# Long enough to read a sentence; a key takes it away at once.
NOTICE_US = 8_000_000


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of words to the user, and the agent time at which it appeared."""

    text: str
    role: Role
    born_us: int

    def over(self, now_us: int) -> bool:
        """Whether it has been shown long enough."""
        return now_us - self.born_us >= NOTICE_US


@dataclass(slots=True)
class TabState:
    """Pointer, scroll, filter and settings of one tab.

    The pointer holds on to a row's key, so that it stays with its object however the rows are sorted; `index` is
    where that row was last, for the time when it is gone.
    """

    settings: Settings = field(default_factory=Settings)
    selected: str | None = None
    index: int = 0
    scroll: int = 0
    page: int = 1
    timeline_scroll: int = 0
    filter: Typed = field(default_factory=Typed)
    keys: Sequence[str] = ()

    def show(self, keys: Sequence[str]) -> str | None:
        """The selected key among these rows: the same as before, else the one nearest to where it was."""
        self.keys = keys
        if not keys:
            self.selected = None
        elif self.selected in keys:
            self.index = keys.index(self.selected)
        else:
            self.index = min(self.index, len(keys) - 1)
            self.selected = keys[self.index]
        return self.selected

    def move(self, step: int) -> None:
        """Move the pointer by so many rows, at most to the ends."""
        self.point(self.index + step)

    def point(self, index: int) -> None:
        """Put the pointer on a row by its place, or on the end that is nearer."""
        if self.keys:
            self.index = min(max(index, 0), len(self.keys) - 1)
            self.selected = self.keys[self.index]

    def scroll_timeline(self, step: int) -> None:
        """Show older (positive) or newer lines of the timeline."""
        self.timeline_scroll = max(0, self.timeline_scroll + step)
