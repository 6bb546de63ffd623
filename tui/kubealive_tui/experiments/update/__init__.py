"""Rolling update: one Deployment, a ReplicaSet for each version, and what clients lose on the way.

The lesson is that the strategy alone decides nothing: a rollout loses no request where new pods are asked for
nothing before they are ready and old ones serve until every proxy has dropped them, and loses some with any
strategy where they do not.
"""

from collections.abc import Sequence
from dataclasses import replace

from kubealive_tui.experiments._api import (
    Command,
    Drive,
    Effect,
    Experiment,
    Finding,
    Http,
    Limit,
    NotNow,
    Option,
    Scene,
    Verdict,
)
from kubealive_tui.experiments._blocks import lost_view, pod_table, rail
from kubealive_tui.experiments._checks import all_serving, ended_run, facts_of, steady_limit, steady_load, whole
from kubealive_tui.experiments._commands import load, measured, observe, scale
from kubealive_tui.experiments._explanations import TRY
from kubealive_tui.experiments.update._explained import (
    explain_deployment,
    explain_drain,
    explain_pods,
    explain_rollout,
    next_to_try,
)
from kubealive_tui.experiments.update._ladder import TALL, condition_words, ladder, replica_sets, share_stack
from kubealive_tui.experiments.update._rollout import (
    GRACEFUL,
    drain_of,
    drain_step,
    is_complete,
    rollout_stopwatch,
    strategy_now,
    strategy_of,
)
from kubealive_tui.experiments.update._staged import (
    BROKEN,
    STRATEGIES,
    VERSIONS,
    deployment_of,
    rollout,
    stage,
    staged,
    staged_words,
)
from kubealive_tui.model import (
    Act,
    Column,
    Ending,
    Heading,
    Line,
    Matrix,
    MatrixCell,
    Pause,
    Restart,
    Role,
    Run,
    Sentence,
    StopLoad,
    Table,
    Undo,
    View,
    Workload,
    line,
)
from kubealive_tui.store import Store

__all__ = ["lab"]

DEPLOYMENT = "incver"
RATE = 100.0
# As it is installed.
FIRST = next(iter(STRATEGIES))
# The strategies by their heads in the table of results.
HEADS = dict(zip(("SURGE 1, UNAV. 0", "SURGE 0, UNAV. 1", "ALL AT ONCE", "RECREATE"), STRATEGIES, strict=True))
# Longer than a run can be, so that it is measured to its end.
TAIL_MS = 65_000
DANGER = "replace all pods of"

COMPLETE_WITHIN_S = 60.0
HELD_FOR_S = 10.0
RUNS_WITHIN_S = 30.0

READY = Limit("pods ready, drain on", f"all, within {COMPLETE_WITHIN_S:.0f} s")
UPDATED = Limit("graceful update", f"complete within {COMPLETE_WITHIN_S:.0f} s, old pods gone")
LOADED = steady_limit(RATE)
KEPT = Limit("lost in the graceful update", f"0 of {RATE:g}/s")
HELD = Limit("replies of a version that never gets ready", f"0 within {HELD_FOR_S:.0f} s")
UNHARMED = Limit("lost while it was held back", f"0 of {RATE:g}/s")
UNDONE = Limit("undo", f"the version before serves within {COMPLETE_WITHIN_S:.0f} s")
WHOLE = facts_of("these runs")

lab = Experiment(
    "update",
    order=3,
    title="Update",
    long_title="Rolling update",
    lesson="Pods of the new version replace the old ones, as fast as readiness allows.",
    traffic=Http("incver", rate=RATE),
    subject=DEPLOYMENT,
    limits=(READY, LOADED, UPDATED, KEPT, HELD, UNHARMED, UNDONE, WHOLE),
    # 60 to make it graceful, 60 for the update, 30 and 20 for the broken version, 60 for the undo, and air.
    check_within_s=260.0,
)
lab.stopwatches += [rollout_stopwatch]


# ---- what changes the cluster


