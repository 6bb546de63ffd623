"""Everything the agent does to the cluster, and the rules that keep it to the experiments.

One request goes one way: `_once` answers repeated requests from memory, `_guard` decides whether it may
happen at all, `_objects`, `_patches`, `_faults` and `_caller` say what exactly would happen (a `Step`, which a dry
run only reads out), `_act` carries it out, writes its facts and its audit line. Nothing else in the agent changes
anything.
"""

from kubealive_agent.actions._act import Actions, Observation, ObserveTraffic
from kubealive_agent.actions._caller import Caller
from kubealive_agent.actions._faults import FaultPort
from kubealive_agent.actions._guard import RULES, Guard, Rule
from kubealive_agent.actions._objects import Objects
from kubealive_agent.actions._once import Once
from kubealive_agent.actions._patches import Patches
from kubealive_agent.actions._requests import KubeApi, Requests
from kubealive_agent.actions._rollouts import Rollouts
from kubealive_agent.actions._step import Step, Steps
from kubealive_agent.actions._steps import steps

__all__ = [
    "RULES",
    "Actions",
    "Caller",
    "FaultPort",
    "Guard",
    "KubeApi",
    "Objects",
    "Observation",
    "ObserveTraffic",
    "Once",
    "Patches",
    "Requests",
    "Rollouts",
    "Rule",
    "Step",
    "Steps",
    "steps",
]
