"""The rolling update tab: what is staged, what is sent, what is shown."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from kubealive_tui.experiments import NotNow, Option, Scene, Settings
from kubealive_tui.experiments.update import lab, results
from kubealive_tui.experiments.update._explained import explain_rollout
from kubealive_tui.model import (
    Act,
    Ending,
    Line,
    Matrix,
    Pause,
    Rail,
    Request,
    Restart,
    Rollout,
    Run,
    Sentence,
    Stack,
    Table,
    Undo,
    View,
    Workload,
    plain,
)
from tests.tui.experiments.deployments import (
    AVAILABLE,
    IMAGE,
    MOVING,
    NO_DRAIN,
    OK,
    PAUSED,
    QUOTA,
    SETTINGS,
    STUCK,
    UNAVAILABLE,
    deployment,
    fact,
    pod,
    replica_set,
    replies,
    running_load,
    scene_of,
    started,
)
from tests.tui.signals import START, away, frame


def press(key: str, at: Scene) -> list[object]:
    (command,) = [c for c in lab.commands if c.key == key]
    return list(command.run(at))


def sent(key: str, at: Scene) -> Act:
    (request,) = [e for e in press(key, at) if isinstance(e, Request)]
    assert isinstance(request, Act)
    return request


def offered(key: str, at: Scene) -> list[Option]:
    (command,) = [c for c in lab.commands if c.key == key]
    assert command.choose
    return list(command.choose(at))


def chosen(**choices: str) -> Settings:
    return Settings(choices=choices)


def shown(at: Scene, kind: type[View]) -> Any:
    return next(view for view in lab.views(at) if isinstance(view, kind))


def sentences(at: Scene) -> list[str]:
    return [plain(view.text) for view in lab.views(at) if isinstance(view, Sentence)]


# ---- staged


@pytest.mark.parametrize(
    ("key", "given", "before", "name", "after"),
    [
        ("d", "", {}, "drain", "off"),
        ("d", "", {"drain": "off"}, "drain", "on"),
        ("m", "", {}, "strategy", "surge 0, unavailable 1"),
        ("m", "", {"strategy": "all at once"}, "strategy", "Recreate"),
        ("m", "", {"strategy": "Recreate"}, "strategy", "surge 1, unavailable 0"),
        ("v", "v-broken", {}, "version", "v-broken"),
        ("v", "", {"version": "v5"}, "version", ""),
    ],
    ids=["drain off", "drain on again", "next strategy", "to Recreate", "around", "broken", "none chosen"],
)
def test_settings_are_staged(key: str, given: str, before: dict[str, str], name: str, after: str) -> None:
    """v, m and d change what u will send, say so, and touch nothing."""
    effects = press(key, scene_of(settings=chosen(**before), given=given))

    (settings,) = [e for e in effects if isinstance(e, Settings)]
    assert settings.choices[name] == after
    assert not [e for e in effects if isinstance(e, Request)]
    assert "u sends it" in str(effects[-1])


def test_versions_to_choose_from() -> None:
    """The five, the broken and the missing one, and the next; the current one is marked."""
    options = {o.value: o.help for o in offered("v", scene_of())}

    assert list(options) == ["", "v1", "v2", "v3", "v4", "v5", "v-broken", "v-missing"]
    assert options["v2"] == "now"
    assert options[""].endswith("v3")


def test_a_version_that_does_not_exist_is_not_staged() -> None:
    """What is not listed is refused in a sentence."""
    with pytest.raises(NotNow, match="there is no version v9: choose one that is listed"):
        press("v", scene_of(given="v9"))


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({}, []),
        ({"version": "v2", "strategy": "surge 1, unavailable 0", "drain": "on"}, []),
        ({"version": "v4"}, ["staged v4: u sends it as one patch"]),
        ({"drain": "off", "strategy": "Recreate"}, ["staged v3, Recreate, drain off: u sends it as one patch"]),
    ],
    ids=["nothing", "what the cluster has already", "a version", "the others, with the next version"],
)
def test_what_is_staged_is_shown_as_staged(choices: dict[str, str], words: list[str]) -> None:
    """Only what differs from the cluster is staged, and is said in a line of its own."""
    assert [s for s in sentences(scene_of(settings=chosen(**choices))) if s.startswith("staged")] == words


# ---- sent


def test_u_sends_all_of_it_as_one_patch() -> None:
    """Version, strategy and drain in one request, measured for longer than a run lasts; nothing stays staged."""
    settings = chosen(version="v4", strategy="all at once", drain="off")
    at = scene_of(settings=settings)
    act = sent("u", at)

    assert act.verb == Rollout(f"{IMAGE}:v4", "RollingUpdate", "100%", "0", drain=False)
    assert (act.uid, act.name) == ("d1", "incver")
    assert act.observe is not None
    assert (act.observe.rate, act.observe.tail_ms) == (100.0, 65_000)
    (left,) = [e for e in press("u", at) if isinstance(e, Settings)]
    assert not left.choices


@pytest.mark.parametrize(
    ("now", "sets", "upcoming"),
    [
        ("v2", [], "v3"),
        ("v5", [], "v1"),
        ("v-broken", [replica_set(1, "v3"), replica_set(2, "v-broken", 1)], "v4"),
        ("v-missing", [replica_set(1, "v-broken"), replica_set(2, "v-missing", 1)], "v1"),
    ],
    ids=["next", "around", "after the last good one", "none was good"],
)
def test_the_next_version(now: str, sets: list[Workload], upcoming: str) -> None:
    """Where none was chosen u goes to the next; after one that serves nobody, to that after the last good one."""
    verb = sent("u", scene_of(deployment(now), *sets)).verb

    assert verb == Rollout(f"{IMAGE}:{upcoming}")


def test_recreate_is_sent_without_numbers() -> None:
    """It has none."""
    verb = sent("u", scene_of(settings=chosen(strategy="Recreate"))).verb

    assert verb == Rollout(f"{IMAGE}:v3", "Recreate")


def test_an_update_to_what_is_there_is_refused() -> None:
    """The version that runs, with nothing else staged, would replace no pod."""
    with pytest.raises(NotNow, match="incver is v2 already: choose another version with v"):
        press("u", scene_of(settings=chosen(version="v2")))


def test_drain_alone_keeps_the_version() -> None:
    """Whoever chose the version that runs gets it, with the other setting."""
    assert sent("u", scene_of(settings=chosen(version="v2", drain="off"))).verb == Rollout(
        f"{IMAGE}:v2", drain=False
    )


def test_an_update_of_a_paused_deployment_is_written_unmeasured() -> None:
    """Nothing will move until p, so nothing is measured and that is said."""
    at = scene_of(deployment("v2", PAUSED, AVAILABLE, paused=True))

    assert sent("u", at).observe is None
    assert "rolls out when p resumes" in str(press("u", at)[-1])


@pytest.mark.parametrize("paused", [False, True], ids=["pause", "resume"])
def test_p_pauses_and_resumes(paused: bool) -> None:  # noqa: FBT001 - a table of two
    """One key for both."""
    assert sent("p", scene_of(deployment(paused=paused))).verb == Pause(paused=not paused)


def test_a_resumed_rollout_is_measured() -> None:
    """What was written while it was paused replaces pods from then on; where nothing waits, nothing is sent."""
    waiting = scene_of(deployment("v3", PAUSED, AVAILABLE, paused=True, updated=0), replica_set(2, "v2", 4))

    assert sent("p", waiting).observe is not None
    assert sent("p", scene_of(deployment(paused=True))).observe is None


def test_t_restarts() -> None:
    """The same version by new pods."""
    assert sent("t", scene_of()).verb == Restart()


def test_undo_offers_the_revisions_before() -> None:
    """The newest first, but the selected one before all; the current one is not among them."""
    sets = (replica_set(1, "v1"), replica_set(2, "v3", **NO_DRAIN), replica_set(5, "v2", 4))
    options = offered("z", scene_of(deployment(), *sets))
    assert [(o.value, o.help) for o in options] == [("2", "v3, drain off"), ("1", "v1, drain on")]

    options = offered("z", scene_of(deployment(), *sets, selected="rs1"))
    assert [o.value for o in options] == ["1", "2"]
    assert sent("z", scene_of(deployment(), *sets, given="1")).verb == Undo(1)


@pytest.mark.parametrize(
    ("key", "things", "given", "words"),
    [
        ("z", (deployment(), replica_set(1, "v2", 4)), "", "incver has no earlier revision: u makes one"),
        ("z", (deployment(paused=True), replica_set(1, "v1")), "", "incver is paused: p resumes it first"),
        ("t", (deployment(paused=True),), "", "incver is paused: p resumes it first"),
        *((key, (replica_set(1, "v1"),), "", "there is no Deployment incver") for key in "umdptz"),
        ("v", (replica_set(1, "v1"),), "v3", "there is no Deployment incver"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_now(key: str, things: tuple[Workload, ...], given: str, words: str) -> None:
    """One sentence: the thing, and the next step."""
    with pytest.raises(NotNow, match=words):
        offered(key, scene_of(*things)) if key in "zv" else press(key, scene_of(*things, given=given))


def test_a_revision_that_went_while_it_was_chosen() -> None:
    """The list may be older than the cluster."""
    with pytest.raises(NotNow, match="revision 7 is gone meanwhile"):
        press("z", scene_of(given="7"))


# ---- shown


@pytest.mark.parametrize(
    ("height", "views"),
    [(24, [Table, Sentence, Stack, Rail, Matrix]), (50, [Table, Sentence, Table, Stack, Rail, Matrix])],
    ids=["80x24", "tall"],
)
def test_what_the_tab_shows(height: int, views: list[type[View]]) -> None:
    """Revisions, state, shares, stopwatch, results; the pods one by one where there is room."""
    assert [type(view) for view in lab.views(scene_of(height=height))] == views


def test_without_its_deployment_the_tab_says_so() -> None:
    """Somebody has deleted it; the rest of its objects are still there."""
    assert sentences(scene_of(replica_set(1, "v1"))) == [
        "no Deployment incver: kubealive reset update makes it again"
    ]


def ladder_rows(at: Scene) -> list[tuple[str, bool, list[str]]]:
    table = shown(at, Table)
    rows = [table.row(key) for key in table.keys]
    return [(row.key, row.past, [plain(cell) for cell in row.cells]) for row in rows]


def test_the_ladder_shows_what_is_replaced_by_what() -> None:
    """A row a set, with a glyph a pod: ready, waiting, leaving last; and what is wrong."""
    leaving = replace(pod(1, 1), deletion_us=START, status="Terminating")
    things = (
        deployment("v2", MOVING, AVAILABLE), replica_set(1, "v1", 1), replica_set(2, "v2", 2, ready=1),
        leaving, pod(1, 2), pod(2, 1), pod(2, 2, ready=False),
    )  # fmt: skip
    assert ladder_rows(scene_of(*things)) == [
        ("rs1", False, ["1", "workload:v1", "1", "1", "1", "1", "●◌  1 leaving"]),
        ("rs2", False, ["2", "workload:v2", "2", "2", "1", "2", "●○  1 of 2 ready"]),
    ]

    broken = pod(2, 2, ready=False, status="ErrImagePull")
    assert ladder_rows(scene_of(*things[:-1], broken))[1][2][-1] == "●✕  ErrImagePull"


@pytest.mark.parametrize(("height", "keys"), [(24, ["rs4", "rs3"]), (50, ["rs4", "rs3", "rs2", "rs1"])])
def test_the_history_takes_no_room_from_what_moves(height: int, keys: list[str]) -> None:
    """Two rows where lines are short, so that the pointer scrolls nothing away; all where there is room."""
    sets = [replica_set(n, f"v{n}", 4 if n == 4 else 0) for n in range(1, 5)]

    rows = ladder_rows(scene_of(deployment("v4"), *sets, height=height))
    assert [key for key, _, _ in rows] == keys
    assert [past for _, past, _ in rows] == [key != "rs4" for key in keys]


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (deployment(), "rolled out: all 4 of the newest revision  available 4 of 4"),
        (deployment(strategy="Recreate", current=0, updated=0, available=0),
         "rolling out: 0 of 4 made  available 0 of 4"),
        (deployment(updated=4, current=4, desired=5), "rolling out: 4 of 5 made  available 4 of 5"),
        (deployment("v2", MOVING, AVAILABLE, updated=3, current=5),
         "rolling out: 3 of 4 made, 2 old left  available 4 of 4"),
        (deployment("v2", MOVING, UNAVAILABLE, available=1), "rolling out: 4 of 4 made  not available: 1 of 4"),
        (deployment("v2", STUCK, AVAILABLE),
         "stuck: no progress within 30 s, said 0s ago; z undoes  available 4 of 4"),
        (deployment("v2", PAUSED, AVAILABLE, paused=True),
         "paused: nothing is rolled out until p resumes  available 4 of 4"),
        (deployment("v2", PAUSED, AVAILABLE, paused=True, updated=1, current=5),
         "paused at 1 of 4 made, 4 old left until p resumes  available 4 of 4"),
        (deployment("v2", MOVING, AVAILABLE, QUOTA),
         "available 4 of 4  no pod can be made: exceeded quota: few, used: pods=5"),
        (deployment(generation=4), "the controller has not seen the last change yet  available 4 of 4"),
        (replace(deployment(), conditions=()), "progress not known  availability not known"),
    ],
    ids=[
        "complete", "recreating", "scaled up", "rolling", "unavailable", "stuck", "paused", "paused mid-way",
        "quota", "unseen", "unknown",
    ],
)  # fmt: skip
def test_conditions_in_words(thing: Workload, words: str) -> None:
    """Progressing and Available, and what stands in their way."""
    assert words in sentences(scene_of(thing, replica_set(2, "v2", 4)))


@pytest.mark.parametrize(
    ("thing", "seconds", "words"),
    [
        (deployment(), 5, "deadline 30 s"),
        (deployment("v2", MOVING), 5, "deadline 0:25"),
        (deployment("v2", MOVING), 31, "deadline passed"),
        (deployment("v2", STUCK), 31, "deadline passed"),
        (deployment("v2", MOVING, paused=True), 31, "deadline 30 s"),
        (deployment("v2", MOVING, progress_deadline_seconds=None), 5, "deadline none"),
    ],
    ids=["complete", "counting down", "just passed", "stuck", "paused", "none"],
)
def test_the_progress_deadline(thing: Workload, seconds: float, words: str) -> None:
    """It counts from the last progress, and only while something is rolled out."""
    at = scene_of(thing, replica_set(2, "v2", 4))
    at.store.apply(frame(9, seconds))

    assert plain(shown(at, Table).heading.figures).endswith(words)


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (deployment(), "surge 1, unavailable 0  drain on"),
        (deployment(max_surge="100%"), "all at once  drain on"),
        (deployment(strategy="Recreate", max_surge="", max_unavailable="", **NO_DRAIN), "Recreate  drain off"),
        (deployment(readiness_probe=False), "surge 1, unavailable 0  drain partly"),
    ],
    ids=["surge", "all at once", "recreate", "partly"],
)
def test_strategy_and_drain_as_they_are(thing: Workload, words: str) -> None:
    """The heading says what the cluster has, not what is staged."""
    at = scene_of(thing, settings=chosen(strategy="Recreate", drain="off"))

    assert plain(shown(at, Table).heading.figures).startswith(words)


def test_shares_by_version() -> None:
    """The Deployment's version over the one that it replaces, and both shares in the heading."""
    facts = (
        fact(5, 1.0, started()),
        fact(6, 58.5, replies(58.0, (1, 10, OK))),
        fact(7, 59.5, replies(59.0, (1, 5, OK), (2, 15, OK))),
    )
    at = scene_of(facts=facts, more=(running_load(),))
    at.store.apply(frame(9, 60.0))
    stack = shown(at, Stack)

    assert stack.labels == ("v2", "v1")
    assert (stack.shares[0][-2:], stack.shares[1][-2:]) == ((0.0, 0.75), (1.0, 0.25))
    assert plain(stack.heading.figures) == "v2 50 %  v1 50 %   failed 0 of 30 in 59s"


