"""Reports: the JSON document, JUnit, the table, and a run as text and files."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from kubealive_tui.errors import UsageError
from kubealive_tui.experiments import Finding, Verdict, VerdictWord
from kubealive_tui.model import Ending, Milestone, Outage, Run, Source
from kubealive_tui.reports import (
    Report,
    Result,
    document,
    exit_code,
    junit,
    printable,
    run_data,
    run_line,
    run_text,
    save_run,
    table,
    write_junit,
)

BEGAN = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
STARTED = datetime(2026, 1, 1, tzinfo=UTC)

RUN = Run(
    action_id="a1",
    title="KILL …d8c-4ldf9",
    verb="delete_pod",
    actor="me@here",
    target_name="getip-5f6b8cd8c-4ldf9",
    target_uid="p1",
    began_us=BEGAN,
    ended_us=BEGAN + 1_210_000,
    ending=Ending.COMPLETE,
    milestones=(
        Milestone("serving", BEGAN + 1_210_000, Source.CLIENT),
        Milestone("terminating", BEGAN + 50_000, Source.WATCH),
        Milestone("last reply", None, Source.CLIENT, optional=True),
    ),
    outages=(Outage(BEGAN + 300_000, BEGAN + 420_000, 12, 10_000),),
    failed=12,
    planned=3_000,
    measured=True,
    given={"ready_pods": "4"},
)
RUN_DATA = {
    "action_id": "a1",
    "title": "KILL …d8c-4ldf9",
    "verb": "delete_pod",
    "actor": "me@here",
    "target": {"name": "getip-5f6b8cd8c-4ldf9", "uid": "p1"},
    "given": {"ready_pods": "4"},
    "began": "2026-01-01T00:00:00.000Z",
    "ended": "2026-01-01T00:00:01.210Z",
    "ending": "complete",
    "seconds": 1.21,
    "milestones": [
        {"label": "serving", "seconds": 1.21, "source": "client"},
        {"label": "terminating", "seconds": 0.05, "source": "watch"},
        {"label": "last reply", "seconds": None, "source": "client"},
    ],
    "outages": [{"begin_seconds": 0.3, "seconds": 0.12, "error_seconds": 0.01, "failed": 12}],
    "failed": 12,
    "planned": 3000,
    "incomplete": "",
}
UNMEASURED = Run("a2", "KILL x", "delete_pod", "", "x", "p2", BEGAN, None, Ending.OPEN, ())
GOOD = Verdict.of([Finding("pods ready", "4", "all", kept=True)])
BAD = Verdict.of([Finding("burst failures", "3", "0", kept=False)])
SKIPPED = Verdict.skipped("no metrics API")


def report(*results: Result, error: str = "", wanted: tuple[str, ...] = ()) -> Report:
    return Report(
        tool_version="0.1.0",
        context="lab",
        namespace="kubealive",
        started=STARTED,
        ended=STARTED + timedelta(seconds=42.5),
        kubernetes_version="v1.34.4",
        agent_version="0.1.1",
        wanted=wanted,
        results=results,
        error=error,
    )


def whole() -> Report:
    return report(
        Result(name="balance", verdict=GOOD, runs=(RUN,), seconds=4.25),
        Result(name="heal", verdict=BAD, seconds=1.0),
        Result(name="scale", verdict=SKIPPED),
    )


def test_the_document_is_the_one_that_programs_know() -> None:
    """Every name, unit and time of the JSON document is as promised."""
    found = json.loads(json.dumps(document(whole())))

    assert found == {
        "schema_version": 1,
        "tool_version": "0.1.0",
        "context": "lab",
        "namespace": "kubealive",
        "kubernetes_version": "v1.34.4",
        "agent_version": "0.1.1",
        "started": "2026-01-01T00:00:00.000Z",
        "ended": "2026-01-01T00:00:42.500Z",
        "experiments": {
            "balance": {
                "verdict": "passed",
                "seconds": 4.25,
                "findings": [{"name": "pods ready", "value": "4", "limit": "all", "kept": True}],
                "reasons": [],
                "runs": [RUN_DATA],
            },
            "heal": {
                "verdict": "failed",
                "seconds": 1.0,
                "findings": [{"name": "burst failures", "value": "3", "limit": "0", "kept": False}],
                "reasons": ["burst failures: 3, wanted 0"],
                "runs": [],
            },
            "scale": {
                "verdict": "skipped",
                "seconds": 0.0,
                "findings": [],
                "reasons": ["no metrics API"],
                "runs": [],
            },
        },
    }


def twice() -> Report:
    missing = Finding("facts of that run", "the agent was blind", "none missing", kept=False, blind=True)
    first = Result(
        name="dns", verdict=Verdict.of([missing]), runs=(replace(RUN, incomplete="blind"),), seconds=60.0
    )
    return report(Result(name="dns", verdict=GOOD, runs=(RUN,), seconds=130.0, earlier=first))


def test_an_earlier_try_is_kept_in_the_document() -> None:
    """Whoever reads the data can see what the first try found, and that there was one."""
    found = json.loads(json.dumps(document(twice())))["experiments"]["dns"]

    assert (found["verdict"], found["seconds"], found["runs"]) == ("passed", 130.0, [RUN_DATA])
    assert found["earlier"] == {
        "verdict": "failed",
        "seconds": 60.0,
        "findings": [
            {"name": "facts of that run", "value": "the agent was blind", "limit": "none missing", "kept": False}
        ],
        "reasons": ["facts of that run: the agent was blind, wanted none missing"],
        "runs": [{**RUN_DATA, "incomplete": "blind"}],
    }


def test_a_table_says_that_it_was_measured_twice() -> None:
    """A verdict of a second try is not shown as if it were the first."""
    lines = table(twice()).splitlines()

    assert "● dns: passed, 130.0 s, measured twice: at first the agent was blind" in lines
    assert [line.split(":")[0] for line in lines if "KILL" in line] == ["dns, the first try", "dns"]


def test_junit_says_that_it_was_measured_twice() -> None:
    """Where test tools show a passed case, the first try stands in its words."""
    case = next(ET.fromstring(junit(twice())).iter("testcase"))  # noqa: S314 - our own

    assert "measured twice: at first the agent was blind" in (case.findtext("system-out") or "")
    assert "incomplete: blind" in (case.findtext("system-out") or "")


def test_what_was_not_measured_is_null() -> None:
    """A run without traffic says so, instead of claiming that nothing was lost."""
    data = run_data(UNMEASURED)

    assert (data["failed"], data["planned"], data["ended"], data["seconds"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param([VerdictWord.PASSED, VerdictWord.PASSED], 0, id="all passed"),
        pytest.param([VerdictWord.PASSED, VerdictWord.FAILED, VerdictWord.SKIPPED], 1, id="one failed"),
        pytest.param([VerdictWord.PASSED, VerdictWord.SKIPPED], 2, id="skipped is not passed"),
        pytest.param([VerdictWord.SKIPPED], 2, id="all skipped"),
        pytest.param([], 2, id="nothing ran"),
    ],
)
def test_exit_codes(words: list[VerdictWord], code: int) -> None:
    """0 only when everything was proved; 1 when anything failed."""
    assert exit_code([Result(name=str(n), verdict=Verdict(word)) for n, word in enumerate(words)]) == code


def test_junit_is_read_back() -> None:
    """One test case an experiment, with failure, skip and counts where test tools look for them."""
    suite = ET.fromstring(junit(whole())).find("testsuite")  # noqa: S314 - our own
    assert suite is not None

    assert [suite.get(n) for n in ("tests", "failures", "skipped", "errors", "time")] == [
        "3",
        "1",
        "1",
        "0",
        "42.500",
    ]
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert list(cases) == ["balance", "heal", "scale"]
    assert cases["balance"].find("failure") is None
    assert "1.210  client   serving" in (cases["balance"].findtext("system-out") or "")
    assert [e.get("message") for e in cases["heal"].iter("failure")] == ["burst failures: 3, wanted 0"]
    assert [e.get("message") for e in cases["scale"].iter("skipped")] == ["no metrics API"]


def test_junit_says_error_for_what_could_not_run() -> None:
    """Each experiment that was wanted is an error when the cluster could not be reached."""
    suite = ET.fromstring(junit(report(error="no route", wanted=("balance",)))).find("testsuite")  # noqa: S314
    assert suite is not None

    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    assert [e.get("message") for e in suite.iter("error")] == ["no route"]


def test_junit_survives_any_words_of_a_cluster() -> None:
    """Control characters, which XML cannot hold, do not spoil the file."""
    verdict = Verdict(VerdictWord.FAILED, reasons=("said \x1b[31m\x00<&>",))
    root = ET.fromstring(junit(report(Result(name="heal", verdict=verdict))))  # noqa: S314 - our own

    assert [e.get("message") for e in root.iter("failure")] == ["said \ufffd[31m\ufffd<&>"]


def test_junit_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """The file and the reason are named."""
    with pytest.raises(UsageError, match="No such file or directory; name a file"):
        write_junit(whole(), tmp_path / "absent" / "j.xml")


def test_the_table_puts_facts_before_verdicts() -> None:
    """Findings with value and limit come first, then runs, then what follows from them."""
    lines = table(whole()).splitlines()

    assert lines[0] == "context lab, namespace kubealive, Kubernetes v1.34.4, agent 0.1.1"
    assert lines[2].split() == ["EXPERIMENT", "FINDING", "VALUE", "LIMIT", "KEPT"]
    assert lines[4].split() == ["heal", "burst", "failures", "3", "0", "NO"]
    assert lines[-5:] == [
        "● balance: passed, 4.2 s",
        "✕ heal: failed, 1.0 s",
        "    burst failures: 3, wanted 0",
        "○ scale: skipped, 0.0 s",
        "    no metrics API",
    ]


def test_a_run_as_text() -> None:
    """Milestones stand by their own times with their sources, outages with their error bars."""
    assert run_text(RUN, experiment="balance").splitlines() == [
        "KILL …d8c-4ldf9 (balance): complete after 1.21 s",
        "triggered by me@here at 2026-01-01 00:00:00.000 UTC, on the agent's clock",
        "target getip-5f6b8cd8c-4ldf9, uid p1",
        "",
        "  SECONDS  SOURCE   MILESTONE",
        "    0.000  user     trigger",
        "    0.050  watch    terminating",
        "    1.210  client   serving",
        "        –  client   last reply",
        "",
        "outage from 0.300 s on, 0.120 s ± 0.010 s: 12 failed",
        "clients lost 12 of 3,000 requests",
    ]
    assert "no traffic was measured" in run_text(UNMEASURED, experiment="balance")


def test_a_run_in_one_line() -> None:
    """How it ended, the milestones reached, what was lost."""
    assert run_line(RUN) == (
        "KILL …d8c-4ldf9: complete after 1.21 s; terminating 0.05, serving 1.21; clients lost 12 of 3,000 requests"
    )


def test_text_cannot_steer_a_terminal() -> None:
    """Escape sequences in a cluster's words lose their power."""
    assert printable("a\x1b[2Jb\nc") == "a [2Jb c"


def test_saving_never_overwrites(tmp_path: Path) -> None:
    """The same run saved twice makes two pairs of files."""
    first = save_run(RUN, experiment="balance", folders=[tmp_path], context="lab")
    second = save_run(RUN, experiment="balance", folders=[tmp_path])

    assert [path.name for path in (*first, *second)] == [
        "kubealive-balance-20260101T000000Z.txt",
        "kubealive-balance-20260101T000000Z.json",
        "kubealive-balance-20260101T000000Z-2.txt",
        "kubealive-balance-20260101T000000Z-2.json",
    ]
    saved = json.loads(first[1].read_text(encoding="utf-8"))
    assert (saved["schema_version"], saved["context"], saved["run"]) == (1, "lab", RUN_DATA)


def test_saving_takes_the_first_folder_that_can(tmp_path: Path) -> None:
    """Where the first folder takes no file, the next one does; where none does, a sentence names them."""
    blocked = tmp_path / "file"
    blocked.write_text("")

    assert (
        save_run(RUN, experiment="balance", folders=[blocked, tmp_path / "state"])[0].parent == tmp_path / "state"
    )
    with pytest.raises(UsageError, match="the run cannot be saved in"):
        save_run(RUN, experiment="balance", folders=[blocked])
