"""Which verb is carried out by what: the other half of the guard's rules, and of the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubealive_agent.actions._caller import Caller
    from kubealive_agent.actions._faults import FaultPort
    from kubealive_agent.actions._objects import Objects
    from kubealive_agent.actions._patches import Patches
    from kubealive_agent.actions._rollouts import Rollouts
    from kubealive_agent.actions._step import Steps

__all__ = ["steps"]


def steps(*, caller: Caller, faults: FaultPort, objects: Objects, patches: Patches, rollouts: Rollouts) -> Steps:
    """What makes each verb's step, by its field in ActRequest."""
    return {
        "call": caller.step,
        "delete_pod": objects.delete_pod,
        "fault": faults.step,
        "label_pod": patches.label_pod,
        "pause": rollouts.pause,
        "restart": rollouts.restart,
        "rollout": rollouts.rollout,
        "scale": objects.scale,
        "traffic_policy": patches.traffic_policy,
        "undo": rollouts.undo,
    }
