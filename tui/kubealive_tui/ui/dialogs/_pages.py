"""Explanation and kubectl text: short pages whose words come from elsewhere."""

from collections.abc import Sequence

from kubealive_tui.model import Line, Role, line

__all__ = ["explained", "kubectl_lines"]

_OVERVIEW = (
    line("Each tab is one experiment on this cluster: a key triggers something, the screen shows what the cluster"
         " does about it, and a stopwatch on the agent's clock says how long each step took."),
    (),
    line("A glyph under PODS is one pod: ", ("● ready", Role.GOOD), "  ", ("○ on its way", Role.WAITING), "  ",
         ("◌ leaving", Role.LEAVING), "  ", ("✕ failing", Role.BAD),
         ". All but the nodes lies in one namespace; nothing outside of it is touched."),
    (),
    line("VERDICT is what this session's check found: ", ("C", Role.ACCENT), " runs all of them here, ",
         ("kubealive check", Role.ACCENT), " does so in a script."),
    line("LAST RUN is the newest run of the stopwatch: what clients lost, and until its last milestone came."),
)  # fmt: skip


def explained(words: Sequence[Line]) -> Sequence[Line]:
    """An experiment's explanation; without words, the overview's."""
    return words or _OVERVIEW


def kubectl_lines(last: str | None, watch: str) -> Sequence[Line]:
    """The last action as a command, and the one that shows what followed."""
    lines: list[Line] = []
    if last is None:
        lines.append(line(("No action yet in this session: after one, its command stands here.", Role.MUTED)))
    else:
        lines += [line(("The last action:", Role.MUTED)), *(line(row) for row in last.splitlines())]
    return [*lines, (), line(("What followed, as it changes:", Role.MUTED)), line(watch)]
