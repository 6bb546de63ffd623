"""Views that several tabs are made of: the pods, the load, the last run.

They are drawn the same everywhere, so that a person who has read one tab has read them all.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._words import age, count, load_size, milliseconds, pod_state, short
from kubealive_tui.model import (
    GLYPH,
    Align,
    Bins,
    Cell,
    Column,
    Heading,
    Lane,
    Line,
    Outcome,
    Pod,
    Rail,
    Role,
    Row,
    Run,
    Sentence,
    Table,
    line,
)
from kubealive_tui.store import Store

__all__ = ["endpoint_words", "load_view", "lost_view", "pod_table", "rail"]

# A minute holds a kill and its recovery with room on both sides; 60 columns make a second of each.
CHART_SPAN_US = 60_000_000

_BASE = (
    Column("POD", 10),
    Column("NODE", 7),
    Column("STATE", 13),
    Column("READY", 5),
    Column("ENDPOINT", 9),
    Column("RST", 3, Align.RIGHT),
    Column("AGE", 5, Align.RIGHT),
    Column("IP", 15, least=115),
    Column("IMAGE", 12, least=135),
)


def pod_table(scene: Scene, *, extra: Sequence[Column], cells: Callable[[str], tuple[Cell, ...]]) -> Table:
    """The experiment's pods, then those that were counted and went within the chart's span.

    `cells` fills the `extra` columns for a pod's UID.
    """
    store, name = scene.store, scene.name
    counted = store.traffic(name).pods
    oldest = store.now_us - CHART_SPAN_US
    gone = [uid for uid, left in store.departed(name).items() if uid in counted and left.at_us >= oldest]
    columns = tuple(_wider(column, scene.size.width) for column in _BASE)

    def row(uid: str) -> Row:
        pod = store.pod(uid)
        if pod is not None:
            return Row(uid, (*_living(store, pod), *cells(uid)))
        return Row(uid, (*_departed(store, name, uid), *cells(uid)), past=True)

    return Table(
        columns=(*columns, *extra),
        keys=(*store.pods(name), *gone),
        row=row,
        empty=line(("no pods", Role.WAITING), (": s asks for one", Role.MUTED)),
    )


def _wider(column: Column, width: int) -> Column:
    """Names in full where the terminal has room for them."""
    if width < 150 or column.title not in {"POD", "STATE", "NODE"}:
        return column
    return Column(column.title, {"POD": 26, "STATE": 20, "NODE": 16}[column.title])


def _living(store: Store, pod: Pod) -> tuple[Cell, ...]:
    ready = line(("yes", Role.GOOD)) if pod.ready else line(("no", Role.WAITING))
    return (
        line(short(pod.name)),
        line((pod.node or "–", Role.MUTED)),
        pod_state(pod),
        ready,
        endpoint_words(store, pod.uid),
        line(str(pod.restarts)) if pod.restarts else line(("0", Role.MUTED)),
        line((age(store.now_us - pod.created_us), Role.MUTED)),
        line((pod.ip or "–", Role.MUTED)),
        line((pod.image.rpartition("/")[2], Role.MUTED)),
    )


def _departed(store: Store, experiment: str, uid: str) -> tuple[Cell, ...]:
    departed = store.departed(experiment)[uid]
    pod, unknown = departed.pod, line(("–", Role.DIM))
    return (
        line((short(pod.name), Role.DIM)),
        line((pod.node, Role.DIM)),
        line((f"{GLYPH[Role.BAD]} gone", Role.DIM)),
        unknown,
        unknown,
        line((str(pod.restarts), Role.DIM)),
        line((age(departed.at_us - pod.created_us), Role.DIM)),
        line((pod.ip, Role.DIM)),
        line((pod.image.rpartition("/")[2], Role.DIM)),
    )


def endpoint_words(store: Store, uid: str) -> Line:
    """The pod's EndpointSlice entry in a word: serving, draining, leaving, not ready, or – when absent."""
    endpoint = store.endpoint(uid)
    if endpoint is None:
        return line(("–", Role.MUTED))
    word = endpoint.word
    role = Role.GOOD if word == "serving" else Role.LEAVING if endpoint.terminating else Role.WAITING
    return line((word, role))


