"""Load balancing: one Service, four pods, and what a client sees when one of them goes.

The lesson is that a Service chooses a pod for each connection, not for each request; that leaving it takes two
steps (not ready in the slice, then gone from it); and that the spread is as even as chance makes it.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from kubealive_tui.experiments._api import (
    Command,
    Drive,
    Effect,
    Experiment,
    Finding,
    Http,
    Limit,
    Scene,
    Verdict,
)
from kubealive_tui.experiments._blocks import load_view, lost_view, pod_table, rail
from kubealive_tui.experiments._checks import (
    READY,
    READY_WITHIN_S,
    all_serving,
    ended_run,
    facts_of,
    serving,
    steady_limit,
    steady_load,
    whole,
)
from kubealive_tui.experiments._commands import burst, kill, load, measured, mode, readiness_fault, scale, staying
from kubealive_tui.experiments._explanations import NOW, TRY, away_words, ended_words, lost_words
from kubealive_tui.experiments._statistics import spread_of
from kubealive_tui.experiments._stopwatches import kill_stopwatch, ready_stopwatch, unready_stopwatch
from kubealive_tui.experiments._words import away_node, not_placed, short, without_image
from kubealive_tui.model import (
    Act,
    Align,
    Bar,
    Cell,
    Column,
    DeletePod,
    Ending,
    Line,
    LoadMode,
    Role,
    Run,
    Sentence,
    SetLoad,
    StopLoad,
    Target,
    View,
    line,
)
from kubealive_tui.store import Store

__all__ = ["lab"]

RATE = 100.0
BURST = 400
LEAST_P = 0.001
KILL_WITHIN_S = 30.0
# What half a second without an answer costs, however long the run that they are counted in.
MOST_LOST = int(RATE / 2)

BURST_DONE = Limit(f"burst of {BURST}", "ended within 30 s")
SERVED = Limit("pods that served the burst", "every ready pod")
EVEN = Limit("spread by chance (χ²)", f"p ≥ {LEAST_P}")
CLEAN = Limit("failures of the burst", "0")
LOADED = steady_limit(RATE)
SERVES = Limit("killed pod's successor serves", f"within {KILL_WITHIN_S:.0f} s")
LOST = Limit("lost at the kill", f"≤ {MOST_LOST}, at {RATE:g}/s")
WHOLE = facts_of("that run")

lab = Experiment(
    "balance",
    order=1,
    title="Balance",
    long_title="Load balancing",
    lesson="One Service, four pods: every new connection may go to any of them.",
    traffic=Http("getip", rate=RATE),
    limits=(READY, BURST_DONE, SERVED, EVEN, CLEAN, LOADED, SERVES, LOST, WHOLE),
    # 60 until ready, 30 for the burst, 15 until the load is steady, 35 for the kill, and air.
    check_within_s=180.0,
)


def _readiness(scene: Scene) -> Sequence[Effect]:
    pod = staying(scene)
    return measured(scene, Act(scene.name, pod.uid, pod.name, readiness_fault(pod)))


lab.use(
    *load,
    *burst,
    *mode,
    *kill,
    Command(
        "r", "readiness", "readiness", "make the selected pod unready, or ready again", _readiness, needs="fault"
    ),
    *scale,
)


lab.stopwatches += [kill_stopwatch, unready_stopwatch, ready_stopwatch]


# ---- the tab


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """Pods with their shares, the load, the spread, and the last run."""
    return [
        pod_table(scene, extra=_SHARE, cells=lambda uid: _share_cells(scene.store, uid)),
        load_view(scene),
        *lost_view(scene),
        Sentence(spread_words(scene)),
        rail(scene, hint="x kills the selected pod, r makes it unready: the stopwatch starts with either"),
    ]


_SHARE = (
    Column("REQUESTS", 9, Align.RIGHT, least=92),
    Column("SHARE", 8, Align.RIGHT),
    Column("", 8, grows=True),
)


def _share_cells(store: Store, uid: str) -> tuple[Cell, ...]:
    traffic = store.traffic(lab.name)
    totals, answered = traffic.pods.get(uid), sum(t.ok for t in traffic.pods.values())
    if totals is None or not answered:
        return (line(("–", Role.MUTED)), line(("–", Role.MUTED)), ())
    largest = max(t.ok for t in traffic.pods.values()) or 1
    share = f"{100 * totals.ok / answered:.1f}"
    return (line(f"{totals.ok:,}"), line(share, (" %", Role.MUTED)), Bar(totals.ok / largest))


def ready_counts(store: Store) -> list[int]:
    """Replies of each ready pod since the set of endpoints last changed."""
    pods = [pod for pod in store.pods_of(lab.name) if pod.ready and not pod.deleting]
    totals = store.traffic(lab.name).pods
    return [totals[pod.uid].steady if pod.uid in totals else 0 for pod in pods]


def spread_words(scene: Scene) -> Line:
    """Expected share, the largest deviation, and whether chance alone explains it."""
    running, traffic = scene.store.load(lab.name), scene.store.traffic(lab.name)
    if running and running.mode is LoadMode.KEPT:
        return line(
            ("spread ", Role.MUTED), "none to judge: a kept connection stays with the pod that it met first"
        )
    counts = ready_counts(scene.store)
    spread = spread_of(counts)
    if not counts:
        return line(("spread ", Role.MUTED), ("no pod is ready to be chosen", Role.WAITING))
    if spread is None:
        why = "counted anew since the endpoints changed" if running else "l starts the load that it is judged by"
        return line(("spread ", Role.MUTED), (why, Role.MUTED))
    changed = traffic.steady_since_us > traffic.began_us
    words = line(
        ("since the change: " if changed else "spread ", Role.MUTED),
        ("expected ", Role.MUTED), f"{100 * spread.expected:.1f} %",
        (", off by ", Role.MUTED), f"{100 * spread.deviation:.1f} %",
    )  # fmt: skip
    if spread.p is None:
        return line(words, (f": {spread.total} replies are too few to judge", Role.MUTED))
    even = spread.p >= LEAST_P
    said = ("as even as chance", Role.GOOD) if even else ("not by chance", Role.BAD)
    p = f"p = {spread.p:.2f}" if spread.p >= 0.01 else "p < 0.01" if even else f"p < {LEAST_P}"
    return line(words, (": ", Role.MUTED), said, (f" ({p})", Role.MUTED))


@lab.check
async def check(drive: Drive) -> Verdict:
    """A burst that every pod answers evenly, then a kill under load that clients hardly notice."""
    ready = await drive.until(
        "the pods to be ready", partial(all_serving, drive.store, lab.name, "getip"), within=READY_WITHIN_S
    )
    if not ready:
        return Verdict.of([READY.found("no", kept=False)])
    findings = [READY.found(f"{len(ready)}", kept=True)]
    findings += await _even(drive)
    findings += await _survives(drive)
    return Verdict.of(findings)


async def _even(drive: Drive) -> list[Finding]:
    """400 new connections: each ready pod served, χ² p at least 0.001, none failed."""
    store = drive.store
    target = Target(service="getip")
    load_id = await drive.ask(SetLoad(lab.name, target, burst=BURST, connections=20))

    def done() -> bool | None:
        traffic = store.traffic(lab.name)
        return (traffic.load_id == load_id and traffic.ok + traffic.failed >= BURST) or None

    if not await drive.until(f"{BURST} new connections", done, within=30):
        return [BURST_DONE.found("no", kept=False)]
    traffic = store.traffic(lab.name)
    pods = serving(store, lab.name)
    counts = [traffic.pods[pod.uid].ok if pod.uid in traffic.pods else 0 for pod in pods]
    spread = spread_of(counts)
    p = spread.p if spread and spread.p is not None else 0.0
    served = sum(1 for n in counts if n)
    return [
        SERVED.found(f"{served} of {len(pods)}", kept=0 < served == len(pods)),
        EVEN.found(f"p = {p:.3g} ({'/'.join(map(str, counts))})", kept=p >= LEAST_P),
        CLEAN.found(str(traffic.failed), kept=traffic.failed == 0),
    ]


async def _survives(drive: Drive) -> list[Finding]:
    """A pod killed at 100 new connections a second: its successor serves, and few requests are lost."""
    steady = await steady_load(drive, lab)
    pods = all_serving(drive.store, lab.name, "getip")
    if not steady or not pods:
        return [LOADED.found("no", kept=False)]
    victim = pods[0]
    action = await drive.ask(Act(lab.name, victim.uid, victim.name, DeletePod()))
    run = await ended_run(drive, lab, action, within=KILL_WITHIN_S + 5)
    await drive.ask(StopLoad(lab.name))
    if run is None:
        return [SERVES.found("the run did not end", kept=False)]
    served = run.seconds("serving")
    took = "never" if served is None else f"{served:.2f} s"
    return [
        SERVES.found(took, kept=served is not None and served <= KILL_WITHIN_S),
        lost_finding(run),
        whole(WHOLE, run),
    ]


def lost_finding(run: Run) -> Finding:
    """What clients lost in the run of a kill, held against a number that does not grow with the run."""
    return LOST.found(f"{run.failed} of {run.planned}", kept=run.measured and run.failed <= MOST_LOST)


@lab.explain
def explain(scene: Scene) -> Sequence[Line]:
    """Paragraphs on why the tab looks as it does: the choice of a pod, endpoints, the last run, what to try."""
    return [*_explain_balancing(scene), *_explain_endpoints(scene), *_explain_run(scene), *_explain_next(scene)]


def _explain_balancing(scene: Scene) -> Iterator[Line]:
    yield line(
        "The Service getip has one address. On each node, kube-proxy picks one of its ready endpoints for each "
        "new connection, at random (iptables mode). It never looks at the requests inside a connection."
    )
    running = scene.store.load(lab.name)
    if running and running.mode is LoadMode.KEPT:
        yield line(NOW, "connections are kept: each stays with the pod that it met first, however many there are.")
    elif running:
        yield line(NOW, "each request opens a connection of its own, so each may meet another pod.")


def _explain_endpoints(scene: Scene) -> Iterator[Line]:
    pods = scene.store.pods_of(lab.name)
    for pod in pods:
        endpoint = scene.store.endpoint(pod.uid)
        if endpoint and endpoint.ready:
            continue
        name = (f"{short(pod.name)}: ", Role.STRONG)
        if pod.deleting:
            yield line(
                name,
                "deletionTimestamp is set, so the EndpointSlice controller marked it not ready. It may finish "
                "open requests; its entry goes when its container has ended.",
            )
        elif away := away_node(pod, scene.store.nodes()):
            yield line(name, away_words(away))
        elif pod.status == "Running" and not pod.ready:
            yield line(
                name,
                "its readiness probe has not succeeded, so Ready is false and it gets no new connections. It is "
                "not restarted for that: only a failing liveness probe does it.",
            )
    yield from filter(None, (without_image(pods), not_placed(pods)))


def _explain_run(scene: Scene) -> Iterator[Line]:
    run = scene.store.runs(lab.name).last
    if run is None:
        return
    yield ended_words(run)
    if run.verb == "delete_pod":
        yield line(
            "The ReplicaSet controller counted one pod too few for spec.replicas and made another at once. The "
            "scheduler chose its node; the Service takes it in when its readiness probe succeeds."
        )
        yield from _explain_lost(run)
    elif run.given.get("fail") == "always":
        yield line(
            "Only the readiness probe fails: the kubelet sets Ready to false when it asks next, within a second, "
            "and the EndpointSlice and each kube-proxy follow. The pod itself answers whoever still comes."
        )
    else:
        yield line(
            "The readiness probe succeeds again: the Service takes the pod in when the kubelet has asked it, and "
            "each kube-proxy follows within about a second."
        )


def _explain_lost(run: Run) -> Iterator[Line]:
    if run.measured and run.failed:
        yield line(
            f"{lost_words(run)}: those were still sent to the pod after it had stopped "
            "listening, until every kube-proxy had dropped it. A preStop sleep of a few seconds covers that gap."
        )
    elif run.measured and run.ending is Ending.COMPLETE:
        yield line(f"{lost_words(run)}: the pod answered until the proxies had dropped it.")


def _explain_next(scene: Scene) -> Iterator[Line]:
    running = scene.store.load(lab.name)
    if running is None:
        yield line(TRY, "l for steady load, then x on a pod, and watch SHARE and the rail.")
    elif running.mode is LoadMode.NEW:
        yield line(TRY, "m for kept connections: the shares stop being even.")
    else:
        yield line(TRY, "m for new connections again, then r on a pod: it leaves without dying.")
