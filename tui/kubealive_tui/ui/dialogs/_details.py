"""Everything about a row, and the runs of its tab: what a table has no room for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from itertools import takewhile
from statistics import median

from kubealive_tui.experiments import age, ending_of, endpoint_words, pod_state
from kubealive_tui.model import (
    Container,
    Ending,
    Line,
    Milestone,
    Pod,
    Role,
    Run,
    Workload,
    line,
)
from kubealive_tui.store import Store
from kubealive_tui.ui.draw import clock

__all__ = ["details", "run_lines"]

_LABEL = 14


def details(store: Store, experiment: str, key: str | None, *, zone: tzinfo) -> Sequence[Line]:
    """The pod of this key, gone or not, or the workload, then the tab's last run in full and those before it."""
    lines: list[Line] = []
    pod = store.pod(key) if key else None
    if pod is not None:
        lines += [*_pod(store, pod, zone), ()]
    elif key and (departed := store.departed(experiment).get(key)):
        ago = f"{age(store.now_us - departed.at_us)} ago"
        lines += [_field("gone", f"{_clock(departed.at_us, zone)}, {ago}; what follows was its last state")]
        lines += [*_pod(store, departed.pod, zone), ()]
    elif workload := next((found for found in store.workloads(experiment) if found.uid == key), None):
        lines += [*_workload(store, workload, zone), ()]
    runs = store.runs(experiment)
    if runs.last is not None:
        lines += [*run_lines(runs.last, zone=zone), ()]
    lines += _history(runs.ended)
    return lines or [line(("There is nothing to tell yet: no row is selected and nothing was run.", Role.MUTED))]


def _field(label: str, *value: str | tuple[str, Role] | Line) -> Line:
    return line((f"{label:<{_LABEL}} ", Role.MUTED), *value)


def _clock(at_us: int, zone: tzinfo) -> str:
    return f"{clock(at_us, zone)}.{at_us // 1000 % 1000:03d}"


def _pod(store: Store, pod: Pod, zone: tzinfo) -> Iterator[Line]:
    yield line((pod.name, Role.STRONG), "  ", pod_state(pod))
    if pod.message:
        yield _field("message", pod.message)
    yield _field("node, IP", pod.node or "not placed yet", (", ", Role.MUTED), pod.ip or "no IP yet")
    yield _field("endpoint", endpoint_words(store, pod.uid))
    yield _field(
        "owner", f"{pod.owner_kind.word} {pod.owner_name}" if pod.owner_name else "none: nobody replaces it"
    )
    yield _field("created", _clock(pod.created_us, zone), _ago(store, pod.created_us))
    if pod.deletion_us is not None:
        yield _field("deletion", f"asked for, grace {pod.grace_seconds} s, until {_clock(pod.deletion_us, zone)}")
    yield _field("requests", _resources(pod))
    if usage := store.usage(pod.uid):
        used = f"{usage.cpu_millis}m CPU, {usage.memory_bytes / 2**20:.0f} MiB"
        yield _field("uses", used, (f", measured {age(store.now_us - usage.measured_us)} ago", Role.MUTED))
    totals = store.traffic(pod.experiment).pods.get(pod.uid)
    if totals is not None:
        lost = line((f"{totals.failed:,} failed", Role.BAD if totals.failed else Role.MUTED))
        of = " since the load began" if store.load(pod.experiment) else " in the last load"
        yield _field("replies", f"{totals.ok:,} ok", (", ", Role.MUTED), lost, (of, Role.MUTED))
    yield _field("image", pod.image)
    for container in pod.containers:
        yield from _container(store, container, zone)
    for claim in pod.claims:
        yield _field("claim", claim)
    yield from _labels(pod.labels)
    yield _field("uid", (pod.uid, Role.MUTED))


def _workload(store: Store, workload: Workload, zone: tzinfo) -> Iterator[Line]:
    yield line((workload.name, Role.STRONG), (f"  {workload.kind.word}", Role.MUTED))
    if workload.revision:
        yield _field("revision", str(workload.revision))
    yield _field("image", workload.image)
    numbers = f"{workload.current} of {workload.desired}, {workload.ready} ready, {workload.available} available"
    yield _field("pods", numbers)
    pre_stop = (
        "no preStop sleep" if workload.pre_stop_seconds is None else f"preStop {workload.pre_stop_seconds} s"
    )
    yield _field("template", f"{'a' if workload.readiness_probe else 'no'} readiness probe, {pre_stop}")
    for name, value in sorted(workload.environment.items()):
        yield _field("", (f"{name}=", Role.MUTED), value)
    yield _field("created", _clock(workload.created_us, zone), _ago(store, workload.created_us))
    for condition in workload.conditions:
        status = (f"{condition.status.lower()}, ", Role.TEXT)
        yield _field(condition.type, status, (condition.message or condition.reason, Role.MUTED))
    yield _field("uid", (workload.uid, Role.MUTED))


