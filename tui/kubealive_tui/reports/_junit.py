"""A check as JUnit XML, for the machines that show test results: one test case an experiment."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

from kubealive_tui.errors import UsageError
from kubealive_tui.experiments import VerdictWord
from kubealive_tui.reports._data import utc
from kubealive_tui.reports._report import Report, Result
from kubealive_tui.reports._text import run_text

__all__ = ["junit", "may_write", "write_junit"]

# Characters that XML 1.0 cannot hold, not even escaped; a pod's last words may have them.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """The document: failure for a broken limit, skipped with its reason, error for what could not be run."""
    counts = {word: sum(r.verdict.word is word for r in report.results) for word in VerdictWord}
    errors = 0 if not report.error else len(report.wanted)
    suite = ET.Element(
        "testsuite",
        name="kubealive check",
        tests=str(len(report.results) + errors),
        failures=str(counts[VerdictWord.FAILED]),
        skipped=str(counts[VerdictWord.SKIPPED]),
        errors=str(errors),
        time=f"{report.seconds:.3f}",
        timestamp=utc(report.started),
    )
    properties = ET.SubElement(suite, "properties")
    for name in ("tool_version", "context", "namespace", "kubernetes_version", "agent_version"):
        ET.SubElement(properties, "property", name=name, value=_clean(getattr(report, name)))
    for result in report.results:
        _case(suite, result)
    if report.error:
        for name in report.wanted:
            case = ET.SubElement(suite, "testcase", classname="kubealive.check", name=name, time="0.000")
            ET.SubElement(case, "error", message=_clean(report.error))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(
        suite, "testcase", classname="kubealive.check", name=result.name, time=f"{result.seconds:.3f}"
    )
    reasons = _clean("; ".join(result.verdict.reasons))
    match result.verdict.word:
        case VerdictWord.FAILED:
            ET.SubElement(case, "failure", message=reasons).text = _clean("\n".join(result.verdict.reasons))
        case VerdictWord.SKIPPED:
            ET.SubElement(case, "skipped", message=reasons)
        case VerdictWord.PASSED:
            pass
    said = [*_said(result), *([result.twice, *_said(result.earlier)] if result.earlier else [])]
    ET.SubElement(case, "system-out").text = _clean("\n".join(said))


def _said(result: Result) -> list[str]:
    said = [f"{f.name}: {f.value}, limit {f.limit}" for f in result.verdict.findings]
    return said + [run_text(run, experiment=result.name) for run in result.runs]


def may_write(path: Path) -> None:
    """Raise UsageError where the document cannot be written: before a check rather than behind it."""
    with _writing(path), path.open("a", encoding="utf-8"):
        pass


def write_junit(report: Report, path: Path) -> None:
    """Write the document; raises UsageError with one sentence where that cannot be."""
    with _writing(path):
        path.write_text(junit(report), encoding="utf-8")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise UsageError(
            f"cannot write JUnit results to {path}: {exc.strerror}; name a file that can be written with --junit"
        ) from exc


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
