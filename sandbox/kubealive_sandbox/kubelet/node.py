"""A virtual node: its object, and the kubelet that runs the pods which are bound to it."""

import asyncio
import logging
import os
import platform
from collections.abc import Callable
from typing import Any

import psutil

from kubealive_sandbox.apart import Apart
from kubealive_sandbox.api import Api, Event, Object, clone, stamp
from kubealive_sandbox.controllers import Recorder
from kubealive_sandbox.kubelet._container import Container
from kubealive_sandbox.kubelet._pod import Host, Pod

__all__ = ["Node"]

_log = logging.getLogger(__name__)

HEARTBEAT_S = 60.0
MOST_PODS = 110


class Node:
    """One node. `take` and `give` lend pods their addresses. Whoever awaits `run` owns it and its pods."""

    def __init__(
        self, name: str, *, host: Host, version: str, take: Callable[[], str], give: Callable[[str], None]
    ) -> None:
        self.name = name
        self._host = host
        self._version = version
        self._take = take
        self._give = give
        self.pods: dict[str, Pod] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._apart = Apart(_log)

    async def run(self) -> None:
        """Run pods until cancelled; then every one of them is ended at once."""
        api = self._host.api
        api.create("Node", self._object())
        end = api.store.subscribe(self._hear)
        try:
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                with self._apart.keep(f"the heartbeat of {self.name}"):
                    self._beat()
        finally:
            end()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def containers(self) -> list[tuple[Object, Container]]:
        """Every container that runs here, with its pod."""
        return [(pod.object, each) for pod in self.pods.values() for each in pod.containers]

    def _hear(self, event: Event) -> None:
        if event.resource.kind == "Pod" and event.object["spec"].get("nodeName") == self.name:
            uid = event.object["metadata"]["uid"]
            pod = self.pods.get(uid)
            if event.type == "DELETED":
                if pod is not None:
                    pod.removed()
            elif pod is not None:
                pod.update(event.object)
            else:
                self._begin(event.object)

    def _begin(self, obj: Object) -> None:
        address = self._take()
        pod = self.pods[obj["metadata"]["uid"]] = Pod(obj, host=self._host, address=address)
        task = asyncio.create_task(self._run(pod, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, pod: Pod, address: str) -> None:
        try:
            await pod.run()
        except Exception:  # noqa: BLE001 - one pod's fault is not the node's
            _log.exception("pod %s met something unforeseen", pod.uid)
        finally:
            del self.pods[pod.uid]
            self._give(address)

    def _object(self) -> Object:
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": platform.system().lower(),
            "kubernetes.io/arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(
                platform.machine(), platform.machine()
            ),
        }
        return {"metadata": {"name": self.name, "labels": labels}, "spec": {}, "status": self._status()}

    def _status(self) -> Object:
        now = stamp(self._host.api.now())
        capacity = {
            "cpu": str(os.cpu_count() or 1),
            "memory": f"{psutil.virtual_memory().total // 1024}Ki",
            "pods": str(MOST_PODS),
            "ephemeral-storage": f"{psutil.disk_usage(str(self._host.root)).total // 1024}Ki",
        }
        kinds = (
            ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        )
        conditions: list[dict[str, Any]] = [
            {"type": kind, "status": state, "reason": reason, "message": message, "lastHeartbeatTime": now,
             "lastTransitionTime": now}
            for kind, state, reason, message in kinds
        ]  # fmt: skip
        info = {
            "kubeletVersion": self._version,
            "containerRuntimeVersion": "sandbox://1",
            "osImage": f"kubealive sandbox on {platform.system()}",
            "kernelVersion": platform.release(),
            "operatingSystem": platform.system().lower(),
            "architecture": platform.machine(),
        }
        addresses = [
            {"type": "InternalIP", "address": self._host.address},
            {"type": "Hostname", "address": self.name},
        ]
        return {
            "capacity": capacity, "allocatable": capacity, "conditions": conditions, "addresses": addresses,
            "nodeInfo": info,
        }  # fmt: skip

    def _beat(self) -> None:
        node = self._host.api.find("Node", "", self.name)
        if node is not None:
            new = clone(node)
            for each in new["status"]["conditions"]:
                each["lastHeartbeatTime"] = stamp(self._host.api.now())
            self._host.api.update("Node", new, sub="status")


def recorder(api: Api, name: str) -> Recorder:
    """The kubelet's own Events."""
    return Recorder(api, "kubelet", host=name)
