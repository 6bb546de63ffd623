"""The autoscaling tab: keys, views, words, and its check."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from kubealive_tui.experiments import NotNow, Scene, Settings, Verdict, VerdictWord
from kubealive_tui.experiments.scale import lab
from kubealive_tui.model import (
    Access,
    AccessState,
    Action,
    Autoscaler,
    Bar,
    Caps,
    Change,
    Condition,
    Fact,
    FactBody,
    Info,
    Kind,
    Lines,
    LinkEvent,
    LinkState,
    Load,
    Outcome,
    Phase,
    Pod,
    Rail,
    Request,
    Sentence,
    SetLoad,
    Size,
    Status,
    StopLoad,
    Table,
    Target,
    Usage,
    Workload,
    plain,
)
from kubealive_tui.store import Store
from tests.tui.experiments.test_autoscaling import UP, counted, measured, used
from tests.tui.signals import EPOCH, START, at, connected, fact, frame, load_started, replies, snapshot

T = TypeVar("T")

SMALL = Size(80, 24)
GOOD = (
    Condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
    Condition("ScalingActive", "True", "ValidMetricFound", "the HPA was able to calculate a replica count"),
    Condition("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"),
)
SCALER = Autoscaler(
    "h", "cpuhog", "scale", "cpuhog", 1, 5, 2, 2, 50, scale_down_window_seconds=60, conditions=GOOD
)


def pod(uid: str, *, leaving: bool = False) -> Change:
    found = Pod(
        uid,
        f"cpuhog-5f6b8cd8c-{uid:a>5}",
        "scale",
        node="node-1",
        status="Running",
        ready=True,
        created_us=START,
        cpu_request_millis=250,
        deletion_us=at(30) if leaving else None,
    )
    return Change(Kind.POD, uid, found)


def usage(uid: str, millis: int, *, at_s: float = 40) -> Change:
    return Change(Kind.POD_USAGE, uid, Usage(uid, Kind.POD_USAGE, uid, millis, measured_us=at(at_s)))


def deployment(pods: int) -> Change:
    found = Workload("d", Kind.DEPLOYMENT, "cpuhog", "scale", desired=pods, current=pods, ready=pods)
    return Change(Kind.DEPLOYMENT, "d", found)


def loading(cpu: float = 0.5) -> Change:
    target = Target(service="cpuhog", path="/burn?milliseconds=20")
    return Change(Kind.LOAD, "l1", Load("l1", "scale", target, rate=cpu * 50, cpu=cpu, actor="me@here"))


def without_metrics(
    reason: str = "the metrics API is missing: install metrics-server", state: AccessState = AccessState.ABSENT
) -> Status:
    return Status(kinds=(Access(Kind.POD_USAGE, state, reason),))


def scene(
    *changes: Change,
    facts: tuple[Fact, ...] = (),
    scaler: Autoscaler | None = SCALER,
    settings: Settings | None = None,
    size: Size = SMALL,
) -> Scene:
    store = Store({lab.name: lab.stopwatches})
    store.apply(connected())
    there = () if scaler is None else (Change(Kind.AUTOSCALER, "h", scaler),)
    store.apply(snapshot(deployment(2), *there, *changes, facts=facts, seconds=48))
    return Scene(store, lab, settings or lab.settings(), None, size, me="me@here")


def telling(there: Scene, status: Status) -> Scene:
    there.store.apply(replace(frame(90, 49), body=status))
    return there


def press(key: str, there: Scene) -> list[object]:
    (command,) = [c for c in lab.commands if c.key == key]
    return list(command.run(there))


def words(there: Scene) -> list[str]:
    return [plain(view.text) for view in lab.views(there) if isinstance(view, Sentence)]


def explained(there: Scene) -> str:
    return " ".join(map(plain, lab.explanation(there)))


@pytest.mark.parametrize(
    ("running", "figures"),
    [
        pytest.param((loading(),), "load ▶ 0.5 CPU  lost 40 in 28s   desired 2", id="running"),
        pytest.param((), "l starts 0.5 CPU, last lost 40   desired 2", id="ended"),
    ],
)
def test_losses_say_of_which_load_they_are(running: tuple[Change, ...], figures: str) -> None:
    """They are counted since a load began, be it the one that runs or the one before."""
    lost = replies(30, ("p1", Outcome.HTTP_5XX, 40), ("p1", Outcome.OK, 10))
    facts = (fact(1, 20, load_started(), experiment="scale"), fact(2, 31, lost, experiment="scale"))
    (chart,) = [view for view in lab.views(scene(*running, facts=facts)) if isinstance(view, Lines)]

    assert chart.heading is not None
    assert plain(chart.heading.figures).startswith(figures)


# ---- keys


def test_l_asks_for_cpu() -> None:
    """The load is half a CPU to the Service, and the agent chooses path and rate; the same key ends it."""
    assert press("l", scene()) == [SetLoad("scale", Target(service="cpuhog"), cpu=0.5)]
    assert press("l", scene(loading())) == [StopLoad("scale")]


@pytest.mark.parametrize(("key", "size"), [("+", 0.6), ("-", 0.4)], ids=["larger", "smaller"])
def test_the_size_changes_in_steps(key: str, size: float) -> None:
    """+ and - change a running load at once, and the next one while none runs."""
    changed, request = press(key, scene(loading()))
    assert isinstance(changed, Settings)
    assert changed.rate == size
    assert request == SetLoad("scale", Target(service="cpuhog"), cpu=size)
    assert press(key, scene())[1] == f"{size} CPU: l starts it"


@pytest.mark.parametrize(
    ("key", "size", "sentence"),
    [("+", 2.0, "2 CPU is the most that this agent sends"), ("-", 0.05, "0.05 CPU is the least that - chooses")],
    ids=["most", "least"],
)
def test_the_ends_are_said(key: str, size: float, sentence: str) -> None:
    """Beyond two CPU, and below the smallest step, a key says so instead of doing nothing."""
    with pytest.raises(NotNow, match=sentence):
        press(key, scene(loading(size)))


def test_the_agents_cap_holds() -> None:
    """An agent that takes less than two CPU is asked for no more than that."""
    there = scene(loading(0.8))
    info = Info("0.1.0", EPOCH, "kubealive", caps=Caps(cpu=0.9))
    there.store.apply(LinkEvent(LinkState.CONNECTED, info=info))
    assert press("+", there)[1] == SetLoad("scale", Target(service="cpuhog"), cpu=0.9)


# ---- the tab


def test_the_tab_shows_pods_use_arithmetic_conditions_and_rail() -> None:
    """From top to bottom, as every tab has it."""
    assert [type(view) for view in lab.views(scene())] == [Table, Lines, Sentence, Sentence, Rail]


def cells(there: Scene, uid: str) -> list[str]:
    table = next(view for view in lab.views(there) if isinstance(view, Table))
    row = table.row(uid)
    heads = [column.title for column in table.columns]
    return [plain(cell) for head, cell in zip(heads, row.cells, strict=True) if not isinstance(cell, Bar)][-6:]


def test_a_pod_shows_what_it_uses_of_what() -> None:
    """CPU, request, share of it, share of what the target allows, and the age of the metric."""
    there = scene(pod("p1"), usage("p1", 131))
    assert cells(there, "p1")[-5:] == ["131m", "250m", "52 %", "104 %", "8s old"]


def test_a_pod_and_the_arithmetic_of_it_alone_agree() -> None:
    """Both are cut to whole per cents, as the controller does."""
    there = scene(pod("p1"), usage("p1", 242))

    assert "96 %" in cells(there, "p1")
    assert words(there)[0].startswith("ceil(1 pod × 96 % ÷")


def test_a_pod_without_a_metric_says_so() -> None:
    """A new pod has none yet; one that leaves gets none any more."""
    there = scene(pod("p1"), pod("p2", leaving=True))
    assert cells(there, "p1")[-1] == "none yet"
    assert cells(there, "p2")[-1] == "–"


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        pytest.param((230, 230), "ceil(2 pods × 92 % ÷ 50 %) = 4", id="more"),
        pytest.param((600, 600), "ceil(2 pods × 240 % ÷ 50 %) = 10 → at most 5", id="at most"),
        pytest.param((0, 1), "ceil(2 pods × 0 % ÷ 50 %) = 0 → at least 1", id="at least"),
        pytest.param(
            (125, 130), "ceil(2 pods × 51 % ÷ 50 %) = 2   within tolerance (±10 %): nothing to do", id="tolerance"
        ),
        pytest.param(
            (230,), "1 pod without a metric yet; the others use 92 % of their request", id="one has no metric"
        ),
        pytest.param((), "2 pods without a metric yet", id="none has a metric"),
    ],
)
def test_the_arithmetic_is_the_autoscalers_own(usages: tuple[int, ...], expected: str) -> None:
    """The formula with the pods' own metrics and what its bounds make of it, or how many metrics are missing."""
    there = scene(pod("p1"), pod("p2"), *(usage(f"p{n}", millis) for n, millis in enumerate(usages, 1)))
    assert words(there)[0] == expected


