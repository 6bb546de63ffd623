"""Tab 0: cluster, agent, who is here, and one line an experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kubealive_tui.experiments import (
    Experiment,
    Verdict,
    VerdictWord,
    age,
    load_size,
    node_state,
    pod_state,
    short,
)
from kubealive_tui.model import (
    AccessState,
    Align,
    Bar,
    Cell,
    Column,
    Ending,
    Heading,
    Kind,
    Line,
    Node,
    Pod,
    Role,
    Row,
    Run,
    Sentence,
    Size,
    Table,
    View,
    Viewer,
    line,
)
from kubealive_tui.store import CLUSTER, Store
from kubealive_tui.ui._frame import Around
from kubealive_tui.ui._pane import screen
from kubealive_tui.ui._state import TabState
from kubealive_tui.ui._welcome import LESSON, is_first_minute, what_it_is, where_to_begin
from kubealive_tui.ui.draw import ScreenModel

__all__ = ["Verdicts", "last_run", "overview"]

Verdicts = Mapping[str, Verdict | None]
"""Verdicts of this session by experiment; None while a check runs."""

# A node runs at most some hundred pods by default; a row of the widest terminal shows no more than this.
MOST_GLYPHS = 60
# Rows beside those of nodes and experiments: header, tabs, keys, the first minute's four lines, the headings and
# heads of both tables, agent and timeline with two rows each.
OTHER_ROWS = 15
_UNKNOWN = line(("–", Role.DIM))


def overview(
    store: Store,
    experiments: Sequence[Experiment],
    state: TabState,
    around: Around,
    *,
    verdicts: Verdicts,
    size: Size,
) -> ScreenModel:
    """The overview as it stands now; moves the state's pointer to a row that exists."""
    table = _experiments(store, experiments, verdicts)
    if not is_first_minute(store, experiments):
        views: list[View] = [_cluster(store, size), *_agent(store, around), table]
        return screen(store, CLUSTER, LESSON, views, state, around, size)
    namespace = store.info.namespace if store.info else ""
    installed = [experiment for experiment in experiments if store.installed(experiment.name)]
    lesson, *rest = (
        *what_it_is(experiments),
        *where_to_begin(
            installed or experiments,
            namespace=namespace or "its namespace",
            read_only=around.header.read_only,
            replay=around.header.replay is not None,
        ),
    )
    roomy = size.height >= len(store.nodes()) + len(experiments) + OTHER_ROWS
    known = [_cluster(store, size), *_agent(store, around)] if roomy else [_nodes(store)]
    return screen(store, CLUSTER, lesson, [*map(Sentence, rest), *known, table], state, around, size)


# ---- cluster


def _nodes(store: Store) -> Table:
    """The nodes alone: what a small screen has room for beside all experiments in the first minute."""
    whole = _cluster(store, Size(0, 0))
    first = (Column("", 7), Column("", 11), Column("", 20, grows=True))
    return replace(whole, columns=first, row=lambda key: _first_cells(whole.row(key)))


def _first_cells(row: Row) -> Row:
    return replace(row, cells=row.cells[:3])


def _cluster(store: Store, size: Size) -> Table:
    nodes = {node.name: node for node in store.nodes()}
    pods: dict[str, list[Pod]] = {}
    for pod in sorted(store.all_pods(), key=lambda pod: (pod.experiment, pod.created_us, pod.name)):
        pods.setdefault(pod.node, []).append(pod)
    name = max([6, *(min(len(node), 24) for node in nodes)]) if size.width >= 100 else 7
    return Table(
        columns=(
            Column("NODE", name),
            Column("STATE", 11),
            Column("PODS", 20, grows=True),
            Column("CORES", 6, Align.RIGHT),
            Column("", 4),
            Column("MEMORY", 9, Align.RIGHT),
            Column("KUBELET", 10, least=100),
        ),
        keys=tuple(nodes),
        row=lambda key: _node(store, nodes[key], pods.get(key, [])),
        heading=Heading(line(("CLUSTER", Role.STRONG)), _cluster_figures(store)),
        selectable=False,
        most=8,
        empty=line(("no node is known", Role.WAITING)),
    )


def _cluster_figures(store: Store) -> Line:
    if store.info is None:
        return ()
    kinds = store.status.kinds if store.status and store.status.kinds else store.info.kinds
    denied = [access.kind.word for access in kinds if access.state is AccessState.FORBIDDEN]
    rights = line(("all", Role.GOOD)) if not denied else line((f"all but {', '.join(denied)}", Role.WAITING))
    version = line(("Kubernetes ", Role.MUTED), store.info.kubernetes_version, ("  ", Role.MUTED))
    return line(version if store.info.kubernetes_version else (), ("rights: ", Role.MUTED), rights)


def _node(store: Store, node: Node, pods: Sequence[Pod]) -> Row:
    up = node.state == "Ready"
    usage = store.usage(node.name, Kind.NODE_USAGE) if up else None
    cpu: Cell = _UNKNOWN
    share: Cell = ()
    memory: Cell = _UNKNOWN
    if usage is not None:
        cpu = line(f"{usage.cpu_millis / 1000:.2f}")
        share = Bar(usage.cpu_millis / node.cpu_capacity_millis) if node.cpu_capacity_millis else ()
        memory = line(f"{usage.memory_bytes / 2**30:.1f} GiB")
    version = line((node.kubelet_version, Role.MUTED))
    return Row(
        node.name, (line(node.name), node_state(node), _glyphs(store, node, pods), cpu, share, memory, version)
    )


