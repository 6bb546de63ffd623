"""The cluster as the agent last saw it, and the place where seeing something new becomes a fact.

The reflectors report here. What differs from before goes to the journal, as state and as the transitions
that the difference means. The guard and the load targets ask here what exists.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple, cast

from kubealive.v1.agent_pb2 import KindAccess
from kubealive.v1.facts_pb2 import AgentNote, Fact, KubeEvent
from kubealive.v1.state_pb2 import (
    KIND_AUTOSCALER,
    KIND_DEPLOYMENT,
    KIND_ENDPOINT_SLICE,
    KIND_NODE,
    KIND_NODE_USAGE,
    KIND_POD,
    KIND_POD_USAGE,
    KIND_REPLICA_SET,
    KIND_SERVICE,
    Node,
    Pod,
    Service,
    Slice,
    Workload,
)
from kubealive_agent._scaling import Parts, Scaling
from kubealive_agent._wire import CHANGE_FIELD
from kubealive_agent.kube import NO_GAP, transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message

    from kubealive.v1.state_pb2 import Autoscaler, Kind, Usage
    from kubealive_agent.clock import Clock
    from kubealive_agent.journal import Journal
    from kubealive_agent.kube import WatchGap

__all__ = ["Found", "World"]

_USAGE = frozenset({KIND_POD_USAGE, KIND_NODE_USAGE})
"""Kinds keyed by another object's id: they are not objects of their own."""

_MAX_GONE = 2048
"""Deleted objects whose experiment is remembered, for the late Events about them: 1,000 pods replaced twice."""

_MAX_EARLY = 256
"""Events kept for objects that no watch has told of yet: a rollout of 50 pods has about 200 underway."""

_EARLY_US = 5_000_000
"""How long such an Event waits; watches of one API server are seconds apart at worst."""


class Found(NamedTuple):
    """An object of the cluster: its kind, its UID, and its projection."""

    kind: Kind.ValueType
    uid: str
    value: Message

    @property
    def name(self) -> str:
        """The object's name."""
        return str(getattr(self.value, "name", ""))

    @property
    def experiment(self) -> str:
        """The experiment it belongs to; empty for objects that are no experiment's."""
        return str(getattr(self.value, "experiment", ""))


class _Early(NamedTuple):
    event: KubeEvent
    time_us: int