def test_what_leaves_is_not_counted() -> None:
    """A pod that terminates is in no sum."""
    there = scene(pod("p1"), usage("p1", 230), pod("p2", leaving=True), usage("p2", 230))
    assert words(there)[0].startswith("ceil(1 pod × 92 %")


def test_without_an_autoscaler_the_line_says_how_to_get_one() -> None:
    """Somebody may have deleted it."""
    assert words(scene(scaler=None))[0] == "no autoscaler: kubealive reset scale makes it again"


def test_conditions_in_a_word_each() -> None:
    """What holds has a tick, what is not known a dash, and the window is said before it runs."""
    assert words(scene())[1] == "✓ able to scale  ✓ scaling active  – not limited   down ≈ 60 s after load"
    assert words(scene(scaler=replace(SCALER, conditions=())))[1].startswith("– able to scale  – scaling active")


@pytest.mark.parametrize(
    ("reason", "word"),
    [("TooManyReplicas", "○ limited: the most"), ("TooFewReplicas", "○ limited: the fewest")],
)
def test_a_limit_says_which(reason: str, word: str) -> None:
    """The bound that holds the autoscaler back."""
    limited = replace(SCALER, conditions=(*GOOD[:2], Condition("ScalingLimited", "True", reason, "is more")))
    assert word in words(scene(scaler=limited))[1]


