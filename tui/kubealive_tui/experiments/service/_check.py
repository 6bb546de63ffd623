"""What the check of the Service demands: records as the API has them, and the right pods behind every way."""

from collections.abc import Sequence

from kubealive_tui.experiments._api import Drive, Finding, Limit
from kubealive_tui.experiments._checks import READY, READY_WITHIN_S, serving
from kubealive_tui.experiments._dns import Word
from kubealive_tui.experiments.service._hops import Hop, judge_a, judge_srv, wrong_backend
from kubealive_tui.experiments.service._view import (
    BACKEND,
    EXPERIMENT,
    FRONTEND,
    app_of,
    backend_service,
    endpoints,
    frontend,
    hop_of,
    policy_since,
    told,
)
from kubealive_tui.model import Act, CallResult, Node, Outcome, Pod, Scale, Service, TrafficPolicy
from kubealive_tui.store import Store

__all__ = ["LIMITS", "examine"]

ASKED_WITHIN_S, LOCAL_WITHIN_S, EMPTY_WITHIN_S = 20.0, 30.0, 45.0
ENOUGH_CALLS, ENOUGH_LOCAL = 10, 3

NAMES = Limit("records of the backend's name", "SRV and A as the API has them")
CALLS = Limit(f"{ENOUGH_CALLS} calls by name", "all answered by ready backends")
NODES = Limit("the port of every ready node", "answered by a ready backend")
LOCAL = Limit("the same under Local, of other nodes than the agent's", "answered by their own backends alone")
EMPTY = Limit("calls without a backend", "none answered, the name as before")
BACK = Limit("a call with backends again", f"answered within {READY_WITHIN_S:.0f} s")
LIMITS = (READY, NAMES, CALLS, NODES, LOCAL, EMPTY, BACK)


async def examine(drive: Drive) -> list[Finding]:
    """All findings, in the order of the limits; the first alone where the pods do not become ready."""
    store = drive.store
    ready = await drive.until("the pods to be ready", lambda: _all_ready(store), within=READY_WITHIN_S)
    if not ready:
        return [READY.found("no", kept=False)]
    findings = [READY.found(str(len(ready)), kept=True), *await _by_name(drive), *await _by_node(drive)]
    return [*findings, *await _emptied(drive, len(serving(store, EXPERIMENT)))]


def _all_ready(store: Store) -> Sequence[Pod] | None:
    """Both programs' pods, once all are ready and the Service sends to all backends."""
    pods = store.pods_of(EXPERIMENT)
    wanted = [store.workload(EXPERIMENT, name) for name in (BACKEND, FRONTEND)]
    desired = sum(each.desired for each in wanted if each)
    backends = sum(app_of(pod) == BACKEND for pod in pods)
    whole = all(each and each.desired for each in wanted) and desired == len(pods)
    calm = all(pod.ready and not pod.deleting for pod in pods) and len(serving(store, EXPERIMENT)) == backends
    return pods if whole and calm else None


def _newest(store: Store) -> tuple[int, Hop] | None:
    """The first frontend's newest call and when it was told."""
    pod = frontend(store)
    latest, hop = (told(store, pod), hop_of(store, pod)) if pod else (None, None)
    return (latest.at_us, hop) if latest and hop else None


async def _by_name(drive: Drive) -> list[Finding]:
    """Ten calls of the frontend: what DNS said each time, and who answered."""
    store = drive.store
    began_us = store.now_us
    seen: dict[int, tuple[str, str]] = {}

    def enough() -> bool | None:
        newest = _newest(store)
        if newest is not None and newest[0] > began_us and newest[0] not in seen:
            hop = newest[1]
            seen[newest[0]] = (_off_name(store, hop), wrong_backend(hop, endpoints(store), store))
        return len(seen) >= ENOUGH_CALLS or None

    await drive.until(f"{ENOUGH_CALLS} calls by name", enough, within=ASKED_WITHIN_S)
    names = [name for name, _ in seen.values() if name]
    calls = [wrong for _, wrong in seen.values() if wrong]
    good = f"{len(seen) - len(calls)} of {len(seen)}"
    return [
        NAMES.found(names[0] if names else "both" if seen else "never asked", kept=bool(seen) and not names),
        CALLS.found(f"{good}; {calls[0]}" if calls else good, kept=len(seen) >= ENOUGH_CALLS and not calls),
    ]


def _off_name(store: Store, hop: Hop) -> str:
    """How an answer about the name is not what the API has, or nothing."""
    srv, a = judge_srv(store, hop), judge_a(store, hop)
    if srv.word is not Word.AGREES or not hop.srv.records:
        return f"SRV {srv.word.value}, {hop.srv.rcode or hop.error}"
    if a is None or hop.a is None:
        return "A not asked"
    return "" if a.word is Word.AGREES else f"A {a.word.value}, {hop.a.rcode}"


