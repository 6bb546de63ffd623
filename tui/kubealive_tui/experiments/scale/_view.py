"""An autoscaler in words: what each pod uses, the arithmetic that follows, the conditions, what may come next."""

from collections.abc import Iterator
from dataclasses import replace

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._blocks import AGE, IMAGE, IP, NODE, POD, READY, STATE
from kubealive_tui.experiments._words import age, not_made, not_placed
from kubealive_tui.experiments.scale._autoscaling import (
    DEFAULT_WINDOW_S,
    TOLERANCE,
    Use,
    earliest_scale_down,
    verdict,
    wanted,
)
from kubealive_tui.model import (
    Access,
    AccessState,
    Align,
    Autoscaler,
    Bar,
    Cell,
    Column,
    Condition,
    Kind,
    Line,
    Role,
    Sentence,
    line,
)
from kubealive_tui.store import Store

__all__ = [
    "BASE",
    "USE",
    "arithmetic",
    "conditions",
    "messages",
    "needs_attention",
    "pods_use",
    "unreadable",
    "use_cells",
    "window_seconds",
]

# Lines of a screen that has room for all conditions in full.
ROOMY_LINES = 34

BASE = (POD, NODE, STATE, READY, replace(AGE, least=115), IP, IMAGE)
USE = (
    Column("CPU", 6, Align.RIGHT),
    Column("REQUEST", 7, Align.RIGHT, least=92),
    Column("OF REQUEST", 10, Align.RIGHT),
    Column("OF TARGET", 9, Align.RIGHT, least=92),
    Column("", 8, grows=True),
    Column("METRIC", 8, Align.RIGHT),
)
_UNKNOWN = line(("–", Role.MUTED))


def use_cells(scene: Scene, uid: str) -> tuple[Cell, ...]:
    """A pod's use, its request, the use as a share of it and of what the target allows, and the metric's age."""
    store = scene.store
    pod, usage, scaler = store.pod(uid), store.usage(uid), store.autoscaler(scene.name)
    request = pod.cpu_request_millis if pod else None
    asked = _UNKNOWN if request is None else line((f"{request}m", Role.MUTED))
    if pod is None or usage is None:
        none = "" if pod is None or pod.deleting else "none yet"
        return (_UNKNOWN, asked, _UNKNOWN, _UNKNOWN, (), line((none or "–", Role.MUTED)))
    old = line(age(store.now_us - usage.measured_us), (" old", Role.MUTED))
    if not request:
        return (line(f"{usage.cpu_millis}m"), asked, _UNKNOWN, _UNKNOWN, (), old)
    # Cut as the autoscaler cuts it, so that the arithmetic below does not disagree with the pod.
    per_cent, target = 100 * usage.cpu_millis // request, scaler.target_utilization if scaler else 0
    of_target = line(f"{100 * per_cent // target}", (" %", Role.MUTED)) if target else _UNKNOWN
    high = bool(target) and verdict(per_cent, target) > 0
    return (
        line(f"{usage.cpu_millis}m"),
        asked,
        line(str(per_cent), (" %", Role.MUTED)),
        of_target,
        # A full bar is twice the target: at the target it is half full.
        Bar(
            min(50 * usage.cpu_millis / request / target, 1.0) if target else 0.0,
            Role.WAITING if high else Role.ACCENT,
        ),
        old,
    )


def unreadable(store: Store) -> Access | None:
    """Why there are no metrics of pods, or None while there are."""
    access = store.access(Kind.POD_USAGE)
    if access is None or access.state in {AccessState.WATCHING, AccessState.LISTING}:
        return None
    return access


def pods_use(store: Store, experiment: str) -> Use:
    """What the pods that are not leaving use together, of the metrics that there are."""
    pods = [pod for pod in store.pods_of(experiment) if not pod.deleting]
    known = [(pod, usage) for pod in pods if (usage := store.usage(pod.uid)) and pod.cpu_request_millis]
    return Use(
        pods=len(known),
        unmeasured=len(pods) - len(known),
        used=sum(usage.cpu_millis for _, usage in known),
        requested=sum(pod.cpu_request_millis or 0 for pod, _ in known),
    )


