"""The load balancing tab: keys, stopwatch choice, views, words."""

from dataclasses import replace

import pytest

from kubealive_agent._sizes import MAX_CPU
from kubealive_agent.load import MAX_RATE
from kubealive_tui.experiments import NotNow, Scene, Settings
from kubealive_tui.experiments._commands import CPUS, RATES
from kubealive_tui.experiments.balance import _survives, lab, lost_finding, spread_words
from kubealive_tui.model import (
    Act,
    Bins,
    Change,
    DeletePod,
    Ending,
    Fault,
    FaultKind,
    Kind,
    Load,
    LoadMode,
    Outcome,
    Pod,
    ProbeFails,
    Rail,
    Request,
    Run,
    Scale,
    Sentence,
    SetLoad,
    Size,
    StopLoad,
    Table,
    Target,
    plain,
)
from kubealive_tui.store import Store
from tests.tui.experiments.drives import Still
from tests.tui.signals import (
    START,
    away,
    connected,
    deletion,
    fact,
    frame,
    getip,
    load_started,
    pod,
    pod_change,
    replies,
    running_load,
    slices,
    snapshot,
)


def scene(
    *, load: bool = False, selected: str | None = "p1", settings: Settings | None = None, width: int = 80
) -> Scene:
    store = Store({lab.name: lab.stopwatches})
    pods = [pod(f"p{n}") for n in range(1, 5)]
    changes = [getip(), slices(*pods), *(pod_change(p) for p in pods), *([running_load()] if load else [])]
    store.apply(connected())
    store.apply(snapshot(*changes))
    return Scene(store, lab, settings or lab.settings(), selected, Size(width, 24))


def press(key: str, at: Scene) -> list[object]:
    (command,) = [c for c in lab.commands if c.key == key]
    return list(command.run(at))


def asked(key: str, at: Scene) -> Request:
    (request,) = [e for e in press(key, at) if not isinstance(e, str | Settings)]
    return request  # type: ignore[return-value]


def test_l_starts_and_stops_the_load() -> None:
    """The same key begins a hundred new connections a second and ends them."""
    started = asked("l", scene())
    assert isinstance(started, SetLoad)
    assert (started.rate, started.mode, started.target.service) == (100.0, LoadMode.NEW, "getip")
    assert asked("l", scene(load=True)) == StopLoad("balance")


@pytest.mark.parametrize(
    ("key", "grace"), [pytest.param("x", None, id="own grace"), pytest.param("X", 0, id="by force")]
)
def test_kill_deletes_the_selected_pod(key: str, grace: int | None) -> None:
    """x and X delete the pod under the pointer, by its UID."""
    request = asked(key, scene(load=True))
    assert isinstance(request, Act)
    assert (request.uid, request.verb, request.observe) == ("p1", DeletePod(grace), None)


def test_a_kill_without_load_brings_its_own_measurement() -> None:
    """Nothing is killed unmeasured: the agent sends traffic around the action."""
    request = asked("x", scene())
    assert isinstance(request, Act)
    assert request.observe is not None
    assert request.observe.rate == 100.0


def test_a_kill_during_the_measurement_of_another_prolongs_it() -> None:
    """Traffic that an action brought ends with it, so the next action asks for it again."""
    there = scene()
    measuring = Load("l1", "balance", Target(service="getip"), LoadMode.NEW, 100.0, action_id="a1")
    there.store.apply(frame(9, 1, changes=(Change(Kind.LOAD, "l1", measuring),)))

    request = asked("x", there)
    assert isinstance(request, Act)
    assert request.observe is not None


@pytest.mark.parametrize(
    ("selected", "word"),
    [pytest.param(None, "no pod is selected", id="none"), pytest.param("gone", "has no pod now", id="vanished")],
)
def test_a_kill_needs_a_pod(selected: str | None, word: str) -> None:
    """Without a living pod under the pointer the key says what is missing."""
    with pytest.raises(NotNow, match=word):
        press("x", scene(selected=selected))


@pytest.mark.parametrize(("key", "rate"), [("+", 200.0), ("-", 50.0)], ids=["faster", "slower"])
def test_the_rate_changes_under_way(key: str, rate: float) -> None:
    """+ and - change a running load without stopping it."""
    request = asked(key, scene(load=True))
    assert isinstance(request, SetLoad)
    assert request.rate == rate


