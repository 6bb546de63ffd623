"""A Deployment on screen: its ReplicaSets as a ladder, its conditions in words, its versions as shares."""

from collections.abc import Sequence

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._blocks import CHART_SPAN_US, loaded_for
from kubealive_tui.experiments._words import age, count, not_made, pod_state
from kubealive_tui.experiments.update._rollout import COMPLETE, STUCK, drain_of, is_complete, strategy_now
from kubealive_tui.model import (
    Align,
    Cell,
    Column,
    Heading,
    Kind,
    Line,
    Pod,
    Role,
    Row,
    Span,
    Stack,
    Table,
    Workload,
    line,
)
from kubealive_tui.store import BinSum, Store

__all__ = [
    "TALL",
    "condition_words",
    "current_set",
    "deadline_words",
    "ladder",
    "made_by",
    "replica_sets",
    "share_stack",
]

# Lines from which a screen has room for the whole history, and for the pods one by one.
TALL = 40

# A second each: a rollout of four pods takes five to ten.
_COLUMNS = 60
# The share that the heading names is that of the newest two columns: one alone may have only begun.
_NEWEST = 2

# Rows of the ladder where lines are short: what is rolled out, and what it replaces.
_LEAST_ROWS = 2

_LADDER = (
    Column("REV", 4, Align.RIGHT),
    Column("IMAGE", 18),
    Column("DESIRED", 7, Align.RIGHT),
    Column("CURRENT", 7, Align.RIGHT),
    Column("READY", 5, Align.RIGHT),
    Column("AVAIL", 5, Align.RIGHT),
    Column("PODS", 16, grows=True),
)


def replica_sets(store: Store, deployment: Workload) -> list[Workload]:
    """The Deployment's ReplicaSets by revision, oldest first; those of no pods too."""
    own = [s for s in store.workloads(deployment.experiment, Kind.REPLICA_SET) if s.owner_uid == deployment.uid]
    return sorted(own, key=lambda each: (each.revision, each.name))


def current_set(store: Store, deployment: Workload) -> Workload | None:
    """The ReplicaSet of the newest revision, or None before there is one."""
    sets = replica_sets(store, deployment)
    return sets[-1] if sets else None


def made_by(store: Store, owner: Workload) -> list[Pod]:
    """The pods that this ReplicaSet made and that are still there, oldest first."""
    return [pod for pod in store.pods_of(owner.experiment) if pod.owner_uid == owner.uid]


def ladder(scene: Scene, deployment: Workload) -> Table:
    """A row for each ReplicaSet that has or wants pods, then those that can be gone back to, newest first.

    Where lines are short only as many of those as make two rows: the pointer must not scroll the others away.
    """
    store = scene.store
    sets = {each.uid: each for each in replica_sets(store, deployment)}
    newest = current_set(store, deployment)
    busy = [uid for uid, each in sets.items() if each is newest or _busy(store, each)]
    idle = [uid for uid in reversed(sets) if uid not in busy]
    if scene.size.height < TALL:
        idle = idle[: max(_LEAST_ROWS - len(busy), 0)]

    def row(uid: str) -> Row:
        each = sets[uid]
        return Row(uid, _cells(store, each, newest=each is newest), past=uid in idle)

    return Table(
        columns=_LADDER,
        keys=(*busy, *idle),
        row=row,
        heading=Heading(line(("REVISIONS", Role.STRONG)), _figures(store, deployment)),
        empty=line(
            ("no ReplicaSet yet", Role.WAITING), (": the controller makes one for the template", Role.MUTED)
        ),
    )


def _busy(store: Store, each: Workload) -> bool:
    return bool(each.desired or each.current or made_by(store, each))


def _cells(store: Store, each: Workload, *, newest: bool) -> tuple[Cell, ...]:
    version = Role.VERSION_NEW if newest else Role.VERSION_OLD
    numbers = (each.desired, each.current, each.ready, each.available)
    return (
        line((str(each.revision or "–"), Role.STRONG if newest else Role.TEXT)),
        line((each.image.rpartition("/")[2] or "–", version)),
        *(line((str(number), Role.TEXT if number else Role.MUTED)) for number in numbers),
        _pods(each, made_by(store, each)),
    )


def _pods(each: Workload, pods: Sequence[Pod]) -> Line:
    """A glyph a pod, those that leave last, and a word on what is wrong or awaited."""
    staying = [pod for pod in pods if not pod.deleting]
    states = [pod_state(pod)[0] for pod in (*staying, *(pod for pod in pods if pod.deleting))]
    glyphs = line(*(Span(state.text[:1], state.role) for state in states))
    bad = next((state for state in states if state.role is Role.BAD), None)
    if bad is not None:
        return line(glyphs, (f"  {bad.text[2:]}", Role.BAD))
    if each.desired and each.ready < each.desired:
        return line(glyphs, (f"  {each.ready} of {each.desired} ready", Role.MUTED))
    leaving = len(pods) - len(staying)
    return line(glyphs, (f"  {leaving} leaving", Role.LEAVING)) if leaving else glyphs


def _figures(store: Store, deployment: Workload) -> Line:
    drain = drain_of(deployment)
    return line(
        strategy_now(deployment) or "–",
        ("  drain ", Role.MUTED),
        (drain, Role.GOOD if drain == "on" else Role.WAITING),
        ("  deadline ", Role.MUTED),
        deadline_words(store, deployment),
    )


