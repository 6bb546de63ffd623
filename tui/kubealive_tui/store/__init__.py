"""State and facts, reduced from the stream; plain Python without a clock, a screen or a socket of its own."""

from kubealive_tui.store._answers import (
    Answers,
    Latest,
)
from kubealive_tui.store._backing import (
    Backing,
)
from kubealive_tui.store._ledger import (
    Departed,
    ExperimentLedger,
)
from kubealive_tui.store._runbook import (
    RunBook,
)
from kubealive_tui.store._scaling import ScalingColumns, ScalingLedger
from kubealive_tui.store._store import (
    CLUSTER,
    Store,
)
from kubealive_tui.store._traffic import (
    BinSum,
    Histogram,
    PodTotals,
    TrafficLedger,
)

__all__ = [
    "CLUSTER",
    "Answers",
    "Backing",
    "BinSum",
    "Departed",
    "ExperimentLedger",
    "Histogram",
    "Latest",
    "PodTotals",
    "RunBook",
    "ScalingColumns",
    "ScalingLedger",
    "Store",
    "TrafficLedger",
]
