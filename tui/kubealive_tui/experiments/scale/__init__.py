"""Autoscaling: a HorizontalPodAutoscaler adds pods where they use too much CPU, and takes them away again.

The load is sized in CPU, which is what the autoscaler sees. The lesson is in the delays: metrics come each 15 s,
the autoscaler looks each 15 s, and before it scales down it waits for its window.
"""

import math
from collections.abc import Iterator, Sequence

from kubealive_tui.experiments._api import Drive, Experiment, Finding, Http, Limit, Scene, Verdict
from kubealive_tui.experiments._blocks import loaded_for, pod_table, rail
from kubealive_tui.experiments._checks import facts_of, whole
from kubealive_tui.experiments._commands import cpu_load, planned_size
from kubealive_tui.experiments._explanations import NOW, TRY, ended_words
from kubealive_tui.experiments._words import count, load_size
from kubealive_tui.experiments.scale._autoscaling import TOLERANCE, Use, loaded, unloaded, verdict, wanted
from kubealive_tui.experiments.scale._view import (
    BASE,
    USE,
    arithmetic,
    conditions,
    messages,
    needs_attention,
    pods_use,
    unreadable,
    use_cells,
    window_seconds,
)
from kubealive_tui.model import (
    AccessState,
    Action,
    Autoscaler,
    Ending,
    Heading,
    Line,
    Lines,
    Role,
    Run,
    Sentence,
    Series,
    SetLoad,
    StopLoad,
    Stopwatch,
    Target,
    View,
    line,
)
from kubealive_tui.store import Store

__all__ = ["lab"]

SERVICE = "cpuhog"
# CPU that the check asks for: four pods of 250m meet a target of 50 % with it.
LOAD_CPU = 0.5

# A whole rise and fall: half a minute up, a minute and a half down.
CHART_SPAN_US = 240_000_000
CHART_STEPS = 120
# Lines of the chart beside so few pods; each pod more takes one.
ROWS = 5
FEW_PODS = 3

WITHIN_S = 180.0
QUIET = Limit("pods before the load", f"the fewest, within {WITHIN_S:.0f} s")
UP = Limit("more pods are wanted", f"within {WITHIN_S:.0f} s of the load")
READY = Limit("a new pod is ready", f"within {WITHIN_S:.0f} s of the load")
BOUNDED = Limit("most pods wanted", "maxReplicas at most")
DOWN = Limit("the fewest pods again", f"within {WITHIN_S:.0f} s of the load's end")
COMPLETE = facts_of("both runs")

lab = Experiment(
    "scale",
    order=4,
    title="Scale",
    long_title="Autoscaling",
    lesson="Every 15 s the autoscaler compares CPU use with its target and sets the pods.",
    traffic=Http(SERVICE, cpu=LOAD_CPU),
    limits=(QUIET, UP, READY, BOUNDED, DOWN, COMPLETE),
    # Three waits of 180 s at most, and air.
    check_within_s=600.0,
)

lab.use(*cpu_load)


def _is_load(action: Action) -> bool:
    return action.verb == "set_load" and action.parameters.get("load") == "run" and "cpu" in action.parameters


def _is_end(action: Action) -> bool:
    given = action.parameters
    if action.verb == "stop_all":
        return lab.name in given.get("loads", "").split(",")
    return action.verb == "set_load" and given.get("load") == "stop"


lab.stopwatches += [
    Stopwatch(
        _is_load, lambda action: f"LOAD {action.parameters['cpu']} CPU", loaded, limit_s=WITHIN_S, settle_s=1.0
    ),
    Stopwatch(_is_end, lambda _: "LOAD OFF", unloaded, limit_s=WITHIN_S, settle_s=1.0),
]


# ---- the tab


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """What is missing, pods with their use, its past against the target, the arithmetic, and the last run."""
    return [
        *_missing(scene),
        pod_table(scene, extra=USE, cells=lambda uid: use_cells(scene, uid), base=BASE),
        _chart(scene),
        Sentence(arithmetic(scene)),
        Sentence(conditions(scene)),
        *messages(scene),
        rail(scene, hint="l starts the load, l or ! ends it: the stopwatch times what follows either"),
    ]