def deadline_words(store: Store, deployment: Workload) -> Line:
    """What is left of the progress deadline while a rollout is under way, else how long it is.

    It runs from the last progress (Progressing.lastUpdateTime, whole seconds of the controller's clock), and no
    Event tells of it.
    """
    seconds, progressing = deployment.progress_deadline_seconds, deployment.condition("Progressing")
    if seconds is None:
        return line(("none", Role.MUTED))
    if (
        progressing is None
        or progressing.updated_us is None
        or deployment.paused
        or progressing.reason == COMPLETE
    ):
        return line(f"{seconds} s")
    left = max(progressing.updated_us + seconds * 1_000_000 - store.now_us, 0) // 1_000_000
    if progressing.reason == STUCK or not left:
        return line(("passed", Role.BAD))
    return line((f"{left // 60}:{left % 60:02d}", Role.WAITING))


def condition_words(store: Store, deployment: Workload) -> Line:
    """Progressing and Available in words, and what stands in their way."""
    if refused := not_made(deployment):
        # The reason is the longer one, and may be cut: e tells it whole.
        return line(_available(deployment), "  ", refused)
    return line(_progress(store, deployment), ("  ", Role.MUTED), _available(deployment))


def _progress(store: Store, deployment: Workload) -> Line:
    progressing = deployment.condition("Progressing")
    if deployment.observed_generation < deployment.generation:
        return line(("the controller has not seen the last change yet", Role.WAITING))
    if deployment.paused:
        moving = deployment.updated < deployment.desired or deployment.current > deployment.updated
        held = f" at {_made(deployment)}" if moving else ": nothing is rolled out"
        return line(("paused", Role.WAITING), held, (" until p resumes", Role.MUTED))
    if progressing is None:
        return line(("progress not known", Role.WAITING))
    if progressing.reason == STUCK:
        since = age(store.now_us - progressing.updated_us) if progressing.updated_us else "–"
        deadline = deployment.progress_deadline_seconds
        return line(
            ("stuck", Role.BAD), f": no progress within {deadline} s, said {since} ago", ("; z undoes", Role.MUTED)
        )
    if is_complete(deployment):
        return line(("rolled out", Role.GOOD), (f": all {deployment.desired} of the newest revision", Role.MUTED))
    return line(("rolling out", Role.WAITING), f": {_made(deployment)}")


def _made(deployment: Workload) -> str:
    old = max(deployment.current - deployment.updated, 0)
    return f"{deployment.updated} of {deployment.desired} made" + (f", {old} old left" if old else "")


def _available(deployment: Workload) -> Line:
    available = deployment.condition("Available")
    if available is None:
        return line(("availability not known", Role.WAITING))
    if available.status == "True":
        return line(("available", Role.GOOD), (f" {deployment.available} of {deployment.desired}", Role.MUTED))
    return line(("not available", Role.BAD), (f": {deployment.available} of {deployment.desired}", Role.MUTED))


def share_stack(scene: Scene, deployment: Workload) -> Stack:
    """Who answered in the last minute: the Deployment's version over all others."""
    traffic = scene.store.traffic(scene.name)
    columns = list(traffic.columns(scene.store.now_us, span_us=CHART_SPAN_US, count=_COLUMNS))
    new, old = deployment.version or "–", _other_version(columns, deployment.version)
    shares = [_share(column, deployment.version) for column in columns]
    rest = [None if share is None else 1.0 - share for share in shares]
    return Stack(
        labels=(new, old),
        shares=(tuple(shares), tuple(rest)),
        heading=Heading(line(("SHARE OF REPLIES", Role.STRONG)), _share_figures(scene, columns, new, old)),
        span="−60 s",
    )


def _other_version(columns: Sequence[BinSum | None], new: str) -> str:
    """The version that answered last beside the new one; `others` where several did within the last columns."""
    for column in reversed(columns):
        others = (
            [version for version, replies in column.versions.items() if replies and version != new]
            if column
            else []
        )
        if others:
            return others[0] or "–" if len(others) == 1 else "others"
    return "other"


def _share(column: BinSum | None, version: str) -> float | None:
    if column is None or not column.ok:
        return None
    return column.versions.get(version, 0) / column.ok


def _share_figures(scene: Scene, columns: Sequence[BinSum | None], new: str, old: str) -> Line:
    traffic = scene.store.traffic(scene.name)
    if not traffic.load_id:
        return line(("l starts the traffic, and each trigger brings its own", Role.MUTED))
    newest = [column for column in columns if column is not None and column.ok][-_NEWEST:]
    total = sum(column.ok for column in newest)
    failed = (count(traffic.failed), Role.BAD if traffic.failed else Role.GOOD)
    length = loaded_for(scene)
    figures = line(("failed ", Role.MUTED), failed, (f" of {count(traffic.sent)}", Role.MUTED))
    if not length:
        return line(("last load: ", Role.MUTED), figures)
    figures = line(figures, (f" in {length}", Role.MUTED))
    if not total:
        return figures
    share = round(100 * sum(column.versions.get(new, 0) for column in newest) / total)
    return line(
        (f"{new} ", Role.VERSION_NEW), f"{share} %",
        *((("  ", Role.MUTED), (f"{old} ", Role.VERSION_OLD), f"{100 - share} %") if share < 100 else ()),
        ("   ", Role.MUTED), figures,
    )  # fmt: skip
