"""The two ways to a backend as the tab shows them: by name from a pod, and by a port of every node."""

from collections import Counter
from collections.abc import Sequence

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._names import is_asked, is_now, verdict_words
from kubealive_tui.experiments._words import age, milliseconds, short
from kubealive_tui.experiments.service._hops import PATH, Hop, Lookup, hop_in, judge_a, judge_srv, wrong_backend
from kubealive_tui.model import (
    Action,
    Align,
    CallResult,
    Cell,
    Column,
    Endpoint,
    Heading,
    Line,
    Node,
    Outcome,
    Pod,
    Reading,
    Role,
    Row,
    Service,
    Table,
    line,
)
from kubealive_tui.store import Latest, Store

__all__ = [
    "BACKEND",
    "EXPERIMENT",
    "FRONTEND",
    "app_of",
    "backend_service",
    "calls_since",
    "endpoints",
    "frontend",
    "hop_of",
    "hop_table",
    "node_port",
    "node_table",
    "policy_since",
    "told",
    "untold",
]

EXPERIMENT = "service"
FRONTEND, BACKEND = "frontend", "backend"
# kube-proxy follows a changed Service within 1.1 s (measured); calls before that are of the policy before.
SETTLES_US = 2_000_000
# Cells from which a row has room for more than the names of three nodes.
WIDE = 90
# Twenty calls are remembered of each node, one a second: what is older is of an earlier look at the tab.
LOOK_US = 30_000_000


# ---- what there is


def app_of(pod: Pod) -> str:
    """Which of the two programs a pod is."""
    return pod.labels.get("app.kubernetes.io/name", "")


def backend_service(store: Store) -> Service | None:
    """The Service that the name stands for."""
    return next((each for each in store.services(EXPERIMENT) if each.name == BACKEND), None)


def node_port(service: Service | None) -> int:
    """The port that the Service has opened on every node; 0 where there is none."""
    return next((port.node_port for port in service.ports), 0) if service else 0


def endpoints(store: Store) -> Sequence[Endpoint]:
    """The Service's entries, as far as their pods are known."""
    found = (store.endpoint(uid) for uid in store.pods(EXPERIMENT))
    return [endpoint for endpoint in found if endpoint is not None]


def frontend(store: Store, selected: str | None = None) -> Pod | None:
    """The frontend whose calls are shown: the selected one, else the first."""
    pods = store.pods_of(EXPERIMENT)
    fronts = [pod for pod in pods if app_of(pod) == FRONTEND and not pod.deleting]
    return next((pod for pod in fronts if pod.uid == selected), next(iter(fronts), None))


def told(store: Store, pod: Pod) -> Latest[Reading] | None:
    """The pod's newest page of its calls."""
    return store.answers(EXPERIMENT).reading(pod.uid, PATH)


def hop_of(store: Store, pod: Pod) -> Hop | None:
    """The pod's newest call; None before there is one, where it gave no page, and where that is not of now."""
    latest = told(store, pod)
    if latest is None or not is_now(latest, store.now_us) or not isinstance(latest.body.value, str):
        return None
    return hop_in(latest.body.value)


def untold(store: Store, pod: Pod) -> str:
    """Why there is no newest call of this pod's to show."""
    latest = told(store, pod)
    if latest is None:
        return "not asked yet: a call a second, once it runs"
    if latest.body.error and is_asked(latest, store.now_us):
        return latest.body.error
    if not is_now(latest, store.now_us):
        return f"last asked {age(store.now_us - latest.at_us)} ago"
    return "no page of calls"


def policy_since(store: Store) -> int:
    """From when on the nodes follow the traffic policy, as far as the timeline tells of a change; 0 without."""
    for fact in reversed(store.ledger(EXPERIMENT).timeline):
        if isinstance(fact.body, Action) and fact.body.verb == "traffic_policy":
            return fact.time_us + SETTLES_US
    return 0


def calls_since(store: Store) -> int:
    """From when on calls of the nodes' ports are of this look at the tab, and of the policy that is set."""
    return max(policy_since(store), store.now_us - LOOK_US)


# ---- by name


def hop_table(scene: Scene, pod: Pod | None) -> Table:
    """The pod's newest call, a row a hop: both lookups, the Service's address, and the pod behind it."""
    hop = hop_of(scene.store, pod) if pod else None
    rows = _hop_rows(scene, hop) if hop else {}
    return Table(
        columns=(
            Column("", 9),
            Column("", 30, grows=True),
            Column("", 7, Align.RIGHT),
            Column("", 8, Align.RIGHT),
            Column("", 18),
        ),
        keys=tuple(rows),
        row=lambda key: Row(key, rows[key]),
        heading=Heading(_hop_title(pod), line(("SERVICE_NAME ", Role.MUTED), hop.service) if hop else ()),
        selectable=False,
        empty=_no_hop(scene, pod),
    )


def _hop_title(pod: Pod | None) -> Line:
    return line(
        ("BY NAME", Role.STRONG), (f" from {short(pod.name)} on {pod.node or '–'}" if pod else "", Role.MUTED)
    )


def _no_hop(scene: Scene, pod: Pod | None) -> Line:
    if pod is None:
        return line(("no frontend", Role.WAITING), (f": {scene.reset_command} makes it again", Role.MUTED))
    return line((untold(scene.store, pod), Role.WAITING if told(scene.store, pod) else Role.MUTED))