def _glyphs(store: Store, node: Node, pods: Sequence[Pod]) -> Line:
    """A glyph a pod; of a node that is silent they are what was known last."""
    up = node.state == "Ready"
    shown: list[Line] = []
    for pod in pods[:MOST_GLYPHS]:
        state = pod_state(pod)[0]
        shown.append(line((state.text[:1], state.role if up else Role.DIM)))
    if len(pods) > MOST_GLYPHS:
        shown.append(line((f" and {len(pods) - MOST_GLYPHS}", Role.MUTED)))
    ready = node.condition("Ready")
    if not up and ready is not None and ready.changed_us:
        how = "no word" if node.state == "Unknown" else "not ready"
        shown.append(line((f"  {how} for {age(store.now_us - ready.changed_us)}", Role.MUTED)))
    return line(*shown)


# ---- agent


def _agent(store: Store, around: Around) -> list[Sentence]:
    return [Sentence(_here(store, around), Heading(line(("AGENT", Role.STRONG)), _agent_figures(store, around)))]


def _agent_figures(store: Store, around: Around) -> Line:
    info, status = store.info, store.status
    if info is None:
        return line(("not seen yet", Role.WAITING))
    where = line(info.version, (" on ", Role.MUTED), info.node_name) if info.node_name else line(info.version)
    parts = [where]
    if status is not None and status.started_us:
        parts.append(line((", up ", Role.MUTED), age(store.now_us - status.started_us)))
    if status is not None and status.rss_bytes:
        parts.append(line((", ", Role.MUTED), f"{status.rss_bytes / 1e6:.0f} MB"))
    if around.header.round_trip_ms is not None:
        parts.append(line(("   link ", Role.MUTED), f"{around.header.round_trip_ms:.0f} ms"))
    return line(*parts)


def _here(store: Store, around: Around) -> Line:
    viewers = store.status.viewers if store.status else ()
    if not viewers:
        return line(("here now: ", Role.MUTED), ("nobody known", Role.DIM))
    if around.session_id:
        mine = next((viewer for viewer in viewers if viewer.session_id == around.session_id), None)
    else:
        mine = next((viewer for viewer in viewers if viewer.actor == around.me), None)
    ordered = [*([mine] if mine else []), *(viewer for viewer in viewers if viewer is not mine)]
    return line(("here now: ", Role.MUTED), *(_viewer(store, viewer, mine) for viewer in ordered))


def _viewer(store: Store, viewer: Viewer, mine: Viewer | None) -> Line:
    notes = [age(store.now_us - viewer.since_us)]
    if viewer.read_only:
        notes.append("read-only")
    if viewer.leaving_us is not None:
        notes.append("leaving")
    return line("you" if viewer is mine else viewer.actor, (f" ({', '.join(notes)})  ", Role.MUTED))


# ---- experiments


def _experiments(store: Store, experiments: Sequence[Experiment], verdicts: Verdicts) -> Table:
    labs = {experiment.name: experiment for experiment in experiments}
    return Table(
        columns=(
            Column("", 2, Align.RIGHT),
            Column("", 22),
            Column("READY", 5, Align.RIGHT),
            Column("VERDICT", 9),
            Column("LAST RUN", 26, grows=True),
            Column("LOAD", 8),
        ),
        keys=tuple(labs),
        row=lambda key: _experiment(store, labs[key], verdicts),
        heading=Heading(line(("EXPERIMENTS", Role.STRONG)), line(("verdict of this session's check", Role.DIM))),
    )


def _experiment(store: Store, lab: Experiment, verdicts: Verdicts) -> Row:
    installed = store.installed(lab.name)
    ready, desired = _ready(store, lab.name)
    counts = (
        line((f"{ready}/{desired}", Role.MUTED if ready == desired else Role.WAITING)) if installed else _UNKNOWN
    )
    running = store.load(lab.name)
    return Row(
        lab.name,
        (
            line((str(lab.order), Role.ACCENT)),
            line(lab.long_title),
            counts,
            _verdict(lab.name, verdicts),
            last_run(store.runs(lab.name).last) if installed else line(("not installed", Role.DIM)),
            line((load_size(running), Role.GOOD)) if running else (),
        ),
    )


def _ready(store: Store, experiment: str) -> tuple[int, int]:
    found = [w for w in store.workloads(experiment) if w.kind is not Kind.REPLICA_SET]
    return sum(w.ready for w in found), sum(w.desired for w in found)


_VERDICTS = {
    VerdictWord.PASSED: line(("● passed", Role.GOOD)),
    VerdictWord.FAILED: line(("✕ failed", Role.BAD)),
    VerdictWord.SKIPPED: line(("– skipped", Role.MUTED)),
}


def _verdict(name: str, verdicts: Verdicts) -> Line:
    if name not in verdicts:
        return line(("– not run", Role.DIM))
    verdict = verdicts[name]
    return line(("○ running", Role.WAITING)) if verdict is None else _VERDICTS[verdict.word]


def last_run(run: Run | None) -> Line:
    """What the newest run was and how it ended, in a phrase; nothing where there was none."""
    if run is None:
        return ()
    # Titles shout in a heading; in a sentence they speak, and which pod it was is said on the tab.
    what = run.title.removesuffix(short(run.target_name)).rstrip().removesuffix(" ON") or run.title
    parts = [line((what.lower(), Role.TEXT), (": ", Role.MUTED))]
    if run.measured:
        parts.append(line((f"{run.failed} lost", Role.BAD if run.failed else Role.GOOD), (", ", Role.MUTED)))
    if run.ending is Ending.OPEN:
        return line(*parts, ("running", Role.WAITING))
    if run.ended_us is None or run.ending is not Ending.COMPLETE:
        return line(*parts, (run.ending.value, Role.WAITING))
    return line(*parts, ("after ", Role.MUTED), f"{(run.ended_us - run.began_us) / 1e6:.2f} s")
