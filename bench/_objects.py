"""The objects of a namespace of any size, each pod a copy of a real API server's (7.8 KB, `_pod.json`).

Both readers are served as a real server would: the agent with whole objects, kubectl with tables.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

__all__ = ["EXPERIMENT", "KINDS", "NAMESPACE", "World", "pod_name", "pod_uid", "table", "table_row"]

NAMESPACE = "bench"
EXPERIMENT = "balance"
KINDS = {
    "pods": "Pod",
    "nodes": "Node",
    "services": "Service",
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "endpointslices": "EndpointSlice",
}
"""What is served with objects, by the collection's name; all other collections are empty."""

_NODES = 3
_SLICE_SIZE = 100  # as the EndpointSlice controller has it
_SET = "getip-754548c48f"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # of Kubernetes' generated names
_SELECTOR = {"app.kubernetes.io/name": "getip", "app.kubernetes.io/part-of": "kubealive"}
_CREATED = "2020-01-01T00:00:00Z"  # so old that no AGE changes while a bench runs
_COLUMNS = ("Name", "Ready", "Status", "Restarts", "Age")

Json = dict[str, Any]


@dataclass(slots=False)
class World:
    """All objects, and the resourceVersion that every change raises. `address` is where all pods answer."""

    pods: int
    address: str
    port: int
    version: int = 1000
    _changed: dict[int, tuple[int, str, int]] = field(default_factory=dict)

    @cached_property
    def _template(self) -> Json:
        template: Json = json.loads((Path(__file__).parent / "_pod.json").read_text(encoding="utf-8"))
        return template

    def change(self, index: int, status: str, restarts: int) -> Json:
        """Give a pod another STATUS and number of restarts, and return it."""
        self.version += 1
        self._changed[index] = self.version, status, restarts
        return self.pod(index)

    def pod(self, index: int) -> Json:
        """The pod with that number, as it is now."""
        version, status, restarts = self._changed.get(index, (1000, "", 0))
        pod = copy.copy(self._template)
        name = pod_name(index)
        pod["metadata"] = {
            **self._template["metadata"],
            "name": name,
            "namespace": NAMESPACE,
            "uid": pod_uid(index),
            "creationTimestamp": _CREATED,
            "resourceVersion": str(version),
        }
        pod["spec"] = {**self._template["spec"], "nodeName": f"node-{index % _NODES + 1}"}
        containers = [{**self._template["status"]["containerStatuses"][0], "restartCount": restarts}]
        pod["status"] = {
            **self._template["status"],
            "podIP": self.address,
            "reason": status,
            "containerStatuses": containers,
        }
        return pod

    def items(self, collection: str) -> Iterator[Json]:
        """The objects of a collection, in its order."""
        match collection:
            case "pods":
                yield from map(self.pod, range(self.pods))
            case "nodes":
                yield from map(_node, range(_NODES))
            case "services":
                yield _object(
                    "getip", {"spec": {"clusterIP": "10.96.0.9", "type": "ClusterIP", "selector": _SELECTOR}}
                )
            case "deployments":
                yield _object("getip", self._workload())
            case "replicasets":
                owner = {"kind": "Deployment", "name": "getip", "uid": "getip-uid", "controller": True}
                yield _object(_SET, self._workload(), ownerReferences=[owner])
            case "endpointslices":
                yield from map(self._slice, range(0, self.pods, _SLICE_SIZE))

    def _workload(self) -> Json:
        counts = ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")
        template = {"metadata": {"labels": _SELECTOR}, "spec": self._template["spec"]}
        return {
            "spec": {"replicas": self.pods, "selector": {"matchLabels": _SELECTOR}, "template": template},
            "status": {"observedGeneration": 1, **dict.fromkeys(counts, self.pods)},
        }

    def _slice(self, first: int) -> Json:
        endpoints = [
            {
                "addresses": [self.address],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": f"node-{index % _NODES + 1}",
                "targetRef": {"kind": "Pod", "name": pod_name(index), "uid": pod_uid(index)},
            }
            for index in range(first, min(first + _SLICE_SIZE, self.pods))
        ]
        body = {"endpoints": endpoints, "ports": [{"name": "http", "port": self.port, "protocol": "TCP"}]}
        return _object(f"getip-{first}", body, labels={"kubernetes.io/service-name": "getip"})


def pod_name(index: int) -> str:
    """A generated name, the same for each run."""
    letters = []
    for _ in range(5):
        index, digit = divmod(index, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return f"{_SET}-{''.join(reversed(letters))}"


def pod_uid(index: int) -> str:
    """The UID of the pod with that number."""
    return f"{pod_name(index)}-uid"


def _object(name: str, body: Json, **metadata: Any) -> Json:
    labels = {"kubealive.dev/experiment": EXPERIMENT, **metadata.pop("labels", {})}
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"{name}-uid",
            "resourceVersion": "1000",
            "generation": 1,
            "creationTimestamp": _CREATED,
            "labels": labels,
            **metadata,
        },
        **body,
    }


def _node(index: int) -> Json:
    name = f"node-{index + 1}"
    status = {
        "addresses": [{"type": "InternalIP", "address": f"10.89.7.{10 + index}"}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        "capacity": {"cpu": "2", "memory": "8Gi", "pods": "2000"},
        "nodeInfo": {"kubeletVersion": "v1.34.4"},
    }
    return {
        "metadata": {"name": name, "uid": f"{name}-uid", "resourceVersion": "1000"},
        "spec": {},
        "status": status,
    }


def table(rows: list[Json], metadata: Json) -> Json:
    """What `kubectl get pods` asks for instead of pods."""
    columns = [{"name": name, "type": "string", "format": "", "priority": 0} for name in _COLUMNS]
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return {**head, "columnDefinitions": columns, "rows": rows}


def table_row(pod: Json) -> Json:
    """One pod as a line of kubectl's table."""
    meta = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": pod["metadata"]}
    return {
        "cells": [pod["metadata"]["name"], "1/1", pod["status"]["reason"] or "Running", "0", "5m"],
        "object": meta,
    }
