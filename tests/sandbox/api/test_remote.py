"""Programs in pods over a WebSocket: channels, the end with its exit code, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kubealive_sandbox.api import Api, ApiError, Object, Streams, build_app
from tests.sandbox.objects import NAMESPACE, NoMetrics, new_api, pod

SECRET = "s3cret"
PODS = f"/{SECRET}/api/v1/namespaces/{NAMESPACE}/pods"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
STREAMS = "stdin=true&stdout=true&stderr=true"


class Echo:
    """Answers on both streams until its input ends, then ends with a code; or goes on until it is let go."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.let_go = asyncio.Event()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def run(self, said: Callable[[int, bytes], Awaitable[None]]) -> int:
        try:
            while data := await self._heard.get():
                await said(1, data.upper())
                await said(2, b"!")
            return self.code
        finally:
            self.let_go.set()

    async def feed(self, data: bytes) -> None:
        await self._heard.put(data)

    def end_input(self) -> None:
        self._heard.put_nowait(b"")


class Nodes:
    """Runs an Echo for every command; the command is its exit code."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...], bool]] = []
        self.programs: list[Echo] = []

    async def logs(self, pod: Object, container: str, query: Any) -> AsyncIterator[bytes]:
        yield container.encode()

    async def dial(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise ConnectionRefusedError

    @asynccontextmanager
    async def execute(
        self, pod: Object, container: str, command: Sequence[str], *, stdin: bool
    ) -> AsyncIterator[Echo]:
        self.asked.append((container, tuple(command), stdin))
        if command[0] == "nope":
            raise ApiError(500, "InternalError", "there is none")
        self.programs.append(Echo(int(command[0])))
        yield self.programs[-1]

    @asynccontextmanager
    async def attach(self, pod: Object, container: str, *, stdin: bool) -> AsyncIterator[Echo]:
        self.asked.append((container, (), stdin))
        self.programs.append(Echo(0))
        yield self.programs[-1]


@pytest.fixture
def nodes() -> Nodes:
    return Nodes()


@pytest.fixture
def api() -> Api:
    made = new_api()
    made.create("Pod", pod("one", node="node-1"))
    two = pod("two", node="node-1")
    two["spec"]["containers"].append({"name": "side", "image": "workload:v1"})
    made.create("Pod", two)
    made.create("Pod", pod("far"))
    return made


@pytest.fixture
async def client(api: Api, nodes: Nodes) -> AsyncIterator[aiohttp.ClientSession]:
    app = build_app(api, secret=SECRET, streams=Streams(nodes), metrics=NoMetrics())
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
        yield session
    await runner.cleanup()


async def rest(socket: aiohttp.ClientWebSocketResponse) -> list[bytes]:
    """What comes until the end."""
    return [message.data async for message in socket if message.type is aiohttp.WSMsgType.BINARY]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        pytest.param(0, {"metadata": {}, "status": "Success"}, id="success"),
        pytest.param(
            3,
            {
                "metadata": {},
                "status": "Failure",
                "message": "command terminated with non-zero exit code: command terminated with exit code 3",
                "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": "3"}]},
            },
            id="failure",
        ),
    ],
)
async def test_a_command_and_its_end(client: aiohttp.ClientSession, code: int, status: Object) -> None:
    """Each stream has its channel; channel 255 ends the input, and channel 3 tells the exit code."""
    path = f"{PODS}/one/exec?command={code}&{STREAMS}"
    async with client.ws_connect(path, protocols=(V5, V4)) as socket:
        await socket.send_bytes(b"\x00hi")
        opened, *streams = [(await socket.receive()).data for _ in range(3)]
        await socket.send_bytes(b"\xff\x00")
        (end,) = await rest(socket)

    assert socket.protocol == V5
    assert opened == b"\x01"
    assert streams == [b"\x01HI", b"\x02!"]
    assert (end[:1], json.loads(end[1:])) == (b"\x03", status)


async def test_only_what_was_asked_for_is_carried(client: aiohttp.ClientSession, nodes: Nodes) -> None:
    """A client that wants no errors gets none; words and container are the request's."""
    path = f"{PODS}/two/exec?container=side&command=0&command=a&stdin=1&stdout=1"
    async with client.ws_connect(path, protocols=(V4,)) as socket:
        await socket.send_bytes(b"\x00hi")
        await socket.send_bytes(b"\x07what channel is this")
        await socket.send_bytes(b"")
        _, said = [(await socket.receive()).data for _ in range(2)]
        nodes.programs[0].end_input()
        ends = await rest(socket)

    assert nodes.asked == [("side", ("0", "a"), True)]
    assert (said, len(ends)) == (b"\x01HI", 1)


async def test_what_cannot_be_started_is_the_end(client: aiohttp.ClientSession) -> None:
    """It is told on channel 3, as the real server tells what a node says."""
    async with client.ws_connect(f"{PODS}/one/exec?command=nope&{STREAMS}", protocols=(V5,)) as socket:
        *_, end = await rest(socket)

    assert json.loads(end[1:])["message"] == "there is none"


async def test_no_stream_at_all(client: aiohttp.ClientSession) -> None:
    """It is said where the end is said, since the connection stands by then."""
    async with client.ws_connect(f"{PODS}/one/exec?command=0", protocols=(V5,)) as socket:
        opened, end = await rest(socket)

    assert opened == b"\x03"
    assert json.loads(end[1:])["message"].endswith("you must specify at least 1 of stdin, stdout, stderr")


@pytest.mark.parametrize("sub", ["exec?command=0&", "attach?"])
async def test_a_program_is_let_go_with_its_client(client: aiohttp.ClientSession, nodes: Nodes, sub: str) -> None:
    """Whoever goes away leaves nothing running."""
    async with client.ws_connect(f"{PODS}/one/{sub}{STREAMS}", protocols=(V5,)) as socket:
        await socket.send_bytes(b"\x00hi")
        await socket.receive()
        await socket.receive()

    async with asyncio.timeout(5):
        await nodes.programs[0].let_go.wait()


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        pytest.param(
            "two/exec?command=0&stdout=1", 400,
            "a container name must be specified for pod two, choose one of: [web side]", id="which container",
        ),
        pytest.param(
            "one/exec?container=x&command=0&stdout=1", 400, "container x is not valid for pod one",
            id="no such container",
        ),
        pytest.param("one/log?container=x", 400, "container x is not valid for pod one", id="no such log"),
        pytest.param("far/exec?command=0&stdout=1", 400, "pod far does not have a host assigned", id="unplaced"),
        pytest.param("none/exec?command=0&stdout=1", 404, 'pods "none" not found', id="no pod"),
        pytest.param(
            "one/exec?command=0&stdout=1", 501,
            "the sandbox does not serve pods/exec by SPDY, which kubectl before 1.31 speaks; a real cluster does",
            id="no WebSocket",
        ),
    ],
)  # fmt: skip
async def test_refusals(client: aiohttp.ClientSession, path: str, code: int, message: str) -> None:
    """What is wrong with a request is said before the connection is anything else than HTTP."""
    async with client.get(f"{PODS}/{path}") as answer:
        said = await answer.json()

    assert (answer.status, said["message"]) == (code, message)
