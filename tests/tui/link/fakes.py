"""A Kubernetes API of one namespace on loopback: pods, reviews, a port-forward as a test wants it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

Forward = Callable[[web.WebSocketResponse], Awaitable[None]]


def pod(
    name: str = "kubealive-agent-1", *, ready: bool = True, created: str = "2026-01-01", **status: Any
) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {"name": name, "creationTimestamp": f"{created}T00:00:00Z"},
        "status": {"phase": "Running", "conditions": conditions, **status},
    }


async def echo(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        await socket.send_bytes(message.data)


class FakeApi:
    """What is asked lands in `requests`; what is answered is set by the test."""

    def __init__(self) -> None:
        self.pods: list[dict[str, Any]] = [pod()]
        self.deployment: dict[str, Any] | None = None
        self.denied: set[str] = set()
        self.forward_status = 101
        self.forward: Forward = echo
        self.token = ""
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.url = ""
        self.quiet = asyncio.Event()  # never set

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.path, dict(request.headers)))
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"message": "Unauthorized", "reason": "Unauthorized"}, status=401)
        if request.path.endswith("/selfsubjectaccessreviews"):
            asked = (await request.json())["spec"]["resourceAttributes"]
            words = " ".join(filter(None, (asked["verb"], asked["resource"], asked["subresource"])))
            return web.json_response({"status": {"allowed": words not in self.denied}})
        if request.path.endswith("/portforward"):
            return await self._portforward(request)
        if request.path.endswith("/pods"):
            return web.json_response({"items": self.pods})
        if self.deployment is not None and "/deployments/" in request.path:
            return web.json_response(self.deployment)
        return web.json_response({"message": "not found", "reason": "NotFound"}, status=404)

    async def _portforward(self, request: web.Request) -> web.StreamResponse:
        if self.forward_status != 101:
            return web.Response(status=self.forward_status)
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",), max_msg_size=1 << 20)
        await socket.prepare(request)
        port = int(request.query["ports"]).to_bytes(2, "little")
        await socket.send_bytes(b"\x00" + port)
        await socket.send_bytes(b"\x01" + port)
        await self.forward(socket)
        await socket.close()
        return socket

    def asked(self, suffix: str) -> list[dict[str, str]]:
        """Headers of the requests whose path ends so."""
        return [headers for path, headers in self.requests if path.endswith(suffix)]

    def kubeconfig(self, folder: Path, user: dict[str, Any] | None = None) -> str:
        """Write a kubeconfig that leads here; returns its path."""
        known = {
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "ann"}}],
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "ann", "user": user or {"token": "t-0"}}],
        }
        path = folder / "config"
        path.write_text(yaml.safe_dump(known))
        return str(path)


@asynccontextmanager
async def serving() -> AsyncIterator[FakeApi]:
    api = FakeApi()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    api.url = f"http://{host}:{port}"
    try:
        yield api
    finally:
        await runner.cleanup()


def to_socket(path: Path) -> Forward:
    """A port-forward that ends at a unix socket, as the kubelet's ends at a port."""

    async def forward(socket: web.WebSocketResponse) -> None:
        reader, writer = await asyncio.open_unix_connection(path)

        async def down() -> None:
            while data := await reader.read(32 * 1024):
                await socket.send_bytes(b"\x00" + data)
            await socket.close()

        task = asyncio.ensure_future(down())
        try:
            async for message in socket:
                writer.write(message.data[1:])
                await writer.drain()
        finally:
            writer.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return forward
