"""The check of the rolling update, against a cluster that is played by the test."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from kubealive_tui.experiments import VerdictWord
from kubealive_tui.experiments.update import lab
from kubealive_tui.model import (
    Act,
    Aspect,
    Change,
    Fact,
    FactBody,
    Kind,
    Outcome,
    Pause,
    Request,
    Rollout,
    SetLoad,
    Undo,
    Workload,
)
from kubealive_tui.store import Store
from tests.tui.experiments.deployments import (
    AVAILABLE,
    DONE,
    MOVING,
    NO_DRAIN,
    OK,
    PAUSED,
    changed,
    deployment,
    fact,
    moved,
    numbers,
    pod,
    progress,
    replica_set,
    replies,
    serving,
    set_name,
    started,
    store_of,
    update,
)
from tests.tui.signals import START, frame

T = TypeVar("T")


@dataclass
class PlayedCluster:
    """A drive whose every request has its consequences at once; `faults` changes what they are."""

    store: Store
    faults: set[str] = field(default_factory=set)
    asked: list[Request] = field(default_factory=list)
    revision: int = 2
    sequence: int = 100
    seconds: float = 1.0

    async def ask(self, request: Request) -> str:
        self.asked.append(request)
        action = f"a{len(self.asked)}"
        if isinstance(request, SetLoad):
            if "no load" not in self.faults:
                self.tell(started(), replies(self.seconds, (self.revision, 300, OK)))
            return "l1"
        if isinstance(request, Act):
            self.act(request, action)
        return action

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        """Let the time pass in which nothing else happens, unless there is something to see."""
        found = look()
        if found is None:
            self.seconds += within
            self.store.apply(frame(self.sequence, self.seconds))
            found = look()
        return found

    def act(self, request: Act, action: str) -> None:
        match request.verb:
            case Rollout(image=str() as image):
                self.roll("rollout", image.rpartition(":")[2], action)
            case Undo():
                self.roll("undo", "v3", action)
            case Pause():
                self.show(deployment(self.version))
            case _:
                pass

    @property
    def version(self) -> str:
        found = self.store.workload("update", "incver")
        return found.version if found else ""

    def roll(self, verb: str, version: str, action: str) -> None:
        """A rollout that ends well, or stays where it is for a version that never gets ready."""
        old, new = self.revision, self.revision + 1
        self.revision = new
        given = update(verb, old=self.version, new=version, from_revision=str(old))
        self.tell(given, numbers(new, 4, image=version), progress(MOVING), action=action)
        if version == "v-broken":
            self.show(deployment(version, MOVING, AVAILABLE), replica_set(new, version, 1, ready=0))
            if "keeps it out" not in self.faults:
                self.tell(changes=(changed(replace(pod(new, 1, ready=False), image=f"x/workload:{version}")),))
            answered = replies(self.seconds, (old, 100, OK))
            if "lets it in" in self.faults:
                answered = replace(answered, rows=(replace(answered.rows[0], pod_uid="new", version=version),))
            self.tell(answered)
            return
        lost = [replies(self.seconds, (old, 7, Outcome.REFUSED))] if "loses" in self.faults else []
        self.tell(*lost, moved(new, 1, Aspect.READY, ready=True), replies(self.seconds, (new, 90, OK)))
        if "stays open" not in self.faults:
            self.tell(progress(replace(DONE, message=f"{set_name(new)} has progressed")))
        self.show(deployment(version), replica_set(new, version, 4))

    def show(self, *things: Workload) -> None:
        """The state of these; with the Deployment at rest, the pods of its newest set and no others."""
        changes = list(map(changed, things))
        if self.version != "v-broken" and all(thing.version != "v-broken" for thing in things):
            pods = [pod(self.revision, n) for n in range(1, 5)]
            stay = {found.uid for found in pods}
            changes += [Change(Kind.POD, uid, None) for uid in self.store.pods("update") if uid not in stay]
            changes += [*map(changed, pods), serving(*pods)]
        self.tell(changes=tuple(changes))

    def tell(self, *bodies: FactBody, action: str = "", changes: tuple[Change, ...] = ()) -> None:
        facts: list[Fact] = []
        for body in bodies:
            self.sequence += 1
            self.seconds += 0.2
            facts.append(fact(self.sequence, self.seconds, body, action_id=action))
        self.store.apply(frame(self.sequence, self.seconds, *facts, changes=changes))


def cluster(thing: Workload | None = None, *, faults: tuple[str, ...] = ()) -> PlayedCluster:
    pods = [pod(2, n) for n in range(1, 5)]
    sets = (replica_set(1, "v1"), replica_set(2, "v2", 4))
    return PlayedCluster(store_of(thing or deployment(), *sets, *pods, more=(serving(*pods),)), set(faults))


def verbs(played: PlayedCluster) -> list[object]:
    return [request.verb for request in played.asked if isinstance(request, Act)]


async def test_a_graceful_cluster_passes() -> None:
    """Update, a broken version held back, undo; every limit is held against something that was found."""
    played = cluster()
    verdict = await lab.verdict(played)

    assert verdict.word is VerdictWord.PASSED, verdict.reasons
    assert [finding.name for finding in verdict.findings] == [limit.finding for limit in lab.limits]
    assert [type(verb) for verb in verbs(played)] == [Rollout, Rollout, Undo]


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("no load", {"steady load"}),
        ("loses", {"lost in the graceful update"}),
        ("lets it in", {"replies of a version that never gets ready"}),
        ("keeps it out", {"replies of a version that never gets ready"}),
        ("stays open", {"graceful update", "undo"}),
    ],
)
async def test_what_a_cluster_fails_on(fault: str, broken: set[str]) -> None:
    """Each limit can be broken, and is named then."""
    verdict = await lab.verdict(cluster(faults=(fault,)))

    assert verdict.word is VerdictWord.FAILED
    assert {finding.name for finding in verdict.findings if not finding.kept} == broken


@pytest.mark.parametrize(
    ("thing", "first"),
    [
        (deployment(**NO_DRAIN), Rollout("localhost/x/workload:v3", "RollingUpdate", "1", "0", drain=True)),
        (deployment("v2", PAUSED, AVAILABLE, paused=True), Pause(paused=False)),
    ],
    ids=["no drain", "paused"],
)
async def test_the_deployment_is_made_graceful_first(thing: Workload, first: object) -> None:
    """Whatever somebody has left there, the check measures what was installed."""
    played = cluster(thing)
    verdict = await lab.verdict(played)

    assert verdict.word is VerdictWord.PASSED, verdict.reasons
    assert verbs(played)[0] == first


async def test_pods_that_do_not_get_ready_end_it_at_once() -> None:
    """Nothing is rolled out over a Deployment that does not stand."""
    played = cluster(deployment("v2", MOVING, AVAILABLE, updated=2))
    verdict = await lab.verdict(played)

    assert [(f.name, f.value, f.kept) for f in verdict.findings] == [
        ("pods ready, drain on", "4 of 4, not rolled out", False)
    ]
    assert not verbs(played)


async def test_pods_that_do_not_go_are_said() -> None:
    """A dead node keeps pods that are terminating: then nobody knows when an update would be over."""
    played = cluster()
    stuck = replace(pod(1, 1), deletion_us=START, status="Terminating")
    played.tell(changes=(changed(stuck),))
    verdict = await lab.verdict(played)

    assert verdict.reasons == ("pods ready, drain on: 4 of 4, 1 leave and do not go, wanted all, within 60 s",)
