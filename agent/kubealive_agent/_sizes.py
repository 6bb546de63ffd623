"""How much traffic a request asks for, in the engine's terms: a rate or a count, and connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import Refusal
from kubealive.v1.state_pb2 import LOAD_MODE_KEPT, LOAD_MODE_NEW, Load
from kubealive_agent._errors import RefusalError
from kubealive_agent.load import MAX_CONNECTIONS

if TYPE_CHECKING:
    from kubealive.v1.agent_pb2 import SetLoadRequest

__all__ = ["MAX_CPU", "planned"]

MAX_CPU = 2.0
"""CPU-seconds a second that a load may ask for: a laptop's cluster stays usable."""

_BURN_MS = 20
"""CPU that one request burns. The shorter, the more evenly chance spreads a load over pods: 0.5 CPU on four of
them is 94 requests each in the 15 s of a metric, give or take ten. Serving takes about 1 ms of it."""

_BURST_CONNECTIONS = 10
"""A burst is as fast as this many clients at once; more would queue in four small pods."""

_KEPT_CONNECTIONS = 1
"""A kept load has one connection unless asked for more: it is there to be seen sticking to one pod."""


def planned(request: SetLoadRequest.Run) -> tuple[Load, int]:
    """The load that a request describes, and the connections it may have open at once.

    A steady load of new connections may open as many as the engine can: each outlives its request only when
    something hangs, and then the rate has to go on. Raises RefusalError for sizes that cannot be had.
    """
    load = Load(target=request.target, mode=request.mode or LOAD_MODE_NEW)
    match request.WhichOneof("size"):
        case "rate":
            load.rate = request.rate
        case "burst":
            load.count = request.burst
        case "cpu":
            if not 0 < request.cpu <= MAX_CPU:
                raise _invalid(
                    f"a load of {request.cpu:g} CPU cannot be had; choose more than 0, up to {MAX_CPU:g}"
                )
            load.cpu = request.cpu
            load.rate = request.cpu * 1000 / _BURN_MS
            if load.target.path not in {"", "/"}:
                raise _invalid(f"a load of CPU chooses its own path, not {load.target.path}; leave the path out")
            load.target.path = f"/burn?milliseconds={_BURN_MS}"
        case _:
            raise _invalid("the load has no size; give a rate, a burst or CPU")
    if load.mode == LOAD_MODE_KEPT:
        load.connections = request.connections or _KEPT_CONNECTIONS
        return load, load.connections
    return load, request.connections or (MAX_CONNECTIONS if load.HasField("rate") else _BURST_CONNECTIONS)


def _invalid(message: str) -> RefusalError:
    return RefusalError(Refusal.REASON_INVALID, message)
