"""One pod on its node: address, volumes, containers, its status in the API, and its end."""

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kubealive_sandbox.apart import Apart
from kubealive_sandbox.api import Api, ApiError, Object, clone, stamp
from kubealive_sandbox.controllers import Recorder
from kubealive_sandbox.kubelet._container import Container, Surroundings
from kubealive_sandbox.kubelet._environment import ConfigError
from kubealive_sandbox.kubelet._images import Images, Lent
from kubealive_sandbox.kubelet._inside import Inside
from kubealive_sandbox.kubelet._reaping import Reaper
from kubealive_sandbox.kubelet._status import pod_status
from kubealive_sandbox.kubelet._volumes import Volumes
from kubealive_sandbox.network import connect, listen
from kubealive_sandbox.places import Places

__all__ = ["Host", "Pod"]

_log = logging.getLogger(__name__)

# The grace of a pod that was removed by force: the kubelet gives no less.
FORCED_S = 1.0
RETRY_VOLUMES_S = 2.0
KILLED_S = 1.0
# A real node takes somewhat longer to make a pod's network and to tell that it runs. Without it a successor would
# serve before its predecessor has gone, which no cluster does.
SETUP_S = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What every pod of a node shares."""

    api: Api
    events: Recorder
    images: Images
    reaper: Reaper
    root: Path
    address: str
    places: Places
    inside: Inside
    api_url: str


class Pod:
    """Runs a pod from its binding to its end. Whoever awaits `run` owns it."""

    def __init__(self, pod: Object, *, host: Host, address: str) -> None:
        self._host = host
        self._pod = pod
        self.address = address
        self._started = stamp(host.api.now())
        self.volumes = Volumes(host.api, pod, root=host.root, resolv_conf=host.inside.resolv_conf(pod))
        around = Surroundings(
            api=host.api,
            events=host.events,
            images=host.images,
            reaper=host.reaper,
            pod=lambda: self._pod,
            address=address,
            dial=self._dial,
            lent=Lent(host.places, address),
            folder=self.volumes.home,
            variables=self._variables,
            api_url=host.api_url,
            changed=self._publish,
        )
        self.initial = [Container(each, around) for each in pod["spec"].get("initContainers") or ()]
        self.containers = [Container(each, around) for each in pod["spec"]["containers"]]
        self._grace: float | None = None
        self._leaving = asyncio.Event()
        self._ended = False
        self._doors: list[asyncio.Server] = []
        self._apart = Apart(_log)

    @property
    def uid(self) -> str:
        """The pod's UID."""
        return str(self._pod["metadata"]["uid"])

    @property
    def object(self) -> Object:
        """The pod as it is now."""
        return self._pod

    @property
    def _named(self) -> str:
        meta = self._pod["metadata"]
        return f"pod {meta['namespace']}/{meta['name']}"

    def update(self, pod: Object) -> None:
        """Take the pod's new version: labels for its files, and perhaps its deletion."""
        self._pod = pod
        with self._apart.keep(f"the files of {self._named}"), contextlib.suppress(ConfigError, OSError):
            self.volumes.refresh(pod)
        if pod["metadata"].get("deletionTimestamp"):
            self.leave(float(pod["metadata"]["deletionGracePeriodSeconds"]))

    def leave(self, grace: float) -> None:
        """Begin to stop, or hurry."""
        self._grace = grace if self._grace is None else min(self._grace, grace)
        self._leaving.set()

    def removed(self) -> None:
        """The object is gone from the API, by force: so goes what runs, soon."""
        self._ended = True
        self.leave(FORCED_S)

    async def run(self) -> None:
        """Run it until it is gone."""
        self._publish()
        running = asyncio.create_task(self._containers_apart())
        leaving = asyncio.create_task(self._leaving.wait())
        try:
            await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
            await leaving
            await self._stop(running)
        finally:
            leaving.cancel()
            for container in (*self.initial, *self.containers):
                container.kill()
            # What was killed is gone within milliseconds, and its exit is to be collected.
            await asyncio.wait((running,), timeout=KILLED_S)
            running.cancel()
            for door in self._doors:
                door.close()
            await asyncio.gather(running, leaving, return_exceptions=True)
            self.volumes.remove()

    async def _containers_apart(self) -> None:
        with self._apart.keep(self._named):
            await self._containers()

    async def _containers(self) -> None:
        policy = self._pod["spec"]["restartPolicy"]
        await self._prepare()
        await asyncio.sleep(SETUP_S)
        await self._host_ports()
        for container in self.initial:
            await container.run(policy="Never" if policy == "Never" else "OnFailure")
            if container.state.get("terminated", {}).get("exitCode") != 0:
                return
        async with asyncio.TaskGroup() as group:
            for container in self.containers:
                group.create_task(self._run(container, policy))

    async def _run(self, container: Container, policy: str) -> None:
        with self._apart.keep(f"container {container.name} of {self._named}"):
            await container.run(policy=policy)

    async def _host_ports(self) -> None:
        """Open the ports that the pod has on its node; one that is taken is the pod's trouble, and said."""
        for container in self._pod["spec"]["containers"]:
            for port in container.get("ports") or ():
                if not port.get("hostPort"):
                    continue
                place = (self.address, port["containerPort"])
                try:
                    self._doors.append(
                        await listen(
                            self._host.places, (self._host.address, port["hostPort"]), choose=partial(_same, place)
                        )
                    )
                except OSError as exc:
                    words = f"hostPort {port['hostPort']} of {self._host.address} cannot be had: {exc.strerror}"
                    self._host.events.warning(self._pod, "HostPortConflict", words)

    async def _prepare(self) -> None:
        while True:
            try:
                self.volumes.prepare(self._pod)
            except (ConfigError, OSError) as exc:
                self._host.events.warning(self._pod, "FailedMount", f"MountVolume.SetUp failed: {exc}")
                await asyncio.sleep(RETRY_VOLUMES_S)
            else:
                return

    async def _stop(self, running: asyncio.Task[None]) -> None:
        """Stop all containers, say how they ended, and let the API forget the pod."""
        everything = [*self.initial, *self.containers]
        stopping = [asyncio.create_task(each.stop(self._grace or 0.0)) for each in everything]
        pending: set[asyncio.Task[Any]] = set(stopping)
        began, given = asyncio.get_running_loop().time(), self._grace or 0.0
        while pending:
            _, pending = await asyncio.wait(pending, timeout=0.1)
            if (self._grace or 0.0) < given and asyncio.get_running_loop().time() > began + (self._grace or 0.0):
                for each in everything:
                    each.kill()
        if not any(each.state.get("running") for each in everything):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(running), 0.2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for each in everything:
            each.give_up()
        self._publish()
        meta = self._pod["metadata"]
        if not self._ended:
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}}
            with contextlib.suppress(ApiError):
                self._host.api.delete("Pod", meta["namespace"], meta["name"], options)

    async def _dial(self, port: int) -> socket.socket:
        """A connection of the kubelet's, which comes from the node."""
        place = (self.address, port)
        return await connect(self._host.places, place, source=self._host.address, speaks_first=True)

    def _variables(self, container: Object) -> dict[str, str]:
        pod = self._pod
        return self._host.inside.variables(
            pod, address=self.address, home=self.volumes.home, mounts=self.volumes.mounts(pod, container)
        )

    def _publish(self) -> None:
        """Write the status, if it is another one."""
        if self._ended:
            return
        api, meta = self._host.api, self._pod["metadata"]
        present = api.find("Pod", meta["namespace"], meta["name"])
        if present is None or present["metadata"]["uid"] != meta["uid"]:
            return
        self._pod = present
        new = clone(present)
        new["status"] |= pod_status(
            present, initial=self.initial, containers=self.containers, address=self.address,
            host=self._host.address, started=self._started, now=stamp(api.now()),
        )  # fmt: skip
        if new["status"] != present["status"]:
            try:
                self._pod = api.update("Pod", new, sub="status")
            except ApiError:
                _log.exception("the status of pod %s was refused", meta["name"])


def _same(place: tuple[str, int]) -> tuple[str, int]:
    return place
