"""The self-healing tab: keys, what is staged, views, words, and the check."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import yaml

from kubealive_tui.experiments import Command, NotNow, Scene, Script, Settings, VerdictWord
from kubealive_tui.experiments.heal import CASES, lab
from kubealive_tui.experiments.heal import _explained as words_of
from kubealive_tui.model import (
    Act,
    Action,
    Aspect,
    Bins,
    Change,
    ContainerState,
    DeletePod,
    EdgeKind,
    EndpointTransition,
    Fact,
    FactBody,
    Fault,
    FaultKind,
    Kind,
    Load,
    LoadMode,
    LoadState,
    LoadTransition,
    Outcome,
    Phase,
    PodTransition,
    ProbeFails,
    Rail,
    Reading,
    Request,
    Sentence,
    SetLoad,
    Size,
    StopLoad,
    Table,
    Target,
    Termination,
    plain,
)
from kubealive_tui.store import Store
from tests.tui.experiments.healing import (
    INFECTED,
    NAME,
    OOM,
    UID,
    changes,
    container,
    did,
    lost,
    pod,
    run_of,
    scene,
    seen,
    told,
)
from tests.tui.signals import at, away, connected, fact, frame, replies, snapshot

T = TypeVar("T")

FRESH = lab.settings().choose("fresh", "on")
BACK_OFF = "back-off 10s restarting failed container=healthcheck pod=healthcheck-6ddc4758b4-7kq2m"
WAITS = container(state=ContainerState.WAITING, message=BACK_OFF, last=OOM, restarts=2)
ERRS = did(fault="errors", percent="100", phase=Phase.ACCEPTED)
MANIFEST = Path(__file__).parents[3] / "manifests/heal/deployment.yaml"


def command(key: str) -> Command:
    (found,) = [c for c in lab.commands if c.key == key]
    return found


def press(key: str, at_: Scene) -> Sequence[object]:
    return command(key).run(at_)


def asked(key: str, at_: Scene) -> Act:
    (request,) = [e for e in press(key, at_) if isinstance(e, Act)]
    return request


# ---- keys


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("i", Fault(FaultKind.LIVENESS, ProbeFails.ALWAYS)),
        ("c", Fault(FaultKind.EXIT, amount=1)),
        ("h", Fault(FaultKind.HANG)),
        ("o", Fault(FaultKind.EAT, amount=256)),
        ("r", Fault(FaultKind.READINESS, ProbeFails.ALWAYS)),
        ("f", Fault(FaultKind.ERRORS, amount=100)),
    ],
    ids=["infect", "crash", "hang", "oom", "readiness", "errors"],
)
def test_each_fault_has_its_key_and_brings_its_measurement(key: str, fault: Fault) -> None:
    """The fault goes to the pod under the pointer, with 10 requests a second for as long as a run may last."""
    request = asked(key, scene())
    assert (request.uid, request.name, request.verb) == (UID, NAME, fault)
    assert request.observe is not None
    assert (request.observe.rate, request.observe.tail_ms) == (10.0, 90_000)


def test_the_cure_measures_nothing_of_its_own() -> None:
    """I ends all faults of the pod; the run that it ends is measured already."""
    request = asked("I", scene())
    assert (request.verb, request.observe) == (Fault(FaultKind.CURE), None)


@pytest.mark.parametrize("given", ["0", "1", "255", " 42 ", ""])
def test_a_crash_takes_an_exit_code(given: str) -> None:
    """0 to 255 as it is typed, and 1 where nothing is."""
    assert asked("c", scene(given=given)).verb == Fault(FaultKind.EXIT, amount=int(given.strip() or 1))
    assert "0 to 255" in command("c").ask


@pytest.mark.parametrize("given", ["256", "-1", "1.5", "x", "0000999", "٣", "9" * 5000])
def test_an_exit_code_that_is_none_is_refused(given: str) -> None:
    """The sentence says what was typed and what is wanted, whatever was typed."""
    with pytest.raises(NotNow, match="type a number from 0 to 255") as refused:
        press("c", scene(given=given))
    assert len(str(refused.value)) < 80


def test_readiness_and_errors_are_taken_back_by_the_same_key() -> None:
    """r on an unready pod makes it ready, f on one whose replies fail cures it."""
    unready = asked("r", scene(pod(ready=False)))
    assert unready.verb == Fault(FaultKind.READINESS, ProbeFails.NEVER)

    failing = told((1, ERRS))
    assert asked("f", scene(facts=failing)).verb == Fault(FaultKind.CURE)


def test_a_terminating_pod_takes_no_fault() -> None:
    """What leaves already is not worth breaking."""
    leaving = replace(pod(), deletion_us=at(1))
    with pytest.raises(NotNow, match="is terminating"):
        press("i", scene(leaving))


@pytest.mark.parametrize("key", ["i", "I", "c", "h", "o", "r", "f", "x", "X"])
def test_a_pod_that_has_vanished_is_said(key: str) -> None:
    """The pod went while the key was on its way: a sentence, and nothing is asked."""
    with pytest.raises(NotNow, match="choose another"):
        press(key, scene(selected="gone"))


@pytest.mark.parametrize("key", ["i", "c", "h", "o"])
def test_what_ends_a_container_is_asked_about_once(key: str) -> None:
    """One question a session for all four of them."""
    assert command(key).danger == "break pod"


def test_a_second_trigger_says_what_it_interrupts() -> None:
    """A run that had not ended is named before it ends; what was lost until then stays its own."""
    there = scene(facts=told((29.0, did(fault="hang"))))
    words = [effect for effect in press("i", there) if isinstance(effect, str)]
    assert words == ["this interrupts HANG …8b4-7kq2m, which had not ended"]


# ---- a fresh pod first


class Replacing:
    """A drive on a cluster that replaces a deleted pod at once, and tells of the run that this was."""

    def __init__(self, store: Store, *, serves: bool = True) -> None:
        self.store = store
        self.asked: list[Act] = []
        self._serves = serves
        self._sequence = 2_000

    async def ask(self, request: Request) -> str:
        assert isinstance(request, Act)
        self.asked.append(request)
        action = f"a{len(self.asked)}"
        if isinstance(request.verb, DeletePod):
            self._replace(request, action)
        return action

    def _replace(self, request: Act, action: str) -> None:
        new = pod("h2", name="healthcheck-6ddc4758b4-new00")
        bodies: list[tuple[float, FactBody]] = [
            (40.0, did(verb="delete_pod")),
            (40.1, PodTransition(UID, NAME, frozenset({Aspect.DELETING}), owner_uid="rs-1", deleting=True)),
            (40.1, PodTransition("h2", new.name, frozenset({Aspect.CREATED}), owner_uid="rs-1")),
        ]
        if self._serves:
            bodies.append((41.0, PodTransition("h2", new.name, frozenset({Aspect.READY}), ready=True)))
        facts = [
            fact(1_000 + n, when, body, action_id=action, experiment="heal")
            for n, (when, body) in enumerate(bodies)
        ]
        state = (Change(Kind.POD, request.uid, None), *(changes(new) if self._serves else ()))
        self.store.apply(frame(self._sequence, 42, *facts, changes=state))

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        self.store.apply(frame(self._sequence + len(what), self._sequence))
        return look()


def test_a_fresh_pod_is_staged_and_shown() -> None:
    """F asks nothing of anybody; the tab says what is staged until F takes it back."""
    (on,) = press("F", scene())
    assert isinstance(on, Settings)
    assert not command("F").triggers
    shown = [plain(v.text) for v in lab.views(scene(settings=on)) if isinstance(v, Sentence)]
    assert any("a fresh pod before each fault" in words for words in shown)

    (off,) = press("F", scene(settings=on))
    assert isinstance(off, Settings)
    assert not any("staged" in plain(v.text) for v in lab.views(scene(settings=off)) if isinstance(v, Sentence))


async def test_the_fault_strikes_the_pod_that_came_in_its_place() -> None:
    """Delete, wait until the successor serves and the deletion's run has ended, then the fault; both measured."""
    (script,) = press("h", scene(settings=FRESH))
    assert isinstance(script, Script)
    drive = Replacing(scene().store)
    said = await script.steps(drive)

    deleted, struck = drive.asked
    assert (deleted.uid, deleted.verb, struck.uid, struck.verb) == (UID, DeletePod(), "h2", Fault(FaultKind.HANG))
    assert deleted.observe is not None
    assert struck.observe == deleted.observe
    assert said == "healthcheck-6ddc4758b4-new00 is the fresh pod"
    assert NAME in script.target


