"""The autoscaler's rules: when it acts, for how many pods, and about when it has fewer."""

from dataclasses import replace

import pytest

from kubealive_tui.experiments.scale._autoscaling import (
    Use,
    earliest_scale_down,
    loaded,
    unloaded,
    verdict,
    wanted,
)
from kubealive_tui.model import (
    Action,
    Aspect,
    Ending,
    Fact,
    FactBody,
    Kind,
    Phase,
    PodTransition,
    Run,
    ScalingSample,
    Stopwatch,
    WorkloadTransition,
    evaluate,
)
from kubealive_tui.store import ScalingLedger
from tests.tui.signals import at, fact

IDLE = ScalingSample("h", "cpuhog", 1.0, 1, 0, at(0), 50, 1, 5, desired_replicas=1, current_replicas=1)


def used(utilization: float, *, pods: int = 1, unmeasured: int = 0, was: int | None = None) -> ScalingSample:
    """The autoscaler sees this use of so many pods and wants as many; with `was` it has just changed its mind."""
    return replace(
        IDLE,
        utilization=utilization,
        seen_utilization=round(utilization),
        measured_pods=pods - unmeasured,
        unmeasured_pods=unmeasured,
        desired_replicas=pods,
        current_replicas=pods if was is None else was,
        previous_desired_replicas=was,
    )


@pytest.mark.parametrize(
    ("pods", "utilization", "expected"),
    [
        pytest.param(3, 92, 6, id="the formula"),
        pytest.param(1, 200, 4, id="without remainder"),
        pytest.param(4, 55, 4, id="upper end of the tolerance"),
        pytest.param(4, 56, 5, id="over the tolerance"),
        pytest.param(4, 45, 4, id="lower end of the tolerance"),
        pytest.param(4, 44, 4, id="below it, yet no pod less"),
        pytest.param(5, 30, 3, id="fewer"),
        pytest.param(4, 0, 0, id="idle"),
    ],
)
def test_how_many_pods_meet_the_target(pods: int, utilization: float, expected: int) -> None:
    """`ceil(pods × use ÷ target)`, and no change within ten per cent of the target."""
    assert wanted(pods, utilization, 50) == expected


def test_the_use_is_cut_to_whole_per_cent() -> None:
    """As the controller computes it: 183m of 250m are 73 %; nothing requested is no number."""
    assert Use(1, 0, 183, 250).per_cent == 73
    assert Use(1, 0, 183, 0).per_cent is None


def test_without_a_target_nothing_is_judged() -> None:
    """A target of another sort than utilisation says nothing about CPU."""
    assert verdict(200, 0) == 0


# Ticks of an autoscaler around the end of a load: seconds, what it saw, and how many pods there were.
FALL = ((-41, 47, 5), (-11, 46, 5), (4, 30, 5), (19, 8, 5), (34, 0, 5))


def falling(*more: tuple[float, int, int]) -> ScalingLedger:
    ledger = ScalingLedger()
    for seconds, seen, pods in (*FALL, *more):
        ledger.add(used(seen, pods=pods), at(100 + seconds))
    return ledger


def test_it_scales_down_a_window_after_the_last_wish_for_as_many() -> None:
    """The last tick that wanted five pods was the one before the first that wanted fewer, 15 s earlier."""
    assert earliest_scale_down(falling(), 60) == at(100 + 4 - 15 + 60)


def test_the_next_step_down_has_its_own_time() -> None:
    """With three pods left, the wish for three holds on until its own window has passed."""
    assert earliest_scale_down(falling((49, 0, 3)), 60) == at(100 + 19 - 15 + 60)


@pytest.mark.parametrize(
    "ledger",
    [
        pytest.param(ScalingLedger(), id="nothing known"),
        pytest.param(falling((40, 48, 5)), id="as many are wanted"),
        pytest.param(falling((40, 0, 1)), id="the fewest already"),
    ],
)
def test_no_time_where_nothing_is_to_be_scaled_down(ledger: ScalingLedger) -> None:
    """While as many pods are wanted, or there are no fewer to be had, no time is shown."""
    assert earliest_scale_down(ledger, 60) is None


# ---- stopwatches


def measured(seconds: float, body: FactBody) -> FactBody:
    """The body as it is told so many seconds after the trigger: measured five seconds before."""
    return replace(body, measured_us=at(seconds - 5)) if isinstance(body, ScalingSample) else body


def run_of(watch: Stopwatch, *bodies: tuple[float, FactBody], now: float = 200) -> Run:
    trigger = Fact(1, at(0), "scale", Action("", "me@here", "set_load", Phase.REQUESTED), "a1")
    facts = [
        fact(n + 2, seconds, measured(seconds, body), experiment="scale")
        for n, (seconds, body) in enumerate(bodies)
    ]
    return evaluate(watch, trigger, facts, at(now))


def seconds(run: Run) -> dict[str, float | None]:
    return {milestone.words: run.seconds(milestone.label) for milestone in run.milestones}


LOADED = Stopwatch(lambda _: True, lambda _: "LOAD", loaded, limit_s=180.0)
UNLOADED = Stopwatch(lambda _: True, lambda _: "OFF", unloaded, limit_s=180.0)


