"""A healthcheck pod as it fails and recovers: scripted state and facts for the tests of the self-healing tab."""

from collections.abc import Sequence

from kubealive_tui.experiments import Scene, Settings
from kubealive_tui.experiments.heal import lab
from kubealive_tui.model import (
    Action,
    Aspect,
    Change,
    Container,
    ContainerState,
    EdgeKind,
    Fact,
    FactBody,
    Kind,
    KubeEvent,
    OutageEdge,
    Outcome,
    Phase,
    Pod,
    PodTransition,
    Run,
    Size,
    Slice,
    Termination,
    Workload,
    evaluate,
)
from kubealive_tui.model import Endpoint as Entry
from kubealive_tui.store import Store
from tests.tui.signals import at, connected, fact, frame, replies, snapshot

NAME = "healthcheck-6ddc4758b4-7kq2m"
UID = "h1"
OOM = Termination("OOMKilled", 137, finished_us=at(0.5))


def did(*, phase: Phase = Phase.REQUESTED, uid: str = UID, verb: str = "fault", **given: str) -> Action:
    """Somebody did something to the pod."""
    parameters = {"ready_pods": "1", **given}
    return Action("r1", "me@here", verb, phase, Kind.POD, NAME, uid, parameters)


def event(reason: str, *, uid: str = UID) -> KubeEvent:
    """The kubelet told of the pod."""
    return KubeEvent("e", "Normal", reason, reason, "Pod", NAME, uid, "kubelet")


def seen(*aspects: Aspect, ready: bool = False, status: str = "Running", message: str = "") -> PodTransition:
    """The pod as the watch told of it."""
    return PodTransition(UID, NAME, frozenset(aspects), "node-1", "rs-1", status, ready, message=message)


def lost(kind: EdgeKind, seconds: float, failed: int = 10) -> OutageEdge:
    """An edge of a client outage at 10 requests a second."""
    return OutageEdge("l1", 1, kind, at(seconds), failed, 100_000, ((Outcome.REFUSED, failed),))


def told(*facts: tuple[float, FactBody]) -> tuple[Fact, ...]:
    """Facts of the experiment at these seconds, in order."""
    return tuple(
        fact(number, seconds, body, experiment=lab.name, action_id="a1")
        for number, (seconds, body) in enumerate(facts, 1)
    )


def run_of(trigger: Action, *facts: tuple[float, FactBody], now: float = 30.0) -> Run:
    """The run of this trigger at 0 s, as it stands at `now`."""
    began, *rest = told((0.0, trigger), *facts)
    (stopwatch,) = [s for s in lab.stopwatches if s.matches(trigger)]
    return evaluate(stopwatch, began, rest, at(now))


def times(run: Run) -> dict[str, float | None]:
    """Seconds of each milestone."""
    return {m.label: run.seconds(m.label) for m in run.milestones}


INFECTED: tuple[tuple[float, FactBody], ...] = (
    (0.5, replies(0.4, (UID, Outcome.OK, 5))),
    (0.66, event("Killing")),
    (0.77, event("Started")),
    (0.8, lost(EdgeKind.BEGIN, 0.75, 1)),
    (1.35, seen(Aspect.READY, Aspect.RESTARTS)),
    (1.36, seen(Aspect.READY, ready=True)),
    (2.5, lost(EdgeKind.END, 1.45, 7)),
)


def container(
    *,
    state: ContainerState = ContainerState.RUNNING,
    message: str = "",
    last: Termination | None = None,
    restarts: int = 0,
) -> Container:
    """The pod's one container."""
    reason = "CrashLoopBackOff" if message else ""
    return Container("healthcheck", state, reason, message, state is ContainerState.RUNNING, restarts, None, last)


def pod(uid: str = UID, *, box: Container | None = None, ready: bool = True, name: str = NAME) -> Pod:
    """The pod as it stands."""
    box = box or container()
    status = box.reason or "Running"
    return Pod(
        uid,
        name,
        "heal",
        "rs-1",
        "healthcheck-6ddc4758b4",
        Kind.REPLICA_SET,
        node="node-1",
        ip="10.244.1.2",
        status=status,
        ready=ready,
        created_us=at(0),
        restarts=box.restarts,
        containers=(box,),
        memory_limit_bytes=64 * 2**20,
    )


def changes(*pods: Pod) -> tuple[Change, ...]:
    """The state of these pods, their Deployment and their Service's slice."""
    entries = tuple(Entry(p.uid, p.name, (p.ip,), ready=p.ready, serving=p.ready) for p in pods)
    found = Workload("d1", Kind.DEPLOYMENT, "healthcheck", "heal", desired=len(pods), ready=len(pods))
    return (
        Change(Kind.DEPLOYMENT, "d1", found),
        Change(Kind.ENDPOINT_SLICE, "e1", Slice("e1", "healthcheck-x", "heal", "healthcheck", entries)),
        *(Change(Kind.POD, p.uid, p) for p in pods),
    )


def scene(
    *pods: Pod,
    facts: Sequence[Fact] = (),
    settings: Settings | None = None,
    selected: str | None = UID,
    given: str = "",
    size: Size | None = None,
    now: float = 30.0,
) -> Scene:
    """The tab at `now`, with these pods and what was told."""
    store = Store({lab.name: lab.stopwatches})
    store.apply(connected())
    store.apply(snapshot(*changes(*(pods or (pod(),))), facts=tuple(facts)))
    store.apply(frame(1_000, now))
    size = size or Size(80, 24)
    return Scene(store, lab, settings or lab.settings(), selected, size, given=given)
