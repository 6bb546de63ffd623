"""Port-forward as a unix socket: each connection to it becomes one WebSocket to the agent's pod.

gRPC can dial a socket and nothing of our own, and a TCP port would be open to everybody on this machine; so the
socket lies in a folder that only its owner may enter. One `v4.channel.k8s.io` WebSocket carries one connection,
and the pod is chosen at each dial: when the agent is replaced, dialling again finds its successor.
"""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import tempfile
from typing import TYPE_CHECKING

import aiohttp

from kubealive_tui.errors import LinkError
from kubealive_tui.install import rights_refusal, rights_to_reach
from kubealive_tui.link._access import find_agent
from kubealive_tui.link._errors import DeniedError
from kubealive_tui.link._folders import PrivateFolder
from kubealive_tui.model import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kubealive_tui.link._cluster import Cluster

_log = logging.getLogger(__name__)

__all__ = ["AGENT_PORT", "Bridge"]

AGENT_PORT = 50051
# What macOS and the BSDs take as the name of a socket, its final zero included; Linux takes four more.
LONGEST_PATH = 104
# Gateways cut connections that are silent for a minute; half of that is as much as one lost ping allows.
HEARTBEAT_S = 15.0
DIAL_S = 8.0
# One read of the local socket; the kubelet's own pieces have 32 KiB.
PIECE = 32 * 1024
# One is the channel's; others are ones that end. More would mean that somebody redials without end.
MOST_CONNECTIONS = 8
_DATA, _ERROR = 0, 1
_PORT_FRAME = 3  # the first message of each channel: the channel and the port number