async def test_without_a_fresh_pod_there_is_no_fault() -> None:
    """Where nothing comes in the pod's place the fault is left out, and that is said."""
    (script,) = press("o", scene(settings=FRESH))
    assert isinstance(script, Script)
    drive = Replacing(scene().store, serves=False)
    said = await script.steps(drive)

    assert [act.verb for act in drive.asked] == [DeletePod()]
    assert "the fault was left out" in said


@pytest.mark.parametrize(
    ("key", "there"),
    [
        ("r", scene(pod(ready=False), settings=FRESH)),
        ("f", scene(settings=FRESH, facts=told((1, ERRS)))),
        ("I", scene(settings=FRESH)),
    ],
    ids=["readiness", "errors", "cure"],
)
def test_what_ends_a_fault_is_for_the_pod_that_has_it(key: str, there: Scene) -> None:
    """Staged or not, a cure goes to the sick."""
    assert asked(key, there).uid == UID


# ---- the tab


def test_the_tab_shows_pods_their_end_the_run_and_the_faults() -> None:
    """From top to bottom as on its picture; with room to spare the load as well."""
    assert [type(v) for v in lab.views(scene())] == [Table, Sentence, Rail, Table]
    assert Bins in [type(v) for v in lab.views(scene(size=Size(160, 50)))]


