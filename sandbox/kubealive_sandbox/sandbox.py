"""The sandbox put together: what starts first, what runs, and how it ends without leaving anything."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from kubealive_sandbox.api import BY_KIND, Api, Object, Store, Streams, build_app, clone
from kubealive_sandbox.api._discovery import KUBERNETES_VERSION
from kubealive_sandbox.controllers import CONTROLLERS, Autoscalers, Loop, enforce_pod_security, enforce_quotas
from kubealive_sandbox.kubelet import Doors, Host, Image, Images, Inside, Node, Reaper, Usage, recorder
from kubealive_sandbox.network import DNS_PORT, ZONE, Addresses, Dns, ServiceProxy, allocate_services
from kubealive_sandbox.places import Places

__all__ = ["Sandbox", "open_sandbox"]

_log = logging.getLogger(__name__)

NODES = 3
_METRICS_API: Object = {
    "kind": "APIService",
    "apiVersion": "apiregistration.k8s.io/v1",
    "metadata": {"name": "v1beta1.metrics.k8s.io", "uid": "v1beta1.metrics.k8s.io"},
    "spec": {"group": "metrics.k8s.io", "version": "v1beta1"},
    "status": {"conditions": [{"type": "Available", "status": "True", "reason": "Passed"}]},
}
_API_LABELS = {"component": "apiserver", "provider": "kubernetes"}
CONTEXT = "kubealive-sandbox"
_PREFIX = "kubealive-sandbox-"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox. `ended` is done when one of its parts has failed, which ends it all."""

    kubeconfig: Path
    url: str
    api: Api
    places: Places
    ended: asyncio.Future[None]


@asynccontextmanager
async def open_sandbox(images: Mapping[str, Image], *, scheme: str = "") -> AsyncIterator[Sandbox]:
    """A cluster whose nodes have those images, until the context ends. Raises SandboxError.

    `scheme` is MANY or ONE of `network`, what its addresses are on this machine; without, what the machine has.
    """
    async with AsyncExitStack() as stack:
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        reaper = Reaper(folder)
        stack.callback(reaper.close)
        addresses = Addresses.claim(folder, scheme=scheme)
        stack.callback(addresses.listener.close)
        secret = secrets.token_hex(16)
        url = f"http://{addresses.api}/{secret}"
        api = Api(Store())
        parts = _Parts(api, addresses, folder, reaper, images, url)
        await stack.enter_async_context(_serving(parts, secret))
        ended = await stack.enter_async_context(_working(parts))
        api.store.put(BY_KIND["APIService"], clone(_METRICS_API))
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            api.create("Namespace", {"metadata": {"name": name}})
        for kind, own in _itself(addresses.api):
            api.create(kind, own)
        kubeconfig = folder / "kubeconfig"
        _write_kubeconfig(kubeconfig, url)
        yield Sandbox(kubeconfig, url, api, addresses.places, ended)


class _Parts:
    """Everything that runs, made but not started."""

    def __init__(
        self, api: Api, addresses: Addresses, folder: Path, reaper: Reaper, images: Mapping[str, Image], url: str
    ) -> None:
        self.api = api
        self.addresses = addresses
        enforce_pod_security(api)
        enforce_quotas(api)
        allocate_services(api, addresses)
        inside = Inside(
            network=addresses.network,
            places=addresses.places.word,
            dns=addresses.dns,
            zone=ZONE,
            api=addresses.api,
        )
        table = Images(images)
        self.nodes: list[Node] = []
        for number in range(1, NODES + 1):
            name = f"node-{number}"
            host = Host(
                api=api, events=recorder(api, name), images=table, reaper=reaper, root=folder,
                address=addresses.node(number), places=addresses.places, inside=inside, api_url=url,
            )  # fmt: skip
            self.nodes.append(_node(name, number, host, addresses))
        self.usage = Usage(
            api, lambda: [(node.name, pod, each) for node in self.nodes for pod, each in node.containers()]
        )
        self.dns = Dns(api)
        nodes = {f"node-{n}": addresses.node(n) for n in range(1, NODES + 1)}
        self.proxy = ServiceProxy(api, nodes=nodes, places=addresses.places)
        self.loops: list[Loop | Autoscalers] = [*(make(api) for make in CONTROLLERS), self.proxy.loop()]
        self.loops.append(Autoscalers(api, self.usage.pods))


def _itself(place: str) -> Iterator[tuple[str, Object]]:
    """The Service by which a cluster names its own API server, which speaks no TLS here."""
    host, _, port = place.partition(":")
    meta: Object = {"name": "kubernetes", "namespace": "default"}
    ports = [{"name": "https", "port": 443, "targetPort": int(port)}]
    yield "Service", {"metadata": meta | {"labels": _API_LABELS}, "spec": {"ports": ports}}
    ends = [{"addresses": [host], "conditions": {"ready": True}}]
    labels = {"kubernetes.io/service-name": "kubernetes"}
    ports = [{"name": "https", "port": int(port), "protocol": "TCP"}]
    yield (
        "EndpointSlice",
        {"metadata": meta | {"labels": labels}, "addressType": "IPv4", "endpoints": ends, "ports": ports},
    )


def _node(name: str, number: int, host: Host, addresses: Addresses) -> Node:
    return Node(
        name,
        host=host,
        version=KUBERNETES_VERSION,
        take=lambda: addresses.take_pod(number),
        give=lambda address: addresses.give_pod(number, address),
    )


@asynccontextmanager
async def _serving(parts: _Parts, secret: str) -> AsyncIterator[None]:
    """The API server, on the socket that holds the sandbox's range of addresses, and DNS."""
    streams = Streams(Doors(parts.api, parts.nodes, parts.addresses.places))
    app = build_app(parts.api, secret=secret, streams=streams, metrics=parts.usage)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
    await runner.setup()
    await web.SockSite(runner, parts.addresses.listener).start()
    await parts.dns.start(parts.addresses.places, (parts.addresses.dns, DNS_PORT))
    try:
        yield
    finally:
        parts.dns.close()
        parts.proxy.close()
        await runner.cleanup()


@asynccontextmanager
async def _working(parts: _Parts) -> AsyncIterator[asyncio.Future[None]]:
    """Controllers and kubelets; the future is done when one of them has ended, which none may."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(each.run(), name=each.name) for each in parts.loops]
    tasks += [asyncio.create_task(each.run(), name=each.name) for each in parts.nodes]
    tasks.append(asyncio.create_task(parts.usage.run(), name="usage"))

    def over(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s has failed", task.get_name(), exc_info=task.exception())
        if not ended.done():
            ended.set_result(None)

    for task in tasks:
        task.add_done_callback(over)
    try:
        yield ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _write_kubeconfig(path: Path, url: str) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": {"server": url}}],
        "users": [{"name": CONTEXT, "user": {}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "current-context": CONTEXT,
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2))


def _sweep() -> None:
    """Remove folders of sandboxes that nobody could clean up after."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            try:
                os.kill(int(folder.name.removeprefix(_PREFIX).partition("-")[0]), 0)
            except ProcessLookupError:
                shutil.rmtree(folder, ignore_errors=True)
