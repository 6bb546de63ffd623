"""What the store keeps for one experiment: timeline facts, traffic sums, runs, and pods that are gone."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from kubealive_tui.model import (
    CallResult,
    DnsAnswer,
    EndpointTransition,
    Fact,
    Kind,
    LoadState,
    LoadTransition,
    Pod,
    PodTransition,
    Reading,
    ScalingSample,
    Stopwatch,
    TrafficBin,
    WorkloadTransition,
)
from kubealive_tui.store._answers import Answers
from kubealive_tui.store._runbook import RunBook
from kubealive_tui.store._scaling import ScalingLedger
from kubealive_tui.store._traffic import TrafficLedger

__all__ = ["Departed", "ExperimentLedger"]

# Some hours of a busy class; older entries give way, and the timeline says how many have.
KEPT_FACTS = 2_000
# A pod that is gone stays in its tab's table while it was counted; more than these would crowd out the living.
KEPT_DEPARTED = 16


@dataclass(frozen=True, slots=True)
class Departed:
    """A pod that left, as it was last seen, and when."""

    pod: Pod
    at_us: int


class ExperimentLedger:
    """Facts of one experiment, reduced as they come."""

    def __init__(self, stopwatches: Sequence[Stopwatch]) -> None:
        self.timeline: deque[Fact] = deque(maxlen=KEPT_FACTS)
        self.timeline_dropped = 0
        self.traffic = TrafficLedger()
        self.scaling = ScalingLedger()
        self.runs = RunBook(stopwatches)
        self.answers = Answers()
        self.departed: dict[str, Departed] = {}

    def add(self, fact: Fact) -> None:
        """Take one fact, in journal order."""
        self.runs.add(fact)
        self._sum(fact)
        # What a key asked for is no answer to what is sampled, though it may bear the same name.
        known = not fact.action_id and self.answers.add(fact)
        if self._is_news(fact, known=known):
            if len(self.timeline) == self.timeline.maxlen:
                self.timeline_dropped += 1
            self.timeline.append(fact)

    def _sum(self, fact: Fact) -> None:
        """Bring up to date what is summed up of the facts."""
        match fact.body:
            case TrafficBin() as traffic:
                if self.traffic.begins_another(traffic):
                    self.traffic = self.traffic.followed_by(traffic.load_id, traffic.start_us)
                self.traffic.add(traffic)
            case ScalingSample() as sample:
                self.scaling.add(sample, fact.time_us)
            case WorkloadTransition(kind=Kind.DEPLOYMENT, deleted=False, current=current):
                self.scaling.count(current, fact.time_us)
            case EndpointTransition(found=False):
                self.traffic.unsettle(fact.time_us)
            case LoadTransition(state=LoadState.STARTED, load_id=load_id):
                self.traffic = self.traffic.followed_by(load_id, fact.time_us)
            case PodTransition(deleted=True, uid=uid) as gone if uid not in self.departed:
                self.depart(_as_known(gone, fact.experiment), fact.time_us)
            case _:
                pass

    def _is_news(self, fact: Fact, *, known: bool) -> bool:
        """Whether the timeline keeps it: what is measured all the time would drive all else out."""
        match fact.body:
            case TrafficBin() | Reading(kind=Kind.POD | Kind.NODE):
                return False
            case ScalingSample(previous_desired_replicas=before):
                return before is not None
            case DnsAnswer() | CallResult():
                return not known
            case _:
                return True

    def depart(self, pod: Pod, at_us: int) -> None:
        """Keep a pod that is gone, the newest few."""
        self.departed.pop(pod.uid, None)
        self.departed[pod.uid] = Departed(pod, at_us)
        while len(self.departed) > KEPT_DEPARTED:
            del self.departed[next(iter(self.departed))]


def _as_known(gone: PodTransition, experiment: str) -> Pod:
    """A pod that was never seen alive, from the fact of its end: whoever comes later is shown it as well."""
    return Pod(
        gone.uid,
        gone.name,
        experiment,
        gone.owner_uid,
        node=gone.node,
        ip=gone.ip,
        status=gone.status,
        created_us=gone.created_us,
        restarts=gone.restarts,
        image=gone.image,
    )