def test_losses_of_a_load_that_has_ended_are_called_its_own() -> None:
    """The heading counts since a load began, so it says when that load is over."""
    at = scene_of(facts=(fact(5, 1.0, started()), fact(6, 2.0, replies(1.5, (1, 10, OK)))))

    assert plain(shown(at, Stack).heading.figures) == "last load: failed 0 of 10"


def test_the_chart_says_how_traffic_begins() -> None:
    """Before the first request there is nothing to show."""
    stack = shown(scene_of(), Stack)

    assert "each trigger brings its own" in plain(stack.heading.figures)
    assert stack.labels == ("v2", "other")


# ---- results


def run_with(
    failed: int = 0,
    given: Mapping[str, str] = MappingProxyType({}),
    *,
    ending: Ending = Ending.COMPLETE,
    incomplete: str = "",
    measured: bool = True,
) -> Run:
    parameters = {**SETTINGS, "drain": "on", "from_drain": "on", **given}
    return Run(
        "a1", "UPDATE", "rollout", "me", "incver", "d1", START, START + 1, ending, (), failed=failed, planned=900,
        incomplete=incomplete, measured=measured, given=parameters,
    )  # fmt: skip


def cells(matrix: Matrix) -> dict[str, list[str]]:
    return {label: [plain(cell.text) for cell in row] for label, row in matrix.rows}