def _missing(scene: Scene) -> Iterator[Sentence]:
    access = unreadable(scene.store)
    if access is not None:
        yield Sentence(line(("✕ ", Role.BAD), (access.reason, Role.WAITING)))
        if access.state is AccessState.ABSENT:
            yield Sentence(line(("  until then nothing is scaled, whatever the load: ", Role.MUTED), "e says how"))


def _chart(scene: Scene) -> Lines:
    """Use against the target, and under it, on the same time, how many pods are wanted and there are."""
    store, scaler = scene.store, scene.store.autoscaler(lab.name)
    columns = store.scaling(lab.name).columns(store.now_us, span_us=CHART_SPAN_US, count=CHART_STEPS)
    highest = max((value for value in columns.utilization if value is not None), default=0.0)
    top = max(100.0, 50.0 * math.ceil(highest / 50))
    return Lines(
        heading=Heading(line(("CPU OF REQUEST", Role.STRONG)), _figures(scene)),
        series=Series("use", columns.utilization),
        top=top,
        unit="%",
        # All pods that there can be are to be seen beside the chart on the smallest screen.
        rows=ROWS - min(max(len(store.pods(lab.name)) - FEW_PODS, 0), 2),
        target=float(scaler.target_utilization) if scaler and scaler.target_utilization else None,
        steps=(
            Series("desired", columns.desired, Role.VERSION_OLD),
            Series("pods", columns.current, Role.VERSION_NEW),
        ),
    )


def _figures(scene: Scene) -> Line:
    running, scaler = scene.store.load(lab.name), scene.store.autoscaler(lab.name)
    if running:
        load = line(("load ", Role.MUTED), (f"▶ {load_size(running)}", Role.GOOD))
    else:
        load = line((f"l starts {planned_size(scene)}", Role.MUTED))
    load = line(load, _lost(scene))
    if scaler is None:
        return line(load, ("   −4 min", Role.DIM))
    bounds = f" of {scaler.min_replicas}–{scaler.max_replicas}"
    desired = line(("   desired ", Role.MUTED), str(scaler.desired_replicas), (bounds, Role.MUTED))
    return line(load, desired, ("   −4 min", Role.DIM))


def _lost(scene: Scene) -> Line:
    """What clients have lost since the load began, or by the one before."""
    failed, length = scene.store.traffic(lab.name).failed, loaded_for(scene)
    if not failed:
        return ()
    lost = line(("lost ", Role.MUTED), (count(failed), Role.BAD))
    return line("  ", lost, (f" in {length}", Role.MUTED)) if length else line((", last ", Role.MUTED), lost)


# ---- the check


@lab.check
async def check(drive: Drive) -> Verdict:
    """Load makes more pods within its limit, and its end fewer again; where there are no metrics it is skipped."""
    access = unreadable(drive.store)
    if access is not None:
        return Verdict.skipped(f"nothing is scaled without metrics: {access.reason}")
    if drive.store.autoscaler(lab.name) is None:
        return Verdict.of([QUIET.found("no autoscaler", kept=False)])
    quiet = await drive.until("the fewest pods, without load", lambda: _quiet(drive.store), within=WITHIN_S)
    if quiet is None:
        return Verdict.of([QUIET.found(_unquiet(drive.store), kept=False)])
    up = await _timed(drive, SetLoad(lab.name, Target(service=SERVICE), cpu=LOAD_CPU), until="new pod ready")
    down = await _timed(drive, StopLoad(lab.name), until="at minimum")
    most, scaler = _most_wanted(drive.store, up), drive.store.autoscaler(lab.name)
    allowed = scaler.max_replicas if scaler else 0
    return Verdict.of(
        [
            QUIET.found(f"{quiet}", kept=True),
            _within(UP, up, "desired"),
            _within(READY, up, "new pod ready"),
            BOUNDED.found(f"{most} of {allowed}", kept=most <= allowed),
            _within(DOWN, down, "at minimum"),
            whole(COMPLETE, up, down),
        ]
    )


