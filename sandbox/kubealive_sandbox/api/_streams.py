"""What of a pod is not an object: its logs, connections to its ports, and programs in it.

A port-forward is the `v4.channel.k8s.io` WebSocket of Kubernetes: channel 2i carries the bytes of port i and 2i+1
its complaint, each opened by the port's number. No Python server has it, and it is forty lines.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from kubealive_sandbox.api._errors import bad_request, refused
from kubealive_sandbox.api._remote import Remotes, carry, entered, websocket
from kubealive_sandbox.api._store import Object

__all__ = ["Nodes", "Streams"]

PIECE = 32 * 1024  # as the kubelet cuts what it forwards
_FORWARD = "v4.channel.k8s.io"


class Nodes(Remotes, Protocol):
    """What the API server asks of the kubelets."""

    def logs(self, pod: Object, container: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of a container's log. Raises ApiError where there is none."""
        ...

    async def dial(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a port of a pod. Raises OSError."""
        ...


class Streams:
    """Answers the subresources of pods that carry bytes."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def answer(self, request: web.Request, pod: Object, sub: str) -> web.StreamResponse:
        """Answer a request for a subresource of a pod. Raises a 501 for what is not served."""
        match sub:
            case "log":
                return await self._logs(request, pod)
            case "portforward":
                return await self._forward(request, pod)
            case "exec" | "attach":
                return await carry(request, pod, sub, self._nodes)
            case _:
                raise refused(f"pods/{sub}")

    async def _logs(self, request: web.Request, pod: Object) -> web.StreamResponse:
        lines = self._nodes.logs(pod, entered(request, pod), request.query)
        first = await anext(lines, b"")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write(first)
            async for line in lines:
                await response.write(line)
            await response.write_eof()
        return response

    async def _forward(self, request: web.Request, pod: Object) -> web.StreamResponse:
        ports = [
            int(port) for each in request.query.getall("ports", []) for port in each.split(",") if port.isdigit()
        ]
        socket = websocket(request, (_FORWARD,), "pods/portforward by SPDY, as `kubectl port-forward` speaks it")
        if not ports:
            raise bad_request('query parameter "ports" is required')
        await socket.prepare(request)
        forward = _Forward(socket, self._nodes, pod, ports)
        await forward.run()
        return socket


class _Forward:
    """One WebSocket and the connections behind its channels."""

    def __init__(self, socket: web.WebSocketResponse, nodes: Nodes, pod: Object, ports: list[int]) -> None:
        self._socket = socket
        self._nodes = nodes
        self._pod = pod
        self._ports = ports
        self._writers: dict[int, asyncio.StreamWriter] = {}

    async def run(self) -> None:
        """Carry bytes until either end of every port, or the client, has closed."""
        tasks = [asyncio.create_task(self._port(at, port)) for at, port in enumerate(self._ports)]
        reading: asyncio.Future[Any] = asyncio.create_task(self._read())
        done: asyncio.Future[Any] = asyncio.gather(*tasks, return_exceptions=True)
        try:
            await asyncio.wait((done, reading), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, reading):
                task.cancel()
            await asyncio.gather(*tasks, reading, return_exceptions=True)
            for writer in self._writers.values():
                writer.transport.abort()
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._socket.close()

    async def _port(self, at: int, port: int) -> None:
        for channel in (2 * at, 2 * at + 1):
            await self._socket.send_bytes(struct.pack("<BH", channel, port))
        try:
            reader, writer = await self._nodes.dial(self._pod, port)
        except OSError as exc:
            words = f"error forwarding port {port} to pod {self._pod['metadata']['uid']}: "
            reason = "connection refused" if isinstance(exc, ConnectionRefusedError) else str(exc)
            await self._socket.send_bytes(bytes((2 * at + 1,)) + (words + reason).encode())
            return
        self._writers[2 * at] = writer
        while piece := await reader.read(PIECE):
            await self._socket.send_bytes(bytes((2 * at,)) + piece)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY or len(message.data) < 2:
                continue
            writer = self._writers.get(message.data[0])
            for _ in range(100):
                if writer is not None or message.data[0] % 2:
                    break
                await asyncio.sleep(0.01)  # the client need not wait until the port is dialled
                writer = self._writers.get(message.data[0])
            if writer is not None:
                writer.write(message.data[1:])
                await writer.drain()