async def _by_node(drive: Drive) -> list[Finding]:
    """Look at the nodes' ports under either policy, and set it back to what it was."""
    service = backend_service(drive.store)
    if service is None:
        return [NODES.found("no Service", kept=False)]
    before = service.external_traffic_policy or "Cluster"
    try:
        if before != "Cluster":
            await _set_policy(drive, service, "Cluster")
        nodes = await _nodes(drive)
        await _set_policy(drive, service, "Local")
        return [nodes, *await _local(drive)]
    finally:
        await _set_policy(drive, service, before)


async def _set_policy(drive: Drive, service: Service, policy: str) -> None:
    await drive.ask(Act(EXPERIMENT, service.uid, service.name, TrafficPolicy(policy)))


async def _nodes(drive: Drive) -> Finding:
    """Every ready node's port, once each has been answered by a ready backend."""
    store = drive.store
    began_us = store.now_us

    def look() -> list[str]:
        ready = [node for node in store.nodes() if node.state == "Ready"]
        return [_not_answered(store, node, since_us=began_us) for node in ready]

    def answered() -> bool | None:
        return not any(look()) or None

    await drive.until("every node's port to answer", answered, within=ASKED_WITHIN_S)
    found = look()
    wrong = [words for words in found if words]
    good = f"{len(found) - len(wrong)} of {len(found)}"
    return NODES.found(f"{good}; {wrong[0]}" if wrong else good, kept=bool(found) and not wrong)


def _not_answered(store: Store, node: Node, *, since_us: int) -> str:
    """How the newest call of a node's port since then was not answered by a ready backend, or nothing."""
    latest = store.answers(EXPERIMENT).call(node.name)
    if latest is None or latest.at_us < since_us:
        return f"{node.name} not asked"
    call = latest.body
    if call.outcome is not Outcome.OK:
        return f"{node.name}: {call.error or call.outcome.value}"
    endpoint = store.endpoint(call.pod_uid)
    return "" if endpoint is not None and endpoint.ready else f"{node.name}: {call.pod_name or 'nobody'} answered"


async def _local(drive: Drive) -> list[Finding]:
    """Nodes that have backends, once they answer with those alone; nothing where no other node has one."""
    store = drive.store
    found = await drive.until("nodes to keep to their own", lambda: _own_only(store), within=LOCAL_WITHIN_S)
    if found is None:
        return [LOCAL.found(f"not within {LOCAL_WITHIN_S:.0f} s", kept=False)]
    return [LOCAL.found(", ".join(found), kept=True)] if found else []


def _own_only(store: Store) -> list[str] | None:
    """Nodes but the agent's that have a backend, once the last calls of each stayed on it."""
    since, own = policy_since(store), store.info.node_name if store.info else ""
    having = {each.node for each in endpoints(store) if each.ready} - {own}
    stayed = all(_stayed(store.answers(EXPERIMENT).recent(name, since_us=since), name) for name in having)
    return sorted(having) if stayed else None


def _stayed(calls: Sequence[CallResult], name: str) -> bool:
    newest = calls[-ENOUGH_LOCAL:]
    return len(newest) == ENOUGH_LOCAL and all(call.node == name for call in newest)


async def _emptied(drive: Drive, replicas: int) -> list[Finding]:
    """Take all backends away and bring them back: what a client of the name meets meanwhile."""
    store, backend = drive.store, drive.store.workload(EXPERIMENT, BACKEND)
    if backend is None:
        return [EMPTY.found("no Deployment", kept=False)]
    try:
        await drive.ask(Act(EXPERIMENT, backend.uid, backend.name, Scale(0)))
        hop = await drive.until("nobody to answer", lambda: _empty(store), within=EMPTY_WITHIN_S)
        kept = hop is not None and not _off_name(store, hop)
    finally:
        await drive.ask(Act(EXPERIMENT, backend.uid, backend.name, Scale(replicas)))
    began = store.now_us

    def back() -> int | None:
        newest = _newest(store)
        return newest[0] if newest and newest[0] > began and newest[1].ok else None

    at_us = await drive.until("a backend to answer again", back, within=READY_WITHIN_S)
    await drive.until("all backends", lambda: _all_ready(store), within=READY_WITHIN_S)
    took = "never" if at_us is None else f"after {(at_us - began) / 1e6:.1f} s"
    return [
        EMPTY.found(wrong_backend(hop, (), store) if hop else "still answered", kept=kept),
        BACK.found(took, kept=at_us is not None),
    ]


def _empty(store: Store) -> Hop | None:
    """The newest call, once there is no endpoint any more and nobody answered it."""
    newest = _newest(store)
    return newest[1] if newest and not endpoints(store) and not newest[1].ok else None
