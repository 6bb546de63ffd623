"""EndpointSlices: which pods are behind a Service, and whether each is ready, serving or on its way out."""

from collections.abc import Iterable
from typing import Any

from kubealive_sandbox.api import Api, Event, Object, matches
from kubealive_sandbox.controllers._common import is_ready, owner_reference
from kubealive_sandbox.controllers._loop import Key, Loop, self_key

__all__ = ["endpoint_slices"]

MOST_ENDPOINTS = 100  # a slice, as Kubernetes cuts them
_SERVICE, _MANAGER = "kubernetes.io/service-name", "endpointslice.kubernetes.io/managed-by"
_OURS = "endpointslice-controller.k8s.io"

Ports = tuple[tuple[str, int, str], ...]


def endpoint_slices(api: Api) -> Loop:
    """The controller of EndpointSlices."""

    def selecting(event: Event) -> Iterable[Key]:
        for obj in filter(None, (event.object, event.before)):
            home = obj["metadata"]["namespace"]
            for service in api.select("Service", home):
                if _selects(service, obj):
                    yield home, service["metadata"]["name"]

    def reconcile(namespace: str, name: str) -> None:
        _reconcile(api, namespace, name)

    return Loop(api, "endpointslice", reconcile, {"Service": self_key, "Pod": selecting})


def _selects(service: Object, pod: Object) -> bool:
    selector = service["spec"].get("selector")
    return bool(selector) and matches({"matchLabels": selector}, pod["metadata"].get("labels"))


def _reconcile(api: Api, namespace: str, name: str) -> None:
    service = api.find("Service", namespace, name)
    have = api.select("EndpointSlice", namespace, labels=f"{_SERVICE}={name},{_MANAGER}={_OURS}")
    if service is None or not service["spec"].get("selector"):
        for each in have:
            api.delete("EndpointSlice", namespace, each["metadata"]["name"])
        return
    wanted = _wanted(service, [pod for pod in api.select("Pod", namespace) if _selects(service, pod)])
    for each, (ports, endpoints) in zip(have, wanted, strict=False):
        if (each["ports"], each["endpoints"]) != (ports, endpoints):
            api.update("EndpointSlice", {**each, "ports": ports, "endpoints": endpoints})
    for each in have[len(wanted) :]:
        api.delete("EndpointSlice", namespace, each["metadata"]["name"])
    for ports, endpoints in wanted[len(have) :]:
        api.create("EndpointSlice", _slice(service, ports, endpoints))


def _slice(service: Object, ports: list[Object], endpoints: list[Object]) -> Object:
    meta = service["metadata"]
    labels = {**(meta.get("labels") or {}), _SERVICE: meta["name"], _MANAGER: _OURS}
    if service["spec"].get("clusterIP") == "None":
        labels["service.kubernetes.io/headless"] = ""
    place = {"generateName": f"{meta['name']}-", "namespace": meta["namespace"]}
    return {
        "metadata": {**place, "labels": labels, "ownerReferences": [owner_reference(service)]},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": endpoints,
    }


def _wanted(service: Object, pods: list[Object]) -> list[tuple[list[Object], list[Object]]]:
    """Ports and endpoints of each slice; pods that name a port differently are in slices of their own."""
    groups: dict[Ports, list[Object]] = {}
    for pod in pods:
        if pod["status"].get("podIP") and pod["status"].get("phase") not in {"Succeeded", "Failed"}:
            ports = tuple(
                (port.get("name", ""), number, port["protocol"])
                for port in service["spec"].get("ports") or ()
                if (number := _target(port, pod)) is not None
            )
            groups.setdefault(ports, []).append(_endpoint(service, pod))
    slices: list[tuple[list[Object], list[Object]]] = []
    for ports, endpoints in groups.items():
        listed = [{"name": name, "port": number, "protocol": protocol} for name, number, protocol in ports]
        starts = range(0, len(endpoints), MOST_ENDPOINTS)
        slices += [(listed, endpoints[at : at + MOST_ENDPOINTS]) for at in starts]
    return slices or [([], [])]


def _target(port: Object, pod: Object) -> int | None:
    wanted: Any = port["targetPort"]
    if isinstance(wanted, int):
        return wanted
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or ():
            if each.get("name") == wanted and each["protocol"] == port["protocol"]:
                return int(each["containerPort"])
    return None


def _endpoint(service: Object, pod: Object) -> Object:
    meta, serving = pod["metadata"], is_ready(pod)
    leaving = "deletionTimestamp" in meta
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not leaving)
    endpoint: Object = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": leaving},
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
        "nodeName": pod["spec"]["nodeName"],
    }
    named = pod["spec"].get("hostname") and pod["spec"].get("subdomain") == service["metadata"]["name"]
    return {**endpoint, "hostname": pod["spec"]["hostname"]} if named else endpoint
