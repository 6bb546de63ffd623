"""Deployment → DaemonSet: one pod a node, reached at the node's own port and by a record of its own.

The lesson is that the node that is asked is the node that answers, and that a headless Service names all pods at
once: whoever asks it gets one record a pod, and keeps those of pods that are gone until they run out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kubealive_tui.experiments._api import Drive, Experiment, Finding, Limit, Scene, Verdict
from kubealive_tui.experiments._checks import READY_WITHIN_S, answered_by_its_own, ended_run, facts_of, whole
from kubealive_tui.experiments._commands import kill
from kubealive_tui.experiments._names import led_to
from kubealive_tui.experiments._stopwatches import kill_stopwatch
from kubealive_tui.experiments.daemon._explained import explanation
from kubealive_tui.experiments.daemon._spots import (
    FRONTEND,
    HOSTZ,
    NAME,
    SET,
    SRV,
    Spot,
    daemon_set,
    hosts_told,
    node_port,
    other_port_command,
    records,
    refusal,
    spot,
    spots,
)
from kubealive_tui.experiments.daemon._view import ANSWERS_AGAIN, IN_DNS, shown
from kubealive_tui.model import (
    Act,
    CallResult,
    DeletePod,
    DnsAnswer,
    DnsSample,
    Ending,
    Milestone,
    NodeSample,
    Pod,
    PodSample,
    PodTransition,
    Role,
    RunFacts,
    Sample,
    Source,
    View,
)
from kubealive_tui.store import Store

__all__ = ["lab"]

# Each second, and four times that while a kill is followed; slower for many nodes, since each answer is a fact.
PERIOD_MS = 1_000
RESTLESS_MS = 250
A_NODE_MS = 100
HOSTZ_MS = 2_000

# An answer from before the pods were there lasts half a minute.
NAMES_WITHIN_S = 40.0
BACK_WITHIN_S = 90.0
AIR_S = 5.0

READY = Limit("a ready pod on every node that takes pods", f"within {READY_WITHIN_S:.0f} s")
PORT = Limit("each node's port", f"answered by its own pod, within {NAMES_WITHIN_S:.0f} s")
NAMES = Limit("A and SRV records", f"one a pod and no others, within {NAMES_WITHIN_S:.0f} s")
HOSTS = Limit("names in the frontend's /hostz", f"one a pod, each answered, within {NAMES_WITHIN_S:.0f} s")
BACK = Limit("killed pod's node answers again", f"in DNS and at its port, within {BACK_WITHIN_S:.0f} s")
WHOLE = facts_of("that run")

lab = Experiment(
    NAME,
    order=7,
    title="Daemon",
    long_title="Deployment → DaemonSet",
    lesson="One pod a node: the node that is asked answers itself, and DNS names every pod.",
    limits=(READY, PORT, NAMES, HOSTS, BACK, WHOLE),
    # 60 until ready, three times 40 until all is asked and named, 95 for the kill, and air.
    check_within_s=290.0,
)
lab.use(*kill)
lab.explain(explanation)


@lab.rows
def pod_of(store: Store, key: str) -> Pod | None:
    """The pod of the node."""
    place = spot(store, key)
    return place.pod if place else None


@lab.sample
def sample(scene: Scene) -> Sequence[Sample]:
    """The Service's records, every node at the port that the pods take, and the frontend's own account."""
    store = scene.store
    period = RESTLESS_MS if store.runs(lab.name).current else PERIOD_MS
    names = ((SET, "A"), (SET, "AAAA"), (SRV, "SRV"))
    wanted = [Sample(lab.name, DnsSample(name, kind), period) for name, kind in names]
    wanted.append(Sample(lab.name, PodSample(HOSTZ, FRONTEND, 8080), HOSTZ_MS))
    if port := node_port(store):
        wanted.append(Sample(lab.name, NodeSample(port), max(period, A_NODE_MS * len(store.nodes()))))
    return wanted


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """The map of the nodes, what the frontend is told, the last run, and the records."""
    return shown(scene)


# ---- the stopwatch


def replaced(run: RunFacts) -> Iterator[Milestone]:
    """From the kill until the new pod is named by DNS and answers at the node's port."""
    heir = run.successor() or ""
    terminating = run.pod(run.target, lambda p: p.deleting or p.deleted)
    yield Milestone("terminating", terminating, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=1)
    yield from _named(run, heir)
    back = run.pod(heir, lambda p: p.ready)
    yield Milestone("replaced", back, Source.WATCH, Role.GOOD, Role.WAITING, weight=5)
    node = next((p.node for _, p in run.of(PodTransition) if p.uid == run.target and p.node), "")
    called = run.first(CallResult, lambda call: call.name == node and call.pod_uid == heir != "")
    yield Milestone(ANSWERS_AGAIN, called, Source.CLIENT, Role.GOOD, Role.GOOD, weight=4)


