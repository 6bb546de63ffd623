"""Short ways to write a Deployment that rolls out: its sets, pods, conditions, and the facts of one rollout."""

from typing import Any

from kubealive_tui.experiments import Scene, Settings
from kubealive_tui.experiments.update import lab
from kubealive_tui.model import (
    Action,
    Aspect,
    Change,
    Condition,
    ConditionTransition,
    Endpoint,
    Fact,
    FactBody,
    Kind,
    Load,
    LoadMode,
    LoadState,
    LoadTransition,
    Outcome,
    Phase,
    Pod,
    PodTransition,
    Size,
    Slice,
    Target,
    TrafficBin,
    TrafficRow,
    Workload,
    WorkloadTransition,
)
from kubealive_tui.store import Store
from tests.tui import signals
from tests.tui.signals import START, at, connected, frame, snapshot

IMAGE = "localhost/x/workload"
DONE = Condition(
    "Progressing", "True", "NewReplicaSetAvailable", 'ReplicaSet "incver-2aaaaaaaaa" has successfully progressed.',
    START, START,
)  # fmt: skip
MOVING = Condition("Progressing", "True", "ReplicaSetUpdated", "is progressing", START, START)
STUCK = Condition("Progressing", "False", "ProgressDeadlineExceeded", "has timed out", START, START)
PAUSED = Condition("Progressing", "Unknown", "DeploymentPaused", "is paused", START, START)
AVAILABLE = Condition("Available", "True", "MinimumReplicasAvailable")
UNAVAILABLE = Condition("Available", "False", "MinimumReplicasUnavailable")
QUOTA = Condition(
    "ReplicaFailure", "True", "FailedCreate", 'pods "incver-8-x" is forbidden: exceeded quota: few, used: pods=5'
)


def deployment(version: str = "v2", *conditions: Condition, **changes: Any) -> Workload:
    """The Deployment, rolled out unless conditions say something else."""
    given: dict[str, Any] = {
        "experiment": "update", "desired": 4, "current": 4, "updated": 4, "ready": 4, "available": 4,
        "generation": 3, "observed_generation": 3, "revision": 2, "image": f"{IMAGE}:{version}",
        "strategy": "RollingUpdate", "max_surge": "1", "max_unavailable": "0", "progress_deadline_seconds": 30,
        "pre_stop_seconds": 5, "environment": {"DRAIN": "on"}, "readiness_probe": True, "container": "incver",
        "conditions": conditions or (DONE, AVAILABLE),
    }  # fmt: skip
    return Workload("d1", Kind.DEPLOYMENT, "incver", **(given | changes))


NO_DRAIN: dict[str, Any] = {"pre_stop_seconds": None, "readiness_probe": False, "environment": {"DRAIN": "off"}}


def replica_set(revision: int, version: str, replicas: int = 0, **changes: Any) -> Workload:
    """The set of that revision, named by it, with so many pods, all of them ready."""
    given: dict[str, Any] = {
        "experiment": "update", "owner_uid": "d1", "revision": revision, "image": f"{IMAGE}:{version}",
        "desired": replicas, "current": replicas, "ready": replicas, "available": replicas,
        "pre_stop_seconds": 5, "environment": {"DRAIN": "on"}, "readiness_probe": True,
    }  # fmt: skip
    return Workload(f"rs{revision}", Kind.REPLICA_SET, set_name(revision), **(given | changes))


def set_name(revision: int) -> str:
    return f"incver-{revision}aaaaaaaaa"


def pod(revision: int, number: int = 1, **changes: Any) -> Pod:
    """A pod of that revision's set."""
    given: dict[str, Any] = {
        "experiment": "update", "owner_uid": f"rs{revision}", "owner_kind": Kind.REPLICA_SET, "node": "node-1",
        "status": "Running", "ready": True, "created_us": START + number, "image": f"{IMAGE}:v{revision}",
    }  # fmt: skip
    return Pod(f"p{revision}{number}", f"{set_name(revision)}-{number}xxxx", **(given | changes))


def changed(thing: Workload | Pod) -> Change:
    """Its state."""
    return Change(Kind.POD if isinstance(thing, Pod) else thing.kind, thing.uid, thing)


def serving(*pods: Pod) -> Change:
    """The slice with these pods ready."""
    endpoints = tuple(Endpoint(p.uid, p.name, ready=True, serving=True) for p in pods)
    return Change(Kind.ENDPOINT_SLICE, "e1", Slice("e1", "incver-x", "update", "incver", endpoints))


def running_load() -> Change:
    """Measured traffic."""
    return Change(Kind.LOAD, "l1", Load("l1", "update", Target(service="incver"), LoadMode.NEW, 100.0))


def store_of(*things: Workload | Pod, facts: tuple[Fact, ...] = (), more: tuple[Change, ...] = ()) -> Store:
    """A store that holds these."""
    store = Store({lab.name: lab.stopwatches})
    store.apply(connected())
    store.apply(snapshot(*map(changed, things), *more))
    if facts:
        store.apply(frame(facts[-1].sequence, (facts[-1].time_us - START) / 1e6, *facts))
    return store


