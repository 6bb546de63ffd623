"""Self-healing: one pod, and what the cluster does about each way in which it can fail.

The lesson is that each fault is healed differently, or not at all: the kubelet restarts a container that ended or
whose liveness probe fails, a ReplicaSet replaces a pod that is gone, and nobody minds a program that fails its
clients while its probes are green.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import NamedTuple

from kubealive_tui.experiments._api import (
    Command,
    Drive,
    Effect,
    Experiment,
    Finding,
    Http,
    Limit,
    NotNow,
    Scene,
    Script,
    Verdict,
)
from kubealive_tui.experiments._blocks import (
    AGE,
    IMAGE,
    IP,
    NODE,
    POD,
    READY,
    load_view,
    lost_view,
    pod_table,
    rail,
)
from kubealive_tui.experiments._checks import READY as ALL_READY
from kubealive_tui.experiments._checks import (
    READY_WITHIN_S,
    all_serving,
    ended_run,
    facts_of,
    fresh,
    serving,
    steady_limit,
    steady_load,
    whole,
)
from kubealive_tui.experiments._commands import kill, load, measured, observe, readiness_fault, scale, staying
from kubealive_tui.experiments._stopwatches import first_failed, first_ok, is_kill, kill_title, killed
from kubealive_tui.experiments.heal._explained import ending_words, explanation
from kubealive_tui.experiments.heal._faults import LIMIT_S, fault_stopwatches, replies_fail
from kubealive_tui.experiments.heal._record import probe_strip
from kubealive_tui.experiments.heal._results import fault_table, recovered_s
from kubealive_tui.model import (
    Act,
    Column,
    DeletePod,
    Fault,
    FaultKind,
    Line,
    Milestone,
    Observe,
    Pod,
    PodSample,
    ProbeFails,
    Role,
    Run,
    RunFacts,
    Sample,
    Sentence,
    StopLoad,
    Stopwatch,
    View,
    line,
)
from kubealive_tui.store import Store

__all__ = ["lab"]

PROBES = "/probes"
RATE = 10.0
FRESH_WITHIN_S = 30.0
# A run is over some seconds after its last milestone, when nothing of it can be in flight any more.
SETTLED_S = 10.0
# What nobody is to heal is left alone for as long as three probes take.
HELD_S = 3.0
# A fault's own traffic goes on for as long as its run may.
TAIL_MS = round(LIMIT_S * 1000)
# From this height on the traffic has its chart as well; below it the rail and the table say what clients lost.
TALL = 32

INFECT = Fault(FaultKind.LIVENESS, ProbeFails.ALWAYS)
CRASH = Fault(FaultKind.EXIT, amount=1)
HANG = Fault(FaultKind.HANG)
# A pod of 12 MiB reaches its limit of 64 MiB within a quarter of a second, and probes are answered in between.
OOM = Fault(FaultKind.EAT, amount=256)
UNREADY = Fault(FaultKind.READINESS, ProbeFails.ALWAYS)
ERRORS = Fault(FaultKind.ERRORS, amount=100)
CURE = Fault(FaultKind.CURE)


class Case(NamedTuple):
    """A failure that the check brings about, and how long it may take to recover; `cured`: not by itself."""

    name: str
    verb: Fault | DeletePod
    within_s: float
    cured: bool = False

    @property
    def limit(self) -> Limit:
        """What the check demands of it."""
        return Limit(f"{self.name}: recovered", f"within {self.within_s:.0f} s" + " of the cure" * self.cured)


CASES = (
    Case("infect", INFECT, 15.0),
    Case("crash", CRASH, 15.0),
    Case("hang", HANG, 20.0),
    Case("oom", OOM, 15.0),
    Case("readiness", UNREADY, 10.0, cured=True),
    Case("errors", ERRORS, 10.0, cured=True),
    Case("kill", DeletePod(), 30.0),
    Case("force kill", DeletePod(0), 30.0),
)
# A kill first leaves a fresh pod to the fault after it, which need not ask for one then.
_KILLS = tuple(case for case in CASES if isinstance(case.verb, DeletePod))
_FAULTS = tuple(case for case in CASES if case not in _KILLS)
IN_TURN = (*chain(*zip(_KILLS, _FAULTS, strict=False)), *_FAULTS[len(_KILLS) :])
LOADED = steady_limit(RATE)
RENEWED = Limit("fresh pod for each fault", f"within {FRESH_WITHIN_S:.0f} s")
ALONE = Limit("restarts for readiness or errors", "0")
OTHERS = Limit("other pods touched", "none")
WHOLE = facts_of("the runs")

lab = Experiment(
    "heal",
    order=2,
    title="Heal",
    long_title="Self-healing",
    lesson="A container that ends, or fails its liveness probe, is started again.",
    traffic=Http("healthcheck", rate=RATE),
    limits=(ALL_READY, LOADED, RENEWED, *(case.limit for case in CASES), ALONE, OTHERS, WHOLE),
    # A healthy cluster takes a minute and a half. Where everything is as late as it may be, it is ten.
    check_within_s=600.0,
)


# ---- keys


def _strike(fault: Callable[[Scene, Pod], Fault]) -> Callable[[Scene], Sequence[Effect]]:
    """What a fault's key does: the fault on the selected pod, or on a fresh one where that is staged."""

    def run(scene: Scene) -> Sequence[Effect]:
        pod = staying(scene)
        verb = fault(scene, pod)
        # What ends a fault is meant for the pod that has it.
        if scene.settings.choices.get("fresh") and verb not in {CURE, replace(UNREADY, fails=ProbeFails.NEVER)}:
            steps = partial(_strike_afresh, pod=pod, verb=verb, seen=observe(scene, tail_ms=TAIL_MS))
            return (Script(f"that replaces {pod.name}", steps, within_s=2 * FRESH_WITHIN_S),)
        return measured(scene, Act(lab.name, pod.uid, pod.name, verb), tail_ms=TAIL_MS)

    return run


