"""The Service proxy: a listener for each port of each Service, which chooses a pod a connection.

kube-proxy has the kernel do it with rules that need an administrator; here it is a small relay, which balances in
the same way: at random, by connection, over ready endpoints, over serving ones that terminate if there is no
other, and with a closed door if there is none at all. And it follows as late as kube-proxy, which writes its rules
at most once a second: what changes soon after a change waits, and clients are sent to pods that are gone.
"""

import asyncio
import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass

from kubealive_sandbox.apart import Apart
from kubealive_sandbox.api import Api, Event
from kubealive_sandbox.controllers import Loop, Recorder
from kubealive_sandbox.network._relay import Place, listen
from kubealive_sandbox.places import Places

__all__ = ["ServiceProxy"]

_log = logging.getLogger(__name__)

_SERVICE = "kubernetes.io/service-name"
# The least time between two writings of rules, kube-proxy's default (iptables.minSyncPeriod).
WRITE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Front:
    """What one listener is for: a port of a Service, at a node's address where `node` is named."""

    service: tuple[str, str]
    port: str
    node: str = ""


class ServiceProxy:
    """Keeps the listeners, and where each leads, as Services and endpoints wanted it when it last wrote rules."""

    def __init__(self, api: Api, *, nodes: dict[str, str], places: Places) -> None:
        self._api = api
        self._places = places
        self._nodes = nodes
        self._events = Recorder(api, "kube-proxy")
        self._servers: dict[Place, tuple[_Front, asyncio.Server]] = {}
        self._busy: dict[Place, _Front] = {}
        self._changes: set[asyncio.Task[None]] = set()
        self._rules: dict[_Front, list[Place]] = {}
        self._stale: dict[tuple[str, str], None] = {}
        self._writing: asyncio.TimerHandle | None = None
        self._written = 0.0
        self._apart = Apart(_log)

    def loop(self) -> Loop:
        """The proxy as a control loop."""

        def service(event: Event) -> Iterable[tuple[str, str]]:
            meta = event.object["metadata"]
            name = (
                meta["name"] if event.resource.kind == "Service" else (meta.get("labels") or {}).get(_SERVICE, "")
            )
            if name:
                yield meta["namespace"], name

        return Loop(self._api, "proxy", self.reconcile, {"Service": service, "EndpointSlice": service})

    def reconcile(self, namespace: str, name: str) -> None:
        """Have a Service's rules written: now, or when a second has passed since rules were written."""
        self._stale[namespace, name] = None
        if self._writing is None:
            loop = asyncio.get_running_loop()
            wait = self._written + WRITE_S - loop.time()
            self._writing = loop.call_later(max(wait, 0.0), self._write)

    def _write(self) -> None:
        self._writing, self._written = None, asyncio.get_running_loop().time()
        stale, self._stale = self._stale, {}
        for namespace, name in stale:
            with self._apart.keep(f"the rules of Service {namespace}/{name}"):
                self._follow(namespace, name)

    def _follow(self, namespace: str, name: str) -> None:
        """Open and close the listeners of one Service."""
        wanted = dict(self._fronts(namespace, name))
        others = {front: to for front, to in self._rules.items() if front.service != (namespace, name)}
        self._rules = others | {front: self._endpoints(front) for front in wanted.values()}
        for place, (front, server) in tuple(self._servers.items()):
            if front.service == (namespace, name) and place not in wanted:
                del self._servers[place]
                server.close()
        for place, front in wanted.items():
            if place not in self._servers and place not in self._busy:
                self._busy[place] = front
                task = asyncio.create_task(self._open(place, front))
                self._changes.add(task)
                task.add_done_callback(self._changes.discard)

    def close(self) -> None:
        """Close every listener."""
        for _, server in self._servers.values():
            server.close()
        if self._writing is not None:
            self._writing.cancel()
        for task in self._changes:
            task.cancel()

    def _fronts(self, namespace: str, name: str) -> Iterable[tuple[Place, _Front]]:
        service = self._api.find("Service", namespace, name)
        if service is None or service["spec"]["type"] == "ExternalName":
            return
        spec = service["spec"]
        for port in spec.get("ports") or ():
            front = _Front((namespace, name), port.get("name", ""))
            if port["protocol"] != "TCP":
                continue
            if spec.get("clusterIP") not in {"None", None} and self._endpoints(front):
                yield (spec["clusterIP"], port["port"]), front
            if port.get("nodePort"):
                for node, address in self._nodes.items():
                    local = _Front((namespace, name), port.get("name", ""), node)
                    if self._endpoints(local):
                        yield (address, port["nodePort"]), local

    async def _open(self, place: Place, front: _Front) -> None:
        try:
            server = await listen(self._places, place, choose=lambda: self._choose(front))
            self._servers[place] = (front, server)
        except OSError as exc:
            service = self._api.find("Service", *front.service)
            if service is not None:
                self._events.warning(
                    service, "PortNotAvailable", f"{place[0]}:{place[1]} cannot be listened on: {exc}"
                )
        finally:
            del self._busy[place]
        if (place in self._servers) != (front in self._rules):
            self.reconcile(*front.service)  # it is unwanted by now, or to be tried again

    def _choose(self, front: _Front) -> Place | None:
        places = self._rules.get(front)
        return random.choice(places) if places else None  # noqa: S311 - as kube-proxy's rules do

    def _endpoints(self, front: _Front) -> list[Place]:
        """Where a new connection may go, as the API has it now."""
        namespace, name = front.service
        ready: list[tuple[str, Place]] = []
        leaving: list[tuple[str, Place]] = []
        for each in self._api.select("EndpointSlice", namespace, labels=f"{_SERVICE}={name}"):
            number = next((port["port"] for port in each["ports"] if port.get("name", "") == front.port), None)
            if number is None:
                continue
            for endpoint in each["endpoints"]:
                conditions, place = endpoint["conditions"], (endpoint["addresses"][0], number)
                if conditions.get("ready"):
                    ready.append((endpoint.get("nodeName", ""), place))
                elif conditions.get("serving") and conditions.get("terminating"):
                    leaving.append((endpoint.get("nodeName", ""), place))
        service = self._api.find("Service", namespace, name)
        if front.node and service and service["spec"].get("externalTrafficPolicy") == "Local":
            ready, leaving = ([each for each in group if each[0] == front.node] for group in (ready, leaving))
        return [place for _, place in ready or leaving]
