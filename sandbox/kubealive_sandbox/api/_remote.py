"""Programs in pods for a client at a distance: `kubectl exec`, `attach` and `run -i`, over one WebSocket.

Kubernetes calls it `v5.channel.k8s.io`: the first byte of each message is its channel: 0 to 2 for the standard
streams, 3 for one Status at the end, which carries the exit code, and 255 to close another channel, which
`v4.channel.k8s.io` cannot. A terminal is not among what is served.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from kubealive_sandbox.api._errors import ApiError, bad_request, failed, refused
from kubealive_sandbox.api._store import Object

__all__ = ["Program", "Remotes", "carry", "entered", "websocket"]

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _ERROR, _CLOSE = 0, 3, 255
_STREAMS = {1: "stdout", 2: "stderr"}
# Of one message: kubectl sends 32 KiB at a time.
MOST_MESSAGE = 4 << 20
CLOSE_S = 1.0
LOOK_S = 1.0

Said = Callable[[int, bytes], Awaitable[None]]


class Program(Protocol):
    """A program that a client is connected to."""

    async def run(self, said: Said) -> int:
        """Have it say what it says, by the number of its stream, until its end; its exit code."""
        ...

    async def feed(self, data: bytes) -> None:
        """Give it more to read."""
        ...

    def end_input(self) -> None:
        """There will be no more to read."""
        ...


class Remotes(Protocol):
    """Where programs are had. Both raise ApiError when entered, where there is none; leaving them lets go."""

    def execute(
        self, pod: Object, container: str, command: Sequence[str], *, stdin: bool
    ) -> AbstractAsyncContextManager[Program]:
        """A command beside a container's own program."""
        ...

    def attach(self, pod: Object, container: str, *, stdin: bool) -> AbstractAsyncContextManager[Program]:
        """A container's own program."""
        ...


def websocket(request: web.Request, protocols: tuple[str, ...], otherwise: str) -> web.WebSocketResponse:
    """A WebSocket that speaks one of those protocols. Raises a 501 that names what was asked for instead."""
    offered = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if not any(protocol in offered for protocol in protocols):
        raise refused(otherwise)
    # Without compression: what is carried here stays on this machine.
    return web.WebSocketResponse(protocols=protocols, compress=False, max_msg_size=MOST_MESSAGE)


def entered(request: web.Request, pod: Object) -> str:
    """The container that a request is about. Raises a 400 where it names none, or one that is not there."""
    name, pod_name = request.query.get("container", ""), pod["metadata"]["name"]
    own = [each["name"] for each in pod["spec"]["containers"]]
    initial = [each["name"] for each in pod["spec"].get("initContainers") or ()]
    if not name and len(own) > 1:
        words = f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(own)}]"
        raise bad_request(words + (f" or one of the init containers: [{' '.join(initial)}]" if initial else ""))
    if name and name not in (*own, *initial):
        raise bad_request(f"container {name} is not valid for pod {pod_name}")
    return name or str(own[0])


async def carry(request: web.Request, pod: Object, sub: str, remotes: Remotes) -> web.StreamResponse:
    """Carry a client's streams to a program of a pod and back, until either has ended. Raises ApiError before."""
    query = request.query
    wanted = {name for name in ("stdin", "stdout", "stderr", "tty") if query.get(name) in {"1", "true"}}
    container, command, stdin = entered(request, pod), query.getall("command", []), "stdin" in wanted
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    if "tty" in wanted:
        raise refused(f"a terminal (-t) for pods/{sub}")
    socket = websocket(request, _PROTOCOLS, f"pods/{sub} by SPDY, which kubectl before 1.31 speaks")
    await socket.prepare(request)
    program = (
        remotes.execute(pod, container, command, stdin=stdin)
        if sub == "exec"
        else remotes.attach(pod, container, stdin=stdin)
    )
    with contextlib.suppress(ConnectionError, TimeoutError):
        await _Remote(request, socket, wanted).serve(program)
        async with asyncio.timeout(CLOSE_S):
            await socket.close()
    return socket


class _Remote:
    """One client."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, wanted: set[str]) -> None:
        self._request = request
        self._socket = socket
        self._wanted = wanted

    async def serve(self, connecting: AbstractAsyncContextManager[Program]) -> None:
        """Carry until the program or the client has ended, and say how the program did."""
        # The real server says first, on the first channel that it writes to, that the connection stands.
        opened = [number for number, name in _STREAMS.items() if name in self._wanted]
        await self._socket.send_bytes(bytes((min(opened, default=_ERROR),)))
        try:
            if not self._wanted:
                raise failed("unable to upgrade connection: you must specify at least 1 of stdin, stdout, stderr")
            async with connecting as program:
                code = await self._run(program)
        except ApiError as error:
            await self._end(error.status())
        else:
            if code is not None:
                await self._end(_ended(code))

    async def _run(self, program: Program) -> int | None:
        """The program's exit code; None if the client went first."""
        running = asyncio.create_task(program.run(self._say))
        others = (asyncio.create_task(self._read(program)), asyncio.create_task(self._gone()))
        try:
            await asyncio.wait((running, *others), return_when=asyncio.FIRST_COMPLETED)
            return running.result() if running.done() else None
        finally:
            for task in (running, *others):
                task.cancel()
            await asyncio.gather(running, *others, return_exceptions=True)

    async def _say(self, stream: int, data: bytes) -> None:
        if _STREAMS[stream] in self._wanted:
            await self._socket.send_bytes(bytes((stream,)) + data)

    async def _read(self, program: Program) -> None:
        """Feed the program until the client is gone; what belongs to no channel is left out."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == _STDIN and data:
                await program.feed(data)
            elif channel == _CLOSE and data == bytes((_STDIN,)):
                program.end_input()

    async def _gone(self) -> None:
        """Wait for the connection's end, which nobody reads while the program takes no input."""
        while (transport := self._request.transport) and not transport.is_closing():  # noqa: ASYNC110 - untold
            await asyncio.sleep(LOOK_S)

    async def _end(self, status: dict[str, Any]) -> None:
        await self._socket.send_bytes(bytes((_ERROR,)) + json.dumps(status).encode())


def _ended(code: int) -> dict[str, Any]:
    """The Status of a program's end, from which kubectl has its own exit code."""
    if not code:
        return {"metadata": {}, "status": "Success"}
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": causes},
    }