def _quiet(store: Store) -> int | None:
    """How many pods there are, once they are the fewest and nothing loads them."""
    scaler, workload = store.autoscaler(lab.name), store.workload(lab.name, SERVICE)
    if scaler is None or workload is None or store.load(lab.name):
        return None
    counts = {workload.desired, workload.current, workload.ready, len(store.pods(lab.name)), scaler.min_replicas}
    return scaler.min_replicas if len(counts) == 1 else None


def _unquiet(store: Store) -> str:
    if store.load(lab.name):
        return "a load is running"
    return f"{len(store.pods(lab.name))} pods"


async def _timed(drive: Drive, request: SetLoad | StopLoad, *, until: str) -> Run | None:
    """The run that a request begins, once it has reached a milestone or has ended; None where none began."""
    runs = drive.store.runs(lab.name)
    before = {run.action_id for run in runs.all}
    await drive.ask(request)

    def reached() -> Run | None:
        run = next((run for run in runs.all if run.action_id not in before), None)
        over = run is not None and (run.seconds(until) is not None or run.ending is not Ending.OPEN)
        return run if over else None

    return await drive.until(f"“{until}”", reached, within=WITHIN_S + 5)


def _within(limit: Limit, run: Run | None, milestone: str) -> Finding:
    took = run.seconds(milestone) if run else None
    if run is not None and took is None and run.ending is Ending.COMPLETE:
        # The end of a load that brought no pods has nothing to wait for.
        return limit.found("all the time", kept=True)
    kept = took is not None and took <= WITHIN_S
    value = "never" if took is None else f"{took:.1f} s"
    if not kept and run is not None and run.failed:
        # Where the nodes have no CPU to give, the pods use too little of it to be scaled.
        value += f", {count(run.failed)} of {count(run.planned)} requests lost"
    return limit.found(value, kept=kept)


def _most_wanted(store: Store, run: Run | None) -> int:
    """The most pods that the autoscaler wanted since the run began."""
    began = run.began_us if run else 0
    return max((s.desired_replicas for at, s in store.scaling(lab.name).backwards() if at >= began), default=0)


# ---- the words

# The whole address of its manifest is longer than a line of the smallest screen, and would be cut.
_INSTALL = "https://github.com/kubernetes-sigs/metrics-server"


@lab.explain
def explain(scene: Scene) -> Sequence[Line]:
    """Paragraphs on who scales by which rule, what holds now and why it waits, the last run, and what to try."""
    scaler = scene.store.autoscaler(lab.name)
    return [
        *_explain_missing(scene),
        *_explain_now(scene, scaler),
        *_explain_run(scene),
        *_explain_rule(scaler, scene.store.scaling(lab.name).every_us),
        *_explain_next(scene, scaler),
    ]


def _explain_missing(scene: Scene) -> Iterator[Line]:
    access = unreadable(scene.store)
    if access is None:
        return
    yield line((f"{access.reason[:1].upper()}{access.reason[1:]}.", Role.BAD))
    if access.state is AccessState.ABSENT:
        yield line(
            "The autoscaler reads metrics.k8s.io, which metrics-server serves; a cluster comes without. Whoever "
            "administers this one adds it by kubectl apply -f components.yaml, of the latest release at "
            f"{_INSTALL}"
        )
    elif access.state is AccessState.RETRYING:
        yield line(
            "The API is known here, and what serves it does not answer; the agent asks on. The condition "
            "Available of APIService v1beta1.metrics.k8s.io says what is wrong with it, and ScalingActive whether "
            "the autoscaler is without an answer as well."
        )


