"""A run as text: what the screen writes to a file, and the one line that `--plain` says of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from kubealive_tui.experiments import count
from kubealive_tui.model import Milestone, Outage, Run

__all__ = ["printable", "run_line", "run_text"]

_NO_TIME = 1 << 62  # unmeasured milestones come last


def printable(text: str) -> str:
    """The text on one line and without control characters, so that a cluster's words cannot steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def run_text(run: Run, *, experiment: str, zone: tzinfo = UTC) -> str:
    """The whole run: milestones by their own times with their sources, outages with their error bars."""
    return "\n".join(printable(each) for each in _lines(run, experiment, zone)) + "\n"


def run_line(run: Run) -> str:
    """The run in one line: how it ended, after how long, what clients lost."""
    length = "" if run.ended_us is None else f" after {_seconds(run.ended_us - run.began_us)} s"
    reached = ", ".join(
        f"{m.words} {_seconds(m.at_us - run.began_us)}" for m in _by_time(run) if m.at_us is not None
    )
    return "; ".join(
        part for part in (f"{run.title}: {run.ending.value}{length}", reached, _lost(run), run.incomplete) if part
    )


def _lines(run: Run, experiment: str, zone: tzinfo) -> Iterator[str]:
    length = "" if run.ended_us is None else f" after {_seconds(run.ended_us - run.began_us)} s"
    yield f"{run.title} ({experiment}): {run.ending.value}{length}"
    yield f"triggered by {run.actor or 'somebody'} at {_clock(run.began_us, zone)}, on the agent's clock"
    yield f"target {run.target_name or '–'}, uid {run.target_uid or '–'}"
    yield ""
    yield f"{'SECONDS':>9}  {'SOURCE':<8} MILESTONE"
    yield f"{'0.000':>9}  {'user':<8} trigger"
    for milestone in _by_time(run):
        at = "–" if milestone.at_us is None else f"{(milestone.at_us - run.began_us) / 1e6:.3f}"
        yield f"{at:>9}  {milestone.source.name.lower():<8} {milestone.words}"
    yield ""
    yield from (_outage(run, outage) for outage in run.outages)
    yield _lost(run) or "no traffic was measured"
    if run.incomplete:
        yield f"incomplete: {run.incomplete}"


def _by_time(run: Run) -> list[Milestone]:
    return sorted(run.milestones, key=lambda m: _NO_TIME if m.at_us is None else m.at_us)


def _outage(run: Run, outage: Outage) -> str:
    begin = f"outage from {(outage.begin_us - run.began_us) / 1e6:.3f} s on"
    if outage.seconds is None:
        return f"{begin}, still open: {count(outage.failed)} failed"
    return f"{begin}, {outage.seconds:.3f} s ± {outage.interval_us / 1e6:.3f} s: {count(outage.failed)} failed"


def _lost(run: Run) -> str:
    return f"clients lost {count(run.failed)} of {count(run.planned)} requests" if run.measured else ""


def _seconds(us: int) -> str:
    return f"{us / 1e6:.2f}"


def _clock(at_us: int, zone: tzinfo) -> str:
    moment = datetime.fromtimestamp(at_us / 1e6, zone)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d} {moment.strftime('%Z')}"