class World:
    """Newest projection of every object; implements the reflectors' Sink."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._objects: dict[Kind.ValueType, dict[str, Message]] = {kind: {} for kind in CHANGE_FIELD}
        self._experiments: dict[str, str] = {}
        self._gone: OrderedDict[str, str] = OrderedDict()
        self._early: OrderedDict[str, list[_Early]] = OrderedDict()
        self._early_count = 0
        self._access: dict[Kind.ValueType, KindAccess] = {}
        self._scaling = Scaling()
        self.events_dropped = 0
        """Events that waited in vain for an object of ours: most are of objects that never were."""
        self.on_access: Callable[[], None] = lambda: None
        """Called when the access to a kind has changed."""

    # What the reflectors report (kube.Sink)

    def apply(self, kind: Kind.ValueType, uid: str, value: Message | None, *, found: bool) -> None:
        """Take the newest projection of an object, None for gone. What equals the one before is no news."""
        objects = self._objects[kind]
        old = objects.get(uid)
        if old == value:
            return
        if value is None:
            del objects[uid]
            self._journal.drop(kind, uid)
        else:
            objects[uid] = value
            self._journal.put(kind, uid, value)
        if kind in _USAGE:
            return
        for fact in transitions(kind, uid, old=old, new=value, found=found):
            self._journal.add(fact)
        if kind == KIND_AUTOSCALER:
            self._add_scaling()
        experiment: str = getattr(value or old, "experiment", "")
        if old is None or value is None or self._experiments.get(uid, "") != experiment:
            self._place(uid, experiment, exists=value is not None)

    def event(self, event: KubeEvent, *, found: bool) -> None:
        """Take a Kubernetes Event. Those of objects that no experiment owns are dropped, nodes excepted."""
        now = self._clock.now_us()
        event.found = found
        experiment = self._experiments.get(event.object_uid, self._gone.get(event.object_uid))
        if experiment is not None:
            self._add_event(event, experiment, now)
        elif event.object_kind == "Node":
            if event.object_name in self.nodes_in_use():
                self._add_event(event, "", now)
        elif not found:
            self._keep_early(event, now)

    def access(self, kind: Kind.ValueType, state: KindAccess.State.ValueType, reason: str) -> None:
        """Take how the reading of a kind stands."""
        known = self._access.get(kind)
        if known is not None and (known.state, known.reason) == (state, reason):
            return
        self._access[kind] = KindAccess(kind=kind, state=state, reason=reason, since_us=self._clock.now_us())
        self.on_access()

    def measured(self) -> None:
        """Take that the usage of all pods was looked at: what is new of an autoscaler's pods becomes a fact."""
        self._add_scaling()

    def _add_scaling(self) -> None:
        parts = Parts(
            autoscalers=cast("dict[str, Autoscaler]", self._objects[KIND_AUTOSCALER]),
            deployments=cast("dict[str, Workload]", self._objects[KIND_DEPLOYMENT]),
            replica_sets=cast("dict[str, Workload]", self._objects[KIND_REPLICA_SET]),
            pods=self.pods(),
            usages=cast("dict[str, Usage]", self._objects[KIND_POD_USAGE]),
        )
        for fact in self._scaling.facts(parts):
            self._journal.add(fact)

    def note(self, message: str, *, gap: WatchGap = NO_GAP) -> None:
        """Take a sentence about the agent's own trouble, or its end."""
        over = gap == AgentNote.WATCH_GAP_ENDED
        level = AgentNote.LEVEL_INFO if over else AgentNote.LEVEL_WARNING
        self._journal.add(Fact(note=AgentNote(level=level, message=message, watch_gap=gap)))

    # What the core asks

    def find(self, uid: str) -> Found | None:
        """The object with this UID, of whatever kind."""
        for kind, objects in self._objects.items():
            if kind not in _USAGE and uid in objects:
                return Found(kind, uid, objects[uid])
        return None

    def pods(self) -> dict[str, Pod]:
        """Pods by UID."""
        return cast("dict[str, Pod]", self._objects[KIND_POD])

    def replica_sets(self, owner_uid: str) -> dict[str, Workload]:
        """ReplicaSets of this Deployment by UID, old ones too."""
        sets = cast("dict[str, Workload]", self._objects[KIND_REPLICA_SET])
        return {uid: each for uid, each in sets.items() if each.owner_uid == owner_uid}

    def ready_pods(self, owner_uid: str) -> int:
        """How many pods of this owner are ready and not on their way out; 0 without an owner."""
        owned = (pod for pod in self.pods().values() if pod.owner_uid == owner_uid != "")
        return sum(pod.ready and not pod.HasField("deletion_us") for pod in owned)

    def autoscaled(self) -> set[str]:
        """Experiments that have an autoscaler."""
        return {str(getattr(one, "experiment", "")) for one in self._objects[KIND_AUTOSCALER].values()}

    def nodes(self) -> Iterator[Node]:
        """All nodes."""
        return iter(cast("dict[str, Node]", self._objects[KIND_NODE]).values())

    def services(self) -> Iterator[Service]:
        """All Services of the namespace."""
        return iter(cast("dict[str, Service]", self._objects[KIND_SERVICE]).values())

    def slices(self) -> Iterator[Slice]:
        """All EndpointSlices of the namespace."""
        return iter(cast("dict[str, Slice]", self._objects[KIND_ENDPOINT_SLICE]).values())

    def accesses(self) -> list[KindAccess]:
        """How the reading of each kind stands."""
        return list(self._access.values())

    def nodes_in_use(self) -> set[str]:
        """Names of the nodes on which pods of experiments are."""
        return {pod.node for pod in self.pods().values() if pod.experiment and pod.node}

    def pod_uid(self, name: str, *, at_us: int) -> str | None:
        """UID of the pod that has this name, if it had it already at `at_us`.

        Kubernetes writes whole seconds; what happened in the second of its creation was its predecessor's.
        """
        named = ((uid, pod) for uid, pod in self.pods().items() if pod.name == name)
        return next((uid for uid, pod in named if pod.created_us < at_us), None)

    # Events

    def _place(self, uid: str, experiment: str, *, exists: bool) -> None:
        """Remember whose `uid` is, and give Events that waited for it their place."""
        if exists and experiment:
            self._experiments[uid] = experiment
        elif (owned := self._experiments.pop(uid, "")) and not exists:
            self._gone[uid] = owned
            if len(self._gone) > _MAX_GONE:
                self._gone.popitem(last=False)
        waiting = self._early.pop(uid, [])
        self._early_count -= len(waiting)
        for early in waiting:
            if experiment:
                self._add_event(early.event, experiment, early.time_us)

    def _add_event(self, event: KubeEvent, experiment: str, time_us: int) -> None:
        self._journal.add(Fact(experiment=experiment, event=event), time_us=time_us)

    def _keep_early(self, event: KubeEvent, now: int) -> None:
        if self.find(event.object_uid) is not None:
            return
        self._early.setdefault(event.object_uid, []).append(_Early(event, now))
        self._early_count += 1
        while self._early:
            oldest = next(iter(self._early))
            waiting = self._early[oldest]
            if self._early_count <= _MAX_EARLY and waiting[-1].time_us >= now - _EARLY_US:
                return
            del self._early[oldest]
            self._early_count -= len(waiting)
            self.events_dropped += len(waiting)