def test_a_pod_shows_its_restarts_and_its_probes() -> None:
    """How often, how long ago, and the record that the pod keeps itself."""
    there = scene(pod(box=container(last=OOM, restarts=3)))
    body = '{"now": 10.0, "probes": [{"probe": "livez", "time": 9.9, "status": 200}]}'
    reading = Reading(Kind.POD, UID, NAME, "/probes", body)
    there.store.apply(frame(1_001, 30, fact(50, 30, reading, experiment="heal")))
    failed = Reading(Kind.POD, UID, NAME, "/probes", None, error="refused")
    there.store.apply(frame(1_002, 30.2, fact(51, 30.2, failed, experiment="heal")))

    table = lab.views(there)[0]
    assert isinstance(table, Table)
    cells = dict(zip([c.title for c in table.columns], table.row(UID).cells, strict=True))
    assert [plain(cells[title]) for title in ("RESTARTS", "PROBES, 1 s")] == ["3", "●"]  # type: ignore[arg-type]


def test_a_pod_that_went_leaves_its_place() -> None:
    """The pointer goes to the pod that came; its results stay in the table of faults."""
    there = scene(pod("h2", name="healthcheck-6ddc4758b4-new00"))
    counted = fact(50, 29, replies(29, (UID, Outcome.OK, 3)), experiment="heal")
    gone = fact(51, 29, PodTransition(UID, NAME, frozenset({Aspect.DELETED})), experiment="heal")
    there.store.apply(frame(1_001, 30, counted, gone))

    table = lab.views(there)[0]
    assert isinstance(table, Table)
    assert list(table.keys) == ["h2"]


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (scene(), "last end none in this pod"),
        (scene(pod(box=container(last=OOM, restarts=1))), "last end OOMKilled, exit 137 (SIGKILL), 29s ago"),
        (scene(pod(box=container(last=Termination("Error", 3), restarts=1))), "last end Error, exit 3"),
        (scene(pod(box=WAITS, ready=False), now=4),
         "last end OOMKilled, exit 137 (SIGKILL)  next start not before 7 s from now"),
        (scene(pod(box=WAITS, ready=False), now=20),
         "last end OOMKilled, exit 137 (SIGKILL)  next start due, and not there yet"),
        (scene(pod(box=container(state=ContainerState.WAITING, message=BACK_OFF), ready=False)),
         "last end none in this pod  back-off 10 s, since when is not known"),
        (scene(facts=told((1, ERRS))),
         "last end none in this pod  its replies fail: f or I ends that"),
        (scene(selected=None), "last end none in this pod"),
    ],
    ids=["never", "oom", "end unknown", "waits", "late", "since unknown", "replies fail", "nothing selected"],
)  # fmt: skip
def test_the_last_end_in_one_line(there: Scene, words: str) -> None:
    """Reason, exit code and the signal behind it; while it waits, the earliest next start; it fits 80 cells."""
    assert plain(words_of.ending_words(there)) == words
    assert len(words) <= 78


