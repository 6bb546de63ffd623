"""A check for people: every fact beside its limit first, then the runs, then the verdicts with their reasons."""

from collections.abc import Iterator, Sequence

from kubealive_tui.experiments import VerdictWord
from kubealive_tui.reports._report import Report, Result
from kubealive_tui.reports._text import printable, run_line

__all__ = ["table"]

_HEADS = ("EXPERIMENT", "FINDING", "VALUE", "LIMIT", "KEPT")
_GLYPH = {VerdictWord.PASSED: "●", VerdictWord.FAILED: "✕", VerdictWord.SKIPPED: "○"}


def table(report: Report) -> str:
    """The report as lines of text, without colour; it reads the same in a file as on a terminal."""
    return "\n".join(printable(each).rstrip() for each in _lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    where = [f"context {report.context or '–'}", f"namespace {report.namespace}"]
    where += [f"Kubernetes {report.kubernetes_version}"] if report.kubernetes_version else []
    where += [f"agent {report.agent_version}"] if report.agent_version else []
    yield ", ".join(where)
    yield ""
    rows = [
        (result.name, finding.name, finding.value, finding.limit, "yes" if finding.kept else "NO")
        for result in report.results
        for finding in result.verdict.findings
    ]
    if rows:
        yield from _columns([_HEADS, *rows])
        yield ""
    runs = [run for result in report.results for run in _runs(result)]
    if runs:
        yield from runs
        yield ""
    yield from _verdicts(report)


def _runs(result: Result) -> Iterator[str]:
    if result.earlier:
        yield from (f"{result.name}, the first try: {run_line(run)}" for run in result.earlier.runs)
    yield from (f"{result.name}: {run_line(run)}" for run in result.runs)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))


def _verdicts(report: Report) -> Iterator[str]:
    for result in report.results:
        word = result.verdict.word
        twice = f", {result.twice}" if result.twice else ""
        yield f"{_GLYPH[word]} {result.name}: {word.value}, {result.seconds:.1f} s{twice}"
        yield from (f"    {reason}" for reason in result.verdict.reasons)
    if report.error:
        yield f"✕ nothing was checked: {report.error}"
