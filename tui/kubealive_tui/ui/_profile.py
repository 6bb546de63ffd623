"""What the terminal can do, and which style each role has there.

An experiment says what a word means (`Role`); here that meaning becomes a Rich style for the theme and the
colours at hand. Nothing else on the screen names a colour. Glyphs and words carry every state by themselves, so a
palette without colour loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from rich.style import Style

from kubealive_tui.model import Role

__all__ = ["Colours", "Palette", "Profile", "Theme"]


class Colours(Enum):
    """How many colours the terminal shows. Rich rounds hex colours to 256 by itself."""

    TRUECOLOR = "truecolor"
    ANSI256 = "256"
    ANSI16 = "16"
    NONE = "none"


class Theme(Enum):
    """Whether text is light on dark or dark on light."""

    DARK = "dark"
    LIGHT = "light"


# Terminals that print no colour, and those that print eight or sixteen.
_MONOCHROME = frozenset({"dumb", "vt100", "vt102", "vt220"})
_SIXTEEN = frozenset({"linux", "ansi", "xterm", "screen", "rxvt", "xterm-16color"})


@dataclass(frozen=True, slots=True)
class Profile:
    """How to draw on this terminal; `animation` off means that nothing moves by itself but time."""

    colours: Colours = Colours.TRUECOLOR
    theme: Theme = Theme.DARK
    animation: bool = True

    @classmethod
    def detect(
        cls, environ: Mapping[str, str], *, no_color: bool = False, theme: Theme | None = None
    ) -> "Profile":
        """What the environment says of the terminal; `no_color` and `theme` are the user's word and win.

        Inside ssh 16 colours are used, which halves the bytes of a frame, and nothing is animated.
        """
        remote = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
        return cls(
            colours=Colours.NONE if no_color else _colours(environ, remote=remote),
            theme=theme or _theme(environ),
            animation=not remote and environ.get("TERM", "") not in _MONOCHROME,
        )

    @property
    def ansi(self) -> bool:
        """Whether colours are the terminal's own, by name, on its own background."""
        return self.colours in {Colours.ANSI16, Colours.NONE}


def _colours(environ: Mapping[str, str], *, remote: bool) -> Colours:
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term in _MONOCHROME:
        return Colours.NONE
    if remote or (term in _SIXTEEN and not environ.get("COLORTERM")):
        return Colours.ANSI16
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"} or term.endswith("-direct"):
        return Colours.TRUECOLOR
    return Colours.ANSI256 if "256color" in term else Colours.ANSI16


def _theme(environ: Mapping[str, str]) -> Theme:
    """Dark, unless the terminal says that its background is one of the two whites (COLORFGBG)."""
    return Theme.LIGHT if environ.get("COLORFGBG", "").rpartition(";")[2] in {"7", "15"} else Theme.DARK


@dataclass(frozen=True, slots=True)
class _Hues:
    """The colours of one theme; empty means the terminal's own."""

    background: str
    band: str
    roles: Mapping[Role, str]


_DARK = _Hues(
    background="#11151c",
    band="#22344d",
    roles={
        Role.TEXT: "#d5deeb",
        Role.STRONG: "#ffffff",
        Role.MUTED: "#8b9ab0",
        Role.DIM: "#66758c",
        Role.RULE: "#2a3444",
        Role.ACCENT: "#7cc7ff",
        Role.GOOD: "#7bd88f",
        Role.WAITING: "#ffcf70",
        Role.LEAVING: "#ff9e64",
        Role.BAD: "#ff7b86",
        Role.VERSION_OLD: "#5a7fb8",
        Role.VERSION_NEW: "#8fd6c7",
    },
)
_LIGHT = _Hues(
    background="#fbfcfe",
    band="#d9e7f8",
    roles={
        Role.TEXT: "#1d2735",
        Role.STRONG: "#000000",
        Role.MUTED: "#4a586b",
        Role.DIM: "#76849a",
        Role.RULE: "#cfd7e2",
        Role.ACCENT: "#0a569f",
        Role.GOOD: "#116b30",
        Role.WAITING: "#7a5600",
        Role.LEAVING: "#9c4100",
        Role.BAD: "#b81a2b",
        Role.VERSION_OLD: "#3b62a8",
        Role.VERSION_NEW: "#0d6f66",
    },
)
# Quiet roles are the terminal's own colour made dim: bright black is the background itself in some themes.
_ANSI_DARK: dict[Role, Style] = {
    Role.TEXT: Style(),
    Role.STRONG: Style(bold=True),
    Role.MUTED: Style(dim=True),
    Role.DIM: Style(dim=True),
    Role.RULE: Style(dim=True),
    Role.ACCENT: Style(color="bright_cyan"),
    Role.GOOD: Style(color="bright_green"),
    Role.WAITING: Style(color="bright_yellow"),
    Role.LEAVING: Style(color="yellow"),
    Role.BAD: Style(color="bright_red"),
    Role.VERSION_OLD: Style(color="bright_blue"),
    Role.VERSION_NEW: Style(color="cyan"),
}
# Yellow cannot be read on white, so what waits or leaves is magenta there.
_ANSI_LIGHT: dict[Role, Style] = _ANSI_DARK | {
    Role.ACCENT: Style(color="blue"),
    Role.GOOD: Style(color="green"),
    Role.WAITING: Style(color="magenta"),
    Role.LEAVING: Style(color="magenta"),
    Role.BAD: Style(color="red"),
    Role.VERSION_OLD: Style(color="blue"),
    Role.VERSION_NEW: Style(color="cyan"),
}
_MONO: dict[Role, Style] = dict.fromkeys(Role, Style()) | {
    Role.STRONG: Style(bold=True),
    Role.MUTED: Style(dim=True),
    Role.DIM: Style(dim=True),
    Role.RULE: Style(dim=True),
    Role.ACCENT: Style(bold=True),
    Role.BAD: Style(bold=True),
}


