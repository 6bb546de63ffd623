"""What has to be so before a port-forward can work: the rights of the user, and an agent that is ready.

Asked beforehand, since the answer to a refused WebSocket says nothing that a person could act on.
"""

from collections.abc import Mapping
from typing import Any

from kubealive_tui.errors import LinkError
from kubealive_tui.hints import kubectl_command, up_command
from kubealive_tui.install import (
    AGENT,
    NAME_LABEL,
    Api,
    ApiError,
    lost_nodes,
    missing_rights,
    rights_refusal,
    rights_to_reach,
)
from kubealive_tui.link._errors import DeniedError, NotInstalledError, link_error

__all__ = ["check_rights", "find_agent"]

SELECTOR = f"{NAME_LABEL}={AGENT}"
TIMEOUT_S = 5.0
_ON_THE_WAY = {"Pending", "ContainerCreating", "PodInitializing", "not ready yet"}


async def check_rights(api: Api, namespace: str) -> None:
    """Ask whether this user may reach the agent; raises DeniedError naming every right that is missing."""
    try:
        missing = await missing_rights(api, rights_to_reach(namespace), within=TIMEOUT_S)
    except ApiError as exc:
        raise link_error(exc) from exc
    if missing:
        raise DeniedError(f"reaching the agent needs more rights: {rights_refusal(missing)}")


async def find_agent(api: Api, namespace: str) -> str:
    """Return the name of the agent's pod: running, ready, staying, and the newest of these.

    Raises NotInstalledError where there is no agent, LinkError saying why its pod is not ready.
    """
    try:
        path = f"/api/v1/namespaces/{namespace}/pods"
        found = await api.request("GET", path, query={"labelSelector": SELECTOR}, timeout=TIMEOUT_S)
        pods: list[dict[str, Any]] = sorted(found.get("items") or [], key=_created, reverse=True)
        ready = next((pod for pod in pods if _is_ready(pod)), None)
        if ready is not None:
            return str(ready["metadata"]["name"])
        staying = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        for suspect in (staying or pods)[:1]:
            if await lost_nodes(api, [suspect.get("spec", {}).get("nodeName", "")], within=TIMEOUT_S):
                raise _lost(suspect)
        if staying:
            raise _not_ready(staying[0], namespace)
        raise await _without_pod(api, namespace)
    except ApiError as exc:
        raise link_error(exc) from exc


def _created(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"].get("creationTimestamp") or "")


def _is_ready(pod: Mapping[str, Any]) -> bool:
    status = pod.get("status") or {}
    conditions = {one["type"]: one["status"] for one in status.get("conditions") or ()}
    leaving = bool(pod["metadata"].get("deletionTimestamp"))
    return status.get("phase") == "Running" and conditions.get("Ready") == "True" and not leaving


def _lost(pod: Mapping[str, Any]) -> LinkError:
    name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    if pod["metadata"].get("deletionTimestamp"):
        return LinkError(
            f"agent pod {name} cannot end, since its node {node} does not answer; waiting for another"
        )
    return LinkError(f"agent pod {name} is on {node}, which does not answer; Kubernetes makes another one soon")


def _not_ready(pod: Mapping[str, Any], namespace: str) -> LinkError:
    name, (status, message) = pod["metadata"]["name"], _trouble(pod)
    if not message and status in _ON_THE_WAY:
        return LinkError(f"agent pod {name} is coming up: {status}")
    said = f" ({' '.join(message.split())})" if message else ""
    step = f"see `{kubectl_command('describe', 'pod', name, namespace=namespace)}`"
    if "Image" in status or "Pull" in status:
        up = up_command(namespace=namespace)
        step = f"put the image on the nodes with `make load`, or name a registry with `{up} --registry NAME`"
    return LinkError(f"agent pod {name} is not ready: {status}{said}; {step}")


def _trouble(pod: Mapping[str, Any]) -> tuple[str, str]:
    """The pod's status as kubectl words it, as far as an agent's pod can get, and the reason behind it."""
    status = pod.get("status") or {}
    for container in status.get("containerStatuses") or ():
        state = container.get("state") or {}
        for why in (state.get("waiting"), state.get("terminated")):
            if why:
                return str(why.get("reason") or "waiting"), str(why.get("message") or "")
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            return "Pending", str(condition.get("message") or "")
    phase = str(status.get("reason") or status.get("phase") or "Pending")
    return ("not ready yet", "") if phase == "Running" else (phase, str(status.get("message") or ""))


async def _without_pod(api: Api, namespace: str) -> LinkError:
    """Why there is no pod: nothing is installed, or its Deployment cannot make one."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{AGENT}"
    install = up_command(namespace=namespace)
    try:
        deployment = await api.request("GET", path, timeout=TIMEOUT_S)
    except ApiError as exc:
        if not (exc.missing or exc.forbidden):
            raise
        return NotInstalledError(
            f"no agent in namespace {namespace}; install it with `{install}`, or pass --namespace"
        )
    conditions = deployment.get("status", {}).get("conditions") or ()
    failing = [str(one.get("message")) for one in conditions if one["type"] == "ReplicaFailure"]
    if failing:
        return LinkError(f"the agent's Deployment cannot make its pod: {failing[0]}")
    if deployment.get("spec", {}).get("replicas") == 0:
        return NotInstalledError(f"the agent in namespace {namespace} is scaled to 0; run `{install}` to start it")
    return LinkError("the agent's pod is being replaced; waiting for its successor")
