"""A line that is typed for a command: a value, a number, a name."""

from collections.abc import Callable

from kubealive_tui.model import Line, Role, Size, line
from kubealive_tui.ui._prompt import Typed
from kubealive_tui.ui.dialogs._dialog import Page, Reply
from kubealive_tui.ui.draw import KeyHint

__all__ = ["Entry"]


class Entry:
    """Type, enter to give it; what is refused stays to be mended, with the reason beneath.

    `take` gets the text and returns the sentence that refuses it, or nothing.
    """

    def __init__(self, title: Line, take: Callable[[str], str]) -> None:
        self._title = title
        self._take = take
        self._typed = Typed()
        self._refused = ""

    def page(self, _size: Size) -> Page:
        """The line as typed so far, and why it was not taken."""
        lines = [line(("> ", Role.ACCENT), self._typed.text, ("▏", Role.ACCENT))]
        if self._refused:
            lines.append(line((self._refused, Role.BAD)))
        return Page(self._title, lines, (KeyHint("enter", "give"), KeyHint("esc", "close")))

    def press(self, key: str) -> Reply:
        """Edit, give or close."""
        if key == "escape":
            return Reply.CLOSE
        if key == "ctrl+c":
            return Reply.QUIT
        if key == "enter":
            self._refused = self._take(self._typed.text)
            return Reply.STAY if self._refused else Reply.CLOSE
        if (typed := self._typed.after(key)) is not None:
            self._typed, self._refused = typed, ""
        return Reply.STAY

    def paste(self, text: str) -> None:
        """Type it all at once."""
        self._typed, self._refused = self._typed.pasted(text), ""
