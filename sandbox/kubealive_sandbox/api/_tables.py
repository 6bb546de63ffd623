"""The columns of `kubectl get`, which the server makes and not the client."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kubealive_sandbox.api._podtable import pod_cells
from kubealive_sandbox.api._store import Object
from kubealive_sandbox.api._words import age, joined, labels

__all__ = ["table"]

Cells = Callable[[Object, datetime], list[Any]]
_PRIORITY_MARK = "+"


def table(
    kind: str, objects: list[Object], *, now: datetime, version: str, include: str, heads: bool = True
) -> Object:
    """A Table of the objects; `include` is Object, Metadata or None; `heads` describes the columns."""
    names, cells = _KINDS.get(kind, (_NAME_AGE, lambda obj, when: [obj["metadata"]["name"], age(obj, when)]))
    answer: Object = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [_column(name) for name in names] if heads else [],
        "rows": [{"cells": cells(obj, now), "object": _shown(obj, include)} for obj in objects],
    }
    return answer


def _column(name: str) -> Object:
    wide = name.startswith(_PRIORITY_MARK)
    return {
        "name": name.removeprefix(_PRIORITY_MARK),
        "type": "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": 1 if wide else 0,
    }


def _shown(obj: Object, include: str) -> Object | None:
    if include == "Object":
        return obj
    if include == "None":
        return None
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _containers(spec: Object) -> tuple[str, str]:
    found = spec["template"]["spec"]["containers"]
    return joined(each["name"] for each in found), joined(each["image"] for each in found)


def _deployment(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{spec['replicas']}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [
        obj["metadata"]["name"],
        ready,
        *counts,
        age(obj, now),
        *_containers(spec),
        labels(spec.get("selector")),
    ]


def _replica_set(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status", {})
    counts = [spec["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [obj["metadata"]["name"], *counts, age(obj, now), *_containers(spec), labels(spec.get("selector"))]


def _stateful_set(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{spec['replicas']}"
    return [obj["metadata"]["name"], ready, age(obj, now), *_containers(spec)]


def _daemon_set(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status", {})
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    wanted = labels({"matchLabels": spec["template"]["spec"].get("nodeSelector") or {}})
    row = [obj["metadata"]["name"], *(status.get(count, 0) for count in counts), wanted, age(obj, now)]
    return [*row, *_containers(spec), labels(spec.get("selector"))]


def _service(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    ports = joined(
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in spec.get("ports") or ()
    )
    external = spec.get("externalName", "<none>")
    address = spec.get("clusterIP", "<none>")
    selector = labels({"matchLabels": spec.get("selector") or {}})
    return [obj["metadata"]["name"], spec["type"], address, external, ports or "<none>", age(obj, now), selector]


def _autoscaler(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status", {})
    reference = f"{spec['scaleTargetRef']['kind']}/{spec['scaleTargetRef']['name']}"
    now_is = {each["resource"]["name"]: each["resource"]["current"] for each in status.get("currentMetrics") or ()}
    targets = []
    for metric in spec["metrics"]:
        name, target = metric["resource"]["name"], metric["resource"]["target"]
        have = now_is.get(name, {}).get("averageUtilization")
        targets.append(
            f"{name}: {'<unknown>' if have is None else f'{have}%'}/{target.get('averageUtilization')}%"
        )
    counts = [str(spec["minReplicas"]), spec["maxReplicas"], status.get("currentReplicas", 0)]
    return [obj["metadata"]["name"], reference, joined(targets), *counts, age(obj, now)]


def _slice(obj: Object, now: datetime) -> list[Any]:
    ports = joined(str(port.get("port", "")) for port in obj.get("ports") or ()) or "<unset>"
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint["addresses"]]
    more = f" + {len(addresses) - 3} more..." if len(addresses) > 3 else ""
    return [
        obj["metadata"]["name"],
        obj["addressType"],
        ports,
        (joined(addresses[:3]) or "<unset>") + more,
        age(obj, now),
    ]


def _event(obj: Object, now: datetime) -> list[Any]:
    about = obj["involvedObject"]
    last = obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"]["creationTimestamp"]
    seen = age({"metadata": {"creationTimestamp": last}}, now)
    subject = f"{about.get('kind', '').lower()}/{about.get('name', '')}"
    return [seen, obj.get("type", ""), obj.get("reason", ""), subject, obj.get("message", "").strip()]


def _node(obj: Object, now: datetime) -> list[Any]:
    status = obj.get("status", {})
    ready = next((each["status"] for each in status.get("conditions") or () if each["type"] == "Ready"), "")
    word = {"True": "Ready", "False": "NotReady"}.get(ready, "Unknown" if not ready else "NotReady")
    word += ",SchedulingDisabled" if obj["spec"].get("unschedulable") else ""
    info, prefix = status.get("nodeInfo", {}), "node-role.kubernetes.io/"
    roles = [key.removeprefix(prefix) for key in obj["metadata"].get("labels", {}) if key.startswith(prefix)]
    internal = next((a["address"] for a in status.get("addresses") or () if a["type"] == "InternalIP"), "<none>")
    wide = [
        internal,
        "<none>",
        info.get("osImage"),
        info.get("kernelVersion"),
        info.get("containerRuntimeVersion"),
    ]
    return [
        obj["metadata"]["name"],
        word,
        joined(roles) or "<none>",
        age(obj, now),
        info.get("kubeletVersion"),
        *wide,
    ]


def _namespace(obj: Object, now: datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj["status"]["phase"], age(obj, now)]


def _claim(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj["spec"], obj["status"]
    modes = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    shown = joined(modes.get(mode, mode) for mode in status.get("accessModes") or ())
    capacity = status.get("capacity", {}).get("storage", "")
    row = [obj["metadata"]["name"], status["phase"], spec.get("volumeName", ""), capacity, shown]
    return [*row, spec.get("storageClassName", ""), "<unset>", age(obj, now), spec.get("volumeMode")]


def _data(obj: Object, now: datetime) -> list[Any]:
    return [obj["metadata"]["name"], len(obj.get("data") or {}), age(obj, now)]


def _secret(obj: Object, now: datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj["type"], len(obj.get("data") or {}), age(obj, now)]


_NAME_AGE = ("Name", "Age")
_WIDE = ("+Containers", "+Images", "+Selector")
_KINDS: dict[str, tuple[tuple[str, ...], Cells]] = {
    "Pod": (
        ("Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"),
        pod_cells,
    ),
    "Deployment": (("Name", "Ready", "Up-to-date", "Available", "Age", *_WIDE), _deployment),
    "ReplicaSet": (("Name", "Desired", "Current", "Ready", "Age", *_WIDE), _replica_set),
    "StatefulSet": (("Name", "Ready", "Age", *_WIDE[:2]), _stateful_set),
    "DaemonSet": (
        ("Name", "Desired", "Current", "Ready", "Up-to-date", "Available", "Node Selector", "Age", *_WIDE),
        _daemon_set,
    ),
    "Service": (("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"), _service),
    "HorizontalPodAutoscaler": (
        ("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"),
        _autoscaler,
    ),
    "EndpointSlice": (("Name", "AddressType", "Ports", "Endpoints", "Age"), _slice),
    "Event": (("Last Seen", "Type", "Reason", "Object", "Message"), _event),
    "Node": (
        ("Name", "Status", "Roles", "Age", "Version", "+Internal-IP", "+External-IP", "+OS-Image",
         "+Kernel-Version", "+Container-Runtime"),
        _node,
    ),
    "Namespace": (("Name", "Status", "Age"), _namespace),
    "PersistentVolumeClaim": (
        ("Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", "Age",
         "+VolumeMode"),
        _claim,
    ),
    "ConfigMap": (("Name", "Data", "Age"), _data),
    "Secret": (("Name", "Type", "Data", "Age"), _secret),
}  # fmt: skip