def _named(run: RunFacts, heir: str) -> Iterator[Milestone]:
    """When DNS let the old address go for good (servers differ in what they keep), and when it had the new one."""
    old, new = run.address(run.target), run.address(heir)
    began = run.trigger.time_us
    said = [(at, set(led_to(a))) for at, a in run.of(DnsAnswer) if at >= began and (a.walk, a.type) == (SET, "A")]
    kept = max((at for at, found in said if old in found), default=began)
    gone = min((at for at, found in said if old and old not in found and at > kept), default=None)
    yield Milestone("gone from DNS", gone, Source.DNS, Role.LEAVING, weight=3)
    named = min((at for at, found in said if new and new in found), default=None)
    yield Milestone(IN_DNS, named, Source.DNS, Role.GOOD, weight=2)


lab.stopwatches.append(replace(kill_stopwatch, milestones=replaced, limit_s=BACK_WITHIN_S, settle_s=4.0))


# ---- the verdict


@lab.check
async def check(drive: Drive) -> Verdict:
    """Every node has its pod, at its port and in DNS; killed, it is there again."""
    store = drive.store
    if daemon_set(store) is None:
        return Verdict.skipped(
            "there is no DaemonSet: up leaves it out where something answers at its port; "
            f"`{other_port_command(store.namespace)}` takes another"
        )
    ready = await drive.until("a pod on every node", lambda: _covered(store), within=READY_WITHIN_S)
    if not ready:
        if why := refusal(store):
            return Verdict.skipped(f"its pods are refused: {why}")
        return Verdict.of([READY.found(f"not on {', '.join(_uncovered(store)) or 'any'}", kept=False)])
    findings = [
        READY.found(f"{len(ready)}", kept=True),
        await answered_by_its_own(
            drive, lab, PORT, lambda: [each for each in spots(store) if each.serving], within=NAMES_WITHIN_S
        ),
        await _records(drive),
        await _hosts(drive),
    ]
    if all(finding.kept for finding in findings):
        findings += await _back(drive, ready[0])
    return Verdict.of(findings)


def _uncovered(store: Store) -> list[str]:
    return [each.name for each in spots(store) if each.takes_pods and not each.serving]


def _covered(store: Store) -> list[Spot] | None:
    """The spots with a serving pod, once every node that takes pods has one."""
    serving = [each for each in spots(store) if each.serving]
    return serving if serving and not _uncovered(store) else None


async def _records(drive: Drive) -> Finding:
    def odd() -> str:
        found = records(drive.store)
        pods = {each.pod.ip for each in spots(drive.store) if each.pod and each.serving}
        if found is None:
            return "not answered"
        addresses, targets = found
        if addresses != pods:
            return f"missing {sorted(pods - addresses)}, too many {sorted(addresses - pods)}"
        return "" if len(targets) == len(pods) else f"{len(targets)} SRV records for {len(pods)} pods"

    done = await drive.until("one record a pod", lambda: not odd() or None, within=NAMES_WITHIN_S)
    return NAMES.found("one a pod" if done else odd(), kept=bool(done))


async def _hosts(drive: Drive) -> Finding:
    def answered() -> bool | None:
        told = hosts_told(drive.store) or []
        nodes = sorted(each.name for each in spots(drive.store) if each.serving)
        return sorted(who for _, who in told) == nodes or None

    done = await drive.until("the frontend to reach every pod", answered, within=NAMES_WITHIN_S)
    told = hosts_told(drive.store)
    words = "not read" if told is None else ", ".join(f"{who}" for _, who in told) or "none"
    return HOSTS.found(words, kept=bool(done))


async def _back(drive: Drive, victim: Spot) -> list[Finding]:
    assert victim.pod is not None  # noqa: S101 - it serves
    action = await drive.ask(Act(lab.name, victim.pod.uid, victim.pod.name, DeletePod()))
    run = await ended_run(drive, lab, action, within=BACK_WITHIN_S + AIR_S)
    if run is None or run.ending is not Ending.COMPLETE:
        return [BACK.found(run.ending.value if run else "no", kept=False)]
    took = f"port {run.seconds(ANSWERS_AGAIN) or 0.0:.1f} s, DNS {run.seconds(IN_DNS) or 0.0:.1f} s"
    return [BACK.found(took, kept=True), whole(WHOLE, run)]
