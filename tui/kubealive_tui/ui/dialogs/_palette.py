"""A list to choose from by its words: every command and tab, or what one command can be given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubealive_tui.model import Role, Size, line
from kubealive_tui.ui._prompt import Typed
from kubealive_tui.ui.dialogs._dialog import Page, Reply
from kubealive_tui.ui.draw import KeyHint

__all__ = ["Choice", "Palette", "score"]

# Cells for the name of a key: most lists stand alike then, with or without keys.
_KEY_CELLS = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry: its key (may be empty), its words, and what it does."""

    key: str
    name: str
    help: str
    run: Callable[[], None]


def score(words: str, text: str) -> float | None:
    """How well the typed letters fit, in order, lower is better; None when they do not.

    Letters at the beginnings of words and next to each other fit best.
    """
    typed, text = words.casefold().replace(" ", ""), text.casefold()
    if not typed:
        return 0.0
    if (at := text.find(words.casefold())) >= 0:
        return at / 100 - 100
    total, place = 0.0, -1
    for letter in typed:
        found = text.find(letter, place + 1)
        if found < 0:
            return None
        begins = found == 0 or not text[found - 1].isalnum()
        total += 0.0 if found == place + 1 else 0.5 if begins else float(found - place)
        place = found
    return total


class Palette:
    """Type to narrow, enter to run."""

    def __init__(self, choices: Sequence[Choice], *, words: str = "type to find a command") -> None:
        self._choices = choices
        self._words = words
        self._typed = Typed()
        self._index = 0

    def found(self) -> Sequence[Choice]:
        """What fits the words typed, best first."""
        ranked: list[tuple[float, int, Choice]] = []
        for order, choice in enumerate(self._choices):
            name = score(self._typed.text, choice.name)
            told = score(self._typed.text, choice.help)
            # What only its explanation says comes behind what its name says.
            best = min((s for s in (name, None if told is None else told + 200) if s is not None), default=None)
            if best is not None:
                ranked.append((best, order, choice))
        ranked.sort(key=lambda entry: entry[:2])
        return [choice for *_, choice in ranked]

    def page(self, _size: Size) -> Page:
        """The entries that fit, with the marked one."""
        found = self.found()
        self._index = min(self._index, max(len(found) - 1, 0))
        width = max((len(choice.name) for choice in self._choices), default=0)
        keyed = max(_KEY_CELLS, *(len(choice.key) for choice in self._choices))
        lines = [
            line((f"{c.key:>{keyed}}  ", Role.ACCENT), f"{c.name:<{width}}  ", (c.help, Role.MUTED)) for c in found
        ] or [line(("nothing fits; esc closes", Role.WAITING))]
        title = line((": ", Role.ACCENT), (self._typed.text or self._words, Role.STRONG))
        keys = (KeyHint("enter", "run"), KeyHint("↓ ↑", "move"), KeyHint("esc", "close"))
        return Page(title, lines, keys, marked=self._index if found else None)

    def press(self, key: str) -> Reply:
        """Edit the words, move, run or close."""
        found = self.found()
        steps = {"down": 1, "ctrl+n": 1, "tab": 1, "up": -1, "ctrl+p": -1, "shift+tab": -1}
        if key in steps:
            self._index = min(max(self._index + steps[key], 0), max(len(found) - 1, 0))
            return Reply.STAY
        if key == "escape":
            return Reply.CLOSE
        if key == "ctrl+c":
            return Reply.QUIT
        if key == "enter":
            if found:
                found[min(self._index, len(found) - 1)].run()
            return Reply.CLOSE
        if (typed := self._typed.after(key)) is not None:
            self._typed, self._index = typed, 0
        return Reply.STAY

    def paste(self, text: str) -> None:
        """Type it all at once."""
        self._typed, self._index = self._typed.pasted(text), 0
