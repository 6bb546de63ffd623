"""The pictured screens as SVG files, to be held beside the pictures: `python -m tests.tui.ui.draw.preview DIR`.

Further arguments: columns, rows, and the colours and theme of the profile. Every glyph is set in its own cell, as
a terminal does, so that a wrong width is seen.
"""

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from rich.cells import cell_len
from rich.style import Style
from rich.terminal_theme import MONOKAI

from kubealive_tui.model import Size
from kubealive_tui.ui._profile import Colours, Palette, Profile, Theme
from kubealive_tui.ui.draw import Composition, compose
from tests.tui.ui.draw.more_screens import heal, scale, state, update
from tests.tui.ui.draw.screens import balance, overview

SCREENS = {
    "overview": overview,
    "balance": balance,
    "heal": heal,
    "update": update,
    "scale": scale,
    "state": state,
}
_CELL = Size(11, 22)


def svg(drawn: Composition, size: Size) -> str:
    """A composition as an SVG picture."""
    width, height = size.width * _CELL.width, size.height * _CELL.height
    body = "".join(_line(drawn, row) for row in range(size.height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="DejaVu Sans Mono" font-size="18">'
        f'<rect width="100%" height="100%" fill="#11151c"/>{body}</svg>'
    )


def _line(drawn: Composition, row: int) -> str:
    return "".join(shape for x, text, style in _cells(drawn, row) for shape in _shapes(x, row, text, style))


def _cells(drawn: Composition, row: int) -> Iterator[tuple[int, str, Style]]:
    column = 0
    for text, style, _ in drawn.strips[row]:
        for character in text:
            yield column, character, style or Style()
            column += cell_len(character)


def _shapes(column: int, row: int, text: str, style: Style) -> Iterator[str]:
    ink, ground = _colour(style, foreground=True), _colour(style, foreground=False)
    if style.reverse:
        ink, ground = ground, ink
    x, y = column * _CELL.width, row * _CELL.height
    yield f'<rect x="{x}" y="{y}" width="{_CELL.width + 0.5}" height="{_CELL.height + 0.5}" fill="{ground}"/>'
    block = " ▁▂▃▄▅▆▇█".find(text)
    bold = ' font-weight="bold"' if style.bold else ""
    faint = ' opacity="0.6"' if style.dim else ""
    if block > 0:
        high = _CELL.height * block / 8
        top = y + _CELL.height - high
        yield f'<rect x="{x}" y="{top}" width="{_CELL.width + 0.5}" height="{high}" fill="{ink}"/>'
    elif text != " ":
        yield f'<text x="{x}" y="{y + 17}" fill="{ink}"{bold}{faint}>{escape(text)}</text>'


def _colour(style: Style, *, foreground: bool) -> str:
    colour = style.color if foreground else style.bgcolor
    if colour is None:
        return "#d5deeb" if foreground else "#11151c"
    return colour.get_truecolor(MONOKAI, foreground=foreground).hex


def main(
    folder: str, columns: str = "80", rows: str = "24", colours: str = "truecolor", theme: str = "dark"
) -> None:
    """Write one SVG a screen."""
    size = Size(int(columns), int(rows))
    palette = Palette.of(Profile(Colours(colours), Theme(theme)))
    for name, build in SCREENS.items():
        Path(folder, f"{name}.svg").write_text(svg(compose(build(), size, palette), size), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