def _hop_rows(scene: Scene, hop: Hop) -> dict[str, tuple[Cell, ...]]:
    store = scene.store
    if not hop.srv.rcode:
        return {"srv": (line(("DNS", Role.MUTED)), line((hop.error, Role.BAD)), (), (), ())}
    rows = {
        "srv": _lookup_row("SRV", hop.srv, _srv_words(hop.srv), verdict_words(judge_srv(store, hop), store.now_us))
    }
    found = judge_a(store, hop)
    if hop.a is None or found is None:
        return rows
    rows["a"] = _lookup_row("A", hop.a, _address_words(scene, hop), verdict_words(found, store.now_us))
    wrong = wrong_backend(hop, endpoints(store), store)
    if hop.ok:
        who = line(short(hop.pod) or "–", (" on ", Role.MUTED), hop.node or "–", (f"  {hop.status}", Role.GOOD))
    else:
        who = line((wrong, Role.BAD))
    verdict = line((f"✕ {wrong if hop.ok else 'no answer'}", Role.BAD) if wrong else ("● answered", Role.GOOD))
    rows["backend"] = (line(("backend", Role.MUTED)), who, (), _ms(hop.ms), verdict)
    return rows


def _address_words(scene: Scene, hop: Hop) -> Line:
    if hop.a is None or not hop.a.records:
        return ()
    ready = sum(1 for each in endpoints(scene.store) if each.ready)
    of = (f"{ready} ready", Role.TEXT if ready else Role.WAITING)
    what = ", " if scene.size.width < WIDE else ", ClusterIP, "
    return line(", ".join(map(str, hop.a.records)), (what, Role.MUTED), of)


def _lookup_row(label: str, lookup: Lookup, answer: Line, verdict: Line) -> tuple[Cell, ...]:
    ttl = line(("TTL ", Role.MUTED), str(lookup.ttl)) if lookup.ttl is not None else line(("–", Role.MUTED))
    said = answer or line((lookup.rcode or "–", Role.BAD))
    return (line((label, Role.MUTED)), said, ttl, _ms(lookup.ms), verdict)


def _srv_words(lookup: Lookup) -> Line:
    """Port and target of each record, as the record itself has them."""
    return line(", ".join(f"{port} {target}" for _, _, port, target in lookup.records))


def _ms(value: float | None) -> Line:
    return line(("–", Role.MUTED)) if value is None else line(milliseconds(value * 1000), (" ms", Role.MUTED))


# ---- by a port of the nodes


def node_table(scene: Scene) -> Table:
    """Each node's port: who answered the newest call, from which node, and how the last calls spread."""
    store, service = scene.store, backend_service(scene.store)
    nodes = {node.name: node for node in store.nodes()}
    port = node_port(service)
    policy = service.external_traffic_policy if service else ""
    since = calls_since(store)
    return Table(
        columns=(
            Column("", 7 if scene.size.width < 150 else 16),
            Column("", 21),
            Column("", 7, Align.RIGHT),
            Column("", 30, grows=True),
        ),
        keys=tuple(nodes) if port else (),
        row=lambda key: Row(key, _node_cells(scene, nodes[key], policy, since)),
        heading=Heading(
            line(
                ("NODE PORT", Role.STRONG), (f" {port} of every node, from the agent" if port else "", Role.MUTED)
            ),
            line(("externalTrafficPolicy ", Role.MUTED), policy or "–"),
        ),
        selectable=False,
        empty=line(("no port on the nodes", Role.WAITING), (": the Service is no NodePort", Role.MUTED)),
    )


def _node_cells(scene: Scene, node: Node, policy: str, since: int) -> tuple[Cell, ...]:
    answers = scene.store.answers(EXPERIMENT)
    latest, recent = answers.call(node.name), answers.recent(node.name, since_us=since)
    now_us = scene.store.now_us
    name = line(node.name) if node.state == "Ready" else line((node.name, Role.BAD))
    if latest is None:
        return (name, line(("not asked yet", Role.MUTED)), (), ())
    if not is_now(latest, now_us):
        return (name, line((f"last asked {age(now_us - latest.at_us)} ago", Role.MUTED)), (), ())
    call = latest.body
    if call.outcome is Outcome.OK:
        who = line(short(call.pod_name) or "–", (" on ", Role.MUTED), call.node or "–")
    else:
        who = line((call.error or call.outcome.value, Role.BAD))
    notready = line(("NotReady  ", Role.BAD)) if node.state != "Ready" else ()
    took = _ms(call.took_us / 1000) if call.outcome is Outcome.OK else line(("–", Role.MUTED))
    return (name, who, took, line(notready, spread(recent, of=_aside(scene, node, policy))))


def spread(calls: Sequence[CallResult], *, of: str = "last") -> Line:
    """How the last calls of one node's port spread over nodes: `last 20: node-1 ×7 node-2 ×13`."""
    if not calls:
        return ()
    counts = Counter(call.node or "–" for call in calls if call.outcome is Outcome.OK)
    failed = sum(call.outcome.failed for call in calls)
    words: list[Line] = [line((f"{of} {len(calls)}:", Role.MUTED))]
    if failed:
        words.append(line((f" failed ×{failed}", Role.BAD)))
    words += [line(f" {name} ", (f"×{count}", Role.MUTED)) for name, count in sorted(counts.items())]
    return line(*words)


def _aside(scene: Scene, node: Node, policy: str) -> str:
    """What a node does otherwise under Local: the agent's own, and those that have no backend."""
    if policy == "Local" and scene.store.info and node.name == scene.store.info.node_name:
        return "own" if scene.size.width < WIDE else "agent's own,"
    here = any(each.ready and each.node == node.name for each in endpoints(scene.store))
    return "last" if policy != "Local" or here else "no backend,"
