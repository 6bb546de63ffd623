"""The rail: to scale, in the colours of what clients met, with labels that never touch."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubealive_tui.experiments import seconds
from kubealive_tui.model import Ending, Rail, Role, Run, line, plain
from kubealive_tui.ui._profile import Palette, Profile
from kubealive_tui.ui.draw._rail import Label, milestone_lines, place, rail_heading, rail_lines
from kubealive_tui.ui.draw._strips import Pieces, measure, strip_of
from tests.tui.ui.draw.screens import after, kill, outage, run

PALETTE = Palette.of(Profile())
LABELS = st.lists(
    st.builds(
        Label,
        st.text("abc界 ", max_size=12),
        st.integers(0, 76),
        st.just(Role.TEXT),
        st.integers(0, 5),
        st.booleans(),
    ),
    max_size=12,
).map(lambda labels: sorted(labels, key=lambda label: label.at))


def texts(lines: list[Pieces], width: int = 80) -> list[str]:
    return [strip_of(pieces, width, PALETTE).text.rstrip() for pieces in lines]


@given(LABELS, st.integers(1, 3), st.integers(0, 20))
def test_labels_never_touch(labels: list[Label], gap: int, drift: int) -> None:
    """Placed labels keep their order, the gap between them, and the edges; they stay near their marks."""
    placed = sorted(place(labels, 77, gap=gap, drift=drift).items())
    free = 0
    for index, at in placed:
        label = labels[index]
        assert at >= free
        assert at + measure(label.text) <= 77
        assert at - drift <= label.at <= at + max(measure(label.text), 1) - 1 + drift
        free = at + measure(label.text) + gap


@given(LABELS)
def test_the_heaviest_label_stays(labels: list[Label]) -> None:
    """The heaviest label that has room at all is placed."""
    roomy = [i for i, label in enumerate(labels) if label.text and 0 <= label.wanted <= 77 - label.size]
    placed = place(labels, 77)
    if roomy:
        heaviest = max(labels[i].weight for i in roomy)
        assert any(labels[i].weight >= heaviest for i in placed)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (0.018, "0.02"), (9.99, "9.99"), (9.996, "10.0"), (31.84, "31.8"), (120.0, "120.0")],
    ids=["zero", "hundredths", "just under ten", "rounded to ten", "tenths", "minutes"],
)
def test_seconds(value: float, text: str) -> None:
    """Hundredths under ten seconds, tenths from there on."""
    assert seconds(value) == text


def test_complete_run() -> None:
    """Marks lie to scale, times under them, words under the times, the last at the right edge."""
    assert texts(rail_lines(Rail(kill()), 80, PALETTE)) == [
        "  ◆●─────────────●───────────────────────────────────────────────────────────●─",
        "  0    0.02         0.21                                                 1.05 s",
        "  you  terminating  left the Service                   successor ready, serving",
    ]


def test_a_run_without_a_request_says_so() -> None:
    """While nobody has asked anything yet, 0 lost would sound as if all went well."""
    begun = run("LOAD OFF", (after(None, "seen", Role.WAITING),), ending=Ending.OPEN, ended_us=None)

    assert plain(rail_heading(begun).figures) == "nothing asked so far"
    assert plain(rail_heading(replace(begun, planned=3)).figures) == "clients lost 0 so far"


UPDATE = ("new ReplicaSet", "first new pod ready", "first reply of it", "half", "complete", "last old pod gone")


@given(
    st.lists(
        st.tuples(st.sampled_from([None, 0.01, 0.04, 0.3, 0.8, 4.0]), st.integers(1, 7)), min_size=6, max_size=6
    ),
    st.floats(0, 3),
    st.integers(74, 80),
)
@example([(0.76, 4), (0.04, 4), (None, 1), (None, 1), (0.32, 3), (9.62, 7)], 3.0, 80)
def test_what_is_awaited_is_always_said(came: list[tuple[float | None, int]], since: float, width: int) -> None:
    """However full the line is, it says what comes next, and no word on it has lost a part."""
    marks = tuple(after(at, word, Role.WAITING, weight) for word, (at, weight) in zip(UPDATE, came, strict=True))
    open_run = run("UPDATE", marks, ending=Ending.OPEN, ended_us=None)
    now_us = (open_run.last_us or open_run.began_us) + round(since * 1e6)
    said = re.split(r" {2,}", texts(rail_lines(Rail(open_run, now_us=now_us), width, PALETTE), width)[2].strip())

    awaited = [word for word, (at, _) in zip(UPDATE, came, strict=True) if at is None]
    assert not awaited or said[-1].split(", ")[0] == awaited[0]
    assert {word for label in said[1:] for word in label.split(", ")} <= {*UPDATE}


def colours(lines: list[Pieces]) -> str:
    """The rail's line with one letter a cell for the role of its colour."""
    letters = {
        PALETTE[role]: role.name[0] for role in (Role.ACCENT, Role.BAD, Role.GOOD, Role.LEAVING, Role.WAITING)
    }
    return "".join(letters.get(style, ".") * len(text) for text, style in lines[0][1:])


