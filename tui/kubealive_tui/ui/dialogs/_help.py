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
    lines.append(
        line(("x, X, S and C ask once a session; ! never asks. k, d and ctrl+d never destroy.", Role.MUTED))
    )
    return lines


def _entry(hint: Hint) -> Line:
    return line((f"{hint.keys:>10}  ", Role.ACCENT), hint.help)
