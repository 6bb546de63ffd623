"""The row of a pod in `kubectl get pods`: its STATUS is a story of its own."""

from datetime import datetime
from typing import Any

from kubealive_sandbox.api._store import Object
from kubealive_sandbox.api._words import age, span

__all__ = ["pod_cells"]


def pod_cells(pod: Object, now: datetime) -> list[Any]:
    """The cells of one pod, as the real server's printer writes them."""
    status = pod["status"]
    containers = status.get("containerStatuses") or []
    ready = sum(bool(each.get("ready")) for each in containers)
    wide = [status.get("podIP", "<none>"), pod["spec"].get("nodeName", "<none>"), "<none>", "<none>"]
    counted = f"{ready}/{len(pod['spec']['containers'])}"
    return [pod["metadata"]["name"], counted, _word(pod), _restarts(containers, now), age(pod, now), *wide]


def _restarts(containers: list[Object], now: datetime) -> str:
    count = sum(each.get("restartCount", 0) for each in containers)
    ends = [
        end
        for each in containers
        if (end := (each.get("lastState", {}).get("terminated") or {}).get("finishedAt"))
    ]
    return f"{count} ({span(now, max(ends))} ago)" if count and ends else str(count)


def _word(pod: Object) -> str:
    status = pod["status"]
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    init = _initialising(pod)
    if init:
        return init
    word = str(status.get("reason") or status.get("phase", ""))
    running = False
    for each in reversed(status.get("containerStatuses") or ()):
        state = each.get("state", {})
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting and waiting.get("reason"):
            word = waiting["reason"]
        elif ended:
            word = ended.get("reason") or f"ExitCode:{ended['exitCode']}"
        running = running or bool(each.get("ready") and state.get("running"))
    if word == "Completed" and running:
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
        word = "Running" if ready else "NotReady"
    return word


def _initialising(pod: Object) -> str:
    statuses = pod["status"].get("initContainerStatuses") or ()
    for at, each in enumerate(statuses):
        state = each.get("state", {})
        ended, waiting = state.get("terminated"), state.get("waiting")
        if ended and ended["exitCode"] == 0:
            continue
        if ended:
            return f"Init:{ended.get('reason') or ended['exitCode']}"
        if waiting and waiting.get("reason") not in {None, "PodInitializing"}:
            return f"Init:{waiting['reason']}"
        return f"Init:{at}/{len(statuses)}"
    return ""
