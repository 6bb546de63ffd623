"""The Downward API's tab: words beside the API's, keys, stopwatches, explanations, the check."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from kubealive_tui.experiments import NotNow, VerdictWord
from kubealive_tui.experiments.downward import lab, says
from kubealive_tui.experiments.downward._runs import FILE_WITHIN_S
from kubealive_tui.experiments.downward._told import FIELDS, Agreement, agreement, told_by, told_in
from kubealive_tui.model import (
    Act,
    Action,
    AgentNote,
    Aspect,
    Change,
    Ending,
    FactBody,
    Kind,
    LabelPod,
    Phase,
    PodSample,
    PodTransition,
    Rail,
    Request,
    Sentence,
    Table,
    WatchGap,
    plain,
)
from kubealive_tui.store import Store
from kubealive_workloads.programs import knowingnode
from tests.tui.experiments.selves import bare, connected, fact, nothing, page, pod, reading, scene, state, store_of
from tests.tui.signals import at, frame

T = TypeVar("T")


def labelled(store: Store, value: str = "bright", *, follows: bool = True) -> None:
    """Change the label of p1 by a key; its file follows a quarter of a second later, unless it does not."""
    after = pod(labels={"mood": value, "app": "knowingnode"})
    trigger = Action("r1", "me@here", "label_pod", Phase.REQUESTED, Kind.POD, after.name, "p1",
                     {"key": "mood", "value": value})  # fmt: skip
    moved = PodTransition("p1", after.name, frozenset({Aspect.LABELS}), "node-1", "rs-1", "Running", ready=True)
    facts = [fact(50, 2.0, trigger, "a1"), fact(51, 2.1, moved)]
    if follows:
        facts.append(fact(52, 2.25, reading("p1", page(after))))
    store.apply(frame(52, 2.3, *facts, changes=(Change(Kind.POD, "p1", after),)))
    store.apply(frame(53, 5.0))


def killed(store: Store) -> None:
    """Kill p1: its successor p9 is ready and speaks."""
    gone, successor = pod("p1"), pod("p9", ip="10.244.1.8", created_us=at(2))
    trigger = Action("r1", "me@here", "delete_pod", Phase.REQUESTED, Kind.POD, gone.name, "p1")

    def turn(of: str, *aspects: Aspect, ready: bool = False, deleting: bool = False) -> PodTransition:
        return PodTransition(of, of, frozenset(aspects), "node-1", "rs-1", "Running", ready, deleting)

    store.apply(
        frame(
            60,
            3.5,
            fact(50, 2.0, trigger, "a1"),
            fact(51, 2.1, turn("p1", Aspect.DELETING, deleting=True)),
            fact(52, 2.2, turn("p9", Aspect.CREATED)),
            fact(53, 2.3, reading("p1", error="refused")),
            fact(54, 2.35, reading("p1", error="connect timeout")),
            fact(55, 2.9, turn("p9", Aspect.READY, ready=True)),
            fact(56, 3.0, turn("p1", Aspect.DELETED)),
            fact(57, 3.1, reading("p9", page(successor))),
            changes=(Change(Kind.POD, "p9", successor), Change(Kind.POD, "p1", None)),
        )
    )
    store.apply(frame(61, 7.0))


def rows(store: Store, selected: str = "p1", width: int = 80) -> list[list[str]]:
    """The fields' table as words."""
    views = list(lab.views(scene(store, selected, width)))
    table = views[1]
    assert isinstance(table, Table)
    return [[plain(cell) for cell in table.row(key).cells if isinstance(cell, tuple)] for key in table.keys]


# ---- what a pod says


def test_the_fields_are_those_of_the_program() -> None:
    """The tab asks for every variable and file that the program tells of, and no other."""
    assert {f.name for f in FIELDS if not f.file} == set(knowingnode.FIELDS)
    assert {f.name: f.path for f in FIELDS if f.file} == knowingnode.FILES


def test_every_value_beside_the_apis() -> None:
    """Each field has its path, both words, the sign of their equality and the agent's own word."""
    found = {row[0]: row[1:] for row in rows(store_of(pod()), width=140)}

    assert found["NODE_NAME"] == ["spec.nodeName", "node-1", "node-1", "=", "node-1"]
    assert found["CPU_LIMIT"] == ["limits.cpu", "250", "250", "=", "2000"]
    assert found["labels"] == ["metadata.labels", "2, mood=calm", "2, mood=calm", "=", "–"]
    assert found["annotations"][1:4] == ["1", "1", "="]
    assert [row[3] for row in found.values()] == ["="] * len(FIELDS)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(page(pod()), "14 of 14 equal", id="equal"),
        pytest.param(page(pod(), POD_IP="10.9.9.9"), "1 of 14 differ", id="differs"),
        pytest.param(page(pod(), POD_MOOD="stormy"), "13 of 14 equal, 1 old", id="old variable"),
        pytest.param(
            page(pod(), POD_NAME="knowingnode-x", POD_UID="u9"), "2 of 14 differ", id="another pod's name"
        ),
        pytest.param(nothing(), "told nothing", id="bare"),
        pytest.param("{}", "no page of its own", id="another program"),
        pytest.param(page(pod())[:300], "no page of its own", id="cut"),
    ],
)
def test_how_a_pods_words_stand(said: str, words: str) -> None:
    """In a few words beside the pod."""
    store = store_of(pod(), said={"p1": said})

    assert plain(says(store, pod())) == words