async def _strike_afresh(drive: Drive, *, pod: Pod, verb: Fault, seen: Observe | None) -> str:
    struck = await _renewed(drive, pod, seen)
    if struck is None:
        return f"nothing serves in place of {pod.name} after {FRESH_WITHIN_S:.0f} s: the fault was left out"
    await drive.ask(Act(lab.name, struck.uid, struck.name, verb, seen))
    return f"{struck.name} is the fresh pod"


async def _renewed(drive: Drive, pod: Pod, seen: Observe | None) -> Pod | None:
    """A fresh pod in place of this one, so that no back-off of an earlier fault is met."""
    return await fresh(drive, lab, Act(lab.name, pod.uid, pod.name, DeletePod(), seen), within=FRESH_WITHIN_S)


def _crash(scene: Scene, _: Pod) -> Fault:
    typed = scene.given.strip() or str(CRASH.amount)
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 3 and int(typed) <= 255):
        raise NotNow(f"{typed[:20]!r} is no exit code: type a number from 0 to 255")
    return replace(CRASH, amount=int(typed))


def _errors(scene: Scene, pod: Pod) -> Fault:
    return CURE if replies_fail(scene.store, lab.name, pod.uid) else ERRORS


def _cure(scene: Scene) -> Sequence[Effect]:
    pod = scene.pod()
    return (Act(lab.name, pod.uid, pod.name, CURE),)


def _stage(scene: Scene) -> Sequence[Effect]:
    return (scene.settings.choose("fresh", "" if scene.settings.choices.get("fresh") else "on"),)


# One question a session stands for all four: each ends the container's run.
_BREAK = "break pod"
_CODE = "exit code, 0 to 255 (empty: 1)"
lab.use(
    Command("i", "infect", "infect", "let the liveness probe of the selected pod fail",
            _strike(lambda *_: INFECT), danger=_BREAK, needs="fault"),
    Command("I", "cure", "", "end all faults of the selected pod", _cure, needs="fault"),
    Command("c", "crash", "crash", "let the program of the selected pod exit with a code",
            _strike(_crash), danger=_BREAK, needs="fault", ask=_CODE),
    Command("h", "hang", "hang", "let the selected pod answer nothing and ignore SIGTERM",
            _strike(lambda *_: HANG), danger=_BREAK, needs="fault"),
    Command("o", "oom", "oom", "let the selected pod eat memory until its limit ends it",
            _strike(lambda *_: OOM), danger=_BREAK, needs="fault"),
    Command("r", "readiness", "readiness", "make the selected pod unready, or ready again",
            _strike(lambda _, pod: readiness_fault(pod)), needs="fault"),
    Command("f", "errors", "errors", "let the replies of the selected pod fail while its probes are green, or not",
            _strike(_errors), needs="fault"),
    # The key line has no room for keys that mean the same on every tab.
    *(replace(command, label="") for command in kill),
    Command("F", "fresh", "fresh", "stage a fresh pod before each fault, so that no back-off is met; or not",
            _stage, triggers=False),
    *scale,
    *(replace(command, label="") for command in load),
)  # fmt: skip


# ---- stopwatches


def _deleted(run: RunFacts) -> Iterator[Milestone]:
    yield first_failed(run)
    yield from killed(run)
    yield first_ok(run)


lab.stopwatches += [*fault_stopwatches, Stopwatch(is_kill, kill_title, _deleted, limit_s=60.0)]


# ---- the tab


@lab.sample
def sample(_: Scene) -> Sequence[Sample]:
    """Each pod's own record of its probes."""
    return [Sample(lab.name, PodSample(PROBES, app="healthcheck"))]


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """Pods with their probes, how the selected one ended last, the last run, and the faults side by side."""
    chart: Sequence[View] = (load_view(scene), *lost_view(scene)) if scene.size.height >= TALL else ()
    return [
        # The next key is for the pod that came in the place of one that went: the pointer goes there by itself.
        pod_table(scene, base=_POD, extra=_PROBES, cells=lambda uid: (_strip(scene, uid),), stay_us=0),
        Sentence(ending_words(scene)),
        *chart,
        rail(scene, hint="each key of a fault starts the stopwatch, and brings traffic that measures it"),
        fault_table(scene),
        *_staged(scene),
    ]


