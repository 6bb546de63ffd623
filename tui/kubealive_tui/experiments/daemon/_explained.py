"""Why the tab of the DaemonSet looks as it does: one pod a node, the port that leads to it, and late records."""

from collections.abc import Iterator, Sequence

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._explanations import TRY, ended_words
from kubealive_tui.experiments._names import is_now, lifetime, silence_words
from kubealive_tui.experiments.daemon._spots import (
    NAME,
    SET,
    Spot,
    daemon_set,
    foreign,
    node_port,
    other_port_command,
    refusal,
    silence,
    spots,
)
from kubealive_tui.experiments.daemon._view import ANSWERS_AGAIN, IN_DNS
from kubealive_tui.model import Ending, Line, Node, Outcome, Role, line
from kubealive_tui.store import Store

__all__ = ["explanation"]


def explanation(scene: Scene) -> Sequence[Line]:
    """Paragraphs: what a DaemonSet is, what is amiss now, the last run, what to try."""
    store = scene.store
    return [
        *_one_a_node(store),
        *_missing(scene),
        *(words for place in spots(store) for words in _amiss(store, place)),
        *_records(store),
        *_run(scene),
        line(TRY, "x on a pod: the node's port answers before DNS has let the old address go."),
    ]


def _one_a_node(store: Store) -> Iterator[Line]:
    port = node_port(store) or "PORT"
    yield line(
        "The DaemonSet controller keeps one pod on each node that will have it, and makes another where one goes. "
        "It asks nobody how many: nodes that come get one, nodes that go take theirs along."
    )
    yield line(
        f"hostPort {port}: the network plugin leads that port of the node to the pod on it, and to no other. "
        "With a Service any node leads to any pod; here the node that is asked is the node that answers."
    )
    yield line(
        f"The Service {SET} is headless, so its name leads to all ready pods at once, and SRV records give each "
        "a name of its own, made by the DNS server: a DaemonSet's pods have no hostname that lasts."
    )


def _missing(scene: Scene) -> Iterator[Line]:
    if daemon_set(scene.store) is None:
        yield line(
            ("No DaemonSet: ", Role.STRONG),
            "before it is made, up asks every node at the port. A hostPort wins over any process of the node that "
            "listens there, without a word to it; so where something answers, nothing is taken. "
            f"`{other_port_command(scene.namespace)}` takes another one.",
        )
    elif why := refusal(scene.store):
        yield line(
            ("Refused: ", Role.STRONG),
            f"{why}. Pod Security `baseline` and `restricted` admit no hostPort. Whoever owns the namespace can "
            "label it pod-security.kubernetes.io/enforce=privileged; all else of this tab works without.",
        )


def _amiss(store: Store, place: Spot) -> Iterator[Line]:
    name = (f"{place.name}: ", Role.STRONG)
    if place.node is not None and place.node.state != "Ready":
        yield line(
            name,
            _why_away(place.node),
            " The pod is not moved, since it belongs to this node; a DaemonSet's pods tolerate a lost node for "
            "ever. It is back as soon as its kubelet says so.",
        )
    elif place.node is not None and place.node.unschedulable:
        yield line(
            name,
            "it is cordoned (spec.unschedulable). A DaemonSet's pods tolerate that too: the pod stays, and "
            "another one would come. What else is to be placed goes elsewhere.",
        )
    if place.pod is not None and place.pod.status == "Pending" and "free ports" in place.pod.message:
        yield line(
            name,
            "another pod has that port of the node already. The scheduler knows the ports of pods, and only "
            "those.",
        )
    call = store.answers(NAME).call(place.name)
    if call is not None and is_now(call, store.now_us) and place.serving and call.body.outcome in _SILENT_PORTS:
        yield line(name, _SILENT_PORTS[call.body.outcome])


_NO_WORD = (
    "its pod is called ready, but nothing comes back from the node's port: the node may be cut off, which "
    "Kubernetes notices after 50 s of silence by default (40 s before 1.32), or its network plugin "
    "has no hostPort."
)
_SILENT_PORTS = {
    Outcome.REFUSED: "its pod is ready, but the node's port does not lead to it: the network plugin has not set "
    "the port up, or has no hostPort at all. Its address inside the cluster works all the same.",
    Outcome.CONNECT_TIMEOUT: _NO_WORD,
    Outcome.UNREACHABLE: _NO_WORD,
}


def _why_away(node: Node) -> str:
    """Who called the node not ready: its kubelet, or the node controller because the kubelet is silent."""
    if node.state == "Unknown":
        return (
            "its kubelet has fallen silent, so the node controller called it NotReady and its pod not ready: the "
            "EndpointSlice let it go, and DNS follows."
        )
    ready = node.condition("Ready")
    said = f": {ready.message}" if ready and ready.message else ""
    return f"its kubelet speaks, and says that the node is not ready{said}. No new pods are placed there."


def _records(store: Store) -> Iterator[Line]:
    if rcode := silence(store):
        yield line(
            (f"{SET}: ", Role.STRONG),
            f"{silence_words(rcode)}. That is no word on the pods: the nodes' ports need no name, and go on.",
        )
    strange = foreign(store)
    if not strange:
        return
    left = lifetime(store.answers(NAME).dns(SET, "A"), store.now_us)
    yield line(
        (f"{strange[0]}: ", Role.STRONG),
        "DNS goes on giving it although no ready pod has it: its server keeps the whole answer for its TTL, so "
        "that an address that went and one that came are late together"
        + (f", {left} s more at most." if left is not None else "."),
    )


def _run(scene: Scene) -> Iterator[Line]:
    run = scene.store.runs(NAME).last
    if run is None:
        return
    yield ended_words(run)
    port, named = run.seconds(ANSWERS_AGAIN), run.seconds(IN_DNS)
    if run.ending is Ending.COMPLETE and port is not None and named is not None:
        late = "before" if port < named else "after"
        yield line(
            f"The node's port answered again after {port:.1f} s, {late} DNS named the new pod ({named:.1f} s): "
            "the port is the node's own and needs no name, while a name is as late as the answers that are kept "
            "of it."
        )