def load_view(scene: Scene) -> Bins:
    """The measured traffic: what runs, its totals since it began, and a minute of ok and lost replies."""
    traffic = scene.store.traffic(scene.name)
    columns = list(traffic.columns(scene.store.now_us, span_us=CHART_SPAN_US, count=60))
    running = scene.store.load(scene.name)
    tallest = max((c.ok for c in columns if c), default=0)
    top = float(max(tallest, running.rate or 1.0 if running else 1.0))
    ok = tuple(None if c is None else float(c.ok) for c in columns)
    failed = tuple(None if c is None else float(c.failed) for c in columns)
    return Bins(
        heading=Heading(line(("LOAD", Role.STRONG)), _load_figures(scene)),
        lanes=(
            Lane("ok", ok, Role.GOOD, top, scale=f"{top:,.0f}/s" if tallest or running else ""),
            Lane("lost", failed, Role.BAD, top),
        ),
        span="−60 s",
    )


def lost_view(scene: Scene) -> tuple[Sentence, ...]:
    """What clients lost since the load began, by kind; no line at all while that is nothing."""
    traffic = scene.store.traffic(scene.name)
    if not traffic.failed:
        return ()
    kinds = sorted((o for o in traffic.outcomes if o.failed), key=lambda o: -traffic.outcomes[o])
    by_kind = ", ".join(f"{count(traffic.outcomes[o])} {o.value}" for o in kinds)
    words = line(
        ("lost ", Role.MUTED),
        (count(traffic.failed), Role.BAD),
        (f" of {count(traffic.sent)} sent: ", Role.MUTED),
        by_kind,
    )
    return (Sentence(words),)


def _load_figures(scene: Scene) -> Line:
    traffic, running = scene.store.traffic(scene.name), scene.store.load(scene.name)
    if running:
        shown = line(("▶ ", Role.GOOD), (load_size(running), Role.GOOD), (f" {running.mode.value}", Role.MUTED))
    else:
        shown = line((f"l starts {scene.settings.rate:g}/s", Role.MUTED))
    if not traffic.load_id:
        return shown
    lost = (count(traffic.failed), Role.BAD if traffic.failed else Role.GOOD)
    figures = line(
        shown,
        ("  ok ", Role.MUTED), count(traffic.ok),
        ("  failed ", Role.MUTED), lost,
        ("  p50 ", Role.MUTED), milliseconds(traffic.latency.quantile(0.5)),
        ("  p99 ", Role.MUTED), milliseconds(traffic.latency.quantile(0.99)), (" ms", Role.MUTED),
    )  # fmt: skip
    return line(figures, *_wide_figures(scene)) if scene.size.width >= 100 else figures


def _wide_figures(scene: Scene) -> list[Line]:
    traffic = scene.store.traffic(scene.name)
    parts = [line(("  p90 ", Role.MUTED), milliseconds(traffic.latency.quantile(0.9)), (" ms", Role.MUTED))]
    parts.append(line(("  sent ", Role.MUTED), count(traffic.sent)))
    if own := traffic.outcomes.get(Outcome.LOCAL, 0):
        parts.append(line(("  generator ", Role.MUTED), (count(own), Role.WAITING)))
    if traffic.retransmitted:
        parts.append(line(("  retransmitted ", Role.MUTED), (count(traffic.retransmitted), Role.WAITING)))
    if traffic.retried:
        parts.append(line(("  retried ", Role.MUTED), (count(traffic.retried), Role.WAITING)))
    return parts


def rail(scene: Scene, *, hint: str, figure: Callable[[Run], Line] | None = None) -> Rail:
    """The stopwatch of the last run, nameless where it is one's own; or the words that say what starts it.

    `figure` says what stands in the heading where a tab measures no traffic.
    """
    last = scene.store.ledger(scene.name).runs.last
    if last is not None and last.actor == scene.me:
        last = replace(last, actor="")
    figures = figure(last) if figure and last else ()
    return Rail(last, figure=figures, hint=line((hint, Role.MUTED)), now_us=scene.store.now_us)
