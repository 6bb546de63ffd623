"""Addresses and ports of Services, given when they are created and taken back when they are gone."""

import itertools
from collections.abc import Iterable

from kubealive_sandbox.api import Api, Event, Object, Resource
from kubealive_sandbox.network._addresses import Addresses

__all__ = ["allocate_services"]

Cause = tuple[str, str, str]
NODE_PORTS = range(30_000, 32_768)


def allocate_services(api: Api, addresses: Addresses) -> None:
    """Have every Service get its address and its node ports as the API admits it."""
    # Spread, so that an old port is not at once somebody else's.
    ports = itertools.cycle(NODE_PORTS)

    def admit(resource: Resource, new: Object, before: Object | None) -> Iterable[Cause]:
        if resource.kind != "Service":
            return
        spec = new["spec"]
        if spec["type"] == "ExternalName":
            return
        was = (before or {}).get("spec", {})
        spec["clusterIP"] = spec.get("clusterIP") or was.get("clusterIP") or addresses.take_service()
        spec["clusterIPs"] = [spec["clusterIP"]]
        if was.get("clusterIP") and spec["clusterIP"] != was["clusterIP"]:
            message = f'Invalid value: ["{spec["clusterIP"]}"]: may not change once set'
            yield "spec.clusterIPs[0]", "FieldValueInvalid", message
        yield from _node_ports(api, new, was, ports)

    def give_back(event: Event) -> None:
        if event.resource.kind == "Service" and event.type == "DELETED":
            address = event.object["spec"].get("clusterIP", "None")
            if address.startswith(addresses.network):
                addresses.give_service(address)

    api.admit.append(admit)
    api.store.subscribe(give_back)


def _node_ports(api: Api, new: Object, was: Object, ports: Iterable[int]) -> Iterable[Cause]:
    spec, uid = new["spec"], new["metadata"].get("uid")
    if spec["type"] not in {"NodePort", "LoadBalancer"}:
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
        return
    others = [each for each in api.select("Service") if each["metadata"]["uid"] != uid]
    taken = {port.get("nodePort") for each in others for port in each["spec"].get("ports") or ()}
    had = {(port.get("name"), port["port"]): port.get("nodePort") for port in was.get("ports") or ()}
    for at, port in enumerate(spec.get("ports") or ()):
        wanted = port.get("nodePort") or had.get((port.get("name"), port["port"]))
        if wanted is None:
            wanted = next(number for number in ports if number not in taken)
        elif wanted not in NODE_PORTS:
            words = "provided port is not in the valid range. The range of valid ports is 30000-32767"
            yield f"spec.ports[{at}].nodePort", "FieldValueInvalid", f"Invalid value: {wanted}: {words}"
        elif wanted in taken:
            message = f"Invalid value: {wanted}: provided port is already allocated"
            yield f"spec.ports[{at}].nodePort", "FieldValueInvalid", message
        port["nodePort"] = wanted
        taken.add(wanted)
