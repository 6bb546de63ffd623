"""How numbers, names and states are worded, the same on every tab."""

import json
import re
from collections.abc import Iterable, Sequence

from kubealive_tui.model import GLYPH, Line, Load, Node, Outage, Pod, Role, Span, Workload, line

__all__ = [
    "age",
    "away_node",
    "back_off",
    "count",
    "load_mode",
    "load_size",
    "milliseconds",
    "node_state",
    "not_made",
    "not_placed",
    "outage_length",
    "pod_state",
    "said",
    "seconds",
    "short",
    "steady_size",
    "strategy_words",
    "within",
    "without_image",
]

_GENERATED = re.compile(r"^.+?-(?P<hash>[a-z0-9]{6,10})-(?P<suffix>[a-z0-9]{5})$")

_BACK_OFF = re.compile(r"back-off (?:(?P<minutes>\d+)m)?(?P<seconds>\d+)s\b")

# Words of the kubelet for an image that a node cannot get.
_NO_IMAGE = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"}

_GOOD = {"Running", "Completed"}
_WAITING = {"Pending", "ContainerCreating", "PodInitializing", "SchedulingGated"}


def short(name: str) -> str:
    """A pod's name without what its siblings share: `getip-5f6b8cd8c-4ldf9` is `…d8c-4ldf9`."""
    found = _GENERATED.match(name)
    return f"…{found['hash'][-3:]}-{found['suffix']}" if found else name


def pod_state(pod: Pod) -> Line:
    """Glyph and STATUS word of a pod, in the role that both mean."""
    status = pod.status or "Unknown"
    if pod.deleting or status == "Terminating":
        role = Role.LEAVING
    elif status in _GOOD:
        role = Role.GOOD if pod.ready or status == "Completed" else Role.WAITING
    elif status in _WAITING or (status.startswith("Init:") and not status.endswith(("Error", "BackOff"))):
        role = Role.WAITING
    else:
        role = Role.BAD
    return (Span(f"{GLYPH[role]} {status}", role),)


def node_state(node: Node | None) -> Line:
    """Glyph and word of a node, as `kubectl get nodes` has it: one whose kubelet is silent is NotReady too."""
    if node is None:
        return line(("– unknown", Role.MUTED))
    if node.state != "Ready":
        return line((f"{GLYPH[Role.BAD]} NotReady", Role.BAD))
    if node.unschedulable:
        return line((f"{GLYPH[Role.WAITING]} cordoned", Role.WAITING))
    return line((f"{GLYPH[Role.GOOD]} Ready", Role.GOOD))


def away_node(pod: Pod, nodes: Iterable[Node]) -> str:
    """The pod's node where that is not ready, so that Ready is false by the node controller's word; else empty."""
    return next((node.name for node in nodes if node.name == pod.node and node.state != "Ready"), "")


def age(us: int) -> str:
    """A time span in one unit, changed where kubectl changes it: 45s, 3m, 5h, 2d."""
    seconds_ = max(0, us // 1_000_000)
    if seconds_ < 120:
        return f"{seconds_}s"
    minutes = seconds_ // 60
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    return f"{hours}h" if hours < 48 else f"{hours // 24}d"


def back_off(message: str) -> int | None:
    """Seconds that the kubelet waits before a container's next start, from its words; None where it does not."""
    found = _BACK_OFF.search(message)
    return 60 * int(found["minutes"] or 0) + int(found["seconds"]) if found else None


def count(number: int) -> str:
    """A count with thousands set apart: 12,401."""
    return f"{number:,}"


def within(name: str) -> str:
    """A full DNS name without its namespace and the cluster's domain; what is not below a Service stays whole."""
    service, separator, domain = name.partition(".svc.")
    return name if not separator or ".svc." in domain else service.rpartition(".")[0] or name


def milliseconds(us: float | None) -> str:
    """A latency in ms with two significant figures (1.2, 8.0, 14, 350), or –."""
    if us is None:
        return "–"
    value = us / 1000
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def strategy_words(strategy: str, max_surge: str, max_unavailable: str) -> str:
    """How a Deployment replaces its pods: `surge 1, unavailable 0`, `all at once`, `Recreate`."""
    if strategy != "RollingUpdate":
        return strategy
    if (max_surge, max_unavailable) == ("100%", "0"):
        return "all at once"
    return f"surge {max_surge}, unavailable {max_unavailable}"


def not_made(deployment: Workload) -> Line:
    """Why its pods cannot be made (quota, policy), in the API server's words; empty while they can."""
    failure = deployment.condition("ReplicaFailure")
    if failure is None or failure.status != "True":
        return ()
    # `pods "incver-…" is forbidden: exceeded quota: …`: the name of a pod that is not there says nothing.
    return line(("no pod can be made", Role.BAD), f": {failure.message.rpartition('is forbidden: ')[2]}")


def not_placed(pods: Iterable[Pod]) -> Line:
    """Which of these pods no node takes, and why, in the scheduler's words; empty where all have a node."""
    waiting = [pod for pod in pods if pod.status == "Pending" and pod.message]
    if not waiting:
        return ()
    names = ", ".join(short(pod.name) for pod in waiting)
    return line((f"{names}: ", Role.STRONG), f"the scheduler finds no node: {waiting[0].message}")


def without_image(pods: Iterable[Pod]) -> Line:
    """Which of these pods have no image, and why, in the kubelet's words; empty where all have theirs."""
    waiting = [pod for pod in pods if pod.status in _NO_IMAGE]
    if not waiting:
        return ()
    names, first = ", ".join(short(pod.name) for pod in waiting), waiting[0]
    return line(
        (f"{names}: ", Role.STRONG),
        f"the kubelet of {first.node} cannot get the image {first.image}: {first.message or first.status}. ",
        "It tries again by itself.",
    )


def said(body: str) -> str:
    """What a workload's reply says in one line: its text, or a refusal's sentence; nothing of other JSON."""
    if not body.startswith(("{", "[")):
        return body.partition("\n")[0]
    try:
        value = json.loads(body)
    except ValueError:
        return ""
    sentence = value.get("error") if isinstance(value, dict) else None
    return sentence if isinstance(sentence, str) else ""


def seconds(value: float) -> str:
    """Seconds of a stopwatch: hundredths under ten, tenths from there on."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}"


def outage_length(outages: Sequence[Outage]) -> str:
    """How long clients were without, with its error bar: `1.80 s ±0.10`; nothing while one is open."""
    lengths = [outage.seconds for outage in outages]
    if not lengths or None in lengths:
        return ""
    error = sum(outage.interval_us for outage in outages) / 1e6
    return f"{seconds(sum(length or 0.0 for length in lengths))} s ±{max(error, 0.01):.2f}"


def load_size(running: Load) -> str:
    """A load's size in words: `100/s`, `burst of 50`, `0.5 CPU`."""
    if not running.rate:
        return f"burst of {running.count or '–'}"
    return steady_size(running.cpu or running.rate, cpu=bool(running.cpu))


def load_mode(running: Load) -> str:
    """Over which connections a load goes: `new connections`, `3 kept connections`."""
    if not running.connections:
        return running.mode.value
    return f"{running.connections} kept connection{'' if running.connections == 1 else 's'}"


def steady_size(amount: float, *, cpu: bool) -> str:
    """The size of a steady load in its unit: `100/s`, or `0.5 CPU` where it is sized by CPU."""
    return f"{amount:g} CPU" if cpu else f"{amount:g}/s"
