"""Why a workload is not ready, read from the objects the cluster itself reports: pure functions of their JSON."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubealive_tui.hints import kubectl_command

from ._kinds import EXPERIMENT_LABEL, INSTALLED_IMAGE, kind_of, labels_of

_IMAGE_REASONS = frozenset({"ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "InvalidImageName"})
_CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})


class Cause(StrEnum):
    """The families of trouble; each has its own next step."""

    IMAGE = "image"
    QUOTA = "quota"
    POLICY = "policy"
    REFUSED = "refused"
    CONFIG = "config"
    CRASH = "crash"
    UNSCHEDULABLE = "unschedulable"
    NODE = "node"
    NOT_READY = "not ready"


# What time alone does not heal: somebody has to load an image, raise a quota or change a policy.
_LASTING = frozenset({Cause.IMAGE, Cause.QUOTA, Cause.POLICY, Cause.CONFIG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What keeps one object from being ready: `text` a sentence, `advice` the next step or empty."""

    cause: Cause
    subject: str
    experiment: str
    text: str
    advice: str = ""

    @property
    def lasting(self) -> bool:
        """Whether waiting cannot help."""
        return self.cause in _LASTING


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How far a Deployment, StatefulSet or DaemonSet is.

    `settled` says that the controller has seen the newest version and that exactly the desired pods run it;
    `installed_image` is the one that `up` gave it, where that is written on it.
    """

    ref: str
    experiment: str
    ready: int
    desired: int
    settled: bool
    image: str
    installed_image: str = ""


def workload(body: dict[str, Any]) -> Workload:
    """Return the progress of a Deployment, StatefulSet or DaemonSet."""
    spec, status, kind = body["spec"], body.get("status", {}), kind_of(body)
    if kind.name == "DaemonSet":
        desired = status.get("desiredNumberScheduled", 0)
        ready, updated = status.get("numberAvailable", 0), status.get("updatedNumberScheduled", 0)
        total = status.get("currentNumberScheduled", 0)
    else:
        desired = spec.get("replicas", 1)
        ready, updated = status.get("availableReplicas", 0), status.get("updatedReplicas", 0)
        total = status.get("replicas", 0)
    seen = status.get("observedGeneration", 0) >= body["metadata"].get("generation", 0)
    return Workload(
        ref=f"{kind.name.lower()}/{body['metadata']['name']}",
        experiment=labels_of(body).get(EXPERIMENT_LABEL, ""),
        ready=ready,
        desired=desired,
        settled=seen and ready == updated == total == desired,
        image=spec["template"]["spec"]["containers"][0].get("image", ""),
        installed_image=(body["metadata"].get("annotations") or {}).get(INSTALLED_IMAGE, ""),
    )


def workload_troubles(body: dict[str, Any]) -> Iterator[Trouble]:
    """Yield what keeps a controller from making pods, in the API server's own words."""
    for condition in body.get("status", {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            yield _refused(body, condition.get("message", ""))


def refuses_in_events(body: dict[str, Any]) -> bool:
    """Whether the workload lacks pods and is of a kind that has no condition to say why."""
    status = body.get("status", {})
    match body["kind"]:
        case "DaemonSet":
            made, wanted = status.get("currentNumberScheduled", 0), status.get("desiredNumberScheduled", 0)
        case "StatefulSet":
            made, wanted = status.get("replicas", 0), body["spec"].get("replicas", 1)
        case _:
            return False
    return bool(made < wanted)


def event_troubles(body: dict[str, Any], events: Sequence[dict[str, Any]]) -> Iterator[Trouble]:
    """Yield the newest of the Events by which a controller tells that it cannot make this workload's pods."""
    uid = body["metadata"]["uid"]
    told = [event for event in events if event.get("involvedObject", {}).get("uid") == uid]
    if told:
        newest = max(told, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
        yield _refused(body, newest.get("message", ""))


def _refused(body: dict[str, Any], message: str) -> Trouble:
    cause, advice = _refusal(message, namespace=body["metadata"].get("namespace", ""))
    return Trouble(
        cause=cause,
        subject=f"{body['kind'].lower()}/{body['metadata']['name']}",
        experiment=labels_of(body).get(EXPERIMENT_LABEL, ""),
        text=f"its pods are refused: {message}",
        advice=advice,
    )


def _refusal(message: str, *, namespace: str) -> tuple[Cause, str]:
    if "exceeded quota" in message:
        ask = kubectl_command("describe", "quota", namespace=namespace)
        return Cause.QUOTA, f"`{ask}` shows what is left; its owner can raise it"
    if "violates PodSecurity" in message:
        return Cause.POLICY, "the namespace's label pod-security.kubernetes.io/enforce decides this"
    return Cause.REFUSED, ""


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether the pod has its Ready condition."""
    return bool(_conditions(pod).get("Ready", {}).get("status") == "True")


def pod_troubles(pod: dict[str, Any], *, lost: Collection[str] = ()) -> Iterator[Trouble]:
    """Yield what keeps a pod from being ready; a ready or a leaving pod has none, unless its node is `lost`."""
    name, node = pod["metadata"]["name"], pod["spec"].get("nodeName", "")
    leaving = "deletionTimestamp" in pod["metadata"]
    if is_ready(pod) or (leaving and node not in lost):
        return
    if node in lost:
        doing = "cannot end" if leaving else "is not known to run"
        cause, text, advice = Cause.NODE, f"{doing}, since its node {node} does not answer", ""
    else:
        cause, text, advice = _why(pod, _conditions(pod))
    yield Trouble(
        cause=cause,
        subject=f"pod/{name}",
        experiment=labels_of(pod).get(EXPERIMENT_LABEL, ""),
        text=text,
        advice=advice,
    )


def _conditions(pod: dict[str, Any]) -> dict[str, Any]:
    return {c["type"]: c for c in pod.get("status", {}).get("conditions") or ()}


def _why(pod: dict[str, Any], conditions: dict[str, Any]) -> tuple[Cause, str, str]:
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("reason") == "Unschedulable":
        return Cause.UNSCHEDULABLE, f"no node takes it: {scheduled.get('message', '')}", ""
    status = pod.get("status", {})
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for container in containers:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _IMAGE_REASONS:
            return _image_trouble(pod, container, waiting)
        if waiting.get("reason") in _CONFIG_REASONS:
            return Cause.CONFIG, f"{waiting['reason']}: {waiting.get('message', '')}", ""
        if waiting.get("reason") == "CrashLoopBackOff" or "terminated" in container.get("state", {}):
            return _crash(pod, container)
    node = pod["spec"].get("nodeName", "")
    words = f"started on {node} and not ready yet" if node else "not scheduled yet"
    return Cause.NOT_READY, words, ""


def _image_trouble(
    pod: dict[str, Any], container: dict[str, Any], waiting: dict[str, Any]
) -> tuple[Cause, str, str]:
    image, node = container["image"], pod["spec"].get("nodeName", "its node")
    if image.startswith("localhost/"):
        text = f"{waiting['reason']}: image {image} is not on {node}"
        return Cause.IMAGE, text, "`make images load` builds the images and hands them to the nodes"
    text = f"{waiting['reason']}: image {image} does not come to {node}: {waiting.get('message', '')}"
    return Cause.IMAGE, text, "push it there, or name the registry that has it with --registry"


def _crash(pod: dict[str, Any], container: dict[str, Any]) -> tuple[Cause, str, str]:
    ended = container["state"].get("terminated") or container.get("lastState", {}).get("terminated") or {}
    reason, code = ended.get("reason", "unknown reason"), ended.get("exitCode", "unknown")
    words = ("logs", pod["metadata"]["name"], "--previous")
    ask = kubectl_command(*words, namespace=pod["metadata"]["namespace"])
    return (
        Cause.CRASH,
        f"it ended: {reason}, exit code {code}, {container.get('restartCount', 0)} restarts",
        f"`{ask}` shows its last words",
    )
