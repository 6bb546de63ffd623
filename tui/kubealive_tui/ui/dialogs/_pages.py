"""Explanation and kubectl text: short pages whose words come from elsewhere."""

import re
from collections.abc import Sequence

from kubealive_tui.hints import own_command
from kubealive_tui.model import Line, Role, line

__all__ = ["kubectl_lines", "overview_words", "shell_lines"]

# A word of a POSIX shell: quoted parts hold spaces and line ends.
_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+""")
_CONTINUED = " \\"
_CONTINUATION = "    "
# Cells that a dialog leaves free at both sides together.
_MARGINS = 4

_OVERVIEW: tuple[Line, ...] = (
    line("Each tab is one experiment on this cluster: a key triggers something, the screen shows what the cluster"
         " does about it, and a stopwatch on the agent's clock says how long each step took."),
    (),
    line("A glyph under PODS is one pod: ", ("● ready", Role.GOOD), "  ", ("○ on its way", Role.WAITING), "  ",
         ("◌ leaving", Role.LEAVING), "  ", ("✕ failing", Role.BAD),
         ". All but the nodes lies in one namespace; nothing outside of it is touched."),
    (),
    line("LAST RUN is the newest run of the stopwatch: what clients lost, and until its last milestone came."),
)  # fmt: skip


def overview_words(namespace: str) -> Sequence[Line]:
    """What the overview shows; `namespace` is where the command that it names is to act."""
    check = own_command("check", namespace=namespace)
    verdict = line(
        "VERDICT is what this session's check found: ", ("C", Role.ACCENT), " runs all of them here, ",
        (check, Role.ACCENT), " does so in a script.",
    )  # fmt: skip
    return (*_OVERVIEW, verdict)


def shell_lines(command: str, width: int) -> Sequence[str]:
    """The command in lines of at most `width` characters, broken between words so that a shell still runs it.

    A quoted word stays as it is, line ends within it too: only between words may a shell's line go on.
    """
    text, used = "", 0
    for word in _WORD.findall(command):
        head = word.partition("\n")[0]
        if text and used + 1 + len(head) > width - len(_CONTINUED):
            text += f"{_CONTINUED}\n{_CONTINUATION}"
        elif text:
            text += " "
        text += word
        used = len(text) - text.rfind("\n") - 1
    return text.splitlines()


def kubectl_lines(last: str | None, watch: str, *, width: int) -> Sequence[Line]:
    """The last action as a command, and the one that shows what followed, on a screen of this width."""
    room = width - _MARGINS
    lines: list[Line] = []
    if last is None:
        lines.append(line(("No action yet in this session: after one, its command stands here.", Role.MUTED)))
    else:
        lines += [line(("The last action:", Role.MUTED)), *map(line, shell_lines(last, room))]
    return [*lines, (), line(("What followed, as it changes:", Role.MUTED)), *map(line, shell_lines(watch, room))]
