"""The store: a reducer over the agent's stream, and pure selectors over what it holds.

It knows no experiment by name and no clock but the stream's: fed with the same frames in any split, live or from
a recording, it holds the same state. Whatever changed is collected until somebody drains it, so that drawing
happens once a frame however much arrived.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kubealive_tui.model import (
    Access,
    Action,
    AgentNote,
    Autoscaler,
    Batch,
    Change,
    Claim,
    Endpoint,
    Entity,
    EpochMark,
    Fact,
    Frame,
    Goodbye,
    Info,
    Kind,
    LinkEvent,
    LinkState,
    Load,
    Loss,
    LossMark,
    Node,
    Pod,
    Service,
    Signal,
    Slice,
    Snapshot,
    Status,
    Stopwatch,
    Tick,
    Usage,
    Workload,
)
from kubealive_tui.store._answers import Answers
from kubealive_tui.store._backing import Backing, Backings
from kubealive_tui.store._ledger import Departed, ExperimentLedger
from kubealive_tui.store._runbook import RunBook
from kubealive_tui.store._scaling import ScalingLedger
from kubealive_tui.store._traffic import TrafficLedger

__all__ = ["CLUSTER", "Store"]

# The key under which things that belong to no experiment are marked dirty.
CLUSTER = ""

_APP = "app.kubernetes.io/name"
_BACKING = frozenset({Kind.SERVICE, Kind.ENDPOINT_SLICE})
_WORKLOADS = (Kind.DEPLOYMENT, Kind.REPLICA_SET, Kind.STATEFUL_SET, Kind.DAEMON_SET)


class Store:
    """State and facts as the agent told them; `stopwatches` by experiment decide what counts as a run."""

    def __init__(self, stopwatches: Mapping[str, Sequence[Stopwatch]] | None = None) -> None:
        self._stopwatches = dict(stopwatches or {})
        self._objects: dict[Kind, dict[str, Entity]] = {kind: {} for kind in Kind}
        self._ledgers: dict[str, ExperimentLedger] = {}
        self._dirty: set[str] = set()
        self._order: dict[str, tuple[str, ...]] = {}
        self._endpoints: dict[str, Endpoint] | None = None
        self._backings = Backings()
        self._seen: set[tuple[Kind, str]] = set()
        self._last_fact = 0
        self._told_us = 0
        self.now_us = 0
        self.epoch = 0
        self.sequence = 0
        self.synced = False
        self.status: Status | None = None
        self.info: Info | None = None
        self.link = LinkEvent(LinkState.AUTHENTICATING)
        self.goodbye = ""

    # ---- reducer

    def apply(self, signal: Signal) -> None:
        """Take one frame of the stream, or one event of the link."""
        if isinstance(signal, LinkEvent):
            self.link = signal
            self.info = signal.info or self.info
            self._dirty.add(CLUSTER)
            return
        if signal.epoch != self.epoch:
            self._begin_epoch(signal)
        self.now_us = max(self.now_us, signal.time_us)
        self._apply_body(signal)
        self.sequence = max(self.sequence, signal.sequence)
        self._advance_runs()

    def _advance_runs(self) -> None:
        for experiment, ledger in self._ledgers.items():
            before = ledger.runs.last
            ledger.runs.advance(self._told_us)
            if ledger.runs.last is not before:
                self._dirty.add(experiment)

    def _apply_body(self, frame: Frame) -> None:
        match frame.body:
            case Snapshot() as snapshot:
                self._apply_snapshot(snapshot, frame.time_us)
            case Batch(changes=changes, facts=facts):
                self._apply_all(changes, facts, frame.time_us)
                if not facts:
                    self._told(frame.time_us)
            case Status() as status:
                self.status = status
                self._dirty.add(CLUSTER)
            case Loss(first=first, last=last):
                self._mark_all(LossMark(first, last), frame)
            case Goodbye(reason=reason):
                self.goodbye = reason
                self._dirty.add(CLUSTER)
            case Tick():
                self._told(frame.time_us)

    def _told(self, time_us: int) -> None:
        """Facts up to this agent time are here.

        A frame with facts says so up to its newest one alone: it may be one of many that are behind its own time,
        as parts of a snapshot are, and what a slow line still owes. A tick comes when nothing is owed.
        """
        self._told_us = max(self._told_us, time_us)

    def _begin_epoch(self, frame: Frame) -> None:
        if self.epoch:
            self._mark_all(EpochMark(frame.epoch), frame)
            # What this agent found at its start is no part of the runs that its coming ends.
            self._advance_runs()
            self.now_us = frame.time_us
        self.epoch, self.sequence, self._last_fact, self._told_us = frame.epoch, 0, 0, 0
        self.synced = False

    def _mark_all(self, mark: LossMark | EpochMark, frame: Frame) -> None:
        """Mark where facts end: behind the last one told, however long after it this frame came."""
        at_us = self._told_us or frame.time_us
        for experiment, ledger in self._ledgers.items():
            ledger.add(Fact(self._last_fact, at_us, experiment, mark))
            self._dirty.add(experiment)

    def _apply_snapshot(self, snapshot: Snapshot, at_us: int) -> None:
        if snapshot.first:
            self._seen = set()
            self.synced = False
        self._seen.update((change.kind, change.uid) for change in snapshot.changes)
        self._apply_all(snapshot.changes, snapshot.facts, at_us)
        if snapshot.last:
            for kind, objects in self._objects.items():
                for uid in [uid for uid in objects if (kind, uid) not in self._seen]:
                    self._set(Change(kind, uid, None), at_us)
            self._seen = set()
            self.synced = True
            self.goodbye = ""
            self._dirty.add(CLUSTER)

    def _apply_all(self, changes: Sequence[Change], facts: Sequence[Fact], at_us: int) -> None:
        for change in changes:
            self._set(change, at_us)
        for fact in facts:
            # A snapshot repeats the retained facts; those already here are not counted twice.
            if fact.sequence > self._last_fact:
                self._last_fact = fact.sequence
                self._told(fact.time_us)
                self.ledger(fact.experiment).add(fact)
                self._dirty.add(fact.experiment)
                if _concerns_all(fact):
                    self._tell_runs(fact)

    def _tell_runs(self, fact: Fact) -> None:
        """Give a fact of the cluster to the runs of every experiment; it concerns them all."""
        for experiment in {*self._stopwatches, *self._ledgers} - {fact.experiment}:
            self.ledger(experiment).runs.add(fact)

    def _set(self, change: Change, at_us: int) -> None:
        objects = self._objects[change.kind]
        before = objects.get(change.uid)
        if change.kind in _BACKING and before != change.value and (self.synced or before is not None):
            self._remember(before or change.value, at_us)
        if change.value is None:
            objects.pop(change.uid, None)
        else:
            objects[change.uid] = change.value
        experiments = {_experiment_of(entity) for entity in (before, change.value) if entity is not None}
        self._dirty |= experiments
        if change.kind is Kind.ENDPOINT_SLICE:
            self._endpoints = None
        if change.kind in {Kind.POD_USAGE, Kind.NODE_USAGE} and isinstance(pod := self.pod(change.uid), Pod):
            self._dirty.add(pod.experiment)
        if change.kind is Kind.POD and (before is None or change.value is None):
            for experiment in experiments:
                self._order.pop(experiment, None)
            if isinstance(before, Pod) and change.value is None:
                self.ledger(before.experiment).depart(before, at_us)

    def _remember(self, entity: Entity | None, at_us: int) -> None:
        """Keep how the Service stood of which this object, that is about to change, is a part."""
        name = entity.service if isinstance(entity, Slice) else entity.name if isinstance(entity, Service) else ""
        self._backings.changed(name, replace(self.backing(name), until_us=at_us))

    @property
    def namespace(self) -> str:
        """Where agent and experiments are; empty before the agent has said so."""
        return self.info.namespace if self.info else ""

    def drain(self) -> frozenset[str]:
        """Experiments that changed since the last call; CLUSTER stands for what belongs to none."""
        dirty, self._dirty = frozenset(self._dirty), set()
        return dirty

    # ---- selectors

    def ledger(self, experiment: str) -> ExperimentLedger:
        """Timeline, traffic and runs of one experiment; made on first use."""
        ledger = self._ledgers.get(experiment)
        if ledger is None:
            ledger = self._ledgers[experiment] = ExperimentLedger(self._stopwatches.get(experiment, ()))
        return ledger

    def traffic(self, experiment: str) -> TrafficLedger:
        """Sums of the experiment's newest load."""
        return self.ledger(experiment).traffic

    def answers(self, experiment: str) -> Answers:
        """The newest answers to what is sampled for the experiment."""
        return self.ledger(experiment).answers

    def scaling(self, experiment: str) -> ScalingLedger:
        """The past of the experiment's autoscaler."""
        return self.ledger(experiment).scaling

    def runs(self, experiment: str) -> RunBook:
        """The runs of the experiment's stopwatches, the open one among them."""
        return self.ledger(experiment).runs

    def timeline_dropped(self, experiment: str) -> int:
        """Facts of the experiment's timeline that had to give way: its own, and those of the cluster."""
        return sum(self.ledger(name).timeline_dropped for name in {experiment, CLUSTER})

    def departed(self, experiment: str) -> Mapping[str, Departed]:
        """Pods of the experiment that are gone, by UID, oldest first."""
        return self.ledger(experiment).departed

    def pod(self, uid: str) -> Pod | None:
        """The pod of this UID, or None."""
        found = self._objects[Kind.POD].get(uid)
        return found if isinstance(found, Pod) else None

    def pods(self, experiment: str, *, app: str = "") -> tuple[str, ...]:
        """UIDs of the experiment's pods, by creation and name: rows keep their places while pods change.

        With `app` only those of one workload, by the label app.kubernetes.io/name that its pods carry.
        """
        order = self._ordered(experiment)
        return (
            order if not app else tuple(uid for uid in order if (p := self.pod(uid)) and p.labels.get(_APP) == app)
        )

    def pods_of(self, experiment: str, *, app: str = "") -> list[Pod]:
        """The pods themselves, in the same order."""
        return [pod for uid in self.pods(experiment, app=app) if (pod := self.pod(uid))]

    def _ordered(self, experiment: str) -> tuple[str, ...]:
        order = self._order.get(experiment)
        if order is None:
            found = [
                p for p in self._objects[Kind.POD].values() if isinstance(p, Pod) and p.experiment == experiment
            ]
            found.sort(key=lambda pod: (pod.created_us, pod.name))
            order = self._order[experiment] = tuple(pod.uid for pod in found)
        return order

    def endpoint(self, pod_uid: str) -> Endpoint | None:
        """The pod's entry in any EndpointSlice, or None."""
        if self._endpoints is None:
            self._endpoints = {
                endpoint.pod_uid: endpoint
                for found in self._objects[Kind.ENDPOINT_SLICE].values()
                if isinstance(found, Slice)
                for endpoint in found.endpoints
            }
        return self._endpoints.get(pod_uid)

    def workloads(self, experiment: str, kind: Kind | None = None) -> list[Workload]:
        """The experiment's workloads of one kind, or of all, by name."""
        kinds = _WORKLOADS if kind is None else (kind,)
        found = [
            w
            for k in kinds
            for w in self._objects[k].values()
            if isinstance(w, Workload) and w.experiment == experiment
        ]
        return sorted(found, key=lambda workload: workload.name)

    def workload(self, experiment: str, name: str) -> Workload | None:
        """The experiment's Deployment, StatefulSet or DaemonSet of this name, or None."""
        named = (w for w in self.workloads(experiment) if w.name == name and w.kind is not Kind.REPLICA_SET)
        return next(named, None)

    def services(self, experiment: str) -> list[Service]:
        """The experiment's Services, by name."""
        found = self._objects[Kind.SERVICE].values()
        mine = [s for s in found if isinstance(s, Service) and s.experiment == experiment]
        return sorted(mine, key=lambda service: service.name)

    def backing(self, name: str) -> Backing:
        """What stands behind the name of a Service now, of whatever experiment."""
        services = (s for s in self._objects[Kind.SERVICE].values() if isinstance(s, Service) and s.name == name)
        slices = (
            s for s in self._objects[Kind.ENDPOINT_SLICE].values() if isinstance(s, Slice) and s.service == name
        )
        return Backing(next(services, None), tuple(slices))

    def past_backings(self, name: str) -> tuple[Backing, ...]:
        """What stood behind it before each change that was seen, newest first."""
        return self._backings.past(name)

    def nodes(self) -> list[Node]:
        """All nodes, by name."""
        return sorted(
            (n for n in self._objects[Kind.NODE].values() if isinstance(n, Node)), key=lambda node: node.name
        )

    def loads(self) -> list[Load]:
        """Loads that run now, by experiment."""
        found = [load for load in self._objects[Kind.LOAD].values() if isinstance(load, Load)]
        return sorted(found, key=lambda load: load.experiment)

    def load(self, experiment: str) -> Load | None:
        """The experiment's running load, or None."""
        return next((load for load in self.loads() if load.experiment == experiment), None)

    def autoscaler(self, experiment: str) -> Autoscaler | None:
        """The experiment's autoscaler, or None."""
        found = self._objects[Kind.AUTOSCALER].values()
        return next((a for a in found if isinstance(a, Autoscaler) and a.experiment == experiment), None)

    def claims(self, experiment: str) -> list[Claim]:
        """The experiment's volume claims, by name."""
        found = self._objects[Kind.CLAIM].values()
        mine = [c for c in found if isinstance(c, Claim) and c.experiment == experiment]
        return sorted(mine, key=lambda claim: claim.name)

    def usage(self, uid: str, kind: Kind = Kind.POD_USAGE) -> Usage | None:
        """What the metrics API last said of a pod (UID) or node (name), or None."""
        found = self._objects[kind].get(uid)
        return found if isinstance(found, Usage) else None

    def all_pods(self) -> list[Pod]:
        """Every pod the agent tells of, ours or not, in no order."""
        return [pod for pod in self._objects[Kind.POD].values() if isinstance(pod, Pod)]

    def access(self, kind: Kind) -> Access | None:
        """Whether the agent can read objects of this kind, and why not; None where it has not said."""
        told = self.status.kinds if self.status else self.info.kinds if self.info else ()
        return next((access for access in told if access.kind is kind), None)

    def installed(self, experiment: str) -> bool:
        """Whether anything of this experiment is in the cluster."""
        return bool(self.workloads(experiment) or self.pods(experiment))


def _concerns_all(fact: Fact) -> bool:
    """Whether a fact of the cluster belongs to the runs of all: what nobody saw, and a stop of everything."""
    match fact.body:
        case AgentNote(watch_gap=gap):
            return gap is not None
        case Action(verb="stop_all"):
            return True
        case _:
            return False


def _experiment_of(entity: Entity) -> str:
    return CLUSTER if isinstance(entity, Node | Usage) else entity.experiment
