"""The experiments, found by looking: each public module of this package that has a `lab` is one.

A further experiment is one further file here; nothing names it.
"""

import importlib
import pkgutil

from kubealive_tui.experiments._api import (
    Command,
    Drive,
    Effect,
    Experiment,
    Finding,
    Http,
    Limit,
    NotNow,
    Option,
    Scene,
    Script,
    Settings,
    Verdict,
    VerdictWord,
)
from kubealive_tui.experiments._blocks import endpoint_words
from kubealive_tui.experiments._timeline import SOURCES, ending_of, entry_of, timeline
from kubealive_tui.experiments._words import (
    age,
    count,
    load_size,
    milliseconds,
    node_state,
    outage_length,
    pod_state,
    seconds,
    short,
)

__all__ = [
    "SOURCES",
    "Command",
    "Drive",
    "Effect",
    "Experiment",
    "Finding",
    "Http",
    "Limit",
    "NotNow",
    "Option",
    "Scene",
    "Script",
    "Settings",
    "Verdict",
    "VerdictWord",
    "age",
    "count",
    "discover",
    "ending_of",
    "endpoint_words",
    "entry_of",
    "load_size",
    "milliseconds",
    "node_state",
    "outage_length",
    "pod_state",
    "seconds",
    "short",
    "timeline",
]


def discover() -> tuple[Experiment, ...]:
    """All experiments, in the order of their tabs."""
    found: list[Experiment] = []
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            lab = getattr(importlib.import_module(f"{__name__}.{module.name}"), "lab", None)
            if isinstance(lab, Experiment):
                found.append(lab)
    return tuple(sorted(found, key=lambda lab: (lab.order, lab.name)))
