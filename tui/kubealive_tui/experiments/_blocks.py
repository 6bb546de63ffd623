"""Views that several tabs are made of: the pods, the load, the last run.

They are drawn the same everywhere, so that a person who has read one tab has read them all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._commands import planned_size
from kubealive_tui.experiments._words import age, count, load_mode, load_size, milliseconds, pod_state, short
from kubealive_tui.model import (
    GLYPH,
    Align,
    Bins,
    Cell,
    Column,
    Ending,
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
from kubealive_tui.store import Store, TrafficLedger

__all__ = [
    "AGE",
    "IMAGE",
    "IP",
    "NODE",
    "POD",
    "READY",
    "STATE",
    "again_figure",
    "endpoint_words",
    "load_line",
    "load_view",
    "loaded_for",
    "lost_view",
    "pod_table",
    "rail",
]

# A minute holds a kill and its recovery with room on both sides; 60 columns make a second of each.
CHART_SPAN_US = 60_000_000

# A bin's width: sends that leave so late are counted where they were planned, and blur what is seen of a kill.
LATE_US = 100_000

# The columns that a table of pods can have, by their titles.
POD = Column("POD", 10)
NODE = Column("NODE", 7)
STATE = Column("STATE", 13)
READY = Column("READY", 5)
AGE = Column("AGE", 5, Align.RIGHT)
IP = Column("IP", 15, least=115)
IMAGE = Column("IMAGE", 12, least=135)
_BASE = (POD, NODE, STATE, READY, Column("ENDPOINT", 9), Column("RST", 3, Align.RIGHT), AGE, IP, IMAGE)


def pod_table(
    scene: Scene,
    *,
    extra: Sequence[Column],
    cells: Callable[[str], tuple[Cell, ...]],
    base: Sequence[Column] = _BASE,
    stay_us: int = CHART_SPAN_US,
) -> Table:
    """The experiment's pods, then those that were counted and went not longer than `stay_us` ago.

    `base` names the columns that are filled here, by their titles; `cells` fills the `extra` ones for a pod's UID.
    """
    store, name = scene.store, scene.name
    counted = store.traffic(name).pods
    oldest = store.now_us - stay_us
    gone = [uid for uid, left in store.departed(name).items() if uid in counted and left.at_us > oldest]
    columns = tuple(_wider(column, scene.size.width) for column in base)

    def row(uid: str) -> Row:
        pod = store.pod(uid)
        filled = _living(store, pod) if pod is not None else _departed(store, name, uid)
        return Row(uid, (*(filled[column.title] for column in columns), *cells(uid)), past=pod is None)

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
    return replace(column, width={"POD": 26, "STATE": 20, "NODE": 16}[column.title])


def _living(store: Store, pod: Pod) -> Mapping[str, Line]:
    ago = f" ({age(store.now_us - pod.last_restart_us)} ago)" if pod.restarts and pod.last_restart_us else ""
    restarts = line(str(pod.restarts)) if pod.restarts else line(("0", Role.MUTED))
    return {
        "POD": line(short(pod.name)),
        "NODE": line((pod.node or "–", Role.MUTED)),
        "STATE": pod_state(pod),
        "READY": line(("yes", Role.GOOD)) if pod.ready else line(("no", Role.WAITING)),
        "ENDPOINT": endpoint_words(store, pod.uid),
        "RST": restarts,
        "RESTARTS": line(restarts, (ago, Role.MUTED)),
        "AGE": line((age(store.now_us - pod.created_us), Role.MUTED)),
        "IP": line((pod.ip or "–", Role.MUTED)),
        "IMAGE": line((pod.image.rpartition("/")[2], Role.MUTED)),
    }


def _departed(store: Store, experiment: str, uid: str) -> Mapping[str, Line]:
    departed = store.departed(experiment)[uid]
    pod, unknown = departed.pod, line(("–", Role.DIM))
    return {
        "POD": line((short(pod.name), Role.DIM)),
        "NODE": line((pod.node, Role.DIM)),
        "STATE": line((f"{GLYPH[Role.BAD]} gone", Role.DIM)),
        "READY": unknown,
        "ENDPOINT": unknown,
        "RST": line((str(pod.restarts), Role.DIM)),
        "RESTARTS": line((str(pod.restarts), Role.DIM)),
        "AGE": line((age(departed.at_us - pod.created_us), Role.DIM)),
        "IP": line((pod.ip, Role.DIM)),
        "IMAGE": line((pod.image.rpartition("/")[2], Role.DIM)),
    }


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
        heading=Heading(_load_title(scene), _load_figures(scene)),
        lanes=(
            Lane("ok", ok, Role.GOOD, top, scale=f"{top:,.0f}/s" if tallest or running else ""),
            Lane("lost", failed, Role.BAD, top),
        ),
        span="−60 s",
    )


def load_line(scene: Scene) -> tuple[Sentence, ...]:
    """The load that runs, in one line where a screen has no room for its chart; no line while none does."""
    if not scene.store.load(scene.name):
        return ()
    length = loaded_for(scene)
    return (Sentence(line((f"load {length}  " if length else "", Role.MUTED), _load_figures(scene))),)


def loaded_for(scene: Scene) -> str:
    """For how long the load has run whose totals are shown, `45s`; empty where they are of one that has ended."""
    running, traffic = scene.store.load(scene.name), scene.store.traffic(scene.name)
    return age(scene.store.now_us - traffic.began_us) if running and traffic.load_id else ""


def _load_title(scene: Scene) -> Line:
    """The totals beside it are not those of the minute of the chart."""
    if not scene.store.traffic(scene.name).load_id:
        return line(("LOAD", Role.STRONG))
    length = loaded_for(scene)
    return line((f"LOAD {length}" if length else "LAST LOAD", Role.STRONG))


def lost_view(scene: Scene) -> tuple[Sentence, ...]:
    """What clients lost since the load began, and what the generator owes: a line each, if it is anything."""
    traffic = scene.store.traffic(scene.name)
    return tuple(Sentence(words) for words in (_lost_words(traffic), _owed_words(traffic)) if words)


def _lost_words(traffic: TrafficLedger) -> Line:
    """What clients lost, by kind."""
    if not traffic.failed:
        return ()
    kinds = sorted((o for o in traffic.outcomes if o.failed), key=lambda o: -traffic.outcomes[o])
    by_kind = ", ".join(f"{count(traffic.outcomes[o])} {o.value}" for o in kinds)
    return line(
        ("lost ", Role.MUTED),
        (count(traffic.failed), Role.BAD),
        (f" of {count(traffic.sent)} sent: ", Role.MUTED),
        by_kind,
    )


def _owed_words(traffic: TrafficLedger) -> Line:
    """What the generator itself did not keep to: no pod is to blame for it, and no client lost anything."""
    unsent, late_us = traffic.outcomes.get(Outcome.LOCAL, 0), traffic.lag_max_us
    said = [f"{count(unsent)} not sent"] if unsent else []
    said += [f"up to {late_us / 1e6:.2f} s late"] if late_us >= LATE_US else []
    return line(("the generator itself: ", Role.MUTED), (", ".join(said), Role.WAITING)) if said else ()


def _load_figures(scene: Scene) -> Line:
    traffic, running = scene.store.traffic(scene.name), scene.store.load(scene.name)
    if running:
        shown = line(("▶ ", Role.GOOD), (load_size(running), Role.GOOD), (f" {load_mode(running)}", Role.MUTED))
    else:
        shown = line((f"l starts {planned_size(scene)}", Role.MUTED))
    if not traffic.load_id:
        return shown
    wide = scene.size.width >= 100
    shares = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)) if wide else (("p50", 0.5), ("p99", 0.99))
    return line(
        shown,
        ("  ok ", Role.MUTED), count(traffic.ok),
        ("  failed ", Role.MUTED), (count(traffic.failed), Role.BAD if traffic.failed else Role.GOOD),
        (f" of {count(traffic.sent)}" if wide else "", Role.MUTED),
        *(line((f"  {word} ", Role.MUTED), milliseconds(traffic.latency.quantile(at))) for word, at in shares),
        (" ms", Role.MUTED),
        *(_late_figures(traffic) if wide else ()),
    )  # fmt: skip


def _late_figures(traffic: TrafficLedger) -> Iterator[Line]:
    """Requests that only just arrived, where there are any."""
    for word, requests in (("retransmitted", traffic.retransmitted), ("retried", traffic.retried)):
        if requests:
            yield line((f"  {word} ", Role.MUTED), (count(requests), Role.WAITING))


def again_figure(run: Run, milestone: str, *, done: str, missing: str) -> Line:
    """What a run without traffic has measured: after how long something was there again, or that it is not."""
    took = run.seconds(milestone)
    if took is not None:
        return line((f"{done} after ", Role.MUTED), f"{took:.1f} s")
    return line((f"{missing} yet" if run.ending is Ending.OPEN else missing, Role.MUTED))


def rail(scene: Scene, *, hint: str, figure: Callable[[Run], Line] | None = None) -> Rail:
    """The stopwatch of the last run, nameless where it is one's own; or the words that say what starts it.

    `figure` says what stands in the heading where a tab measures no traffic.
    """
    last = scene.store.runs(scene.name).last
    if last is not None and last.actor == scene.me:
        last = replace(last, actor="")
    figures = figure(last) if figure and last else ()
    return Rail(last, figure=figures, hint=line((hint, Role.MUTED)), now_us=scene.store.now_us)