@dataclass(frozen=True, eq=False, slots=True)
class Palette:
    """A style for each role, and the same roles on other grounds.

    `band` is the row under the pointer, `past` what is gone but was counted, `stale` everything while the link
    is lost. `blank` is the ground itself and `tab` the active tab. Get one with `Palette.of`; equal profiles
    share one object, so that styles keep their caches.
    """

    styles: Mapping[Role, Style]
    blank: Style
    tab: Style
    _grounds: "dict[str, Palette]" = field(default_factory=dict)
    _mixed: dict[tuple[Role, Role], Style] = field(default_factory=dict)

    def __getitem__(self, role: Role) -> Style:
        return self.styles[role]

    @staticmethod
    def of(profile: Profile) -> "Palette":
        """The palette of a profile."""
        return _palette(profile.colours, profile.theme)

    @property
    def band(self) -> "Palette":
        """The selected row."""
        return self._grounds.get("band", self)

    @property
    def past(self) -> "Palette":
        """Rows of what is gone."""
        return self._grounds.get("past", self)

    @property
    def stale(self) -> "Palette":
        """Data that may no longer be true."""
        return self._grounds.get("stale", self)

    def bold(self, role: Role) -> Style:
        """The role's style in bold: names and keys."""
        return self.over(role, role)

    def over(self, role: Role, ground: Role) -> Style:
        """The role's colour as a thin mark on a cell filled with the colour of `ground`; bold on itself."""
        style = self._mixed.get((role, ground))
        if style is None:
            own, fill = self.styles[role], self.styles[ground]
            if role is ground:
                style = own + Style(bold=True)
            elif fill.color is None:
                style = Style(reverse=True)
            else:
                style = own + Style(bgcolor=fill.color)
            self._mixed[role, ground] = style
        return style


@cache
def _palette(colours: Colours, theme: Theme) -> Palette:
    if colours is Colours.NONE:
        return _named(_MONO, Style(reverse=True, bold=True))
    if colours is Colours.ANSI16:
        styles = _ANSI_DARK if theme is Theme.DARK else _ANSI_LIGHT
        return _named(styles, styles[Role.ACCENT] + Style(reverse=True, bold=True))
    return _hex(_DARK if theme is Theme.DARK else _LIGHT)


def _named(styles: Mapping[Role, Style], tab: Style) -> Palette:
    """Colours by name: the band is the plain reverse, since coloured words in reverse make a patchwork."""
    reverse, dim = Style(reverse=True), Style(dim=True)
    band = Palette(dict.fromkeys(Role, reverse), reverse, tab)
    past = Palette(dict.fromkeys(Role, dim), Style(), tab)
    stale = Palette(past.styles, Style(), tab, {"band": band})
    return Palette(styles, Style(), tab, {"band": band, "past": past, "stale": stale})


def _hex(hues: _Hues) -> Palette:
    tab = Style(color=hues.background, bgcolor=hues.roles[Role.ACCENT], bold=True)
    dimmed = dict.fromkeys(Role, hues.roles[Role.DIM]) | {Role.RULE: hues.roles[Role.RULE]}

    def on(ground: str, colours: Mapping[Role, str], **grounds: Palette) -> Palette:
        styles = {role: Style(color=colour, bgcolor=ground) for role, colour in colours.items()}
        if colours is hues.roles:
            styles[Role.STRONG] += Style(bold=True)
        return Palette(styles, Style(bgcolor=ground), tab, grounds)

    past = on(hues.background, dimmed)
    stale = on(hues.background, dimmed, band=on(hues.band, dimmed))
    return on(hues.background, hues.roles, band=on(hues.band, hues.roles), past=past, stale=stale)