def arithmetic(scene: Scene) -> Line:
    """The autoscaler's own formula with the pods' own metrics, and what comes of it within its bounds."""
    scaler, use = scene.store.autoscaler(scene.name), pods_use(scene.store, scene.name)
    if scaler is None:
        return line(("no autoscaler", Role.WAITING), (f": {scene.reset_command} makes it again", Role.MUTED))
    if unreadable(scene.store) is not None:
        return line(("nothing to compute without metrics", Role.MUTED))
    if use.unmeasured:
        pods = "1 pod" if use.unmeasured == 1 else f"{use.unmeasured} pods"
        rest = "" if use.per_cent is None else f"; the others use {use.per_cent} % of their request"
        return line((f"{pods} without a metric yet", Role.WAITING), (rest, Role.MUTED))
    if use.per_cent is None or not scaler.target_utilization:
        return line(("no pod to measure", Role.MUTED))
    target = scaler.target_utilization
    count = wanted(use.pods, use.per_cent, target)
    formula = line(
        ("ceil(", Role.MUTED), f"{use.pods} pods" if use.pods != 1 else "1 pod",
        (" × ", Role.MUTED), f"{use.per_cent} %", (" ÷ ", Role.MUTED), f"{target} %",
        (") = ", Role.MUTED),
    )  # fmt: skip
    if verdict(use.per_cent, target) == 0:
        within = f"   within tolerance (±{TOLERANCE:.0%}): nothing to do".replace("%)", " %)")
        return line(formula, (str(use.pods), Role.STRONG), (within, Role.MUTED))
    return line(formula, (str(count), Role.STRONG), _bounded(count, scaler))


def _bounded(count: int, scaler: Autoscaler) -> Line:
    if count > scaler.max_replicas:
        return line((" → ", Role.MUTED), (f"at most {scaler.max_replicas}", Role.WAITING))
    if count < scaler.min_replicas:
        return line((" → ", Role.MUTED), (f"at least {scaler.min_replicas}", Role.TEXT))
    return ()


# ---- conditions

_CONDITIONS = (
    ("AbleToScale", "able to scale"),
    ("ScalingActive", "scaling active"),
    ("ScalingLimited", "limited"),
)


def conditions(scene: Scene) -> Line:
    """The three conditions in a word each, and when there may be fewer pods."""
    scaler = scene.store.autoscaler(scene.name)
    words = [_condition_word(scaler.condition(kind) if scaler else None, word) for kind, word in _CONDITIONS]
    return line(words[0], "  ", words[1], "  ", words[2], "   ", _down(scene))


def _condition_word(found: Condition | None, word: str) -> Line:
    if found is None or found.status not in {"True", "False"}:
        return line((f"– {word}", Role.MUTED))
    holds = found.status == "True"
    if found.type == "ScalingLimited":
        end = {"TooManyReplicas": ": the most", "TooFewReplicas": ": the fewest"}.get(found.reason, "")
        return line((f"○ limited{end}", Role.WAITING)) if holds else line(("– not limited", Role.MUTED))
    return line(("✓ ", Role.GOOD), word) if holds else line((f"✕ not {word}", Role.BAD))


def _down(scene: Scene) -> Line:
    """When there may be fewer pods: the rule's own time, which is about right, so it is marked ≈."""
    scaler, store = scene.store.autoscaler(scene.name), scene.store
    if scaler is None:
        return ()
    earliest = earliest_scale_down(store.scaling(scene.name), window_seconds(scaler))
    if earliest is not None:
        left = (earliest - store.now_us) / 1e6
        return line(("down ", Role.MUTED), f"≈ {left:.0f} s" if left > 0 else "at its next tick")
    if scaler.desired_replicas <= scaler.min_replicas:
        return ()
    return line(("down ", Role.MUTED), f"≈ {window_seconds(scaler)} s", (" after load", Role.MUTED))


def window_seconds(scaler: Autoscaler) -> int:
    """How long it looks back before it scales down."""
    given = scaler.scale_down_window_seconds
    return DEFAULT_WINDOW_S if given is None else given


def messages(scene: Scene) -> Iterator[Sentence]:
    """What keeps wanted pods away, and the conditions' own words: of those that matter, with room of all."""
    store, scaler = scene.store, scene.store.autoscaler(scene.name)
    deployment = store.workload(scene.name, scaler.target_name) if scaler else None
    pods = store.pods_of(scene.name)
    for words in (not_made(deployment) if deployment else (), not_placed(pods)):
        if words:
            yield Sentence(words)
    for kind, _ in _CONDITIONS:
        found = scaler.condition(kind) if scaler else None
        if found and (scene.size.height >= ROOMY_LINES or needs_attention(found)):
            yield Sentence(line((f"{kind} ", Role.MUTED), found.message or found.reason))


def needs_attention(found: Condition) -> bool:
    """Whether a condition says that nothing can be scaled."""
    return found.type != "ScalingLimited" and found.status != "True"