def _update(scene: Scene) -> Sequence[Effect]:
    deployment = deployment_of(scene)
    changes = staged(scene, deployment)
    chosen = scene.settings.choices.get("version", "")
    if chosen == deployment.version and not changes:
        raise NotNow(f"{DEPLOYMENT} is {chosen} already: choose another version with v")
    changes.setdefault("version", chosen)
    act = Act(scene.name, deployment.uid, deployment.name, rollout(scene.store, deployment, changes))
    cleared = replace(scene.settings, choices={})
    return (cleared, *_rolled(scene, deployment, act))


def _rolled(scene: Scene, deployment: Workload, act: Act) -> Sequence[Effect]:
    """The act with its measurement, or with a word on why nothing will be seen of it yet."""
    if deployment.paused:
        return (act, f"{deployment.name} is paused: this is written, and rolls out when p resumes")
    return measured(scene, act, tail_ms=TAIL_MS)


def _pause(scene: Scene) -> Sequence[Effect]:
    deployment = deployment_of(scene)
    act = Act(scene.name, deployment.uid, deployment.name, Pause(not deployment.paused))
    # What was written meanwhile rolls out from here on, so it is measured from here on.
    waits = deployment.paused and deployment.updated < deployment.desired
    return (replace(act, observe=observe(scene, tail_ms=TAIL_MS)) if waits else act,)


def _not_paused(deployment: Workload) -> None:
    if deployment.paused:
        raise NotNow(f"{deployment.name} is paused: p resumes it first")


def _restart(scene: Scene) -> Sequence[Effect]:
    deployment = deployment_of(scene)
    _not_paused(deployment)
    return measured(scene, Act(scene.name, deployment.uid, deployment.name, Restart()), tail_ms=TAIL_MS)


def _revisions(scene: Scene) -> Sequence[Option]:
    """The revisions before the current one, the newest of them first, or the selected one."""
    deployment = deployment_of(scene)
    _not_paused(deployment)
    earlier = [each for each in reversed(replica_sets(scene.store, deployment)[:-1]) if each.revision]
    if not earlier:
        raise NotNow(f"{deployment.name} has no earlier revision: u makes one")
    earlier.sort(key=lambda each: each.uid != scene.selected)
    return [
        Option(str(each.revision), f"revision {each.revision}", f"{each.version}, drain {drain_of(each)}")
        for each in earlier
    ]


def _undo(scene: Scene) -> Sequence[Effect]:
    deployment = deployment_of(scene)
    there = {str(each.revision) for each in replica_sets(scene.store, deployment)[:-1]}
    if scene.given not in there:
        raise NotNow(f"revision {scene.given} is gone meanwhile: z lists those that are there")
    act = Act(scene.name, deployment.uid, deployment.name, Undo(int(scene.given)))
    return measured(scene, act, tail_ms=TAIL_MS)


lab.use(
    Command("u", "update", "update", "send what is staged as one patch, to the next version if none was chosen",
            _update, danger=DANGER, needs="rollout"),
    *stage,
    Command("p", "pause", "pause", "pause the rollout, or resume it", _pause, needs="pause"),
    Command("z", "undo", "undo", "roll back to an earlier revision", _undo, danger=DANGER, needs="undo",
            choose=_revisions),
    Command("t", "restart", "", "replace all pods by ones of the same version", _restart, danger=DANGER,
            needs="restart"),
    # Each trigger brings its own load: the words of these keys give way to explain and kubectl.
    *(replace(command, label="") for command in load),
    *scale,
)  # fmt: skip


# ---- the tab


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """Revisions, the state in words, who answers, the last run, and what each way has cost so far."""
    deployment = scene.store.workload(scene.name, DEPLOYMENT)
    if deployment is None:
        missing = line(("no Deployment ", Role.WAITING), DEPLOYMENT)
        return [Sentence(line(missing, (f": {scene.reset_command} makes it again", Role.MUTED)))]
    tall = scene.size.height >= TALL
    return [
        ladder(scene, deployment),
        Sentence(condition_words(scene.store, deployment)),
        *([Sentence(waiting)] if (waiting := staged_words(scene, deployment)) else []),
        *([_pods(scene)] if tall else []),
        share_stack(scene, deployment),
        *(lost_view(scene) if tall else ()),
        rail(scene, hint="u updates to the next version: the stopwatch starts with it"),
        results(scene.store.runs(scene.name).ended),
    ]


