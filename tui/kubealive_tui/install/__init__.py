"""The life of an install: brought up, put back, looked at, taken down.

Everything here speaks through `Api`, one method that a link or a fake can carry, and tells what it does as
`Step`s, so that a terminal and a screen show the same progress. Nothing outside the one namespace is touched, but
for the two cluster-wide objects that let the agent read nodes.
"""

from ._api import APPLY_PATCH, MERGE_PATCH, Api, Clock, SystemClock
from ._apply import FAULT_SECRET, FIELD_MANAGER
from ._down import GONE_SECONDS, down
from ._errors import ApiError, ManifestError, NotReadyError, PreflightError
from ._kinds import AGENT, EXPERIMENT_LABEL, NAME_LABEL, OURS, PART_OF_LABEL
from ._manifests import (
    LOCAL_REGISTRY,
    Manifest,
    Wanted,
    check_namespace,
    experiments,
    render,
)
from ._nodes import lost_nodes
from ._preflight import rights_to_install
from ._rights import Right, listed_rights, missing_rights, rights_refusal, rights_to_reach
from ._status import Altered, Part, Status, status
from ._steps import Step, StepKind
from ._troubles import Cause, Trouble, Workload
from ._up import Pods, reset, up
from ._wait import READY_SECONDS

__all__ = [
    "AGENT",
    "APPLY_PATCH",
    "EXPERIMENT_LABEL",
    "FAULT_SECRET",
    "FIELD_MANAGER",
    "GONE_SECONDS",
    "LOCAL_REGISTRY",
    "MERGE_PATCH",
    "NAME_LABEL",
    "OURS",
    "PART_OF_LABEL",
    "READY_SECONDS",
    "Altered",
    "Api",
    "ApiError",
    "Cause",
    "Clock",
    "Manifest",
    "ManifestError",
    "NotReadyError",
    "Part",
    "Pods",
    "PreflightError",
    "Right",
    "Status",
    "Step",
    "StepKind",
    "SystemClock",
    "Trouble",
    "Wanted",
    "Workload",
    "check_namespace",
    "down",
    "experiments",
    "listed_rights",
    "lost_nodes",
    "missing_rights",
    "render",
    "reset",
    "rights_refusal",
    "rights_to_install",
    "rights_to_reach",
    "status",
    "up",
]