# ---- explain


def test_explain_blames_no_probe_for_a_lost_node() -> None:
    """Where the node is away no key gives the pod back, and no probe failed."""
    there = scene(pod(ready=False))
    there.store.apply(frame(1_001, 31, changes=(away(),)))
    assert "node-1 is not ready, so the node controller" in explained(there)
    assert "r or I" not in explained(there)


def explained(there: Scene) -> str:
    return " ".join(plain(paragraph) for paragraph in lab.explanation(there))


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (scene(), "A failing livenessProbe has it stop the container"),
        (scene(pod(box=container(last=OOM, restarts=1))), "killed it at resources.limits.memory"),
        (scene(pod(box=container(last=Termination("Error", 137)))), "137 is 128 + 9, as SIGKILL gives it"),
        (scene(pod(box=container(last=Termination("Error", 143)))), "143 is 128 + 15, as SIGTERM gives it"),
        (scene(pod(box=container(last=Termination("Completed", 0)))), "SIGTERM asks it to, and when it is done"),
        (scene(pod(box=container(last=Termination("Error", 3)))), "the exit code is the program's own"),
        (scene(pod(box=WAITS, ready=False)), "the kubelet waits 10 s until it starts it again"),
        (scene(pod(ready=False)), "Nobody restarts it for that; r or I gives it back"),
        (scene(facts=told((1, ERRS))), "No controller looks at replies"),
        (scene(), "i, then c, h and o"),
        (scene(pod(), pod("h2", name="other"), facts=told((0, did(fault="hang")))), "S until one pod is left"),
    ],
    ids=[
        "rule", "oom", "killed", "terminated", "completed", "own", "back-off", "unready", "errors", "first",
        "scale down",
    ],
)  # fmt: skip
def test_explain_speaks_of_the_pod_on_screen(there: Scene, words: str) -> None:
    """Which part of the cluster acted, on which field, by which rule, and what to try next."""
    assert words in explained(there)


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (did(fault="liveness", fail="always"), "went on serving clients while its liveness probe failed"),
        (did(fault="exit", code="1"), "restartPolicy Always starts it whatever the exit code was"),
        (did(fault="hang"), "Without that field the pod's own 30 s count"),
        (did(fault="eat", mib_per_second="256"), "no grace"),
        (did(fault="readiness", fail="always"), "It lasts until somebody ends the fault"),
        (did(fault="errors", percent="100"), "no controller reads replies"),
        (did(verb="delete_pod"), "The ReplicaSet controller counted one pod too few"),
    ],
    ids=["infect", "crash", "hang", "oom", "readiness", "errors", "kill"],
)
def test_explain_speaks_of_the_last_run(trigger: Action, words: str) -> None:
    """Each fault has its own reason for how it was healed."""
    healed = (*INFECTED[:3], *INFECTED[4:6])
    assert words in explained(scene(facts=told((0, trigger), *healed), now=3))


@pytest.mark.parametrize(
    ("trigger", "facts", "words"),
    [
        (did(fault="hang"), (), "running. Nobody has noticed it yet."),
        (did(fault="readiness", fail="always"), (), "running. Nobody has noticed it yet."),
        (did(fault="hang"), ((0.3, seen(ready=False)),), "running. It was noticed; the container was not started"),
        (did(fault="errors", percent="100"), (), "Nothing is detected, since no controller reads replies"),
        (did(verb="delete_pod"), (), "The ReplicaSet controller counted one pod too few"),
    ],
    ids=["unseen", "unready unseen", "seen", "errors", "kill"],
)
def test_explain_tells_a_run_as_far_as_it_is(
    trigger: Action, facts: tuple[tuple[float, FactBody], ...], words: str
) -> None:
    """What is still to come is not told as if it had happened."""
    assert words in explained(scene(facts=told((0, trigger), *facts), now=1))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (told((0, did(fault="hang")), (0.3, did(fault="cure", phase=Phase.ACCEPTED))), "cured before a probe"),
        (told((0, did(fault="hang")), (0.3, seen())), "not seen to start again while the run lasted"),
    ],
    ids=["cured in time", "never"],
)
def test_explain_does_not_tell_what_did_not_happen(facts: tuple[Fact, ...], words: str) -> None:
    """Where nothing was restarted, no rule that restarts is given as the reason."""
    assert words in explained(scene(facts=facts, now=100))