OFF = {"drain": "off", "from_drain": "off"}
RECREATE = {"strategy": "Recreate", "max_surge": "", "max_unavailable": ""}


@pytest.mark.parametrize(
    ("runs", "rows"),
    [
        ([], {"drain on": ["–"] * 4, "drain off": ["–"] * 4}),
        ([run_with(7), run_with(0)], {"drain on": ["0", "–", "–", "–"], "drain off": ["–"] * 4}),
        (
            [run_with(38, OFF), run_with(1214, {**RECREATE, **OFF})],
            {"drain on": ["–"] * 4, "drain off": ["38", "–", "–", "1,214"]},
        ),
        (
            [run_with(9, {"drain": "off"}), run_with(5, {"from_drain": "off"})],
            {
                "drain on": ["–"] * 4, "drain off": ["–"] * 4,
                "drain on → off": ["9", "–", "–", "–"], "drain off → on": ["5", "–", "–", "–"],
            },
        ),
        (
            [run_with(3, ending=Ending.OVERTAKEN), run_with(3, incomplete="lost"), run_with(3, measured=False),
             run_with(3, {"max_surge": "25%", "max_unavailable": "25%"})],
            {"drain on": ["–"] * 4, "drain off": ["–"] * 4},
        ),
    ],
    ids=["none", "the newest counts", "without drain", "the change itself", "what does not count"],
)  # fmt: skip
def test_results_are_made_of_ended_runs(runs: list[Run], rows: dict[str, list[str]]) -> None:
    """Strategy by drain, the newest whole run of each; a change of drain is neither on nor off."""
    matrix = results(runs)

    assert cells(matrix) == rows
    assert matrix.columns == ("SURGE 1, UNAV. 0", "SURGE 0, UNAV. 1", "ALL AT ONCE", "RECREATE")