def test_a_pod_that_does_not_answer_is_not_known() -> None:
    """Neither before it was asked nor when it gives no answer is anything made up."""
    store = store_of()
    store.apply(frame(10, 2, changes=(Change(Kind.POD, "p1", pod()),)))
    before = plain(says(store, pod()))
    store.apply(frame(11, 3, fact(10, 3, reading("p1", error="10.244.1.2 answers as pod x, which is another"))))

    assert before == "not asked yet"
    assert plain(says(store, pod())) == "10.244.1.2 answers as pod x, which is another"
    assert {row[2] for row in rows(store)} == {"–"}


@pytest.mark.parametrize(
    ("changes", "name", "word"),
    [
        pytest.param({"annotations_left_out": True}, "annotations", Agreement.UNKNOWN, id="too large to be told"),
        pytest.param({"cpu_limit_millis": None}, "CPU_LIMIT", Agreement.UNKNOWN, id="no limit"),
        pytest.param({"labels": {}}, "POD_MOOD", Agreement.OLD, id="label taken off"),
        pytest.param({"node": "node-7"}, "NODE_IP", Agreement.UNKNOWN, id="a node that is not listed"),
        pytest.param({"ip": "10.244.1.3"}, "POD_IP", Agreement.DIFFERS, id="another address"),
    ],
)
def test_what_is_not_equal(changes: dict[str, object], name: str, word: Agreement) -> None:
    """What the API does not say is not called a difference, and a variable of a label is old."""
    store = store_of(pod())
    (field_,) = [f for f in FIELDS if f.name == name]

    assert agreement(field_, told_by(store, "p1"), replace(pod(), **changes), store) is word  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"env": 1, "files": {}}', '{"env": {}, "files": {"labels": 3}}']
)
def test_what_is_no_page(text: str) -> None:
    """Whatever a pod answers, it is read or not, and raises nothing."""
    assert told_in(text) is None


def test_a_field_row_stands_for_its_pod() -> None:
    """The pointer among the fields still means the pod that they are of."""
    at_field = scene(store_of(pod(), pod("p2")), "p2/POD_IP")

    assert at_field.pod().uid == "p2"
    assert [row[2] for row in rows(at_field.store, "p2/POD_IP") if row[0] == "POD_UID"] == ["p2"]


# ---- keys and samples


def press(key: str, store: Store, selected: str = "p1") -> list[object]:
    (command,) = [c for c in lab.commands if c.key == key]
    return list(command.run(scene(store, selected)))


@pytest.mark.parametrize(
    ("mood", "after"), [("calm", "bright"), ("stormy", "calm"), ("odd", "calm"), (None, "calm")], ids=str
)
def test_n_changes_the_label(mood: str | None, after: str) -> None:
    """The mood goes round; whatever else the label says becomes the first."""
    found = pod(labels={"mood": mood} if mood else {})

    assert press("n", store_of(found)) == [Act("downward", "p1", found.name, LabelPod("mood", after))]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(bare(), "has no file that could follow", id="bare"),
        pytest.param(pod("p1", deletion_us=at(9)), "is terminating", id="terminating"),
    ],
)
def test_n_needs_a_file_that_follows(found: object, words: str) -> None:
    """Where nothing would be seen, the key says why."""
    with pytest.raises(NotNow, match=words):
        press("n", store_of(found), found.uid)  # type: ignore[arg-type, attr-defined]


def test_pods_are_asked_oftener_while_a_run_waits() -> None:
    """Each pod's page once a second, and as often as possible while a stopwatch runs."""
    calm, waiting = store_of(pod()), store_of(pod())
    labelled(waiting, follows=False)

    assert [(s.what, s.period_ms) for s in lab.samples(scene(calm))] == [(PodSample("/downward", port=8080), 1000)]
    assert [s.period_ms for s in lab.samples(scene(waiting))] == [200]


# ---- runs