def pod(uid: str, *aspects: Aspect, ready: bool = False) -> PodTransition:
    return PodTransition(uid, f"cpuhog-{uid}", frozenset(aspects), ready=ready)


def counted(current: int) -> WorkloadTransition:
    return WorkloadTransition(Kind.DEPLOYMENT, "d", "cpuhog", desired=current, current=current)


UP: tuple[tuple[float, FactBody], ...] = (
    (1.0, used(2)),
    (0.5, pod("old", Aspect.READY, ready=True)),
    (17.2, used(92)),
    (19.1, used(92, pods=4, was=1)),
    (19.2, pod("new", Aspect.CREATED)),
    (19.7, pod("new", Aspect.READY, ready=True)),
    (32.0, used(60, pods=4, unmeasured=2)),
    (33.0, used(30, pods=4, unmeasured=1)),
    (48.0, used(52, pods=4)),
)


def test_a_load_is_timed_to_the_target() -> None:
    """Seen in a metric, decided, a new pod ready, and all pods measured at the target."""
    run = run_of(LOADED, *UP)
    assert seconds(run) == {"seen": 17.2, "desired 1 → 4": 19.1, "new pod ready": 19.7, "at the target": 48.0}
    assert (run.ending, run.ended_us) == (Ending.COMPLETE, at(48))


def test_only_a_metric_of_after_the_trigger_has_seen_it() -> None:
    """What was measured before tells of the load before, however late it comes."""
    stale = replace(used(20, pods=5), seen_utilization=21)
    assert run_of(UNLOADED, (2.0, stale), (17.0, stale)).seconds("seen") == 17.0


def test_a_use_is_compared_in_whole_per_cent() -> None:
    """The controller cuts it before: 55.9 of 50 is within its tolerance of a tenth, and 56 is not."""
    assert run_of(LOADED, (17.0, used(55.9))).seconds("seen") is None
    assert run_of(LOADED, (17.0, used(56.0))).seconds("seen") == 17.0


def test_a_target_that_is_never_met_ends_the_run_at_its_limit() -> None:
    """More than the pods can bring to the target stays above it, and the run says so."""
    run = run_of(LOADED, *UP[:-2], (48.0, used(160, pods=5)))
    assert run.ending is Ending.LIMIT
    assert run.seconds("at the target") is None


def test_a_smaller_load_is_timed_downwards() -> None:
    """Where the autoscaler wants fewer, what is awaited is a pod less and the target from below."""
    run = run_of(
        LOADED,
        (16.0, used(20, pods=4)),
        (80.0, used(20, pods=2, was=4)),
        (81.0, pod("old", Aspect.DELETED)),
        (81.5, used(20, pods=2)),
        (95.0, used(46, pods=2)),
    )
    assert seconds(run) == {"seen": 16.0, "desired 4 → 2": 80.0, "pod gone": 81.0, "at the target": 95.0}


def test_the_end_of_a_load_is_timed_to_the_fewest_pods() -> None:
    """Seen, the first step down, and as many pods as the autoscaler keeps at least."""
    run = run_of(
        UNLOADED,
        (2.0, used(51, pods=5)),
        (19.0, used(30, pods=5)),
        (64.0, used(0, pods=3, was=5)),
        (64.1, counted(3)),
        (79.0, used(0, pods=1, was=3)),
        (79.2, counted(1)),
    )
    assert seconds(run) == {"seen": 19.0, "scale-down 5 → 3": 64.0, "at minimum": 79.2}
    assert run.ending is Ending.COMPLETE


def test_the_fewest_are_there_though_the_deployment_is_told_first() -> None:
    """Two watches have no order: the Deployment may be heard of before the autoscaler's word of what it did."""
    run = run_of(
        UNLOADED, (2.0, used(51, pods=5)), (19.0, used(30, pods=5)), (74.1, counted(1)), (74.2, used(0, was=5))
    )
    assert seconds(run) == {"seen": 19.0, "scale-down 5 → 1": 74.2, "at minimum": 74.1}
    assert run.ending is Ending.COMPLETE


def test_the_end_of_a_load_that_scaled_nothing_is_over_with_its_metric() -> None:
    """With the fewest pods from the start there is no step to wait for."""
    assert run_of(UNLOADED, (2.0, used(55)), (17.0, used(1)), now=30).ending is Ending.COMPLETE


def test_pods_that_come_after_the_end_of_a_load_are_waited_for() -> None:
    """A metric that tells of the load late brings pods, and the run lasts until they are gone."""
    late = (
        (2.0, used(1)),
        (8.0, used(120)),
        (9.0, used(120, pods=3, was=1)),
        (24.0, used(0, pods=3)),
        (84.0, used(0, pods=1, was=3)),
        (84.2, counted(1)),
    )
    assert run_of(UNLOADED, *late[:4], now=60).ending is Ending.OPEN
    assert seconds(run_of(UNLOADED, *late)) == {"seen": 24.0, "scale-down 3 → 1": 84.0, "at minimum": 84.2}


def test_nothing_told_is_nothing_reached() -> None:
    """Without a metric every milestone is still awaited."""
    for watch in (LOADED, UNLOADED):
        run = run_of(watch, now=20)
        assert set(seconds(run).values()) == {None}
        assert run.ending is Ending.OPEN