def test_what_holds_scaling_back_is_told_in_full() -> None:
    """A condition that is false brings its message; on a large screen all of them do."""
    blind = Condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics returned")
    there = scene(scaler=replace(SCALER, conditions=(GOOD[0], blind, GOOD[2])))
    assert "✕ not scaling active" in words(there)[1]
    assert words(there)[2:] == ["ScalingActive no metrics returned"]
    assert len(words(scene(size=Size(160, 50)))) == 5


def falling(seen_at: float) -> tuple[Fact, ...]:
    bodies = ((0.0, used(50, pods=2)), (seen_at, used(0, pods=2)))
    return tuple(fact(n, s, body, experiment="scale") for n, (s, body) in enumerate(bodies, 1))


@pytest.mark.parametrize(
    ("seen_at", "expected"),
    [pytest.param(30, "down ≈ 27 s", id="waiting"), pytest.param(1, "down at its next tick", id="due")],
)
def test_the_earliest_scale_down_is_about(seen_at: float, expected: str) -> None:
    """A window after the last tick that wanted as many pods, marked as about."""
    assert words(scene(facts=falling(seen_at)))[1].endswith(expected)


def test_the_chart_has_target_use_and_steps_on_one_axis() -> None:
    """Two minutes and more of use, and under it how many pods were wanted and there were."""
    told = _facts(UP, first=1)
    chart = next(view for view in lab.views(scene(facts=told)) if isinstance(view, Lines))
    assert chart.target == 50.0
    assert [series.label for series in chart.steps] == ["desired", "pods"]
    assert {len(series.values) for series in (chart.series, *chart.steps)} == {120}
    assert (chart.series.values[-1], chart.steps[0].values[-1]) == (52.0, 4.0)


