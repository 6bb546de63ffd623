"""The question before the first destructive act of each kind; No is what any other key answers."""

from collections.abc import Callable

from kubealive_tui.commands import Question
from kubealive_tui.model import Line, Role, Size, line
from kubealive_tui.ui.dialogs._dialog import Page, Reply
from kubealive_tui.ui.draw import KeyHint

__all__ = ["Confirm"]


class Confirm:
    """Asks; `yes` is called when the answer is y, `no` when it is another one."""

    def __init__(self, question: Question, yes: Callable[[], None], *, no: Callable[[], None]) -> None:
        self._question = question
        self._yes = yes
        self._no = no

    def page(self, _size: Size) -> Page:
        """What would be done, to what, and where."""
        asked = self._question
        target = (" ", (asked.target, Role.ACCENT)) if asked.target else ()
        lines: list[Line] = [
            line((asked.what[:1].upper() + asked.what[1:], Role.STRONG), *target, "?"),
            line(
                ("in namespace ", Role.MUTED), asked.namespace, (" of context ", Role.MUTED), asked.context or "–"
            ),
            line(("asked once a session for each kind of act", Role.DIM)),
        ]
        keys = (KeyHint("y", "yes"), KeyHint("n", "no (any other key)"))
        return Page(line(("SURE?", Role.WAITING)), lines, keys)

    def press(self, key: str) -> Reply:
        """Do it on y, and nothing else on any other key."""
        if key == "y":
            self._yes()
        elif key != "ctrl+c":
            self._no()
        return Reply.QUIT if key == "ctrl+c" else Reply.CLOSE

    def paste(self, text: str) -> None:
        """A paste is no answer."""