def test_stretches_have_the_state_of_clients() -> None:
    """Between trigger and last milestone: good, lost inside the outage, then what the milestones say."""
    drawn = colours(rail_lines(Rail(kill()), 80, PALETTE))
    assert drawn == "AL" + "B" * 13 + "L" + "W" * 59 + "GG"


def open_run(**options: object) -> Run:
    milestones = (
        after(0.5, "terminating", Role.LEAVING),
        after(None, "ready", Role.GOOD),
        after(None, "ok", Role.GOOD),
    )
    return replace(run("KILL", milestones, ending=Ending.OPEN, ended_us=None), **options)  # type: ignore[arg-type]


def test_open_run() -> None:
    """What is awaited is dotted up to an open ring, and named."""
    began = open_run().began_us
    rail, times, words = texts(rail_lines(Rail(open_run(), now_us=began + 1_000_000), 80, PALETTE))
    assert rail.rstrip("┄○").endswith("─")
    assert rail.endswith("┄┄○")
    assert times.split() == ["0", "0.50", "…"]
    assert words.split("  ")[-1] == "ready, ok"


def test_marks_of_an_open_run_keep_their_place() -> None:
    """While time goes on within a span the marks do not move."""
    began = open_run().began_us
    drawn = {
        texts(rail_lines(Rail(open_run(), now_us=began + at), 80, PALETTE))[0].index("●")
        for at in (1_150_000, 1_300_000, 1_450_000)
    }
    assert len(drawn) == 1


def test_a_run_that_ended_without_its_last_milestone() -> None:
    """What never came is a dash and a cross, not a guess."""
    rail, times, words = texts(rail_lines(Rail(open_run(ending=Ending.LIMIT)), 80, PALETTE))
    assert rail.endswith("┄┄✕")
    assert times.endswith("–")
    assert words.endswith("ready, ok")


def test_a_run_that_was_cut_short_is_drawn_to_where_it_ended() -> None:
    """The mark of what came early stands early: the time in which nothing came is time as well."""
    cut = open_run(ending=Ending.OVERTAKEN)
    late = replace(cut, ended_us=cut.began_us + 60_000_000)

    first, longer = (texts(rail_lines(Rail(each), 80, PALETTE))[0].index("●") for each in (cut, late))
    assert longer < first


def shared(times: tuple[float, float], width: int, weights: tuple[int, int] = (1, 2)) -> tuple[str, ...]:
    """The times over their words, of two milestones that may share a mark and one that comes later."""
    twins = (
        after(times[0], "terminating", Role.LEAVING, weights[0]),
        after(times[1], "successor ready", Role.GOOD, weights[1]),
        after(90.0, "gone", Role.GOOD, 1),
    )
    _, times_row, words = texts(rail_lines(Rail(run("R", twins)), width, PALETTE), width)
    return times_row, words


def test_milestones_of_one_cell_share_a_mark() -> None:
    """Two milestones in one cell have one mark, both words, and from when to when they came."""
    times, words = shared((0.02, 0.73), 80)
    assert times.split() == ["0", "0.02–0.73", "90.0", "s"]
    assert "terminating, successor ready" in words


def test_equal_times_are_said_once() -> None:
    """Two milestones whose times read the same need no range."""
    assert shared((0.731, 0.732), 80)[0].split() == ["0", "0.73", "90.0", "s"]


@pytest.mark.parametrize(
    ("weights", "time", "word"),
    [((1, 2), "0.73", "successor ready"), ((2, 1), "0.02", "terminating")],
    ids=["later", "earlier"],
)
def test_a_word_has_its_own_time(weights: tuple[int, int], time: str, word: str) -> None:
    """Where one word of a mark has room, the time over it is its own and not that of the mark's first."""
    times, words = shared((0.02, 0.73), 36, weights)
    assert (times.split()[1], re.split(r" {2,}", words)[2]) == (time, word)


