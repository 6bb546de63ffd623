"""The one widget: it shows a composition, and has repainted only the cells that differ from the one before."""

from rich.cells import get_character_cell_size
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from kubealive_tui.ui.draw import Composition

__all__ = ["Canvas", "difference"]


class Canvas(Widget, can_focus=True):
    """Lines of a composition by the line API; knows neither store nor keys."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Canvas { width: 100%; height: 100%; }"

    def __init__(self) -> None:
        super().__init__()
        self.shown = Composition(())

    def show(self, composition: Composition) -> bool:
        """Show this from now on; whether any cell differs from what was shown before."""
        before, self.shown = self.shown, composition
        if len(before.strips) != len(composition.strips):
            self.refresh()
            return True
        regions = [
            Region(begin, y, end - begin, 1)
            for y, (old, new) in enumerate(zip(before.strips, composition.strips, strict=True))
            if (changed := difference(old, new)) is not None
            for begin, end in [changed]
        ]
        if regions:
            self.refresh(*regions)
        return bool(regions)

    def render_line(self, y: int) -> Strip:
        """The line, cut or filled when the terminal has just changed its size."""
        width = self.size.width
        if y >= len(self.shown.strips):
            return Strip.blank(width)
        strip = self.shown.strips[y]
        return strip if strip.cell_length == width else strip.adjust_cell_length(width)


def difference(old: Strip, new: Strip) -> tuple[int, int] | None:
    """The first and past-the-last cell in which two strips differ; None when they look the same."""
    if old is new or old == new:  # most lines, most of the time, and cheaper to see than the cells
        return None
    before, after = _cells(old), _cells(new)
    if len(before) != len(after):
        return 0, max(len(before), len(after))
    changed = [x for x, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    if not changed:
        return None
    begin = changed[0]
    # A wide character is repainted whole, not from its second half on.
    while begin > 0 and not (before[begin][0] and after[begin][0]):
        begin -= 1
    return begin, changed[-1] + 1


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """Text and style of each cell; the second half of a wide character is empty."""
    cells: list[tuple[str, Style | None]] = []
    for text, style, _ in strip:
        for character in text:
            size = get_character_cell_size(character)
            if size == 0 and cells:
                cells[-1] = (cells[-1][0] + character, cells[-1][1])
            else:
                cells += [(character, style), *[("", style)] * (size - 1)]
    return cells