def test_keys_reach_what_the_agent_takes_on() -> None:
    """The largest step is the agent's cap, so that the sentence at the end of the steps is true."""
    assert (RATES[-1], CPUS[-1]) == (MAX_RATE, MAX_CPU)
    fastest = Settings(rate=RATES[-1])
    with pytest.raises(NotNow, match="5000/s is the most that this agent sends"):
        press("+", replace(scene(), settings=fastest))


def test_the_mode_is_kept_for_the_next_load() -> None:
    """m without load changes only what l will start."""
    effects = press("m", scene())
    assert [e.mode for e in effects if isinstance(e, Settings)] == [LoadMode.KEPT]
    assert not [e for e in effects if isinstance(e, SetLoad)]


def test_a_burst_is_counted_alone() -> None:
    """b beside a running load is refused in words."""
    with pytest.raises(NotNow, match="stop it with l first"):
        press("b", scene(load=True))


def test_readiness_turns_off_and_on() -> None:
    """r makes a ready pod unready; the same key on an unready one gives it back."""
    off = asked("r", scene(load=True))
    assert isinstance(off, Act)
    assert off.verb == Fault(FaultKind.READINESS, ProbeFails.ALWAYS)

    there = scene(load=True)
    there.store.apply(frame(5, 1, changes=(pod_change(pod("p1", ready=False)),)))
    on = asked("r", there)
    assert isinstance(on, Act)
    assert on.verb == Fault(FaultKind.READINESS, ProbeFails.NEVER)


def test_scale_knows_its_ends() -> None:
    """s asks for one more and stops at ten, with a sentence."""
    request = asked("s", scene())
    assert isinstance(request, Act)
    assert request.verb == Scale(5)

    full = scene()
    full.store.apply(frame(5, 1, changes=(getip(replicas=10),)))
    with pytest.raises(NotNow, match="from 0 to 10"):
        press("s", full)


def test_the_tab_shows_pods_load_spread_and_rail() -> None:
    """From top to bottom: objects, measurement, judgement, stopwatch."""
    assert [type(v) for v in lab.views(scene())] == [Table, Bins, Sentence, Rail]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((30, 20, 25, 25), "spread expected 25.0 %, off by 5.0 %: as even as chance (p = 0.57)"),
        ((400, 10, 10, 10), "spread expected 25.0 %, off by 68.0 %: not by chance (p < 0.001)"),
    ],
    ids=["even", "uneven"],
)
def test_the_spread_is_judged_with_units(counts: tuple[int, ...], words: str) -> None:
    """Share and deviation are per cents, and after a change the line still fits 80 cells."""
    there = scene(load=True)
    rows = [(f"p{n}", Outcome.OK, count) for n, count in enumerate(counts, 1)]
    facts = [fact(5, 0, load_started()), fact(6, 1, replies(0.5, *rows))]
    there.store.apply(frame(9, 1, *facts))

    assert plain(spread_words(there)) == words
    assert len("  since the change: " + words.removeprefix("spread ")) <= 80


def test_shares_are_of_all_replies() -> None:
    """A pod's share counts against every reply of the load."""
    there = scene(load=True)
    there.store.apply(
        frame(
            9,
            1,
            fact(5, 1, load_started()),
            fact(6, 1, replies(0.5, ("p1", Outcome.OK, 3), ("p2", Outcome.OK, 1))),
        )
    )

    table = lab.views(there)[0]
    assert isinstance(table, Table)
    row = table.row("p1")
    assert "75.0 %" in [plain(c) for c in row.cells if isinstance(c, tuple)]


def test_a_pod_that_is_gone_but_counted_stays() -> None:
    """The killed pod keeps its row, marked as past, while its replies are part of the count."""
    there = scene(load=True)
    there.store.apply(frame(9, 1, fact(6, 1, replies(0.5, ("p1", Outcome.OK, 3)))))
    there.store.apply(frame(10, 2, changes=(pod_change(pod("p1"), gone=True),)))

    table = lab.views(there)[0]
    assert isinstance(table, Table)
    assert table.keys[-1] == "p1"
    assert table.row("p1").past