def test_a_label_is_timed_until_the_file_says_it() -> None:
    """The API first, then the file; the variable that was made of it stays, and that is said."""
    store = store_of(pod())
    labelled(store)
    run = store.ledger("downward").runs.last
    views = list(lab.views(scene(store)))

    assert run is not None
    assert (run.title, run.ending) == ("LABEL mood=bright ON …d8c-aaap1", Ending.COMPLETE)
    assert [(m.label, m.at_us) for m in run.milestones] == [
        ("label in the API", at(2.1)),
        ("the file says so", at(2.25)),
    ]
    sentences = [plain(v.text) for v in views if isinstance(v, Sentence)]
    assert sentences == ["the file says bright; the variable says calm, as when the container started"]
    (shown,) = [v for v in views if isinstance(v, Rail)]
    assert plain(shown.figure) == "file after 0.25 s ±0.2"


def test_a_file_that_does_not_follow_is_said_so() -> None:
    """Until it has, the rail says what it waits for."""
    store = store_of(pod())
    labelled(store, follows=False)
    (shown,) = [v for v in lab.views(scene(store)) if isinstance(v, Rail)]

    assert plain(shown.figure) == "the file still says the old label"


def test_a_kill_is_timed_until_the_successor_speaks() -> None:
    """What it keeps and what is new comes from both pods' own words, the killed one's before it fell silent."""
    store = store_of(pod(), pod("p2"))
    killed(store)
    run = store.ledger("downward").runs.last
    views = list(lab.views(scene(store, "p2")))

    assert run is not None
    assert run.ending is Ending.COMPLETE
    assert run.seconds("successor ready") == pytest.approx(0.9)
    assert run.seconds("says who it is") == pytest.approx(1.1)
    sentences = [plain(v.text) for v in views if isinstance(v, Sentence)]
    assert sentences == [
        "kept mood, labels, annotations, node, namespace, account, requests and limits",
        "new  name, address, UID",
    ]


def test_a_bare_successor_knows_as_little() -> None:
    """There is nothing to keep, and that is said."""
    store = store_of(pod(), pod("p2"), said={"p1": nothing()})
    killed(store)
    store.apply(frame(70, 9.0, fact(70, 9.0, reading("p9", nothing()))))
    sentences = [plain(v.text) for v in lab.views(scene(store, "p2")) if isinstance(v, Sentence)]

    assert sentences == ["neither it nor its successor is told who it is"]


# ---- explanations


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(page(pod()), "resourceFieldRef", id="sources"),
        pytest.param(page(pod()), "two more than the API", id="annotations of the kubelet"),
        pytest.param(page(pod(), POD_MOOD="stormy"), "was made at that start and stays", id="old"),
        pytest.param(page(pod(), POD_IP="10.9.9.9"), "says of POD_IP something else than the API", id="differs"),
        pytest.param(nothing(), "its manifest asks for no field", id="bare"),
        pytest.param("", "kubealive workload knowingnode", id="outside"),
    ],
)
def test_explanations(said: str, words: str) -> None:
    """Each state of the shown pod has its sentence."""
    store = store_of(pod(), said={"p1": said})

    assert words in " ".join(map(plain, lab.explanation(scene(store))))


def test_explanations_of_runs() -> None:
    """What followed the last key is told by what came of it."""
    followed, replaced, silent = store_of(pod()), store_of(pod(), pod("p2")), store_of(pod())
    labelled(followed)
    killed(replaced)
    labelled(silent, follows=False)
    silent.apply(frame(90, 200.0))
    silent.apply(frame(91, 201.0, fact(90, 201.0, reading("p1", error="connect timeout"))))
    told = [" ".join(map(plain, lab.explanation(scene(s, u)))) for s, u in
            ((followed, "p1"), (replaced, "p2"), (silent, "p1"))]  # fmt: skip

    assert "The file said so after 0.25 s" in told[0]
    assert "The ReplicaSet made another pod from the same template" in told[1]
    assert "The file has not followed" in told[2]
    assert "gave no page: connect timeout" in told[2]


# ---- the check


