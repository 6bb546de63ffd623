"""What the terminal can do, and whether each palette can be read."""

from collections.abc import Mapping

import pytest
from rich.style import Style

from kubealive_tui.model import Role
from kubealive_tui.ui._profile import Colours, Palette, Profile, Theme

GRAPHICS = {Role.RULE, Role.DIM, Role.VERSION_OLD, Role.VERSION_NEW}
PALETTES = [(colours, theme) for colours in Colours for theme in Theme]


@pytest.mark.parametrize(
    ("environ", "colours", "animation"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Colours.TRUECOLOR, True),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, Colours.TRUECOLOR, True),
        ({"TERM": "xterm-direct"}, Colours.TRUECOLOR, True),
        ({"TERM": "xterm-256color"}, Colours.ANSI256, True),
        ({"TERM": "linux"}, Colours.ANSI16, True),
        ({}, Colours.ANSI16, True),
        ({"TERM": "vt100"}, Colours.NONE, False),
        ({"TERM": "dumb"}, Colours.NONE, False),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, Colours.NONE, True),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, Colours.ANSI256, True),
        ({"COLORTERM": "truecolor", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, Colours.ANSI16, False),
    ],
    ids=["truecolor", "24bit", "direct", "256", "console", "nothing said", "vt100", "dumb", "no colour",
         "no colour, but empty", "ssh"],
)  # fmt: skip
def test_detect(environ: Mapping[str, str], colours: Colours, animation: bool) -> None:  # noqa: FBT001 - a table
    """The environment decides colours and animation."""
    profile = Profile.detect(environ)
    assert (profile.colours, profile.animation) == (colours, animation)


@pytest.mark.parametrize(
    ("environ", "theme"),
    [({}, Theme.DARK), ({"COLORFGBG": "15;0"}, Theme.DARK), ({"COLORFGBG": "0;15"}, Theme.LIGHT),
     ({"COLORFGBG": "0;default;7"}, Theme.LIGHT)],
    ids=["unknown", "dark", "light", "light with a third field"],
)  # fmt: skip
def test_theme(environ: Mapping[str, str], theme: Theme) -> None:
    """A terminal that names a white background gets the light theme."""
    assert Profile.detect(environ).theme is theme


def test_the_user_wins() -> None:
    """Flags overrule the environment."""
    profile = Profile.detect({"COLORTERM": "truecolor", "COLORFGBG": "15;0"}, no_color=True, theme=Theme.LIGHT)
    assert (profile.colours, profile.theme, profile.ansi) == (Colours.NONE, Theme.LIGHT, True)


def luminance(style: Style, *, foreground: bool) -> float:
    """Relative luminance as WCAG defines it."""
    colour = style.color if foreground else style.bgcolor
    assert colour is not None
    assert colour.triplet is not None
    parts = [value / 255 for value in colour.triplet]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(style: Style) -> float:
    """Contrast of a style's ink with its own ground, 1 to 21."""
    one, other = sorted((luminance(style, foreground=True), luminance(style, foreground=False)))
    return (other + 0.05) / (one + 0.05)


@pytest.mark.parametrize("theme", Theme, ids=lambda theme: theme.value)
@pytest.mark.parametrize("role", [r for r in Role if r is not Role.RULE], ids=lambda role: role.name.lower())
def test_contrast(theme: Theme, role: Role) -> None:
    """Words can be read on their ground (4.5), quiet words and charts can be seen (3), on the band as well."""
    palette = Palette.of(Profile(theme=theme))
    least = 3.0 if role in GRAPHICS else 4.5
    assert contrast(palette[role]) >= least
    assert contrast(palette.band[role]) >= least - (0.8 if role in GRAPHICS or role is Role.MUTED else 0.0)


@pytest.mark.parametrize("theme", Theme, ids=lambda theme: theme.value)
def test_active_tab_contrast(theme: Theme) -> None:
    """The active tab can be read."""
    assert contrast(Palette.of(Profile(theme=theme)).tab) >= 4.5


def grounds(palette: Palette) -> list[Palette]:
    return [palette, palette.band, palette.past, palette.stale, palette.stale.band]


@pytest.mark.parametrize("theme", Theme, ids=lambda theme: theme.value)
def test_no_colour_at_all(theme: Theme) -> None:
    """Without colour no style names one, on any ground."""
    for palette in grounds(Palette.of(Profile(Colours.NONE, theme))):
        styles = [*palette.styles.values(), palette.tab, palette.blank, palette.over(Role.WAITING, Role.ACCENT)]
        assert all(style.color is None and style.bgcolor is None for style in styles)


@pytest.mark.parametrize("theme", Theme, ids=lambda theme: theme.value)
def test_sixteen_colours(theme: Theme) -> None:
    """With 16 colours all inks are the terminal's own, on its own ground."""
    for palette in grounds(Palette.of(Profile(Colours.ANSI16, theme))):
        for style in (*palette.styles.values(), palette.tab, palette.blank):
            assert style.bgcolor is None
            assert style.color is None or (style.color.number or 0) < 16


@pytest.mark.parametrize(("colours", "theme"), PALETTES, ids=[f"{c.value}-{t.value}" for c, t in PALETTES])
def test_every_role_has_a_style(colours: Colours, theme: Theme) -> None:
    """No role is without a style, the band differs from its surroundings, and palettes are shared."""
    profile = Profile(colours, theme)
    palette = Palette.of(profile)
    assert all(set(ground.styles) == set(Role) for ground in grounds(palette))
    assert palette.band.blank != palette.blank
    assert Palette.of(Profile(colours, theme)) is palette
