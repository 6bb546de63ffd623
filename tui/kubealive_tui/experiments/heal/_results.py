"""What came of each kind of failure, side by side: results as a function of the runs that are kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._words import load_size, outage_length, seconds
from kubealive_tui.experiments.heal._faults import BACK_OFF, fault_of
from kubealive_tui.model import Align, Cell, Column, Ending, Heading, Line, Role, Row, Run, Table, line

__all__ = ["Result", "backed_off", "fault_table", "recovered_s", "results"]


class Result(NamedTuple):
    """The last run of one kind of failure: its name, how many pods shared the work, and what came of it."""

    name: str
    pods: str
    run: Run


_NAMES: Mapping[str, str] = {
    "liveness": "infect",
    "exit": "crash exit {code}",
    "hang": "hang",
    "eat": "oom",
    "readiness": "readiness",
    "errors": "errors",
}
# As the keys stand in the key line; what deletes a pod comes last.
_ORDER = (*_NAMES, "kill", "force kill")


def results(runs: Iterable[Run]) -> Sequence[Result]:
    """The last run of each kind that ran to its end or its limit, in the order of the keys.

    Runs are told apart by what their action asked for, and by how many pods were ready when it did.
    """
    found: dict[tuple[int, int, str], Result] = {}
    for run in runs:
        if run.ending not in {Ending.COMPLETE, Ending.LIMIT}:
            continue
        given = run.given
        kind = fault_of(run.verb, given) or ("force kill" if given.get("grace_seconds") == "0" else "kill")
        name = _NAMES.get(kind, kind).format_map({"code": "?"} | dict(given))
        pods = given.get("ready_pods", "–")
        found[_ORDER.index(kind), int(pods) if pods.isdigit() else 0, name] = Result(name, pods, run)
    return [result for _, result in sorted(found.items(), key=lambda pair: pair[0])]


def backed_off(run: Run) -> str:
    """The back-off that the run met, in the kubelet's seconds (`10 s`), or nothing."""
    labels = (m.label for m in run.milestones if m.label.startswith(f"{BACK_OFF} "))
    return next((label.removeprefix(f"{BACK_OFF} ") for label in labels), "")


def recovered_s(run: Run) -> float | None:
    """Seconds until pod and clients were well again, from the cure where there was one; None if they were not."""
    if run.ending is not Ending.COMPLETE or any(outage.end_us is None for outage in run.outages):
        return None
    times = [run.seconds(label) for label in ("ready", "successor ready", "first ok")]
    last = max((at for at in times if at is not None), default=None)
    return None if last is None else last - (run.seconds("cured") or 0.0)


# ---- the table


_COLUMNS = (
    Column("FAULT", 13),
    Column("PODS", 4, Align.RIGHT),
    Column("1ST FAIL", 8, Align.RIGHT),
    Column("DETECTED", 8, Align.RIGHT),
    Column("RESTARTED", 9, Align.RIGHT),
    Column("READY", 6, Align.RIGHT),
    Column("FIRST OK", 8, Align.RIGHT),
    Column("BACK-OFF", 8, Align.RIGHT),
    Column("LOST", 4, Align.RIGHT),
    Column("OF", 5, Align.RIGHT, least=100),
    Column("OUTAGE", 12, Align.RIGHT, least=100),
)


def fault_table(scene: Scene) -> Table:
    """The last run of each kind of failure, a row each; every time is seconds from its key."""
    found = {f"{result.name} {result.pods}": result for result in results(scene.store.runs(scene.name).ended)}
    return Table(
        columns=_COLUMNS,
        keys=tuple(found),
        row=lambda key: Row(key, _cells(found[key])),
        heading=Heading(line(("FAULTS", Role.STRONG)), _figures(scene, found.values())),
        selectable=False,
        empty=line(("none yet: i c h o r f x each fail the selected pod in another way", Role.MUTED)),
    )


def _figures(scene: Scene, shown: Iterable[Result]) -> Line:
    running = scene.store.load(scene.name)
    traffic = line(("▶ ", Role.GOOD), (f"{load_size(running)}  ", Role.GOOD)) if running else ()
    missing = line(("* incomplete  ", Role.WAITING)) if any(result.run.incomplete for result in shown) else ()
    return line(traffic, missing, ("last run of each, s from the key", Role.DIM))


def _cells(result: Result) -> tuple[Cell, ...]:
    run = result.run
    lost = (str(run.failed), Role.BAD if run.failed else Role.GOOD) if run.measured else ("–", Role.MUTED)
    name = line(result.name, ("*", Role.WAITING)) if run.incomplete else line(result.name)
    return (
        name,
        line((result.pods, Role.MUTED)),
        _time(run, "first failed"),
        _time(run, "detected", "terminating"),
        _restarted(run),
        _time(run, "ready", "successor ready"),
        _time(run, "first ok", role=Role.STRONG),
        line((backed_off(run) or "–", Role.MUTED)),
        line(lost),
        line((f"{run.planned:,}", Role.MUTED)),
        line(outage_length(run.outages) or ("–", Role.MUTED)),
    )


def _time(run: Run, *labels: str, role: Role = Role.TEXT) -> Line:
    at = next((at for label in labels if (at := run.seconds(label)) is not None), None)
    return line(("–", Role.MUTED)) if at is None else line((seconds(at), role))


def _restarted(run: Run) -> Line:
    """When it was started again; what ended a fault that nothing restarts, in the place of that."""
    at = run.seconds("cured")
    if at is None or run.seconds("restarted") is not None:
        return _time(run, "restarted")
    return line(("cured ", Role.ACCENT), f"{at:.0f}" if at >= 9.5 else f"{at:.1f}")