def _ago(store: Store, at_us: int) -> tuple[str, Role]:
    return f", {age(store.now_us - at_us)} ago", Role.MUTED


def _resources(pod: Pod) -> str:
    cpu = "no CPU" if pod.cpu_request_millis is None else f"{pod.cpu_request_millis}m CPU"
    limit = (
        "no memory limit"
        if pod.memory_limit_bytes is None
        else f"at most {pod.memory_limit_bytes / 2**20:.0f} MiB"
    )
    return f"{cpu}, {limit}"


def _container(store: Store, container: Container, zone: tzinfo) -> Iterator[Line]:
    state = f"{container.state.name.lower()}{f', {container.reason}' if container.reason else ''}"
    ready = line((", ready", Role.GOOD)) if container.ready else line((", not ready", Role.WAITING))
    restarts = f", {container.restarts} restart{'' if container.restarts == 1 else 's'}"
    yield _field(container.name, state, ready, restarts if container.restarts else "")
    if container.message:
        yield _field("", (container.message, Role.WAITING))
    if container.started_us:
        yield _field("", ("started ", Role.MUTED), _clock(container.started_us, zone))
    if ended := container.last_termination or container.termination:
        at = f", {age(store.now_us - ended.finished_us)} ago" if ended.finished_us else ""
        yield _field("last end", (ending_of(ended), Role.BAD if ended.exit_code else Role.TEXT), (at, Role.MUTED))
        if ended.message:
            yield _field("", ended.message)


def _labels(labels: Mapping[str, str]) -> Iterator[Line]:
    for index, (name, value) in enumerate(sorted(labels.items())):
        yield _field("labels" if index == 0 else "", (f"{name}=", Role.MUTED), value)


# ---- runs


def run_lines(run: Run, *, zone: tzinfo) -> Sequence[Line]:
    """A run in full: every milestone with its time and whose word it is, and what clients lost."""
    ending = "" if run.ending is Ending.COMPLETE else run.ending.value
    lines = [line((run.title, Role.STRONG), (f"  {_clock(run.began_us, zone)} by {run.actor}", Role.MUTED))]
    if ending:
        lines[0] = line(lines[0], (f", {ending}", Role.WAITING))
    lines += [_milestone(milestone, run) for milestone in run.milestones]
    lines.append(line((f"{'':9}clients ", Role.MUTED), _lost(run)))
    for outage in run.outages:
        length = "still open" if outage.seconds is None else f"{outage.seconds:.2f} s"
        bar = f" ±{outage.interval_us / 1e6:.2f}"
        lines.append(line(("         outage ", Role.MUTED), length, bar, (f", {outage.failed} failed", Role.BAD)))
    if run.incomplete:
        lines.append(line((f"         incomplete: {run.incomplete}", Role.WAITING)))
    return lines


def _milestone(milestone: Milestone, run: Run) -> Line:
    at = "–" if milestone.at_us is None else f"{(milestone.at_us - run.began_us) / 1e6:.3f} s"
    return line(f"{at:>8} ", (milestone.words, milestone.role), (f"  {milestone.source.value}", Role.DIM))


def _lost(run: Run) -> Line:
    if not run.measured:
        return line(("not measured", Role.WAITING))
    return line((f"lost {run.failed:,}", Role.BAD if run.failed else Role.GOOD), f" of {run.planned:,}")


def _kind(run: Run) -> str:
    """What a run is called whatever it was done to: its title's words up to the first that is not in capitals."""
    return " ".join(takewhile(str.isupper, run.title.split()))


def _history(ended: Sequence[Run]) -> list[Line]:
    """The runs kept, newest first, with median and worst of each kind that ended well."""
    if not ended:
        return []
    lines = [line((f"Runs kept: {len(ended)}", Role.STRONG))]
    kinds: dict[str, list[float]] = {}
    for run in ended:
        if run.ending is Ending.COMPLETE and run.ended_us is not None:
            kinds.setdefault(_kind(run), []).append((run.ended_us - run.began_us) / 1e6)
    for kind, took in kinds.items():
        figures = f"p50 {median(took):.2f} s, worst {max(took):.2f} s"
        lines.append(
            line(f"{'':9}", (kind.lower(), Role.ACCENT), f"  {figures}", (f"  of {len(took)}", Role.MUTED))
        )
    for run in reversed(ended):
        took_s = None if run.ended_us is None else (run.ended_us - run.began_us) / 1e6
        length = "–" if took_s is None or run.ending is not Ending.COMPLETE else f"{took_s:.2f} s"
        lines.append(line(f"{length:>8} ", run.title, "  ", _lost(run), (f"  {run.ending.value}", Role.DIM)))
    return lines
