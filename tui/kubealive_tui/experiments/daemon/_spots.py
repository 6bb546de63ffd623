"""One place a node: its pod of a DaemonSet, who answers at the node's port, and what DNS says of the pod.

A node is shown whether it has a pod or not: one that is cordoned keeps the pod it has, one that is not ready has a
pod that nobody can ask.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from kubealive_tui.experiments._dns import is_silent
from kubealive_tui.experiments._names import is_asked, led_to
from kubealive_tui.hints import up_command
from kubealive_tui.model import KubeEvent, Node, Pod, Workload
from kubealive_tui.store import Store

__all__ = [
    "FRONTEND",
    "HOSTZ",
    "NAME",
    "SET",
    "SRV",
    "Spot",
    "daemon_set",
    "foreign",
    "hosts_told",
    "node_port",
    "other_port_command",
    "records",
    "refusal",
    "silence",
    "spot",
    "spots",
]

NAME = "daemon"
SET = "knowingnoded"
FRONTEND = "frontend-daemon"
SRV = f"_http._tcp.{SET}"
HOSTZ = "/hostz"


@dataclass(frozen=True, slots=True)
class Spot:
    """A node and its pod of the DaemonSet; `node` is None where the agent may not read nodes."""

    name: str
    node: Node | None
    pod: Pod | None

    @property
    def called(self) -> str:
        """The name under which calls of the node's port are told."""
        return self.name

    @property
    def uid(self) -> str:
        """UID of its pod; empty where it has none."""
        return self.pod.uid if self.pod else ""

    @property
    def serving(self) -> bool:
        """Whether its pod should be in DNS and answer at the node's port."""
        return self.pod is not None and self.pod.ready and not self.pod.deleting

    @property
    def takes_pods(self) -> bool:
        """Whether the node is ready and takes new pods."""
        return self.node is None or (self.node.state == "Ready" and not self.node.unschedulable)


def daemon_set(store: Store) -> Workload | None:
    """The DaemonSet, or None where `up` left it out or somebody deleted it."""
    return store.workload(NAME, SET)


def other_port_command(namespace: str) -> str:
    """What installs the DaemonSet with another port of the nodes."""
    return up_command(NAME, "--host-port PORT", namespace=namespace)


def spots(store: Store) -> list[Spot]:
    """All nodes by name, and those that only pods tell of; of two pods on a node the one that stays counts."""
    pods: dict[str, Pod] = {}
    found = [pod for pod in store.pods_of(NAME, app=SET) if pod.node]
    for pod in sorted(found, key=lambda pod: (not pod.deleting, pod.created_us)):
        pods[pod.node] = pod
    nodes = {node.name: node for node in store.nodes()}
    return [Spot(name, nodes.get(name), pods.get(name)) for name in sorted({*nodes, *pods})]


def spot(store: Store, name: str) -> Spot | None:
    """The spot of this node, or None."""
    return next((each for each in spots(store) if each.name == name), None)


def node_port(store: Store) -> int | None:
    """The port of the nodes that the DaemonSet's pods take; None while there is no pod to tell."""
    ports = (port for each in spots(store) if each.pod for port in each.pod.host_ports)
    return next(ports, None)


def records(store: Store) -> tuple[frozenset[str], frozenset[str]] | None:
    """Addresses under the Service's name, and targets of its SRV records.

    None unless both are asked for now, and a server has answered: its silence says nothing of the records.
    """
    answers = store.answers(NAME)
    a, srv = answers.dns(SET, "A"), answers.dns(SRV, "SRV")
    if a is None or srv is None or not is_asked(a, store.now_us) or not is_asked(srv, store.now_us):
        return None
    if is_silent(a.body) or is_silent(srv.body):
        return None
    return frozenset(led_to(a.body)), frozenset(text.split()[-1] for text in srv.body.answers)


def silence(store: Store) -> str:
    """How the DNS server fails to answer (TIMEOUT, SERVFAIL); empty where it answers, or is not asked now."""
    answers = store.answers(NAME)
    found = (answers.dns(SET, "A"), answers.dns(SRV, "SRV"))
    silent = (one.body.rcode for one in found if one and is_asked(one, store.now_us) and is_silent(one.body))
    return next(silent, "")


def foreign(store: Store) -> list[str]:
    """Addresses that DNS answers with and that no ready pod of the set has."""
    found = records(store)
    right = {each.pod.ip for each in spots(store) if each.pod and each.serving}
    return sorted(found[0] - right) if found else []


def refusal(store: Store) -> str:
    """Why the DaemonSet's pods are refused, as the API server said it; empty where it lacks none."""
    owner = daemon_set(store)
    if owner is None or owner.current >= owner.desired:
        return ""
    facts = (fact.body for fact in reversed(store.ledger(NAME).timeline))
    events = (body for body in facts if isinstance(body, KubeEvent) and body.reason == "FailedCreate")
    return next((body.message for body in events if body.object_kind == "DaemonSet"), "")


def hosts_told(store: Store) -> list[tuple[str, str]] | None:
    """What the frontend's /hostz lists: each name, with the node that answered or why none did; None unread."""
    pods = store.pods(NAME, app=FRONTEND)
    found = next((r for uid in pods if (r := store.answers(NAME).reading(uid, HOSTZ)) is not None), None)
    if found is None or not isinstance(found.body.value, str):
        return None
    try:
        return list(_hosts(json.loads(found.body.value)))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _hosts(page: dict[str, list[dict[str, object]]]) -> Iterator[tuple[str, str]]:
    for host in page.get("hosts", ()):
        body = host.get("body")
        node = body.get("node") if isinstance(body, dict) else None
        yield str(host["name"]), str(node or host.get("error") or host.get("statusCode"))