def test_explain_speaks_of_the_state_on_screen() -> None:
    """With kept connections the words say why the shares are uneven; after a kill, who replaced the pod."""
    kept = scene(settings=Settings(mode=LoadMode.KEPT))
    kept.store.apply(frame(3, 1, changes=(running_load(mode=LoadMode.KEPT),)))
    assert "stays with the pod" in " ".join(map(plain, lab.explanation(kept)))

    killed = scene()
    killed.store.apply(frame(3, 1, fact(3, 1, deletion(), action_id="a1")))
    assert "ReplicaSet controller" in " ".join(map(plain, lab.explanation(killed)))


@pytest.mark.parametrize(
    ("fail", "said"),
    [
        ("always", "Only the readiness probe fails: the kubelet sets Ready to false"),
        ("never", "The readiness probe succeeds again: the Service takes the pod in"),
    ],
    ids=["off", "on"],
)
def test_explain_tells_readiness_from_a_kill(fail: str, said: str) -> None:
    """A pod that is unready goes on answering; one that is ready again has nothing to lose."""
    there = scene()
    action = replace(deletion(), verb="fault", parameters={"fault": "readiness", "fail": fail})
    facts = [fact(3, 1, action, action_id="a1"), fact(4, 1.2, replies(1.1, ("p2", Outcome.OK, 3)))]
    there.store.apply(frame(4, 2, *facts))
    words = " ".join(map(plain, lab.explanation(there)))

    assert said in words
    assert "until the proxies had dropped it" not in words


@pytest.mark.parametrize(
    ("unready", "said"),
    [
        (pod("p9", ready=False), "its readiness probe has not succeeded"),
        (
            pod("p9", ready=False, status="ErrImageNeverPull", message="not present with pull policy of Never"),
            "the kubelet of node-1 cannot get the image x/workload:v1: not present with pull policy of Never",
        ),
        (
            pod("p9", ready=False, status="Pending", node="", message="0/3 nodes are available"),
            "the scheduler finds no node: 0/3 nodes are available",
        ),
        (pod("p9", ready=False, status="ContainerCreating"), ""),
    ],
    ids=["unready", "no image", "no node", "on its way"],
)
def test_explain_says_why_a_pod_takes_no_connections(unready: Pod, said: str) -> None:
    """Only of a pod that runs can a probe fail; of another, it is said what keeps it from running."""
    there = scene()
    there.store.apply(frame(3, 1, changes=(pod_change(unready),)))
    words = " ".join(map(plain, lab.explanation(there)))

    assert said in words
    assert ("readiness probe has not" in words) == said.endswith("has not succeeded")


def test_explain_blames_no_probe_for_a_lost_node() -> None:
    """Where the node is away it was the node controller that called its pods not ready."""
    there = scene()
    there.store.apply(frame(3, 1, changes=(pod_change(pod("p9", ready=False, node="node-9")), away("node-9"))))
    words = " ".join(map(plain, lab.explanation(there)))

    assert "node-9 is not ready, so the node controller set the pod's Ready to false" in words
    assert "readiness probe has not" not in words


@pytest.mark.parametrize(
    ("failed", "planned", "kept"),
    [(0, 320, True), (50, 320, True), (51, 3200, False), (0, 0, False)],
    ids=["none", "half a second's", "more, in a long run", "nothing was asked"],
)
def test_what_a_kill_may_cost_does_not_grow_with_the_run(failed: int, planned: int, *, kept: bool) -> None:
    """A cluster that heals slowly sends more meanwhile, and may lose no more for it."""
    run = Run(
        "a1", "KILL", "delete_pod", "me", "p1", "u1", START, START + 1, Ending.COMPLETE, (),
        failed=failed, planned=planned, measured=planned > 0,
    )  # fmt: skip
    assert lost_finding(run).kept is kept


async def test_the_check_kills_only_under_its_own_load() -> None:
    """The replies of the burst before are no sign that the load of the kill is steady."""
    store = scene().store
    store.apply(frame(9, 1, fact(8, 1, load_started()), fact(9, 1, replies(0.9, ("p1", Outcome.OK, 400)))))
    drive = Still(store, answer="l2")

    (finding,) = await _survives(drive)
    assert (finding.name, finding.kept) == ("steady load", False)
    assert not any(isinstance(request, Act) for request in drive.asked)
