"""Deployment → Service: from a name to a pod, hop by hop, and the same pods by a port of every node.

The lesson is that a name stands for the Service and not for its pods: it keeps its address while pods come and go,
also when there is none left; and that a port on the nodes leads to pods of other nodes, unless it is told not to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from kubealive_tui.experiments._api import Command, Drive, Effect, Experiment, Http, NotNow, Scene, Verdict
from kubealive_tui.experiments._blocks import load_line, load_view, lost_view, pod_table, rail
from kubealive_tui.experiments._commands import kill, load, scale
from kubealive_tui.experiments._stopwatches import is_kill, kill_stopwatch, unserved
from kubealive_tui.experiments.service._check import LIMITS, examine
from kubealive_tui.experiments.service._explained import (
    explain_call,
    explain_names,
    explain_next,
    explain_nodes,
    explain_run,
)
from kubealive_tui.experiments.service._hops import PATH, hop_in
from kubealive_tui.experiments.service._view import (
    BACKEND,
    EXPERIMENT,
    FRONTEND,
    app_of,
    backend_service,
    calls_since,
    frontend,
    hop_of,
    hop_table,
    node_port,
    node_table,
)
from kubealive_tui.model import (
    Act,
    Action,
    Align,
    Cell,
    Column,
    EndpointTransition,
    Line,
    Milestone,
    NodeSample,
    PodSample,
    Reading,
    Role,
    Run,
    RunFacts,
    Sample,
    Source,
    Stopwatch,
    TrafficPolicy,
    View,
    line,
)

__all__ = ["lab"]

PORT = 8080
# Rows from which a screen has room for the measured traffic as well.
TALL = 40

lab = Experiment(
    EXPERIMENT,
    order=6,
    title="Svc",
    long_title="Deployment → Service",
    lesson="A name stands for the Service: its address stays while its pods come and go.",
    traffic=Http(BACKEND, rate=50.0, path="/backend"),
    subject=BACKEND,
    limits=LIMITS,
    # 60 until ready, 20 for calls, 20 for nodes, 30 for Local, 45 and 60 for nothing and back, and air.
    check_within_s=270.0,
)


@lab.sample
def samples(scene: Scene) -> Sequence[Sample]:
    """Each frontend's own call by name, and every node's port, both once a second."""
    port = node_port(backend_service(scene.store))
    nodes = [Sample(lab.name, NodeSample(port, "/backend"))] if port else []
    return [Sample(lab.name, PodSample(PATH, app=FRONTEND, port=PORT)), *nodes]


# ---- what changes the cluster


def _policy(scene: Scene) -> Sequence[Effect]:
    service = backend_service(scene.store)
    if service is None:
        raise NotNow(f"there is no Service {BACKEND}: {scene.reset_command} makes it again")
    other = "Cluster" if service.external_traffic_policy == "Local" else "Local"
    return (Act(lab.name, service.uid, service.name, TrafficPolicy(other)),)


lab.use(
    *kill,
    Command(
        "m", "policy", "policy", "externalTrafficPolicy of the node port: Cluster or Local", _policy,
        needs="traffic_policy",
    ),
    *scale,
    *load,
)  # fmt: skip


# ---- stopwatches

UNANSWERED = "first call unanswered"


def emptied(run: RunFacts) -> Iterator[Milestone]:
    """From the scaling to zero to the first call by name that nobody answers."""
    left = [at for at, entry in run.of(EndpointTransition) if entry.removed]
    none = max(left, default=None)
    yield Milestone("endpoint entries gone", none, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=2)
    failed = run.first(Reading, _unanswered)
    yield Milestone(UNANSWERED, failed, Source.CLIENT, Role.BAD, Role.BAD, weight=3)


def _unanswered(reading: Reading) -> bool:
    hop = hop_in(reading.value) if reading.name == PATH and isinstance(reading.value, str) else None
    return hop is not None and not hop.ok


def _is_emptying(action: Action) -> bool:
    return action.verb == "scale" and action.target_name == BACKEND and action.parameters.get("replicas") == "0"


def _is_frontend_kill(action: Action) -> bool:
    return is_kill(action) and action.target_name.startswith(f"{FRONTEND}-")


lab.stopwatches += [
    replace(kill_stopwatch, matches=_is_frontend_kill, milestones=partial(unserved, speaks="calls again")),
    kill_stopwatch,
    Stopwatch(_is_emptying, lambda _: f"SCALE {BACKEND} TO 0", emptied, limit_s=45.0),
]


# ---- the tab


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """The pods, a call by name hop by hop, the port of every node, and the last run."""
    tall = scene.size.height >= TALL
    traffic: tuple[View, ...] = (load_view(scene), *lost_view(scene)) if tall else load_line(scene)
    return [
        pod_table(scene, extra=_EXTRA, cells=lambda uid: _extra_cells(scene, uid)),
        hop_table(scene, frontend(scene.store, scene.selected)),
        node_table(scene),
        *traffic,
        rail(
            scene,
            hint="x kills a backend, S takes one away: the name stays; m sets the nodes' policy",
            figure=_figure,
        ),
    ]


def _figure(run: Run) -> Line:
    """What an emptying comes to; a kill is measured as everywhere."""
    if run.verb != "scale":
        return ()
    took = run.seconds(UNANSWERED)
    return line(("no answer after ", Role.MUTED), "–" if took is None else f"{took:.2f} s")


_EXTRA = (Column("CALLS", 5, Align.RIGHT), Column("", 10, grows=True))


def _extra_cells(scene: Scene, uid: str) -> tuple[Cell, ...]:
    """How many of the last calls of all nodes' ports a backend answered, and whether it answered the name."""
    store, pod = scene.store, scene.store.pod(uid)
    if pod is None or app_of(pod) != BACKEND:
        return ((), line(("asks", Role.ACCENT)) if pod is not None else ())
    answers = store.answers(lab.name)
    recent = partial(answers.recent, since_us=calls_since(store))
    count = sum(call.pod_uid == uid for node in store.nodes() for call in recent(node.name))
    asking = frontend(store, scene.selected)
    hop = hop_of(store, asking) if asking else None
    answered = hop is not None and hop.ok and hop.pod == pod.name
    return (line(str(count)), line(("answered", Role.GOOD)) if answered else ())


@lab.check
async def check(drive: Drive) -> Verdict:
    """The name is as the API has it, calls reach the right pods both ways, and without pods nobody answers."""
    return Verdict.of(await examine(drive))


@lab.explain
def explain(scene: Scene) -> Sequence[Line]:
    """Paragraphs on the way from a name to a pod, what is wrong now, the nodes' ports, the run, what to try."""
    return [
        *explain_names(),
        *explain_call(scene),
        *explain_nodes(scene),
        *explain_run(scene),
        *explain_next(scene),
    ]