class Bridge:
    """A listening socket in a folder of its own, in `parent` or where temporary files lie; `close` removes both.

    `trouble` says why the last dial failed or the last connection ended, None while all is well. `progress` is
    called as a dial goes on.
    """

    def __init__(self, cluster: "Cluster", *, port: int = AGENT_PORT, parent: str = "") -> None:
        self._cluster = cluster
        self._port = port
        self._parent = parent
        self._folder: PrivateFolder | None = None
        self._listening: asyncio.Task[None] | None = None
        self._served: dict[asyncio.Task[None], socket.socket] = {}
        self.trouble: LinkError | None = None
        self.progress: Callable[[LinkState], None] = lambda _: None

    async def start(self) -> "Path":
        """Begin to listen, once, and return the socket's path; raises LinkError where that is not possible."""
        if sys.platform == "win32":
            raise LinkError("the link needs unix sockets, which Python has not on Windows; run kubealive in WSL")
        if self._folder is None:
            self._folder = _folder(self._parent)
            listener = socket.socket(socket.AF_UNIX)
            listener.setblocking(False)
            listener.bind(str(self._folder.path / "agent"))
            listener.listen(MOST_CONNECTIONS)
            self._listening = asyncio.create_task(self._listen(listener))
        return self._folder.path / "agent"

    async def close(self) -> None:
        """Stop listening, end every connection, and remove the folder."""
        tasks = [*self._served, *([self._listening] if self._listening else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._folder is not None:
            self._folder.remove()
        self._folder = self._listening = None

    async def _listen(self, listener: socket.socket) -> None:
        # Not asyncio's own server: its connections have an owner only some rounds of the loop after their accept.
        with listener:
            while True:
                accepted, _ = await asyncio.get_running_loop().sock_accept(listener)
                if len(self._served) >= MOST_CONNECTIONS:
                    accepted.close()
                    continue
                task = asyncio.create_task(self._serve(accepted))
                self._served[task] = accepted
                task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        # A task that was cancelled before its first step has closed nothing itself.
        self._served.pop(task).close()

    async def _serve(self, accepted: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=accepted)
        try:
            await self._carry(reader, writer)
        except LinkError as exc:
            self.trouble = exc
        except Exception:  # noqa: BLE001 - a task's root: the next dial may go well
            _log.exception("a connection to the agent met something unforeseen")
            self.trouble = LinkError("the port-forward met something unforeseen, which is in the log")
        finally:
            # Not awaited: the peer may have gone without reading what it was sent.
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(DIAL_S):
                forward = await self._dial()
        except TimeoutError as exc:
            server = self._cluster.where.server
            raise LinkError(
                f"{server} did not open a port-forward in {DIAL_S:.0f} s; is the cluster well?"
            ) from exc
        self.trouble = None
        try:
            up = asyncio.ensure_future(_up(reader, forward))
            down = asyncio.ensure_future(_down(forward, writer))
            try:
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (up, down):
                    task.cancel()
                ends = await asyncio.gather(up, down, return_exceptions=True)
            for end in ends:
                if isinstance(end, LinkError):
                    raise end
        finally:
            await _hang_up(forward)

    async def _dial(self) -> aiohttp.ClientWebSocketResponse:
        self.progress(LinkState.FINDING)
        namespace = self._cluster.where.namespace
        pod = await find_agent(self._cluster.api, namespace)
        self.progress(LinkState.FORWARDING)
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward?ports={self._port}"
        try:
            return await self._cluster.websocket(path, protocol="v4.channel.k8s.io", heartbeat_s=HEARTBEAT_S)
        except aiohttp.WSServerHandshakeError as exc:
            raise _refused(exc.status, pod, namespace) from exc


async def _hang_up(forward: aiohttp.ClientWebSocketResponse) -> None:
    """Take leave within a second, and end the connection whatever came of it.

    Closing alone leaves a TLS connection open until the other side has said goodbye as well, which may be after
    the event loop is gone.
    """
    connection = forward._response.connection  # noqa: SLF001 - the one way to its transport
    transport = None if connection is None else connection.transport
    try:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with asyncio.timeout(1):
                await forward.close()
    finally:
        if transport is not None:
            transport.abort()


def _folder(parent: str) -> PrivateFolder:
    """A new folder with room for the socket's name."""
    for place in (parent or tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the folder is private
        folder = PrivateFolder(place)
        if len(os.fsencode(folder.path / "agent")) < LONGEST_PATH:
            return folder
        folder.remove()
    raise LinkError(
        f"TMPDIR ({tempfile.gettempdir()}) is too long for a socket's name; set it to a shorter folder, as /tmp"
    )


def _refused(status: int, pod: str, namespace: str) -> LinkError:
    match status:
        case 401:
            return DeniedError("the credentials are missing or expired; log in again")
        case 403:
            return DeniedError(rights_refusal(rights_to_reach(namespace)[1:]))
        case 404:
            return LinkError(f"agent pod {pod} is gone; looking for its successor")
        case _:
            return LinkError(f"the API server refused the port-forward to {pod} with {status}; is its node well?")


async def _up(reader: asyncio.StreamReader, forward: aiohttp.ClientWebSocketResponse) -> None:
    """Carry bytes to the pod; waits while the WebSocket cannot take more."""
    with contextlib.suppress(aiohttp.ClientError, OSError):
        while piece := await reader.read(PIECE):
            await forward.send_bytes(bytes((_DATA,)) + piece)


async def _down(forward: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> None:
    """Carry bytes from the pod; waits while the reader is slow. Raises LinkError with the pod's complaint."""
    opened: set[int] = set()
    async for message in forward:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel = message.data[0]
        if channel not in opened and len(message.data) == _PORT_FRAME:
            opened.add(channel)
        elif channel == _ERROR:
            raise LinkError(_complaint(message.data[1:].decode(errors="replace").strip()))
        elif channel == _DATA:
            try:
                writer.write(message.data[1:])
                await writer.drain()
            except OSError:
                return
    if forward.exception() is not None:
        raise LinkError(f"the port-forward broke: {forward.exception() or 'no answer to a ping'}")


def _complaint(text: str) -> str:
    """The kubelet's words, which are long where the reason is simple."""
    if "connection refused" in text:
        return "the agent's pod runs, but nothing listens at its port yet; waiting for it"
    return f"the kubelet ended the port-forward: {text[:200]}"