def _explain_rule(scaler: Autoscaler | None, every_us: int | None) -> Iterator[Line]:
    yield line(
        "The HorizontalPodAutoscaler controller looks each 15 s by default: it asks the metrics API for the CPU "
        "of the Deployment's pods, divides it by what they request (resources.requests.cpu), and compares that "
        "with averageUtilization. The result goes to the Deployment's spec.replicas, and its ReplicaSet makes the "
        "pods."
    )
    every = f"come each {every_us / 1e6:.0f} s here" if every_us else "are measured each 15 s by default"
    yield line(
        f"Metrics {every} (metrics-server's --metric-resolution), each over a window before it. Together with the "
        "autoscaler's own step that is what passes from a load to a decision. A pod has no metric at first: on "
        "the way up it counts as idle, on the way down as busy."
    )
    if scaler is not None:
        window = window_seconds(scaler)
        yield line(
            f"Up it goes at once, down only when nothing in the last {window} s has asked for more "
            "(behavior.scaleDown.stabilizationWindowSeconds). The default is 300 s, right where a start is dear "
            "and a dip is short. Here a start takes a second and you wait for what follows; with one "
            "about as short as a metric's it would scale down between two, only to scale up again."
        )


def _explain_now(scene: Scene, scaler: Autoscaler | None) -> Iterator[Line]:
    if scaler is None:
        yield line(NOW, "there is no autoscaler here, so spec.replicas stays as it is.")
        return
    use, target = pods_use(scene.store, lab.name), scaler.target_utilization
    if use.per_cent is not None and target and not use.unmeasured and unreadable(scene.store) is None:
        yield line(NOW, _situation(use, scaler))
    for kind in ("AbleToScale", "ScalingActive", "ScalingLimited"):
        found = scaler.condition(kind)
        if found and (needs_attention(found) or (kind == "ScalingLimited" and found.status == "True")):
            yield line((f"{kind} is {found.status}: ", Role.WAITING), f"{found.message}.")


def _situation(use: Use, scaler: Autoscaler) -> str:
    """What the use means for the number of pods."""
    target, per_cent = scaler.target_utilization, use.per_cent or 0
    needed = wanted(use.pods, per_cent, target)
    one = use.pods == 1
    who, whose = ("1 pod uses", "its request") if one else (f"{use.pods} pods use", "their requests")
    uses = f"{who} {per_cent} % of {whose}, the target is {target} %"
    if verdict(per_cent, target) == 0:
        return f"{uses}: within the tolerance of {TOLERANCE * 100:.0f} %, so nothing is done."
    if needed > scaler.max_replicas:
        most = scaler.max_replicas * use.requested / max(use.pods, 1) * target / 100_000
        return (
            f"{uses}, which asks for {needed} pods, and maxReplicas allows {scaler.max_replicas}. All of them can "
            f"bring {most:.2g} CPU to the target; a larger load stays above it."
        )
    if per_cent > target:
        return f"{uses}: too much, so there are to be {needed}."
    if use.pods <= scaler.min_replicas:
        return f"{uses}, and minReplicas keeps {scaler.min_replicas}."
    return f"{uses}: {max(needed, scaler.min_replicas)} would do, once the window has passed."


def _explain_run(scene: Scene) -> Iterator[Line]:
    run = scene.store.runs(lab.name).last
    if run is None:
        return
    yield ended_words(run)
    seen, desired, ready = (run.seconds(label) for label in ("seen", "desired", "new pod ready"))
    if seen is not None and desired is not None and ready is not None:
        yield line(
            f"The load was in a metric after {seen:.0f} s and in a decision after {desired:.0f} s; a pod took "
            f"{max(ready - desired, 0):.1f} s to be ready. Waiting for the metric is what takes the time."
        )
    down = run.seconds("scale-down")
    if down is not None:
        yield line(f"The first pod was given up after {down:.0f} s: the window, the metric and the tick together.")


def _explain_next(scene: Scene, scaler: Autoscaler | None) -> Iterator[Line]:
    running = scene.store.load(lab.name)
    if running is None:
        yield line(TRY, "l for load, and watch the use pass the target before pods follow.")
    elif scaler is not None and scaler.desired_replicas >= scaler.max_replicas:
        yield line(TRY, "- for a load that the pods can bring to the target.")
    else:
        yield line(TRY, "+ for more than the pods can take, or ! and watch the window pass.")
