"""Measured HTTP load on the experiments, from a process of its own, so that nobody else's work delays a send.

`LoadSupervisor` belongs to the agent's asyncio loop and owns the child process; the child (`__main__`) drives
the sockets and decides what is a failure and where an outage begins and ends. They share the messages of
`_wire` and the caps of `_limits`, and nothing else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubealive_agent.load._histogram import bucket_of, quantile, value_of
    from kubealive_agent.load._limits import (
        MAX_CONNECTIONS,
        MAX_COUNT,
        MAX_DURATION_US,
        MAX_LOADS,
        MAX_RATE,
        why_refused,
    )
    from kubealive_agent.load._outcomes import CONNECT_TIMEOUT_US, READ_TIMEOUT_US, failure, of_status
    from kubealive_agent.load._supervisor import (
        LoadEngineError,
        LoadError,
        LoadRefusedError,
        LoadSupervisor,
    )
    from kubealive_agent.load._wire import (
        AnyReport,
        Bin,
        ChildDied,
        Edge,
        Outcome,
        Refused,
        Row,
        Start,
        Stopped,
        Totals,
    )

__all__ = [
    "CONNECT_TIMEOUT_US",
    "MAX_CONNECTIONS",
    "MAX_COUNT",
    "MAX_DURATION_US",
    "MAX_LOADS",
    "MAX_RATE",
    "READ_TIMEOUT_US",
    "AnyReport",
    "Bin",
    "ChildDied",
    "Edge",
    "LoadEngineError",
    "LoadError",
    "LoadRefusedError",
    "LoadSupervisor",
    "Outcome",
    "Refused",
    "Row",
    "Start",
    "Stopped",
    "Totals",
    "bucket_of",
    "failure",
    "of_status",
    "quantile",
    "value_of",
    "why_refused",
]

_HOMES = ("_histogram", "_limits", "_outcomes", "_wire", "_supervisor")


def __getattr__(name: str) -> Any:
    # Loaded by whoever asks: the child passes through this package too, and has no use for asyncio.
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