_POD = (POD, NODE, Column("STATE", 18), READY, Column("RESTARTS", 11), AGE, IP, IMAGE)
_PROBES = (Column("PROBES, 1 s", 14, grows=True),)
# As wide as the column is at 80 cells, and as long as the record at most.
_NARROW, _WIDE = 14, 20


def _strip(scene: Scene, uid: str) -> Line:
    read = scene.store.answers(lab.name).value(uid, PROBES)
    most = _WIDE if scene.size.width >= 100 else _NARROW
    return probe_strip(read, now_us=scene.store.now_us, most=most)


def _staged(scene: Scene) -> Sequence[View]:
    if not scene.settings.choices.get("fresh"):
        return ()
    words = line(
        ("staged ", Role.MUTED), ("a fresh pod before each fault", Role.ACCENT), (": F again for none", Role.MUTED)
    )
    return (Sentence(words),)


@lab.explain
def explain(scene: Scene) -> Sequence[Line]:
    """Paragraphs on the pod and the last run as they stand: who acted, by which rule, and what to try."""
    return explanation(scene)


# ---- the check


@lab.check
async def check(drive: Drive) -> Verdict:
    """Each fault on a fresh pod under measured traffic, and nothing else touched."""
    store = drive.store
    there = partial(all_serving, store, lab.name, "healthcheck")
    ready = await drive.until("the pods to be ready", there, within=READY_WITHIN_S)
    if not ready:
        return Verdict.of([ALL_READY.found("no", kept=False)])
    if not await steady_load(drive, lab):
        return Verdict.of([LOADED.found("no", kept=False)])
    before = {pod.uid: pod for pod in store.all_pods()}
    used = set(before)
    done = {case: await _try(drive, case, used) for case in IN_TURN}
    tries = [done[case] for case in CASES]
    await drive.ask(StopLoad(lab.name))
    runs = [tried.run for tried in tries if tried.run]
    renewed = sum(tried.pod is not None for tried in tries)
    alone = sum(tried.restarts for tried in tries if tried.case.cured)
    touched = _touched(store, before, {run.target_uid for run in store.runs(lab.name).ended})
    return Verdict.of(
        [
            ALL_READY.found(str(len(ready)), kept=True),
            LOADED.found("yes", kept=True),
            RENEWED.found(f"{renewed} of {len(CASES)}", kept=renewed == len(CASES)),
            *(tried.finding for tried in tries),
            ALONE.found(str(alone), kept=alone == 0),
            OTHERS.found(", ".join(touched) or "none", kept=not touched),
            whole(WHOLE, *runs),
        ]
    )


class Tried(NamedTuple):
    """What came of a case: the pod that it struck, if there was a fresh one, and the run, if it ended."""

    case: Case
    pod: Pod | None = None
    run: Run | None = None
    restarts: int = 0

    @property
    def finding(self) -> Finding:
        """Whether it recovered in time."""
        took = recovered_s(self.run) if self.run else None
        words = "no" if took is None else f"{took:.2f} s, {self.run.failed if self.run else 0} requests lost"
        return self.case.limit.found(words, kept=took is not None and took <= self.case.within_s)


async def _try(drive: Drive, case: Case, used: set[str]) -> Tried:
    """Do it to a pod that nothing was done to; `used` are those of which that is not known, and takes its own."""
    store = drive.store
    pods = await drive.until("a pod that serves", lambda: serving(store, lab.name) or None, within=FRESH_WITHIN_S)
    pod = pods[0] if pods else None
    if pod is not None and isinstance(case.verb, Fault) and pod.uid in used:
        pod = await _renewed(drive, pod, None)
    if pod is None:
        return Tried(case)
    used.add(pod.uid)
    action = await drive.ask(Act(lab.name, pod.uid, pod.name, case.verb))
    if case.cured:
        await _held(drive, pod, action)
    run = await ended_run(drive, lab, action, within=case.within_s + SETTLED_S)
    after = store.pod(pod.uid)
    return Tried(case, pod, run, after.restarts - pod.restarts if after else 0)


async def _held(drive: Drive, pod: Pod, action: str) -> None:
    """Take the fault back once it has been felt for as long as three probes take, or in any case after a while."""
    store = drive.store

    def held() -> bool | None:
        run = store.runs(lab.name).current
        felt = run is not None and run.action_id == action and run.last_us is not None
        return (felt and run is not None and store.now_us >= run.began_us + HELD_S * 1e6) or None

    try:
        await drive.until("the fault to be felt", held, within=SETTLED_S)
    finally:
        await drive.ask(Act(lab.name, pod.uid, pod.name, CURE))


def _touched(store: Store, before: Mapping[str, Pod], struck: Collection[str]) -> Sequence[str]:
    """Names of pods that restarted, or went from this experiment, though nobody acted on them."""
    names = []
    for uid, pod in before.items():
        now = store.pod(uid)
        gone = now is None and pod.experiment == lab.name
        if uid not in struck and (gone or (now is not None and now.restarts > pod.restarts)):
            names.append(pod.name)
    return names
