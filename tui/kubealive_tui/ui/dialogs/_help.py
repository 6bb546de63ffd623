"""Every key of a tab, from the same registry that the keys are read from."""

from collections.abc import Sequence

from kubealive_tui.commands import Hint, Keymap
from kubealive_tui.model import Line, Role, line

__all__ = ["help_lines"]


def help_lines(keymap: Keymap, *, title: str, read_only: bool) -> Sequence[Line]:
    """The tab's own keys first, then those of every tab; none that a read-only session is refused."""
    own, everywhere = keymap.help(read_only=read_only)
    lines: list[Line] = []
    if own:
        lines += [line((title, Role.STRONG)), *map(_entry, own)]
        lines += [
            line((f"{':':>10}  ", Role.ACCENT), "more of this tab, sizes and numbers among it, by their words"),
            (),
        ]
    lines += [line(("Everywhere", Role.STRONG)), *map(_entry, everywhere), ()]
    if keymap.place.replay:
        return lines[:-1]
    if read_only:
        return [*lines, line(("Read-only: keys that change the cluster are left out.", Role.MUTED))]
    return [*lines, line((f"{_asks(keymap.asking)}! never asks. k, d and ctrl+d never destroy.", Role.MUTED))]


def _asks(keys: Sequence[str]) -> str:
    """Which keys ask before they act, as the beginning of a sentence."""
    if not keys:
        return ""
    *others, last = keys
    named = f"{', '.join(others)} and {last} ask" if others else f"{last} asks"
    return f"{named} once a session; "


def _entry(hint: Hint) -> Line:
    return line((f"{hint.keys:>10}  ", Role.ACCENT), hint.help)
