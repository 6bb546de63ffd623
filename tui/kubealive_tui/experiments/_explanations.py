"""Words that several explanations share: how a run ended, what it cost, lost nodes, what begins a paragraph."""

from kubealive_tui.experiments._words import count
from kubealive_tui.model import Line, Role, Run, line

__all__ = ["NOW", "TRY", "away_words", "ended_words", "lost_words"]

NOW = ("Now: ", Role.STRONG)
TRY = ("Try: ", Role.ACCENT)


def away_words(node: str) -> str:
    """Why a pod of a node that is not ready is not ready either, as the end of a sentence on it."""
    return (
        f"{node} is not ready, so the node controller set the pod's Ready to false: no probe failed. It gets no "
        "new connections until the node is back, and whether it still runs nobody can tell."
    )


def ended_words(run: Run) -> Line:
    """Which run it is, and how it ended or stands."""
    return line((f"{run.title}: ", Role.STRONG), f"{run.ending.value}.")


def lost_words(run: Run) -> str:
    """What clients lost in a measured run, as the begin of a sentence: `Clients lost none of 240`."""
    return f"Clients lost {count(run.failed) if run.failed else 'none'} of {count(run.planned)}"