# ---- explained


NEWEST = replica_set(2, "v2", 4)
IMAGELESS = pod(2, ready=False, status="ImagePullBackOff", message="no such image")
UNPLACED = pod(2, ready=False, status="Pending", message="0/3 nodes are available")


def explained(at: Scene) -> str:
    lines: list[Line] = list(lab.explanation(at))
    return " ".join(map(plain, lines))


def test_explain_blames_no_probe_for_a_lost_node() -> None:
    """Where the node is away it was the node controller that called its pods not ready."""
    words = explained(scene_of(deployment(), NEWEST, pod(2, ready=False), more=(away(),)))
    assert "node-1 is not ready, so the node controller" in words
    assert "the readiness probe has not succeeded" not in words


@pytest.mark.parametrize(
    ("things", "words"),
    [
        ((deployment(), NEWEST), "never more than 5 pods, those that leave not counted, and never fewer than 4"),
        ((deployment(max_surge="25%", max_unavailable="30%", desired=5),), "never more than 7 pods"),
        ((deployment(max_surge="25%", max_unavailable="30%", desired=5),), "never fewer than 4 available ones"),
        ((deployment(strategy="Recreate"),), "ends all old pods first"),
        ((deployment(),), "Progressing says NewReplicaSetAvailable: all are available"),
        ((deployment(available=3),), "3 of 4 are available now, which is no affair of the rollout"),
        (
            (deployment("v2", updated=0, current=0), replica_set(2, "v2", 0)),
            "0 of 4 pods of the newest template are made",
        ),
        ((deployment("v2", MOVING),), "has made no ReplicaSet yet"),
        ((deployment("v2", MOVING), replica_set(2, "v2", 2, ready=1)), "1 of 2 pods of revision 2 are ready"),
        ((deployment("v2", STUCK),), "it neither gives up nor goes back"),
        ((deployment("v2", PAUSED, paused=True),), "spec.paused is true"),
        ((deployment("v2", PAUSED, paused=True),), "Try: p to resume it"),
        ((deployment("v2", MOVING, QUOTA),), 'may not make the pods that are wanted: pods "incver-8-x"'),
        ((deployment(), NEWEST, pod(2, ready=False)), "since the readiness probe has not succeeded"),
        ((deployment(), NEWEST, IMAGELESS), f"kubelet of node-1 cannot get the image {IMAGE}:v2: no such image"),
        ((deployment(), NEWEST, UNPLACED), "the scheduler finds no node: 0/3 nodes"),
        ((deployment(),), "sleeps 5 s first (preStop)"),
        ((deployment(**NO_DRAIN),), "a broken version is let in"),
        ((deployment(**NO_DRAIN),), "d and u to drain again"),
        ((deployment(readiness_probe=False),), "Drain is set in part"),
        ((deployment("v-broken", MOVING),), "wait for the deadline, then z to go back"),
        ((deployment("v-broken", STUCK),), "Try: z to go back."),
        ((replica_set(1, "v1"),), "There is no Deployment incver"),
    ],
)
def test_explain_speaks_of_the_state_on_screen(things: tuple[Any, ...], words: str) -> None:
    """Which controller acts, on which field, by which rule, and what to try next."""
    assert words in explained(scene_of(*things))


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (run_with(), "UPDATE: complete. Clients lost none of 900."),
        (run_with(31), "Clients lost 31 of 900, to pods that did not listen yet"),
        (run_with(231, RECREATE), "Clients lost 231 of 900, most of them while no pod was there"),
        (run_with(0, {"drain": "off"}), "made with drain on, those that came with drain off"),
        (run_with(1231, RECREATE), "Clients lost 1,231 of 900"),
        (run_with(ending=Ending.OVERTAKEN), "was changed again, but not from here"),
    ],
    ids=["none lost", "some lost", "recreate", "drain changed", "thousands", "overtaken"],
)
def test_the_last_run_is_explained(run: Run, words: str) -> None:
    """What clients lost, and to what."""
    assert words in " ".join(map(plain, explain_rollout(run)))


def test_an_unmeasured_run_says_nothing_of_clients() -> None:
    """Nobody knows what they lost."""
    assert "Clients" not in " ".join(map(plain, explain_rollout(run_with(measured=False))))
