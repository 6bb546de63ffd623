"""Screens without data: nothing is installed, nothing has come yet, or a right is missing.

They say what is awaited, since when, and which key or command goes on from here.
"""

from collections.abc import Sequence

from kubealive_tui.experiments import Experiment
from kubealive_tui.hints import own_command, up_command
from kubealive_tui.model import Heading, Line, LinkEvent, LinkState, Role, Sentence, View, line
from kubealive_tui.ui._frame import Around
from kubealive_tui.ui._welcome import what_it_is
from kubealive_tui.ui.dialogs import wrapped
from kubealive_tui.ui.draw import ScreenModel

__all__ = ["absent", "blank", "installing", "not_installed", "waiting"]

# Cells that a sentence has at its left, and is to have at its right.
_MARGINS = 4

_AWAITED = {
    LinkState.AUTHENTICATING: "the Kubernetes API to accept your credentials",
    LinkState.FINDING: "the agent's pod",
    LinkState.FORWARDING: "the port-forward to the agent",
    LinkState.CONNECTED: "the agent's first snapshot",
    LinkState.DEGRADED: "word from the agent, which has fallen silent",
    LinkState.RECONNECTING: "the link to come back",
    LinkState.REPLAYING: "the recording's first frame",
}


def blank(around: Around, lesson: Line, lines: Sequence[Line], *, title: str, width: int) -> ScreenModel:
    """A page of sentences under the usual header and tabs; none of them is cut at the edge."""
    heading = Heading(line((title, Role.STRONG)))
    first, *rest = [row for text in lines for row in wrapped(text, width - _MARGINS)]
    views: list[View] = [Sentence(first, heading), *(Sentence(text) for text in rest)]
    return ScreenModel(
        header=around.header,
        tabs=around.tabs,
        active=around.active,
        lesson=lesson,
        views=views,
        keys=around.keys,
        notice=around.notice,
        prompt=around.prompt,
    )


def waiting(link: LinkEvent, *, since_s: float, namespace: str) -> Sequence[Line]:
    """What is awaited and since when; or, where there is nothing to wait for, why not."""
    if link.state is LinkState.FAILED:
        return [line(("✕ ", Role.BAD), link.reason or "no link to the agent"), (), *_diagnose(namespace)]
    if link.state is LinkState.ENDED:
        return [line("The recording ends before its first frame. ", (link.reason, Role.MUTED))]
    awaited = _AWAITED.get(link.state, "the agent")
    said = [line(("○ ", Role.WAITING), f"waiting for {awaited}, ", (f"since {since_s:.0f} s", Role.MUTED))]
    if link.reason:
        said.append(line(("  ", Role.TEXT), (link.reason, Role.WAITING)))
    return said if since_s < 10 else [*said, (), *_diagnose(namespace)]


def _diagnose(namespace: str) -> Sequence[Line]:
    doctor = own_command("doctor", namespace=namespace)
    return [line((f"  {doctor}", Role.ACCENT), (" looks at each step and says which one fails", Role.MUTED))]


def not_installed(
    experiments: Sequence[Experiment], *, context: str, namespace: str, reason: str, key: bool
) -> Sequence[Line]:
    """What `up` would do here, and the key that does it."""
    said = [
        *what_it_is(experiments),
        (),
        line("There is no kubealive in namespace ", (namespace, Role.STRONG), " of ", (context, Role.STRONG), "."),
    ]
    if reason:
        said.append(line((reason, Role.WAITING)))
    said += [
        (),
        line(
            "Installing makes it, with ",
            (f"({own_command('down', namespace=namespace)} removes all of it again)", Role.MUTED),
        ),
        line(
            ("  agent      ", Role.ACCENT),
            ("one pod; its rights end at the namespace, but for reading nodes", Role.MUTED),
        ),
    ]
    said += [line((f"  {e.name:<10} ", Role.ACCENT), (e.long_title, Role.MUTED)) for e in experiments]
    return [*said, (), _how(up_command(namespace=namespace), key=key)]


def absent(experiment: Experiment, *, namespace: str, key: bool) -> Sequence[Line]:
    """The agent is there, this experiment is not."""
    command = up_command(experiment.name, namespace=namespace)
    return [line(f"{experiment.long_title} is not installed here."), (), _how(command, key=key)]


def _how(command: str, *, key: bool) -> Line:
    if not key:
        return line((command, Role.ACCENT), (" installs it", Role.MUTED))
    return line(
        ("U", Role.ACCENT), (" installs it, as ", Role.MUTED), (command, Role.ACCENT), (" does", Role.MUTED)
    )


def installing(lines: Sequence[str], *, most: int) -> Sequence[Line]:
    """The newest lines of a running install."""
    return [line(("○ installing …", Role.WAITING)), (), *(line((text, Role.MUTED)) for text in lines[-most:])]