# ---- no metrics


def test_no_metrics_are_said_before_anything_is_pressed() -> None:
    """What is missing, what that means, and where the way out is told, above everything else."""
    there = telling(scene(), without_metrics())
    assert words(there)[:2] == [
        "✕ the metrics API is missing: install metrics-server",
        "  until then nothing is scaled, whatever the load: e says how",
    ]
    assert words(there)[2] == "nothing to compute without metrics"
    assert "components.yaml, of the latest release at https://github.com/kubernetes-sigs" in explained(there)


@pytest.mark.parametrize("state", [AccessState.RETRYING, AccessState.FORBIDDEN])
def test_metrics_that_cannot_be_read_are_told_with_the_reason(state: AccessState) -> None:
    """Somebody's broken metrics-server, or a missing right, is no advice to install one."""
    there = telling(scene(), without_metrics("no metrics of pods: 503", state))
    assert words(there)[0] == "✕ no metrics of pods: 503"
    assert "kubectl apply" not in explained(there)


def test_metrics_that_nobody_serves_just_now_are_told_with_where_to_look() -> None:
    """Installed and silent is another trouble than missing."""
    silent = telling(scene(), without_metrics("no metrics of pods: 503", AccessState.RETRYING))
    refused = telling(scene(), without_metrics("the agent has no right", AccessState.FORBIDDEN))

    assert explained(silent).startswith("No metrics of pods: 503. The API is known here")
    assert "APIService" not in explained(refused)


async def test_the_check_is_skipped_without_metrics() -> None:
    """Skipped is never passed, and the reason is the fix."""
    verdict = await lab.verdict(Drive(telling(scene(), without_metrics()).store))
    assert verdict.word is VerdictWord.SKIPPED
    assert "install metrics-server" in verdict.reasons[0]


# ---- the check


class Drive:
    """A drive whose agent is a script: what follows each request, by its type."""

    def __init__(self, store: Store, follows: Callable[[Request], tuple[Fact, ...]] = lambda _: ()) -> None:
        self.store = store
        self.asked: list[Request] = []
        self._follows = follows
        self._sequence = 100

    async def ask(self, request: Request) -> str:
        self.asked.append(request)
        for one in self._follows(request):
            self._sequence += 1
            self.store.apply(
                frame(self._sequence, (one.time_us - START) / 1e6, replace(one, sequence=self._sequence))
            )
        return "l1"

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        return look()


def acted(seconds: float, action_id: str, **parameters: str) -> Fact:
    body = Action("", "me@here", "set_load", Phase.REQUESTED, parameters=parameters)
    return fact(0, seconds, body, action_id=action_id, experiment="scale")


def following(request: Request, *, up: float = 0.0, down: float = 0.0) -> tuple[Fact, ...]:
    """What a cluster does after the load and after its end, so many seconds later than usual."""
    if isinstance(request, SetLoad):
        bodies = [(100 + s + (up if s > 18 else 0), body) for s, body in UP]
        return acted(100, "a1", load="run", cpu="0.5"), *_facts(bodies)
    fall = ((302.0, used(51, pods=4)), (319, used(9, pods=4)), (364 + down, used(0, pods=1, was=4)))
    return acted(300, "a2", load="stop"), *_facts([*fall, (364.2 + down, counted(1))])


def _facts(bodies: Sequence[tuple[float, FactBody]], *, first: int = 0) -> tuple[Fact, ...]:
    """Facts of the experiment, numbered from `first` on; who asks for them may number them anew."""
    return tuple(
        fact(first + n, seconds, measured(seconds, body), experiment="scale")
        for n, (seconds, body) in enumerate(bodies)
    )