@dataclass
class Played:
    """A drive in which what is asked for happens at once; `faults` changes that."""

    store: Store
    faults: set[str] = field(default_factory=set)
    asked: list[Request] = field(default_factory=list)
    sequence: int = 100
    seconds: float = 3.0

    async def ask(self, request: Request) -> str:
        self.asked.append(request)
        action = f"a{len(self.asked)}"
        assert isinstance(request, Act)
        assert isinstance(request.verb, LabelPod)
        found = self.store.pod(request.uid)
        assert found is not None
        after = replace(found, labels={**found.labels, "mood": request.verb.value or ""})
        trigger = Action(action, "me@here", "label_pod", Phase.REQUESTED, Kind.POD, found.name, found.uid,
                         {"key": "mood", "value": request.verb.value or ""})  # fmt: skip
        self.tell(trigger, action=action)
        self.tell(PodTransition(found.uid, found.name, frozenset({Aspect.LABELS})), change=after)
        if "gap" in self.faults:
            self.tell(AgentNote("the agent watches the cluster again", watch_gap=WatchGap.ENDED))
        if "late file" in self.faults:
            self.seconds += FILE_WITHIN_S + 2
        if "no file" not in self.faults:
            env = {"POD_MOOD": request.verb.value} if "variable follows" in self.faults else {}
            self.tell(reading(found.uid, page(after, **env)))
        return action

    def tell(self, body: FactBody, *, action: str = "", change: object = None) -> None:
        self.sequence += 1
        self.seconds += 0.1
        changes = (Change(Kind.POD, change.uid, change),) if change is not None else ()  # type: ignore[attr-defined, arg-type]
        self.store.apply(frame(self.sequence, self.seconds, fact(self.sequence, self.seconds, body, action),
                               changes=changes))  # fmt: skip

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        found = look()
        for _ in range(2):
            if found is None:
                self.seconds += within
                self.sequence += 1
                self.store.apply(frame(self.sequence, self.seconds))
                found = look()
        return found


async def test_the_check_passes_where_all_is_well() -> None:
    """Every finding within its limit, and the label is as it was afterwards."""
    drive = Played(store_of(pod(), pod("p2"), bare()))
    verdict = await lab.verdict(drive)

    assert verdict.word is VerdictWord.PASSED, verdict.reasons
    assert [finding.name for finding in verdict.findings] == [limit.finding for limit in lab.limits]
    assert [a.verb for a in drive.asked if isinstance(a, Act)] == [
        LabelPod("mood", "bright"),
        LabelPod("mood", "calm"),
    ]


async def test_the_check_gives_labels_back_first() -> None:
    """A label that somebody has changed is as the container started with it before values are compared."""
    changed = pod(labels={"mood": "stormy", "app": "knowingnode"})
    drive = Played(store_of(changed, bare()))
    verdict = await lab.verdict(drive)

    assert verdict.word is VerdictWord.PASSED, verdict.reasons
    assert isinstance(drive.asked[0], Act)
    assert drive.asked[0].verb == LabelPod("mood", "calm")


@pytest.mark.parametrize(
    ("said", "faults", "words"),
    [
        pytest.param({"p1": page(pod(), POD_IP="10.9.9.9")}, set(),
                     "values that a pod is told: 27 of 28; …d8c-aaap1 says POD_IP 10.9.9.9, the API 10.244.1.2",
                     id="a value"),
        pytest.param({"p2": "{}"}, set(), "…d8c-aaap2 has not said its POD_MOOD", id="no page"),
        pytest.param({"b1": page(bare())}, set(), "values that the bare pod is told: POD_MOOD", id="bare knows"),
        pytest.param({"b1": "{}"}, set(), "the bare pod is told: it does not answer", id="bare silent"),
        pytest.param({}, {"no file"}, "the file follows a changed label: never", id="no file"),
        pytest.param({}, {"late file"}, "the file follows a changed label: 12", id="a late file"),
        pytest.param({}, {"gap"}, "facts of that run: the agent could not watch", id="gap"),
        pytest.param({}, {"variable follows"}, "the variable made of that label: mood bright", id="variable"),
    ],
)  # fmt: skip
async def test_the_check_fails_where_something_is_wrong(
    said: dict[str, str], faults: set[str], words: str
) -> None:
    """Each fault has its finding."""
    verdict = await lab.verdict(Played(store_of(pod(), pod("p2"), bare(), said=said), faults))

    assert verdict.word is VerdictWord.FAILED
    assert any(words in reason for reason in verdict.reasons), verdict.reasons


async def test_the_check_needs_ready_pods() -> None:
    """Without them nothing else is looked at."""
    verdict = await lab.verdict(Played(store_of(pod(ready=False), bare())))

    assert [f.name for f in verdict.findings] == ["pods ready"]


@pytest.mark.parametrize(
    ("own", "words"),
    [({"POD_IP": "10.9.9.9"}, "POD_IP 10.9.9.9, the API 10.244.1.9"), ({"HOME": "/"}, "0 of 0")],
    ids=["another address", "told nothing"],
)
async def test_the_check_holds_the_agents_words_as_well(own: dict[str, str], words: str) -> None:
    """What the agent was told of itself is compared with its own pod."""
    store = store_of(pod(), bare())
    store.apply(connected(**own))
    verdict = await lab.verdict(Played(store))

    assert any(words in reason for reason in verdict.reasons), verdict.reasons


def test_a_screen_without_pods() -> None:
    """Before anything is there the tab says so and raises nothing."""
    store = store_of()

    assert lab.views(scene(store, None))
    assert lab.explanation(scene(store, None))
    assert state()