CAME = st.tuples(st.floats(0.01, 30), st.text("abc", max_size=18), st.integers(1, 5))


@given(st.lists(CAME, min_size=1, max_size=9), st.integers(40, 160))
def test_every_time_stands_over_its_word(came: list[tuple[float, str, int]], width: int) -> None:
    """There are as many times as words, and the n-th time touches the n-th word's cells and no other's."""
    milestones = tuple(after(at, label, Role.GOOD, weight) for at, label, weight in came)
    _, times, words = texts(rail_lines(Rail(run("R", milestones)), width, PALETTE), width)
    over = [found.span() for found in re.finditer(r"\S+(?: \S+)*", times)]
    under = [found.span() for found in re.finditer(r"\S+(?: \S+)*", words)]
    assert len(over) == len(under)
    for index, (begin, end) in enumerate(over):
        assert [i for i, (first, last) in enumerate(under) if begin < last and end > first] == [index]


def test_without_a_run() -> None:
    """Before the first run one line says how to start one."""
    assert texts(rail_lines(Rail(None, hint=line("x kills a pod")), 80, PALETTE)) == ["  x kills a pod"]


def test_nothing_has_come_yet() -> None:
    """A run in its first moment has a scale and waits."""
    waiting = run("KILL", (after(None, "ready", Role.GOOD),), ending=Ending.OPEN, ended_us=None)
    rail, times, _ = texts(rail_lines(Rail(waiting, now_us=waiting.began_us), 80, PALETTE))
    assert rail.startswith("  ◆┄")
    assert times.split() == ["0", "…"]


@pytest.mark.parametrize(
    ("changed", "figures"),
    [
        ({}, "clients lost 2 of 190 in 0.19 s ±0.01"),
        ({"failed": 0, "outages": ()}, "clients lost 0 of 190"),
        ({"failed": 0, "outages": (), "ending": Ending.OPEN}, "clients lost 0 so far  running 1.5 s"),
        ({"measured": False}, "clients not measured"),
        ({"planned": 12_401}, "clients lost 2 of 12,401 in 0.19 s ±0.01"),
        ({"ending": Ending.LIMIT}, "clients lost 2 of 190 in 0.19 s ±0.01  time limit"),
        ({"ending": Ending.INTERRUPTED, "failed": 0, "outages": ()},
         "clients lost 0 of 190  interrupted by the next trigger"),
        ({"incomplete": "facts were lost on the way", "failed": 0, "outages": ()},
         "clients lost 0 of 190  incomplete: facts were lost on the way"),
        ({"outages": (outage(0.1, None, 2),)}, "clients lost 2 of 190, outage still open"),
        ({"outages": (outage(0.1, 0.2, 1), outage(0.5, 0.8, 1))},
         "clients lost 2 of 190 in 0.40 s ±0.02 over 2 outages"),
    ],
    ids=["lost", "none lost", "open", "unmeasured", "thousands", "limit", "interrupted", "incomplete",
         "outage open", "two outages"],
)  # fmt: skip
def test_heading(changed: dict[str, object], figures: str) -> None:
    """The heading says what was done, what clients lost, and how the run ended."""
    changed_run = replace(kill(), **changed)  # type: ignore[arg-type]
    heading = rail_heading(changed_run, changed_run.began_us + 1_500_000)
    assert plain(heading.title) == "KILL …d8c-88bbp"
    assert plain(heading.figures) == figures


def test_a_figure_of_the_tab_takes_the_place_of_losses() -> None:
    """Where no traffic is measured, the heading says what is."""
    heading = rail_heading(replace(kill(), measured=False), figure=line("name back after 4.2 s"))
    assert plain(heading.figures) == "name back after 4.2 s"


def test_losses_are_bad_and_none_is_good() -> None:
    """The count of lost requests has the colour of its meaning."""
    roles = [
        next(
            span.role for span in rail_heading(replace(kill(), failed=failed)).figures if span.text == str(failed)
        )
        for failed in (0, 2)
    ]
    assert roles == [Role.GOOD, Role.BAD]


def test_milestone_list() -> None:
    """With room each milestone stands on a line, in the order of their times, the awaited last."""
    assert texts(milestone_lines(open_run(), PALETTE)) == [
        "   0.50 s  watch    ● terminating",
        "      –    watch    ○ ready",
        "      –    watch    ○ ok",
    ]