def quiet() -> Store:
    there = scene(pod("p1"))
    there.store.apply(frame(80, 60, changes=(deployment(1),)))
    return there.store


async def checked(store: Store, **late: float) -> Verdict:
    return await lab.verdict(Drive(store, lambda request: following(request, **late)))


async def test_the_check_passes_where_pods_follow_the_load() -> None:
    """Up and down within their limits, with the times of the stopwatches as findings."""
    verdict = await checked(quiet())
    assert verdict.word is VerdictWord.PASSED, verdict.reasons
    assert [finding.value for finding in verdict.findings] == [
        "1",
        "19.1 s",
        "19.7 s",
        "4 of 5",
        "64.2 s",
        "complete",
    ]


@pytest.mark.parametrize(
    ("late", "finding"),
    [({"up": 170.0}, "more pods are wanted"), ({"down": 130.0}, "the fewest pods again")],
    ids=["up", "down"],
)
async def test_the_check_fails_where_they_are_late(late: dict[str, float], finding: str) -> None:
    """What comes after the limit, or never, is a reason."""
    verdict = await checked(quiet(), **late)
    assert verdict.word is VerdictWord.FAILED
    assert any(reason.startswith(finding) for reason in verdict.reasons)


async def test_a_late_rise_tells_what_clients_lost() -> None:
    """Pods that are given less CPU than the load asks for may stay below the target; their refusals say so."""

    def starved(request: Request) -> tuple[Fact, ...]:
        if isinstance(request, SetLoad):
            lost = replies(101, ("p1", Outcome.HTTP_5XX, 40), ("p1", Outcome.OK, 10))
            return acted(100, "a1", load="run", cpu="0.5"), *_facts([(101.2, lost), (290.0, used(40))])
        return acted(300, "a2", load="stop"), *_facts([(319.0, used(1)), (334.0, used(2))])

    verdict = await lab.verdict(Drive(quiet(), starved))
    assert verdict.reasons[0].startswith("more pods are wanted: never, 40 of 50 requests lost")


async def test_pods_that_never_came_need_not_go() -> None:
    """Where the load brought none there are the fewest all the time, and only the rise has failed."""

    def idle(request: Request) -> tuple[Fact, ...]:
        if isinstance(request, SetLoad):
            return acted(100, "a1", load="run", cpu="0.5"), *_facts([(117.0, used(92)), (290.0, used(92))])
        return acted(300, "a2", load="stop"), *_facts([(302.0, used(50)), (319.0, used(1)), (334.0, used(2))])

    verdict = await lab.verdict(Drive(quiet(), idle))
    kept = {finding.name: finding.value for finding in verdict.findings if finding.kept}
    assert kept["the fewest pods again"] == "all the time"
    assert len(verdict.reasons) == 2


async def test_the_check_fails_where_more_pods_are_wanted_than_allowed() -> None:
    """The bound is the autoscaler's own, as it is now."""
    store = quiet()
    store.apply(frame(81, 61, changes=(Change(Kind.AUTOSCALER, "h", replace(SCALER, max_replicas=3)),)))
    verdict = await checked(store)
    assert verdict.reasons == ("most pods wanted: 4 of 3, wanted maxReplicas at most",)


@pytest.mark.parametrize(
    ("store", "value"),
    [
        pytest.param(scene(pod("p1"), pod("p2")).store, "2 pods", id="more pods"),
        pytest.param(scene(pod("p1"), loading()).store, "a load is running", id="a load"),
        pytest.param(scene(pod("p1"), scaler=None).store, "no autoscaler", id="no autoscaler"),
    ],
)
async def test_the_check_begins_in_quiet(store: Store, value: str) -> None:
    """Where the fewest pods without load are not to be had, it says what there is and starts nothing."""
    drive = Drive(store)
    verdict = await lab.verdict(drive)
    assert [(finding.value, finding.kept) for finding in verdict.findings] == [(value, False)]
    assert not drive.asked