def test_explain_tells_what_clients_lost_and_what_would_help() -> None:
    """One pod: nobody else could answer, and three would have; a back-off was earned before."""
    erring = told((0.0, did(fault="errors", percent="100")), (2.6, replies(0.9, ("", Outcome.HTTP_5XX, 7))))
    assert "a third of the replies still fail" in explained(scene(facts=erring))

    alone = told(
        (0.0, did(fault="liveness", fail="always")), *INFECTED, (2.6, replies(0.9, ("", Outcome.REFUSED, 7)))
    )
    told_alone = explained(scene(facts=alone))
    assert "Clients lost 7 of 12. There was no other pod to answer." in told_alone
    assert "s twice for three pods" in told_alone

    calm = told((0.0, did(fault="liveness", fail="always", ready_pods="3")), *INFECTED[:3], *INFECTED[4:6])
    assert "Clients lost none of 5." in explained(scene(facts=calm))
    assert "another fault" in explained(scene(facts=calm))

    waited = told((0.0, did(fault="exit", code="1")), (1.5, seen(status="CrashLoopBackOff", message=BACK_OFF)))
    assert "It met a back-off of 10 s" in explained(scene(facts=waited, now=2))


def test_what_is_said_of_graces_is_what_the_manifest_has() -> None:
    """The probe's grace is in the file, the pod's own is Kubernetes' default since the file has none."""
    spec = yaml.safe_load(MANIFEST.read_text())["spec"]["template"]["spec"]
    assert spec["containers"][0]["livenessProbe"]["terminationGracePeriodSeconds"] == words_of.PROBE_GRACE_S
    assert "terminationGracePeriodSeconds" not in spec
    assert words_of.POD_GRACE_S == 30


# ---- the check


