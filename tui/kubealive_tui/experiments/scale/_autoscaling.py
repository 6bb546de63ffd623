"""The rules by which an autoscaler decides, as Kubernetes has them, without any state of the screen.

The controller looks each 15 s, compares the pods' use with its target, does nothing within a tolerance, and before
it scales down it waits until nothing within its window has spoken against it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kubealive_tui.model import (
    Aspect,
    Kind,
    Milestone,
    PodTransition,
    Role,
    RunFacts,
    ScalingSample,
    Source,
    WorkloadTransition,
)
from kubealive_tui.store import ScalingLedger

__all__ = [
    "DEFAULT_WINDOW_S",
    "TOLERANCE",
    "Use",
    "earliest_scale_down",
    "loaded",
    "unloaded",
    "verdict",
    "wanted",
]

# Defaults of kube-controller-manager: --horizontal-pod-autoscaler-tolerance and -sync-period.
TOLERANCE = 0.1
TICK_US = 15_000_000
# Of autoscaling/v2, where the spec names no window.
DEFAULT_WINDOW_S = 300
# The metrics API writes whole seconds.
GRAIN_US = 1_000_000
# Two watches have no order: so much sooner than the autoscaler's own word its Deployment may be heard of.
BESIDE_US = 2_000_000


@dataclass(frozen=True, slots=True)
class Use:
    """What some pods use of what they request, in millis of CPU; `unmeasured` pods are in neither sum."""

    pods: int = 0
    unmeasured: int = 0
    used: int = 0
    requested: int = 0

    @property
    def per_cent(self) -> int | None:
        """Use in whole per cent of the request, cut as the controller cuts it; None without a metric."""
        return 100 * self.used // self.requested if self.requested else None


def verdict(utilization: float, target: int) -> int:
    """-1 where the use is so far below its target that it matters, 1 above it, 0 within the tolerance."""
    ratio = utilization / target if target else 1.0
    if abs(ratio - 1.0) <= TOLERANCE + 1e-9:
        return 0
    return 1 if ratio > 1.0 else -1


def wanted(pods: int, utilization: float, target: int) -> int:
    """How many pods meet the target, before the bounds: `ceil(pods × use ÷ target)`, or these within tolerance."""
    return math.ceil(pods * utilization / target - 1e-9) if verdict(utilization, target) else pods


def earliest_scale_down(scaling: ScalingLedger, window_s: int) -> int | None:
    """About when the autoscaler may have fewer pods, agent time in µs; None while it does not want that.

    It takes the highest of what it wanted within its window. So that is over once the window has passed since the
    last tick that wanted as many as there are, and that was the tick before the first one that wanted fewer.
    """
    newest = scaling.newest
    since = None
    for at_us, sample in scaling.backwards():
        seen = sample.seen_utilization
        if newest is None or seen is None or not sample.target_utilization:
            break
        if wanted(sample.current_replicas, seen, sample.target_utilization) >= newest.current_replicas:
            break
        since = at_us
    if newest is None or since is None or newest.current_replicas <= newest.min_replicas:
        return None
    return since - TICK_US + window_s * 1_000_000


# ---- stopwatches


def loaded(run: RunFacts) -> Iterator[Milestone]:
    """From a load's start or change to a use at the target: by more pods, or by fewer after a larger load."""
    samples = list(run.of(ScalingSample))
    change = next(((at, one) for at, one in samples if _direction(one)), None)
    direction = _direction(change[1]) if change else 1
    yield Milestone(
        "seen",
        _first_seen(run, samples, direction),
        Source.WATCH,
        Role.WAITING,
        Role.WAITING,
        weight=4,
    )
    changed = change[0] if change else None
    yield Milestone("desired", changed, Source.WATCH, Role.ACCENT, Role.WAITING, weight=5, note=_step(change))
    if direction > 0:
        yield Milestone("new pod ready", _first_ready(run, changed), Source.WATCH, Role.GOOD, weight=3)
    else:
        yield Milestone("pod gone", _first_gone(run, changed), Source.WATCH, Role.LEAVING, weight=3)
    settled = None
    if changed is not None:
        settled = next((at for at, one in samples if at > changed and _settled(one, direction)), None)
    yield Milestone("at the target", settled, Source.WATCH, Role.GOOD, Role.GOOD, weight=6)


def unloaded(run: RunFacts) -> Iterator[Milestone]:
    """From the end of a load to the fewest pods; where there are no more already, to the metric alone."""
    samples = list(run.of(ScalingSample))
    first = samples[0][1] if samples else None
    # A late metric of the load may still bring pods after its end, which then go again.
    nothing = first is not None and all(
        max(one.desired_replicas, one.current_replicas) <= one.min_replicas for _, one in samples
    )
    yield Milestone("seen", _first_seen(run, samples, -1), Source.WATCH, Role.WAITING, Role.WAITING, weight=4)
    change = next(((at, one) for at, one in samples if _direction(one) < 0), None)
    yield Milestone(
        "scale-down",
        change[0] if change else None,
        Source.WATCH,
        Role.LEAVING,
        Role.LEAVING,
        weight=5,
        optional=nothing,
        note=_step(change),
    )
    fewest = None
    if first is not None and change is not None:
        fewest = run.first(
            WorkloadTransition,
            lambda body: body.kind is Kind.DEPLOYMENT and body.current <= first.min_replicas,
            after=change[0] - BESIDE_US,
        )
    yield Milestone("at minimum", fewest, Source.WATCH, Role.GOOD, Role.GOOD, weight=6, optional=nothing)


def _first_seen(run: RunFacts, samples: Sequence[tuple[int, ScalingSample]], direction: int) -> int | None:
    """When a metric came that was measured after the trigger and calls for more pods (1), or for fewer (-1).

    Agent time is compared with the metrics server's clock here: what was measured before tells of the load before.
    """
    return next(
        (
            at
            for at, one in samples
            if _verdict(one) == direction and (one.measured_us or 0) >= run.trigger.time_us - GRAIN_US
        ),
        None,
    )


def _verdict(sample: ScalingSample) -> int:
    """What the controller makes of it, which cuts a use to whole per cent before it compares."""
    return 0 if sample.utilization is None else verdict(int(sample.utilization), sample.target_utilization)


def _direction(sample: ScalingSample) -> int:
    """Whether this tells of a wish for more pods (1), for fewer (-1), or of none (0)."""
    before = sample.previous_desired_replicas
    return 0 if before is None else (sample.desired_replicas > before) - (sample.desired_replicas < before)


def _step(change: tuple[int, ScalingSample] | None) -> str:
    return f"{change[1].previous_desired_replicas} → {change[1].desired_replicas}" if change else ""


def _settled(sample: ScalingSample, direction: int) -> bool:
    """Whether all pods are measured and their use asks for no further step that way."""
    return (
        sample.unmeasured_pods == 0
        and sample.utilization is not None
        and _verdict(sample) != direction
        and sample.previous_desired_replicas is None
    )


def _first_ready(run: RunFacts, changed: int | None) -> int | None:
    """When the first of the pods that came after the change was ready."""
    if changed is None:
        return None
    new = {body.uid for at, body in run.of(PodTransition) if Aspect.CREATED in body.changed and not body.found}
    return run.first(PodTransition, lambda body: body.uid in new and body.ready, after=changed)


def _first_gone(run: RunFacts, changed: int | None) -> int | None:
    return None if changed is None else run.first(PodTransition, lambda body: body.deleted, after=changed)
