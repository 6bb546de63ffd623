"""The first minute: what this is and which key to press first, in four lines, until somebody has pressed one.

The first of them is the lesson's line, so that the others cost a small screen three rows.
"""

from collections.abc import Iterator, Sequence

from kubealive_tui.experiments import Experiment
from kubealive_tui.model import Action, Line, Role, line
from kubealive_tui.store import CLUSTER, Store

__all__ = ["LESSON", "LESSON_ALONE", "is_first_minute", "what_it_is", "where_to_begin"]

LESSON_ALONE = line("Poke a cluster, watch it heal.")
LESSON = line(
    *LESSON_ALONE, " ", ("1", Role.ACCENT), " a tab, ", ("l", Role.ACCENT), " load, ",
    ("x", Role.ACCENT), " kill a pod, ", ("e", Role.ACCENT), " explain.",
)  # fmt: skip


def is_first_minute(store: Store, experiments: Sequence[Experiment]) -> bool:
    """Whether nobody has done anything yet, as far as the agent's journal tells: no key pressed, no load."""
    if any(store.load(experiment.name) for experiment in experiments):
        return False
    names = (CLUSTER, *(experiment.name for experiment in experiments))
    return not any(isinstance(fact.body, Action) for name in names for fact in store.ledger(name).timeline)


def what_it_is(experiments: Sequence[Experiment]) -> Iterator[Line]:
    """Two lines: what this is, and what a key does."""
    count = len(experiments)
    tabs = "one experiment, on a tab" if count == 1 else f"{count} experiments, one a tab"
    yield line("Poke a cluster and watch it heal: ", tabs, ", on live pods.")
    yield line("A key kills a pod or sends load; a stopwatch times each step that follows.")


def where_to_begin(
    experiments: Sequence[Experiment], *, namespace: str, read_only: bool = False, replay: bool = False
) -> Iterator[Line]:
    """Two lines: the first keys, and the way out of everything, as far as there are any here."""
    first = str(min((experiment.order for experiment in experiments), default=1))
    begin = line(("Press ", Role.STRONG), (first, Role.ACCENT))
    if read_only or replay:
        plays = line(("space", Role.ACCENT), " plays it. ") if replay else ()
        why = "this is a recording" if replay else "this session is read-only"
        yield line(plays, begin, " and look on, ", ("e", Role.ACCENT), f" explains it: {why}.")
    else:
        yield line(
            begin, ", there ", ("x", Role.ACCENT), " and ", ("y", Role.ACCENT),
            ": a pod is killed, and comes back. ", ("e", Role.ACCENT), " explains how.",
        )  # fmt: skip
    ends = () if read_only or replay else line(("!", Role.ACCENT), " ends load and faults, ")
    outside = line(" lists keys; outside ", (namespace, Role.STRONG), " nothing is touched.")
    yield line(ends, ("?", Role.ACCENT), outside)
