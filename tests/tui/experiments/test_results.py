"""Results of failures side by side, as a function of the runs that are kept."""

from dataclasses import replace

import pytest

from kubealive_tui.experiments.heal._results import backed_off, fault_table, recovered_s, results
from kubealive_tui.model import Ending, FactBody, LossMark, Outcome, Phase, Row, plain
from tests.tui.experiments.healing import INFECTED, UID, did, run_of, scene, seen, told
from tests.tui.signals import replies

INFECT = run_of(did(fault="liveness", fail="always"), *INFECTED)
CRASH = replace(INFECT, given={"fault": "exit", "code": "3", "ready_pods": "1"})
KILL = replace(INFECT, verb="delete_pod", given={"ready_pods": "1"})
FORCED = replace(KILL, given={"grace_seconds": "0", "ready_pods": "1"})
LATER = replace(INFECT, failed=99)


def texts(row: Row) -> list[str]:
    return [plain(cell) for cell in row.cells if isinstance(cell, tuple)]


def test_the_last_result_of_each_kind_stands_in_the_order_of_the_keys() -> None:
    """What was done last does not come first, and a kind has one row for each number of pods."""
    three = replace(KILL, given={"ready_pods": "3"})
    found = results([FORCED, three, KILL, CRASH, INFECT, LATER])

    assert [(result.name, result.pods) for result in found] == [
        ("infect", "1"),
        ("crash exit 3", "1"),
        ("kill", "1"),
        ("kill", "3"),
        ("force kill", "1"),
    ]
    assert found[0].run is LATER


@pytest.mark.parametrize("ending", [Ending.INTERRUPTED, Ending.REPLACED], ids=lambda e: e.name.lower())
def test_what_was_cut_short_is_no_result(ending: Ending) -> None:
    """A run that the next trigger interrupted does not hide the one before it."""
    assert [r.run for r in results([INFECT, replace(LATER, ending=ending)])] == [INFECT]


def test_a_run_that_never_recovered_is_a_result() -> None:
    """The limit is what came of it; the row says what was reached."""
    (result,) = results([replace(INFECT, ending=Ending.LIMIT)])
    assert recovered_s(result.run) is None


def test_recovery_counts_from_the_cure_where_there_was_one() -> None:
    """A fault that lasts until somebody ends it is judged by what came after."""
    cured: tuple[float, FactBody] = (1.0, did(fault="cure", phase=Phase.ACCEPTED))
    run = run_of(did(fault="readiness", fail="always"), (0.3, seen()), cured, (1.6, seen(ready=True)))

    assert recovered_s(run) == pytest.approx(0.6)
    assert recovered_s(INFECT) == pytest.approx(1.45)


def test_the_back_off_is_that_of_the_kubelet() -> None:
    """Its seconds are read from the milestone that tells of it."""
    run = run_of(did(fault="hang"), (1.0, seen(message="back-off 1m20s restarting failed container=a")))
    assert (backed_off(run), backed_off(INFECT)) == ("80 s", "")


def test_the_table_shows_what_is_known_and_dashes() -> None:
    """Times in seconds from the key, the number of pods, what was lost; the unmeasured is a dash."""
    infect = told((0.0, did(fault="liveness", fail="always")), *INFECTED)
    table = fault_table(scene(facts=infect))

    assert texts(table.row(table.keys[0])) == [
        "infect", "1", "0.75", "0.66", "0.77", "1.36", "1.45", "–", "0", "5", "0.70 s ±0.10",
    ]  # fmt: skip


def test_a_cure_stands_where_a_restart_would() -> None:
    """Nothing restarted it; who ended it and when is what the row has to say."""
    facts: list[tuple[float, FactBody]] = [
        (0.0, did(fault="errors", percent="100")),
        (0.1, replies(0.0, (UID, Outcome.HTTP_5XX, 1))),
        (3.2, did(fault="cure", phase=Phase.ACCEPTED)),
    ]
    table = fault_table(scene(facts=told(*facts), now=100))
    assert "cured 3.2" in texts(table.row(table.keys[0]))

    cured: tuple[float, FactBody] = (0.7, did(fault="cure", phase=Phase.ACCEPTED))
    late = fault_table(
        scene(facts=told((0.0, did(fault="liveness", fail="always")), *INFECTED[:2], cured, *INFECTED[2:]))
    )
    assert texts(late.row(late.keys[0]))[4] == "0.77"


def test_a_result_with_facts_missing_is_marked() -> None:
    """A star says that the numbers are not the whole."""
    lost: tuple[float, FactBody] = (0.7, LossMark(1, 2))
    infect = told((0.0, did(fault="liveness", fail="always")), *INFECTED[:1], lost, *INFECTED[1:])
    table = fault_table(scene(facts=infect))
    assert texts(table.row(table.keys[0]))[0] == "infect*"
    assert table.heading is not None
    assert "* incomplete" in plain(table.heading.figures)


def test_without_results_the_table_says_how_to_get_one() -> None:
    """No empty heads: a sentence with the keys."""
    table = fault_table(scene())
    assert not table.keys
    assert "i c h o r f x" in plain(table.empty)
