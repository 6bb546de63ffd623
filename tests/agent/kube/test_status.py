"""The STATUS column, held against what kubectl printed for the very same objects."""

from typing import Any

import msgspec
import pytest

from kubealive_agent.kube import _raw as raw
from kubealive_agent.kube._status import standing
from tests.agent.kube.fakes import load

RECORDED: list[dict[str, Any]] = load("pod_status.json")


@pytest.mark.parametrize("case", RECORDED, ids=[case["case"] for case in RECORDED])
def test_status_is_the_word_of_kubectl(case: dict[str, Any]) -> None:
    """STATUS and RESTARTS agree with the API server's own table for the object."""
    derived = standing(msgspec.convert(case["pod"], raw.Pod))
    assert (derived.status, derived.restarts) == (case["status"], case["restarts"])


def test_record_is_wide() -> None:
    """The record holds the odd states, so that the table above means something."""
    words = {case["status"] for case in RECORDED}
    assert words >= {
        "Completed",
        "ContainerCreating",
        "ContainerStatusUnknown",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "Error",
        "Evicted",
        "ExitCode:5",
        "ImagePullBackOff",
        "Init:0/2",
        "Init:1/2",
        "Init:CrashLoopBackOff",
        "Init:Error",
        "Init:ExitCode:5",
        "Init:Signal:9",
        "InvalidImageName",
        "NodeLost",
        "NotReady",
        "OOMKilled",
        "Pending",
        "PodInitializing",
        "RunContainerError",
        "Running",
        "SchedulingGated",
        "Signal:9",
        "StartError",
        "Terminated",
        "Terminating",
        "Unknown",
    }


def test_last_restart_is_the_latest_end() -> None:
    """The age of the last restart counts from the end of the run before it, of any container."""
    ends = ("2026-01-02T03:04:05Z", "2026-01-02T03:04:09Z", None)
    statuses = [
        {"name": str(place), "restartCount": 1, "lastState": {"terminated": {"exitCode": 1, "finishedAt": end}}}
        for place, end in enumerate(ends)
    ]
    thing = {"metadata": {}, "status": {"phase": "Running", "containerStatuses": statuses}}
    derived = standing(msgspec.convert(thing, raw.Pod))
    assert derived.restarts == 3
    assert derived.last_restart is not None
    assert derived.last_restart.second == 9
