"""Where a load may go: from the words of a request to an address, within the experiment only.

A load generator that takes any address would be a weapon inside the cluster. So a target is a Service or a
pod of the experiment, or a node at a port that a Service of the experiment has opened there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubealive.v1.agent_pb2 import Refusal
from kubealive.v1.state_pb2 import Container
from kubealive_agent._errors import RefusalError
from kubealive_agent._hints import own_command

if TYPE_CHECKING:
    from kubealive.v1.state_pb2 import LoadTarget, Pod, Service
    from kubealive_agent.world import World

__all__ = [
    "Address",
    "answers",
    "describe",
    "node_ports",
    "owned",
    "pod_address",
    "resolve",
    "service_port_of",
]


class Address(NamedTuple):
    """What the load engine connects to and asks for."""

    host: str
    port: int
    path: str


def describe(target: LoadTarget) -> str:
    """The target in words, for facts."""
    where = target.WhichOneof("where")
    value = "" if where is None else str(getattr(target, where))
    port = f":{target.port}" if target.port else ""
    return f"{(where or '').removesuffix('_uid')} {value}{port}{target.path or '/'}".strip()


def answers(pod: Pod) -> bool:
    """Whether something of `pod` runs at its address.

    A pod that has ended keeps its address in the API, while the network may have given it to any other pod.
    """
    return bool(pod.ip) and any(container.state == Container.STATE_RUNNING for container in pod.containers)


def pod_address(pod: Pod) -> str:
    """Where `pod` is reached. Raises RefusalError while nothing of it answers anywhere."""
    if not pod.ip:
        raise RefusalError(Refusal.REASON_REJECTED, f"pod {pod.name} has no address yet; wait until it runs")
    if not answers(pod):
        raise RefusalError(
            Refusal.REASON_REJECTED,
            f"nothing of pod {pod.name} runs, and its address may be another pod's by now; choose one that runs",
        )
    return pod.ip


def owned(address: str, world: World, *, experiment: str) -> bool:
    """Whether `address` is that of a running pod, or of a Service with a selector, of the experiment."""
    if not experiment or not address:
        return False
    if any(pod.ip == address and pod.experiment == experiment and answers(pod) for pod in world.pods().values()):
        return True
    return any(
        service.cluster_ip == address and service.experiment == experiment and service.selector
        for service in world.services()
    )


def service_port_of(pod_uid: str, world: World) -> int | None:
    """The pod's own port to which the first Service that leads to it sends; None while there is none."""
    for one in world.slices():
        if one.ports and any(endpoint.pod_uid == pod_uid for endpoint in one.endpoints):
            return one.ports[0].port
    return None


def node_ports(world: World, experiment: str) -> list[int]:
    """The ports that Services of the experiment have opened on every node."""
    return [
        port.node_port
        for service in world.services()
        if experiment and service.experiment == experiment
        for port in service.ports
        if port.node_port
    ]


def resolve(target: LoadTarget, world: World, *, experiment: str, namespace: str, domain: str) -> Address:
    """The address of `target`. Raises RefusalError when it is not one of the experiment's."""
    path = target.path or "/"
    match target.WhichOneof("where"):
        case "service":
            service = _service(target.service, world, experiment, namespace=namespace)
            host = f"{service.name}.{namespace}.svc.{domain}."
            return Address(host, _service_port(service, target.port), path)
        case "pod_uid":
            return Address(*_pod(target, world, experiment), path)
        case "node":
            return Address(*_node(target, world, experiment), path)
        case _:
            raise _invalid("the load has no target; name a Service, a pod or a node")


def _service(name: str, world: World, experiment: str, *, namespace: str) -> Service:
    service = next((one for one in world.services() if one.name == name), None)
    if service is None:
        again = own_command("reset", experiment, namespace=namespace)
        raise RefusalError(Refusal.REASON_GONE, f"there is no Service {name}; `{again}` makes it again")
    if not experiment or service.experiment != experiment:
        raise _not_ours(f"Service {name}", experiment)
    # Wearing the label does not make what is behind it the experiment's: such Services lead anywhere.
    if service.type == "ExternalName":
        raise RefusalError(
            Refusal.REASON_NOT_OURS,
            f"Service {name} is an ExternalName and leads to another host; load goes to the experiment's own only",
        )
    if not service.selector:
        raise RefusalError(
            Refusal.REASON_NOT_OURS,
            f"Service {name} selects no pods, so its endpoints may be anybody's; choose one with a selector",
        )
    return service


def _service_port(service: Service, asked: int) -> int:
    declared = [port.port for port in service.ports]
    if asked in declared:
        return asked
    if asked == 0 and declared:
        return declared[0]
    listed = ", ".join(map(str, declared)) or "none"
    raise _invalid(f"Service {service.name} has no port {asked}; it declares {listed}")


def _pod(target: LoadTarget, world: World, experiment: str) -> tuple[str, int]:
    pod = world.pods().get(target.pod_uid)
    if pod is None:
        raise RefusalError(
            Refusal.REASON_GONE,
            f"there is no pod with UID {target.pod_uid[:64]!r} any more; choose one that is listed",
        )
    if not experiment or pod.experiment != experiment:
        raise _not_ours(f"pod {pod.name}", experiment)
    address = pod_address(pod)
    if target.port:
        return address, target.port
    port = service_port_of(target.pod_uid, world)
    if port is not None:
        return address, port
    raise _invalid(f"pod {pod.name} is behind no Service that would tell its port; name the port")


def _node(target: LoadTarget, world: World, experiment: str) -> tuple[str, int]:
    node = next((one for one in world.nodes() if one.name == target.node), None)
    if node is None or not node.internal_ip:
        raise RefusalError(Refusal.REASON_GONE, f"there is no node {target.node} with an InternalIP")
    opened = node_ports(world, experiment)
    if not opened:
        raise _invalid(
            f"experiment {experiment or '(none)'} has opened no port on the nodes: it has no NodePort Service"
        )
    if target.port == 0:
        return node.internal_ip, opened[0]
    if target.port in opened:
        return node.internal_ip, target.port
    raise _invalid(
        f"port {target.port} of node {target.node} is not one that experiment {experiment} opened; "
        f"it opened {', '.join(map(str, opened))}"
    )


def _not_ours(what: str, experiment: str) -> RefusalError:
    return RefusalError(
        Refusal.REASON_NOT_OURS,
        f"{what} does not belong to experiment {experiment or '(none)'}; load goes to the experiment's own only",
    )


def _invalid(message: str) -> RefusalError:
    return RefusalError(Refusal.REASON_INVALID, message)