# ---- the words


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        pytest.param(scene(), "nothing in the last 60 s has asked for more", id="the window"),
        pytest.param(scene(), "The default is 300 s, right where a start is dear", id="why it is short"),
        pytest.param(scene(), "on the way up it counts as idle", id="no metric"),
        pytest.param(scene(scaler=None), "no autoscaler here", id="no autoscaler"),
        pytest.param(
            scene(pod("p1"), usage("p1", 128)),
            "uses 51 % of its request, the target is 50 %: within",
            id="at the target",
        ),
        pytest.param(scene(pod("p1"), usage("p1", 300)), "too much, so there are to be 3", id="too much"),
        pytest.param(
            scene(pod("p1"), usage("p1", 900)),
            "asks for 8 pods, and maxReplicas allows 5. All of them can bring 0.62 CPU to the target",
            id="more than allowed",
        ),
        pytest.param(scene(pod("p1"), usage("p1", 1)), "minReplicas keeps 1", id="idle"),
        pytest.param(
            scene(pod("p1"), usage("p1", 1), pod("p2"), usage("p2", 1)),
            "1 would do, once the window",
            id="falling",
        ),
        pytest.param(
            scene(scaler=replace(SCALER, conditions=(Condition("AbleToScale", "False", "x", "cannot"),))),
            "AbleToScale is False: cannot.",
            id="a condition",
        ),
        pytest.param(scene(), "l for load", id="try a load"),
        pytest.param(scene(loading()), "+ for more than the pods can take", id="try more"),
        pytest.param(
            scene(loading(), scaler=replace(SCALER, desired_replicas=5)), "- for a load that", id="try less"
        ),
    ],
)
def test_explain_speaks_of_the_state_on_screen(there: Scene, expected: str) -> None:
    """Who scales by which rule, what holds now, and what to try."""
    assert expected in explained(there)


async def test_explain_says_what_took_the_time() -> None:
    """After a run up: the metric, the decision, the pod; after a run down: the window."""
    drive = Drive(quiet(), following)
    await drive.ask(SetLoad("scale", Target(service="cpuhog"), cpu=0.5))
    up = explained(Scene(drive.store, lab))
    assert "in a metric after 17 s and in a decision after 19 s; a pod took 0.6 s" in up
    await drive.ask(StopLoad("scale"))
    assert "The first pod was given up after 64 s" in explained(Scene(drive.store, lab))


def test_a_stop_of_everything_ends_this_load_too() -> None:
    """! is timed here if it stopped a load here, and not if it did not."""
    there = scene()
    for n, loads in enumerate(("balance", "balance,scale"), 1):
        body = Action("", "me@here", "stop_all", Phase.REQUESTED, parameters={"loads": loads})
        there.store.apply(frame(90 + n, 50 + n, fact(90 + n, 50 + n, body, action_id=f"a{n}", experiment="")))
        there.store.apply(frame(95 + n, 50.5 + n))
    assert [run.action_id for run in there.store.ledger("scale").runs.all] == ["a2"]
    assert [run.title for run in there.store.ledger("scale").runs.all] == ["LOAD OFF"]


def test_pods_that_cannot_be_had_are_told_with_the_reason() -> None:
    """Past the quota none is made, and without room on a node none is placed: the autoscaler knows neither."""
    refused = Condition(
        "ReplicaFailure", "True", "FailedCreate", 'pods "cpuhog-1" is forbidden: exceeded quota: cpu'
    )
    there = scene(pod("p1"))
    workload = there.store.workload("scale", "cpuhog")
    assert workload is not None
    waiting = Pod("p2", "cpuhog-5f6b8cd8c-aaap2", "scale", status="Pending", message="0/3 nodes are available")
    changes = (
        Change(Kind.DEPLOYMENT, "d", replace(workload, conditions=(refused,))),
        Change(Kind.POD, "p2", waiting),
    )
    there.store.apply(frame(90, 49, changes=changes))
    assert words(there)[2:] == [
        "no pod can be made: exceeded quota: cpu",
        "…d8c-aaap2: the scheduler finds no node: 0/3 nodes are available",
    ]