def scene_of(
    *things: Workload | Pod,
    settings: Settings | None = None,
    given: str = "",
    height: int = 24,
    facts: tuple[Fact, ...] = (),
    more: tuple[Change, ...] = (),
    selected: str | None = None,
) -> Scene:
    """The tab over these; a Deployment of v2 with its two sets where none are given."""
    shown = things or (deployment(), replica_set(1, "v1"), replica_set(2, "v2", 4))
    store = store_of(*shown, facts=facts, more=more)
    return Scene(store, lab, settings or lab.settings(), selected, Size(80, height), given=given)


# ---- facts


def fact(sequence: int, seconds: float, body: FactBody, *, action_id: str = "") -> Fact:
    """A fact of this experiment."""
    return signals.fact(sequence, seconds, body, action_id=action_id, experiment="update")


SETTINGS = {"strategy": "RollingUpdate", "max_surge": "1", "max_unavailable": "0"}


def update(verb: str = "rollout", *, old: str = "v1", new: str = "v2", **given: str) -> Action:
    """Somebody rolls out from revision 1."""
    parameters = {
        **SETTINGS, "image": f"{IMAGE}:{new}", "from_image": f"{IMAGE}:{old}", "drain": "on", "from_drain": "on",
        "from_revision": "1", "replicas": "2", **given,
    }  # fmt: skip
    return Action("r1", "me@here", verb, Phase.REQUESTED, Kind.DEPLOYMENT, "incver", "d1", parameters)


def numbers(revision: int, desired: int, *, owner: str = "d1", image: str = "v2") -> WorkloadTransition:
    """A set of that revision has these replicas."""
    return WorkloadTransition(
        Kind.REPLICA_SET, f"rs{revision}", set_name(revision), owner, desired, revision=revision,
        image=f"{IMAGE}:{image}",
    )  # fmt: skip


def deployed(image: str, revision: int = 1) -> WorkloadTransition:
    """The Deployment has this image."""
    return WorkloadTransition(Kind.DEPLOYMENT, "d1", "incver", image=f"{IMAGE}:{image}", revision=revision)


def moved(revision: int, number: int, *aspects: Aspect, ready: bool = False) -> PodTransition:
    """A pod of that revision changed."""
    found = pod(revision, number)
    return PodTransition(
        found.uid, found.name, frozenset(aspects), owner_uid=found.owner_uid, ready=ready,
        deleting=Aspect.DELETING in aspects,
    )  # fmt: skip


def progress(condition: Condition) -> ConditionTransition:
    """The Deployment's condition changed."""
    return ConditionTransition(Kind.DEPLOYMENT, "d1", "incver", condition)


def started() -> LoadTransition:
    """The traffic began."""
    return LoadTransition("l1", LoadState.STARTED)


def replies(seconds: float, *rows: tuple[int, int, Outcome]) -> TrafficBin:
    """A bin of 100 ms; rows are (revision of the pod that answered, count, outcome)."""
    begin = at(seconds)
    return TrafficBin(
        "l1", begin, 100_000, planned=sum(n for _, n, _ in rows), sent=sum(n for _, n, _ in rows),
        rows=tuple(_row(begin, *row) for row in rows),
    )  # fmt: skip


def _row(begin: int, revision: int, count: int, outcome: Outcome) -> TrafficRow:
    who = pod(revision)
    times = (begin, begin + 90_000, begin + 1_000, begin + 91_000)
    answered = (who.uid, who.name) if outcome is Outcome.OK else ("", "")
    return TrafficRow(outcome, count, *answered, "node-1", f"v{revision}", *times)


OK = Outcome.OK
# Two pods of v1 replaced by two of v2, one after the other; clients meet v2 half of the time from 2.1 s on.
ROLLED = (
    fact(2, 0.01, deployed("v2")),
    fact(3, 0.03, numbers(2, 1)),
    fact(4, 0.04, progress(MOVING)),
    fact(5, 0.1, replies(0.0, (1, 10, OK))),
    fact(6, 1.0, moved(2, 1, Aspect.READY, ready=True)),
    fact(7, 1.02, moved(1, 1, Aspect.DELETING)),
    *(fact(8 + n, 1.2 + n / 10, replies(1.1 + n / 10, (1, 8, OK), (2, 2, OK))) for n in range(10)),
    *(fact(18 + n, 2.2 + n / 10, replies(2.1 + n / 10, (1, 4, OK), (2, 6, OK))) for n in range(10)),
    fact(28, 3.2, moved(2, 2, Aspect.READY, ready=True)),
    fact(29, 3.22, moved(1, 2, Aspect.DELETING)),
    fact(30, 3.23, progress(DONE)),
    fact(31, 3.4, replies(3.3, (1, 1, OK), (2, 9, OK))),
    fact(32, 3.5, replies(3.4, (2, 10, OK))),
    fact(33, 7.0, moved(1, 1, Aspect.DELETED)),
    fact(34, 9.1, moved(1, 2, Aspect.DELETED)),
)
