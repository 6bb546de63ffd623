"""Results as plain data for programs: names stay, times are UTC, spans are seconds, unmeasured is null."""

from datetime import UTC, datetime
from typing import Any

from kubealive_tui.experiments import Finding
from kubealive_tui.model import Milestone, Outage, Run
from kubealive_tui.reports._report import Report, Result

__all__ = ["SCHEMA_VERSION", "document", "run_data", "utc"]

# Goes up when a name changes its meaning or goes; new names may come without.
SCHEMA_VERSION = 1


def document(report: Report) -> dict[str, Any]:
    """The one JSON document of a check.

    `error` is in it only where nothing could be run, `earlier` in an experiment only where it was measured twice.
    """
    found: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "tool_version": report.tool_version,
        "context": report.context,
        "namespace": report.namespace,
        "kubernetes_version": report.kubernetes_version,
        "agent_version": report.agent_version,
        "started": utc(report.started),
        "ended": utc(report.ended),
        "experiments": {result.name: _result(result) for result in report.results},
    }
    if report.error:
        found["error"] = report.error
    return found


def _result(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {
        "verdict": result.verdict.word.value,
        "seconds": round(result.seconds, 3),
        "findings": [_finding(finding) for finding in result.verdict.findings],
        "reasons": list(result.verdict.reasons),
        "runs": [run_data(run) for run in result.runs],
    }
    if result.earlier:
        found["earlier"] = _result(result.earlier)
    return found


def _finding(finding: Finding) -> dict[str, Any]:
    return {"name": finding.name, "value": finding.value, "limit": finding.limit, "kept": finding.kept}


def run_data(run: Run) -> dict[str, Any]:
    """A run as data. Times of day are the agent's in UTC; milestones and outages count seconds from the trigger.

    Requests are null where no traffic was measured; `incomplete` says why facts are missing, or is empty.
    """
    return {
        "action_id": run.action_id,
        "title": run.title,
        "verb": run.verb,
        "actor": run.actor,
        "target": {"name": run.target_name, "uid": run.target_uid},
        "given": dict(run.given),
        "began": _time(run.began_us),
        "ended": None if run.ended_us is None else _time(run.ended_us),
        "ending": run.ending.value,
        "seconds": _since(run, run.ended_us),
        "milestones": [_milestone(run, milestone) for milestone in run.milestones],
        "outages": [_outage(run, outage) for outage in run.outages],
        "failed": run.failed if run.measured else None,
        "planned": run.planned if run.measured else None,
        "incomplete": run.incomplete,
    }


def _milestone(run: Run, milestone: Milestone) -> dict[str, Any]:
    return {
        "label": milestone.label,
        "seconds": _since(run, milestone.at_us),
        "source": milestone.source.name.lower(),
    }


def _outage(run: Run, outage: Outage) -> dict[str, Any]:
    return {
        "begin_seconds": _since(run, outage.begin_us),
        "seconds": outage.seconds,
        "error_seconds": outage.interval_us / 1e6,
        "failed": outage.failed,
    }


def _since(run: Run, at_us: int | None) -> float | None:
    return None if at_us is None else (at_us - run.began_us) / 1e6


def _time(at_us: int) -> str:
    return utc(datetime.fromtimestamp(at_us / 1e6, UTC))


def utc(moment: datetime) -> str:
    """A moment in UTC as RFC 3339 with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