def _pods(scene: Scene) -> Table:
    """The pods one by one, those of each version told apart."""
    store = scene.store

    def version(uid: str) -> tuple[Line]:
        left = store.departed(scene.name).get(uid)
        pod = store.pod(uid) or (left.pod if left else None)
        return (line((pod.version if pod else "–", Role.MUTED)),)

    return replace(pod_table(scene, extra=(Column("VERSION", 9),), cells=version), selectable=False)


def results(ended: Sequence[Run]) -> Matrix:
    """What clients lost in the newest whole run of each strategy and drain; – where there was none."""
    lost: dict[tuple[str, str], int] = {}
    for run in ended:
        if run.ending is Ending.COMPLETE and run.measured and not run.incomplete:
            lost[drain_step(run.given), strategy_of(run.given)] = run.failed
    steps = list(dict.fromkeys(["on", "off", *(step for step, _ in lost)]))
    return Matrix(
        columns=tuple(HEADS),
        rows=tuple(
            (f"drain {step}", tuple(_cell(lost.get((step, name))) for name in HEADS.values())) for step in steps
        ),
        heading=Heading(line(("RESULTS", Role.STRONG)), line(("strategy × drain, clients lost", Role.DIM))),
    )


def _cell(lost: int | None) -> MatrixCell:
    if lost is None:
        return MatrixCell(line(("–", Role.DIM)))
    return MatrixCell(line((f"{lost:,}", Role.BAD if lost else Role.GOOD)))


# ---- the check


@lab.check
async def check(drive: Drive) -> Verdict:
    """A graceful update, a broken version that readiness holds back, and the way back: nobody loses a request."""
    pods = await _graceful(drive)
    if not pods:
        return Verdict.of([READY.found(_standing(drive.store), kept=False)])
    loaded = await steady_load(drive, lab)
    findings = [READY.found(str(pods), kept=True), LOADED.found("yes" if loaded else "no", kept=loaded)]
    if not loaded:
        return Verdict.of(findings)
    runs = []
    for step in (_updates, _holds_back, _goes_back):
        found, run = await step(drive)
        findings += found
        runs.append(run)
    await drive.ask(StopLoad(lab.name))
    return Verdict.of([*findings, whole(WHOLE, *runs)])


def _standing(store: Store) -> str:
    """How many pods there are, and what keeps the check from beginning."""
    pods = store.pods_of(lab.name)
    leaving = sum(1 for pod in pods if pod.deleting)
    ready = sum(1 for pod in pods if pod.ready and not pod.deleting)
    deployment = store.workload(lab.name, DEPLOYMENT)
    moving = ", not rolled out" if deployment is None or not is_complete(deployment) else ""
    return f"{ready} of {len(pods) - leaving}{moving}" + (f", {leaving} leave and do not go" if leaving else "")


def _settled(store: Store) -> Workload | None:
    """The Deployment when nothing moves any more: rolled out, every pod ready and in the Service, none leaving."""
    deployment = store.workload(lab.name, DEPLOYMENT)
    if deployment is None or all_serving(store, lab.name, DEPLOYMENT) is None:
        return None
    return deployment if is_complete(deployment) else None


async def _graceful(drive: Drive) -> int:
    """Let the Deployment be as it was installed, but for its version; how many pods are ready then."""
    store = drive.store
    deployment = await drive.until("the Deployment", lambda: store.workload(lab.name, DEPLOYMENT), within=10)
    if deployment is None:
        return 0
    if deployment.paused:
        await drive.ask(Act(lab.name, deployment.uid, deployment.name, Pause(paused=False)))
    if not _as_installed(deployment):
        verb = rollout(store, deployment, {"strategy": FIRST, "drain": GRACEFUL})
        await drive.ask(Act(lab.name, deployment.uid, deployment.name, verb))

    def ready() -> Workload | None:
        settled = _settled(store)
        return settled if settled and _as_installed(settled) else None

    found = await drive.until("all pods to be ready", ready, within=COMPLETE_WITHIN_S)
    return found.ready if found else 0