class Healing:
    """A drive on a cluster of one pod that does all that is wanted, a second later; or leaves something out."""

    def __init__(self, *, heals: bool = True, restarts: bool = True) -> None:
        self.store = Store({lab.name: lab.stopwatches})
        self.store.apply(connected())
        self.store.apply(snapshot(*changes(pod())))
        self.asked: list[Request] = []
        self._heals, self._restarts = heals, restarts
        self._now, self._sequence, self._facts, self._pods = 1.0, 10, 0, 1

    def _tell(self, *bodies: FactBody, action: str = "", state: tuple[Change, ...] = ()) -> None:
        made: list[Fact] = []
        for body in bodies:
            self._facts += 1
            made.append(fact(self._facts, self._now, body, action_id=action, experiment="heal"))
        self._sequence += 1
        self.store.apply(frame(self._sequence, self._now, *made, changes=state))

    @property
    def _uid(self) -> str:
        return f"h{self._pods}"

    async def ask(self, request: Request) -> str:
        self.asked.append(request)
        action = f"a{len(self.asked)}"
        match request:
            case SetLoad():
                load = Load(
                    action, "heal", Target(service="healthcheck"), LoadMode.NEW, 10.0, since_us=at(self._now)
                )
                started = LoadTransition(action, LoadState.STARTED, load=load)
                self._tell(started, replies(self._now, (UID, Outcome.OK, 30), load_id=action))
            case Act(uid=uid, verb=DeletePod(grace_seconds=grace)):
                began = did(verb="delete_pod", uid=uid)
                if grace is not None:
                    began = replace(began, parameters={**began.parameters, "grace_seconds": str(grace)})
                self._tell(began, action=action)
                self._now += 1
                self._replace(uid)
            case Act(uid=uid, verb=Fault() as fault):
                self._fault(uid, fault, action)
            case _:
                pass
        return action

    def _replace(self, uid: str) -> None:
        self._tell(
            PodTransition(uid, NAME, frozenset({Aspect.DELETING}), owner_uid="rs-1", deleting=True),
            PodTransition(uid, NAME, frozenset({Aspect.DELETED}), owner_uid="rs-1"),
            EndpointTransition("healthcheck", uid, NAME, removed=True),
        )
        self._pods += 1
        state = (Change(Kind.POD, uid, None), *changes(pod(self._uid)))
        made = PodTransition(self._uid, NAME, frozenset({Aspect.CREATED, Aspect.READY}), "n", "rs-1", ready=True)
        self._tell(made, replies(self._now, (self._uid, Outcome.OK, 1)), state=state)

    def _fault(self, uid: str, fault: Fault, action: str) -> None:
        if fault.kind is FaultKind.CURE:
            self._tell(did(uid=uid, fault="cure", phase=Phase.ACCEPTED), action=action)
            self._now += 1
            self._tell(
                PodTransition(uid, NAME, frozenset({Aspect.READY}), ready=True), lost(EdgeKind.END, self._now)
            )
            return
        names = {FaultKind.LIVENESS: "liveness", FaultKind.EXIT: "exit", FaultKind.EAT: "eat",
                 FaultKind.ERRORS: "errors", FaultKind.READINESS: "readiness"}  # fmt: skip
        self._tell(did(uid=uid, fault=names.get(fault.kind, "hang"), fail="always"), action=action)
        if fault.kind is FaultKind.ERRORS:
            self._tell(lost(EdgeKind.BEGIN, self._now, 1))
        elif fault.kind is FaultKind.READINESS:
            self._tell(PodTransition(uid, NAME, frozenset({Aspect.READY})))
        elif self._heals:
            self._now += 1
            again = frozenset({Aspect.RESTARTS, Aspect.READY})
            self._tell(PodTransition(uid, NAME, again, ready=True, restarts=1))
        if not self._restarts:
            self._tell(state=changes(pod(uid, box=container(restarts=1))))

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        for _ in range(12):
            if (found := look()) is not None:
                return found
            self._now += within / 10
            self._tell()
        return None


async def test_the_check_passes_where_everything_heals() -> None:
    """Every fault on a pod of its own, each within its limit; the load that it started is stopped."""
    drive = Healing()
    verdict = await lab.verdict(drive)

    assert verdict.word is VerdictWord.PASSED, verdict.reasons
    assert {f.name for f in verdict.findings} == {limit.finding for limit in lab.limits}
    struck = [r.uid for r in drive.asked if isinstance(r, Act) and r.verb in {case.verb for case in CASES[:6]}]
    assert len(struck) == len(set(struck)) == 6
    # The two kills of the check leave fresh pods to two of the faults.
    assert sum(isinstance(r, Act) and isinstance(r.verb, DeletePod) for r in drive.asked) == 6
    assert isinstance(drive.asked[-1], StopLoad)


async def test_the_check_fails_where_a_fault_is_not_healed() -> None:
    """A pod that stays broken fails its case by name, and the others are tried all the same."""
    verdict = await lab.verdict(Healing(heals=False))

    assert verdict.word is VerdictWord.FAILED
    failed = [f.name for f in verdict.findings if not f.kept]
    assert failed == [f"{case.name}: recovered" for case in CASES[:4]]


async def test_the_check_fails_where_what_should_be_left_alone_is_restarted() -> None:
    """A restart for failing replies or for readiness would be somebody's mistake."""
    verdict = await lab.verdict(Healing(restarts=False))
    assert any(re.match("restarts for readiness or errors: 2", reason) for reason in verdict.reasons)


def test_a_run_is_named_by_its_fault() -> None:
    """The rail and the report call it by what was done, and to whom."""
    assert run_of(did(fault="eat", mib_per_second="256")).title == "OOM …8b4-7kq2m"
    assert run_of(did(fault="errors", percent="100")).title == "ERRORS 100 % …8b4-7kq2m"
