"""The STATUS column of `kubectl get pods`, which the API does not carry: every client derives it.

The rules are those of kubectl 1.34 and are held by a table of cases recorded from a real cluster. They are
full of precedence that looks arbitrary (the first container wins over the last, a reason over a phase);
people read this word every day, so it has to be the same word.

It is derived anew at each event of each pod, hence loops where a generator would read as well.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from kubealive_agent.kube._raw import Condition, Container, ContainerStatus, Pod, Terminated

# Set by the node lifecycle controller on pods of a node that it lost.
_NODE_LOST = "NodeLost"
_SCHEDULING_GATED = "SchedulingGated"
_TERMINAL_PHASES = frozenset({"Succeeded", "Failed"})


class Standing(NamedTuple):
    """What the columns STATUS and RESTARTS say; `last_restart` is the end of the run before this one."""

    status: str
    restarts: int
    last_restart: datetime | None


def standing(pod: Pod) -> Standing:
    """Derive the standing of a pod as `kubectl get pods` does."""
    if not pod.status.init_container_statuses:
        statuses = pod.status.container_statuses or []
        return _standing(_deleted_word(pod) or _running_word(pod, statuses, before=None), statuses)
    return _initialising(pod, pod.status.init_container_statuses)


def _initialising(pod: Pod, init_statuses: list[ContainerStatus]) -> Standing:
    """Derive the standing of a pod that has init containers, whether or not they are done."""
    sidecars = frozenset(_sidecars(pod.spec.init_containers or ()))
    init_word = _init_word(init_statuses, sidecars=sidecars, total=len(pod.spec.init_containers or ()))
    if init_word and not holds(pod.status.conditions, "Initialized"):
        return _standing(_deleted_word(pod) or init_word, init_statuses)
    statuses = pod.status.container_statuses or []
    counted = [status for status in init_statuses if status.name in sidecars] + statuses
    return _standing(_deleted_word(pod) or _running_word(pod, statuses, before=init_word), counted)


def holds(conditions: Iterable[Condition] | None, kind: str) -> bool:
    """Tell whether the condition of that type is there and True."""
    for condition in conditions or ():
        if condition.type == kind:
            return condition.status == "True"
    return False


def _standing(word: str, statuses: list[ContainerStatus]) -> Standing:
    restarts, last = 0, None
    for status in statuses:
        restarts += status.restart_count
        end = status.last_state.terminated
        if end and end.finished_at and (last is None or end.finished_at > last):
            last = end.finished_at
    return Standing(word, restarts, last)


def _sidecars(init_containers: Iterable[Container]) -> Iterator[str]:
    return (container.name for container in init_containers if container.restart_policy == "Always")


def _deleted_word(pod: Pod) -> str | None:
    if pod.metadata.deletion_timestamp is None:
        return None
    if pod.status.reason == _NODE_LOST:
        return "Unknown"
    return None if pod.status.phase in _TERMINAL_PHASES else "Terminating"


def _init_word(statuses: list[ContainerStatus], *, sidecars: frozenset[str], total: int) -> str | None:
    """Say how far initialisation is; None once nothing of it is left to wait for."""
    for place, status in enumerate(statuses):
        end, waiting = status.state.terminated, status.state.waiting
        if (end and end.exit_code == 0) or (status.name in sidecars and status.started):
            continue
        if end:
            return f"Init:{_end_word(end)}"
        if waiting and waiting.reason not in {"", "PodInitializing"}:
            return f"Init:{waiting.reason}"
        return f"Init:{place}/{total}"
    return None


def _running_word(pod: Pod, statuses: list[ContainerStatus], *, before: str | None) -> str:
    """Let the first container that has something to say speak for the pod."""
    word = _first_word(statuses) or before or _phase_word(pod)
    if word == "Completed" and any(status.ready and status.state.running for status in statuses):
        return "Running" if holds(pod.status.conditions, "Ready") else "NotReady"
    return word


def _first_word(statuses: list[ContainerStatus]) -> str | None:
    for status in statuses:
        if word := _container_word(status):
            return word
    return None


def _container_word(status: ContainerStatus) -> str | None:
    if status.state.waiting and status.state.waiting.reason:
        return status.state.waiting.reason
    return _end_word(status.state.terminated) if status.state.terminated else None


def _end_word(end: Terminated) -> str:
    if end.reason:
        return end.reason
    return f"Signal:{end.signal}" if end.signal else f"ExitCode:{end.exit_code}"


def _phase_word(pod: Pod) -> str:
    for condition in pod.status.conditions or ():
        if condition.type == "PodScheduled" and condition.reason == _SCHEDULING_GATED:
            return _SCHEDULING_GATED
    return pod.status.reason or pod.status.phase
