"""Why the Service's tab looks as it does, in plain words for the state that is on screen."""

from collections.abc import Iterator

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._dns import Judgement, Word
from kubealive_tui.experiments._explanations import NOW, TRY, ended_words, lost_words
from kubealive_tui.experiments._names import silence_words
from kubealive_tui.experiments._words import short
from kubealive_tui.experiments.service._hops import Lookup, judge_a, judge_srv, wrong_backend
from kubealive_tui.experiments.service._view import (
    BACKEND,
    EXPERIMENT,
    FRONTEND,
    backend_service,
    endpoints,
    frontend,
    hop_of,
    untold,
)
from kubealive_tui.model import Line, Role, line

__all__ = ["explain_call", "explain_names", "explain_next", "explain_nodes", "explain_run"]


def explain_names() -> Iterator[Line]:
    """What the name stands for, and who chooses the pod."""
    yield line(
        "The frontend knows one word, SERVICE_NAME. It asks DNS for the SRV record of the named port, which "
        "gives port and host, then for that host's A record. Both are the Service's: a ClusterIP that no machine "
        "has. On the node of whoever calls, kube-proxy puts a ready pod's address in its place, anew for each "
        "connection."
    )
    yield line("An unnamed port has no SRV record. The TTL counts down while the answer comes from DNS's cache.")


def explain_call(scene: Scene) -> Iterator[Line]:
    """What is wrong with the newest call, if anything is."""
    store, pod = scene.store, frontend(scene.store, scene.selected)
    service, hop = backend_service(store), hop_of(store, pod) if pod else None
    if pod is None or service is None:
        yield line(NOW, f"the frontend or the Service is missing: {scene.reset_command} makes it again.")
        return
    if hop is None:
        yield line((f"{short(pod.name)}: ", Role.STRONG), f"tells of no call: {untold(store, pod)}.")
        return
    for found, lookup in ((judge_srv(store, hop), hop.srv), (judge_a(store, hop), hop.a)):
        if found is not None and lookup is not None:
            yield from _explain_dns(found, lookup)
    if not any(each.ready for each in endpoints(store)):
        yield line(
            NOW,
            f"{BACKEND} has no ready pod, and its name is answered as before: DNS knows the Service, not its "
            "pods. kube-proxy refuses connections to it, and the kernel sends only so many refusals a second: the "
            "others see a timeout. A client cannot tell this from a broken network by the kind of its error.",
        )
    elif wrong := wrong_backend(hop, endpoints(store), store):
        yield line(NOW, f"the newest call ended badly: {wrong}. A pod that leaves is still sent to for a moment.")


def _explain_dns(found: Judgement, lookup: Lookup) -> Iterator[Line]:
    """Why an answer is not what the objects say, if it is not."""
    if found.word is Word.AGREES:
        if not lookup.records:
            due = f"has no such record, and none is due (DNS specification, {found.expected.section})."
            yield line((f"{lookup.name} ", Role.STRONG), due)
        return
    if found.word is Word.SILENT:
        yield line((f"{lookup.name}: ", Role.STRONG), f"{silence_words(lookup.rcode)}.")
        return
    words = _RCODES.get(lookup.rcode if lookup.rcode != "NOERROR" or lookup.records else "NODATA")
    wanted = f"the API has {', '.join(found.expected.words)} (section {found.expected.section})"
    said = words or f"is answered with what is {found.word.value}: {wanted}."
    yield line((f"{lookup.name} ", Role.STRONG), said)


_RCODES = {
    "NXDOMAIN": "does not exist: it is spelt wrong, or its Service is gone. Resolvers remember that for the "
    "zone's negative TTL, also when the Service is made meanwhile.",
    "NODATA": "exists and has no such record: a port without a name has no SRV record.",
}


def explain_nodes(scene: Scene) -> Iterator[Line]:
    """What the port of the nodes leads to under the policy that is set."""
    service = backend_service(scene.store)
    if service is None:
        return
    away = [node.name for node in scene.store.nodes() if node.state != "Ready"]
    if away:
        yield line(
            NOW,
            f"{', '.join(away)} {'is' if len(away) == 1 else 'are'} not ready: the node's own port needs it, so "
            "nobody may answer there. Pods that ran there leave the Service, and all other ports go on.",
        )
    if service.external_traffic_policy != "Local":
        yield line(
            "Every node listens on the node port, also one without a backend. Under Cluster it sends to any ready "
            "pod, on other nodes too: one hop more, and the pod sees the node's address as its client's."
        )
        return
    yield line(
        "Under Local a node sends what comes from outside to its own pods alone, and drops it where it has none; "
        "load balancers stop sending to such a node by its health check."
    )
    own = scene.store.info.node_name if scene.store.info else ""
    yield line(
        f"The agent asks from a pod on {own or 'its node'}. To its own node's address it counts as inside, and is "
        "sent to any pod; other nodes answer with their own. What a pod sees here depends on its node and on the "
        "network plugin, which may let none of it through: from outside of the cluster only the second is met."
    )


def explain_run(scene: Scene) -> Iterator[Line]:
    """What happened after the last key."""
    run = scene.store.runs(EXPERIMENT).last
    if run is None:
        return
    yield ended_words(run)
    if run.verb == "delete_pod" and run.target_name.startswith(f"{FRONTEND}-"):
        yield line(
            "No Service leads to the frontend, so no EndpointSlice changed and no backend heard of it: only who "
            "asked that pod had to wait. Its successor was told the same SERVICE_NAME, and found the same address."
        )
    elif run.verb == "delete_pod":
        yield line(
            "The name and its address stayed the same all the time: only the EndpointSlice changed, and with it "
            "the rules of every node. That is why clients need not ask DNS again."
        )
        if run.measured and run.failed:
            yield line(f"{lost_words(run)}, sent to the pod before every node had heard.")


def explain_next(scene: Scene) -> Iterator[Line]:
    """What to try in this state."""
    if endpoints(scene.store):
        words = "S until no backend is left, and look at what stays; then m, and the nodes."
    else:
        words = "s, and see the same name and address lead to another pod."
    yield line(TRY, words)