def _as_installed(deployment: Workload) -> bool:
    settings = (strategy_now(deployment), drain_of(deployment))
    return settings == (FIRST, GRACEFUL) and deployment.version in VERSIONS


_Found = tuple[list[Finding], Run | None]


async def _updates(drive: Drive) -> _Found:
    """An update to the next version: complete, its old pods gone, and no request lost."""
    run = await _rolled_out(drive, {})
    took = run.seconds("old pods gone") if run else None
    lost = f"{run.failed} of {run.planned}" if run else "–"
    return [
        UPDATED.found("never" if took is None else f"{took:.1f} s", kept=took is not None),
        KEPT.found(lost, kept=run is not None and run.measured and not run.failed),
    ], run


async def _rolled_out(drive: Drive, changes: dict[str, str]) -> Run | None:
    deployment = drive.store.workload(lab.name, DEPLOYMENT)
    if deployment is None:
        return None
    verb = rollout(drive.store, deployment, changes)
    action = await drive.ask(Act(lab.name, deployment.uid, deployment.name, verb))
    return await ended_run(drive, lab, action, within=COMPLETE_WITHIN_S + 5)


async def _holds_back(drive: Drive) -> _Found:
    """A version that never gets ready: for ten seconds nothing comes from it, and nobody loses anything."""
    deployment, traffic = drive.store.workload(lab.name, DEPLOYMENT), drive.store.traffic(lab.name)
    if deployment is None:
        return [HELD.found("no Deployment", kept=False)], None
    before = traffic.failed
    verb = rollout(drive.store, deployment, {"version": BROKEN})
    await drive.ask(Act(lab.name, deployment.uid, deployment.name, verb))
    if not await drive.until(f"a pod of {BROKEN} to run", lambda: _runs(drive.store), within=RUNS_WITHIN_S):
        return [HELD.found("none of its pods runs", kept=False)], None
    began = drive.store.now_us
    await drive.until(f"{BROKEN} to be held back", lambda: _passed(drive.store, began), within=HELD_FOR_S + 10)
    replies = sum(pod.ok + pod.failed for pod in traffic.pods.values() if pod.version == BROKEN)
    return [
        HELD.found(str(replies), kept=not replies),
        UNHARMED.found(str(traffic.failed - before), kept=traffic.failed == before),
    ], None


def _runs(store: Store) -> bool | None:
    pods = store.pods_of(lab.name)
    return any(pod.version == BROKEN and pod.status == "Running" for pod in pods) or None


def _passed(store: Store, began_us: int) -> bool | None:
    return store.now_us >= began_us + int(HELD_FOR_S * 1e6) or None


async def _goes_back(drive: Drive) -> _Found:
    """An undo: the version before serves alone again."""
    deployment = drive.store.workload(lab.name, DEPLOYMENT)
    if deployment is None:
        return [UNDONE.found("no Deployment", kept=False)], None
    action = await drive.ask(Act(lab.name, deployment.uid, deployment.name, Undo()))
    run = await ended_run(drive, lab, action, within=COMPLETE_WITHIN_S + 5)
    took = run.seconds("complete") if run else None
    served = took is not None and run is not None and run.seconds("first reply") is not None
    return [UNDONE.found(f"{took:.1f} s" if served else "never", kept=served)], run


@lab.explain
def explain(scene: Scene) -> Sequence[Line]:
    """Paragraphs on the rule, where the rollout stands, why pods do not count, the last run, and what to try."""
    deployment = scene.store.workload(scene.name, DEPLOYMENT)
    if deployment is None:
        return [line(f"There is no Deployment {DEPLOYMENT}: {scene.reset_command} makes it again.")]
    last = scene.store.runs(scene.name).last
    return [
        *explain_deployment(scene.store, deployment),
        *explain_pods(scene.store, deployment),
        *explain_drain(deployment),
        *(explain_rollout(last) if last else ()),
        line(TRY, next_to_try(deployment)),
    ]
