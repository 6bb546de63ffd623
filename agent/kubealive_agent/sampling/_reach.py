"""Whom samples may ask: pods and Services of the experiment, and nodes where it opened a port.

A sampler that asks any address would be a scanner inside the cluster. An address alone proves nothing, since the
network gives it to another pod once its pod is gone; so each is looked up in what the agent has seen just now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubealive_agent.targets import answers, node_ports, owned, service_port_of

if TYPE_CHECKING:
    from kubealive.v1.agent_pb2 import PodSample
    from kubealive.v1.state_pb2 import Node, Service
    from kubealive_agent.world import World

__all__ = ["Place", "nodes", "pods", "why_not_called"]

_APP = "app.kubernetes.io/name"


class Place(NamedTuple):
    """Somebody to ask: the object's key and name, and its address; `refused` says why it is not asked."""

    key: str
    name: str
    host: str
    port: int
    refused: str = ""


def pods(world: World, experiment: str, sample: PodSample) -> list[Place]:
    """The pods that a PodSample asks now: those in which something runs, and whose port is known."""
    places: list[Place] = []
    for uid, pod in world.pods().items():
        if not experiment or pod.experiment != experiment or not answers(pod):
            continue
        if sample.app and pod.labels.get(_APP, "") != sample.app:
            continue
        port = sample.port or service_port_of(uid, world)
        if port:
            places.append(Place(uid, pod.name, pod.ip, port))
    return places


def nodes(world: World, experiment: str, port: int) -> tuple[list[Place], str]:
    """The nodes that a NodeSample asks now, or the sentence that says why none is."""
    known = [node for node in world.nodes() if node.internal_ip]
    if port in node_ports(world, experiment):
        return [Place(node.name, node.name, node.internal_ip, port) for node in known], ""
    holding = {
        pod.node
        for pod in world.pods().values()
        if experiment and pod.experiment == experiment and port in pod.host_ports and pod.node
    }
    if holding:
        return [_host_port(node, port, holding, experiment) for node in known], ""
    return [], (
        f"port {port} of the nodes is not asked: no Service of experiment {experiment or '(none)'} has it as "
        "its NodePort, and no pod of it as its hostPort"
    )


def _host_port(node: Node, port: int, holding: set[str], experiment: str) -> Place:
    refused = "" if node.name in holding else f"no pod of experiment {experiment} has port {port} of {node.name}"
    return Place(node.name, node.name, node.internal_ip, port, refused)


def why_not_called(world: World, experiment: str, address: str, port: int) -> str:
    """The sentence that refuses a call to `address`; empty where it is the experiment's own."""
    for service in world.services():
        if experiment and service.experiment == experiment and service.cluster_ip == address:
            return _why_not_service(service, port)
    if owned(address, world, experiment=experiment):
        return ""
    return f"{address} is the address of no Service and no running pod of experiment {experiment or '(none)'}"


def _why_not_service(service: Service, port: int) -> str:
    declared = [each.port for each in service.ports]
    if not service.selector:
        return f"Service {service.name} selects no pods, so its endpoints may be anybody's"
    if port not in declared:
        return f"Service {service.name} has no port {port}; it declares {', '.join(map(str, declared)) or 'none'}"
    return ""
