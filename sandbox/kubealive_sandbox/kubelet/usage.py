"""What containers use: CPU and memory each 15 s as metrics-server has them, and memory against its limit.

No cgroup is made, so that nothing here needs rights; a program that outgrows its limit is found by looking,
within a fraction of a second, and killed as the kernel would.
"""

import asyncio
import contextlib
import logging
import math
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil

from kubealive_sandbox.apart import Apart
from kubealive_sandbox.api import Api, Object, amount, stamp
from kubealive_sandbox.kubelet._container import Container

__all__ = ["Usage"]

_log = logging.getLogger(__name__)

WINDOW_S = 15.0
# metrics-server's: a container that was not there at the last look has its start for one, if that is so long ago.
FRESH_S = 10.0
MEMORY_S = 0.25
# Whoever uses less than half of his limit is looked at in every so manieth look only; and with every so manieth
# there is a sample.
SELDOM = 4
SAMPLED = round(WINDOW_S / MEMORY_S)

Running = Callable[[], Iterable[tuple[str, Object, Container]]]


@dataclass(frozen=True, slots=True)
class _Sample:
    at: datetime
    window: float
    pod: Object
    node: str
    containers: dict[str, tuple[float, int]]


class Usage:
    """Samples every running container. `running` gives node, pod and container of each."""

    def __init__(self, api: Api, running: Running) -> None:
        self._api = api
        self._running = running
        self._seconds: dict[int, tuple[float, dict[int, float]]] = {}
        self._samples: dict[str, _Sample] = {}
        self._near: set[int] = set()
        self._apart = Apart(_log)

    async def run(self) -> None:
        """Look until cancelled, on whole seconds where possible, as probes do: then one wake-up is for all."""
        loop = asyncio.get_running_loop()
        begun, looks = math.floor(loop.time()), 0
        while True:
            self._watch_memory(everybody=looks % SELDOM == 0)
            if looks % SAMPLED == 0:
                self._sample()
            looks += 1 if self._near else SELDOM - looks % SELDOM
            await asyncio.sleep(begun + looks * MEMORY_S - loop.time())

    # ---------------------------------------------------------------- memory

    def _watch_memory(self, *, everybody: bool) -> None:
        seen, self._near = self._near, set()
        for _, pod, container in self._running():
            with self._apart.keep(f"the memory of {_named(pod, container)}"):
                if everybody or (container.process and container.process.pid in seen):
                    self._hold(container)

    def _hold(self, container: Container) -> None:
        limit = ((container.spec.get("resources") or {}).get("limits") or {}).get("memory")
        if not limit or container.process is None or container.out_of_memory:
            return
        pid = container.process.pid
        most = amount(limit)
        used = _memory(pid) if most else 0  # a limit of 0 is none
        if used > most:
            container.out_of_memory = True
            container.process.signal(signal.SIGKILL)
        elif used > most / 2:
            self._near.add(pid)

    # ---------------------------------------------------------------- metrics

    def _sample(self) -> None:
        children = _children()
        now, clock = self._api.now(), asyncio.get_running_loop().time()
        fresh: dict[str, _Sample] = {}
        seen: dict[int, tuple[float, dict[int, float]]] = {}
        for node, pod, container in self._running():
            with self._apart.keep(f"the use of {_named(pod, container)}"):
                if container.process is None:
                    continue
                pid = container.process.pid
                family = [pid, *children.get(pid, ()), *(each.pid for each in container.commands)]
                seconds, memory = {each: _cpu(each) for each in family}, sum(map(_memory, family))
                before = self._seconds.get(pid)
                seen[pid] = (clock, seconds)
                if before is None:
                    age = now.timestamp() - _born(pid)
                    if not FRESH_S <= age < WINDOW_S:
                        continue
                    before = (clock - age, {})
                window = clock - before[0]
                # By process: what has ended since takes nothing away from what the others used.
                used = sum(max(0.0, spent - before[1].get(each, 0.0)) for each, spent in seconds.items())
                sample = fresh.setdefault(pod["metadata"]["uid"], _Sample(now, window, pod, node, {}))
                sample.containers[container.name] = (used / window, memory)
        self._seconds, self._samples = seen, fresh

    def pods(self, namespace: str) -> list[Object]:
        """PodMetrics of a namespace, or of all."""
        chosen = [each for each in self._samples.values() if namespace in {"", each.pod["metadata"]["namespace"]}]
        return [_pod_metrics(each) for each in chosen if self._alive(each)]

    def nodes(self) -> list[Object]:
        """NodeMetrics: the sum of a node's pods, since three nodes share this machine."""
        found = []
        for node in self._api.select("Node"):
            here = [each for each in self._samples.values() if each.node == node["metadata"]["name"]]
            if not self._samples:
                continue  # nothing is known yet, which is not the same as nothing used
            used = [one for each in here for one in each.containers.values()]
            usage = _usage(sum(cpu for cpu, _ in used), sum(memory for _, memory in used))
            at = max((each.at for each in here), default=self._api.now())
            meta = {"name": node["metadata"]["name"], "creationTimestamp": stamp(at)}
            found.append(_metrics("NodeMetrics", meta, at, WINDOW_S) | {"usage": usage})
        return found

    def _alive(self, sample: _Sample) -> bool:
        meta = sample.pod["metadata"]
        present = self._api.find("Pod", meta["namespace"], meta["name"])
        return present is not None and present["metadata"]["uid"] == meta["uid"]


def _named(pod: Object, container: Container) -> str:
    return f"container {container.name} of {pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _pod_metrics(sample: _Sample) -> Object:
    meta = sample.pod["metadata"]
    shown: dict[str, Any] = {
        "name": meta["name"],
        "namespace": meta["namespace"],
        "creationTimestamp": stamp(sample.at),
    }
    if meta.get("labels"):
        shown["labels"] = meta["labels"]
    containers = [{"name": name, "usage": _usage(*used)} for name, used in sample.containers.items()]
    return _metrics("PodMetrics", shown, sample.at, sample.window) | {"containers": containers}


def _metrics(kind: str, meta: Object, at: datetime, window: float) -> Object:
    head = {"kind": kind, "apiVersion": "metrics.k8s.io/v1beta1", "metadata": meta}
    return head | {"timestamp": stamp(at), "window": f"{window:.3f}s"}


def _usage(cpu: float, memory: int) -> dict[str, str]:
    return {"cpu": f"{int(cpu * 1e9)}n", "memory": f"{memory // 1024}Ki"}


def _children() -> dict[int, list[int]]:
    """The other processes of each process group, which is a container's; far cheaper than asking for parents."""
    found: dict[int, list[int]] = {}
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if (group := os.getpgid(pid)) != pid:
                found.setdefault(group, []).append(pid)
    return found


def _cpu(pid: int) -> float:
    """Seconds on the CPU; on Linux read directly, since psutil's own way costs five times as much."""
    try:
        user, system = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS
    except OSError:
        pass
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _born(pid: int) -> float:
    """When it was started, as seconds since 1970; 0 where it has ended."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def _memory(pid: int) -> int:
    """Resident bytes, found in the same way."""
    try:
        return int(_read(f"/proc/{pid}/statm").split()[1]) * _PAGE
    except OSError:
        pass
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _read(path: str) -> bytes:
    """A line that the kernel tells; a file object would take twice as many calls, each second for each pod."""
    number = os.open(path, os.O_RDONLY)
    try:
        return os.read(number, _LINE)
    finally:
        os.close(number)


_PAGE, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
# The longest of these lines has some fifty numbers.
_LINE = 2048
