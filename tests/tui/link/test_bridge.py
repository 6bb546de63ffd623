"""The bridge: bytes both ways, a private socket, and a reason for whatever ends."""

import asyncio
import contextlib
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio
from aiohttp import web

from kubealive.v1.agent_pb2_grpc import add_AgentServiceServicer_to_server
from kubealive_tui.errors import LinkError, UsageError
from kubealive_tui.feed import LiveFeed
from kubealive_tui.link import DeniedError, Link, LinkOptions, NotInstalledError, open_link
from kubealive_tui.link._bridge import MOST_CONNECTIONS, Bridge, _folder, _hang_up
from kubealive_tui.model import LinkEvent, LinkState, Signal
from tests.tui.feed.stage import FakeAgent
from tests.tui.link.fakes import FakeApi, pod, to_socket


@pytest_asyncio.fixture
async def link(api: FakeApi, tmp_path: Path) -> AsyncIterator[Link]:
    async with open_link(LinkOptions(kubeconfig=api.kubeconfig(tmp_path), namespace="n")) as found:
        yield found


def bridge_of(link: Link) -> Bridge:
    assert link._bridge is not None
    return link._bridge


async def connect(link: Link) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_unix_connection(await bridge_of(link).start())


async def closed(link: Link) -> LinkError | None:
    """Connect, wait until the bridge hangs up, and return its trouble."""
    reader, writer = await connect(link)
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            await reader.read()
    await hang_up(writer)
    return link.trouble


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


class Leaving:
    """A WebSocket whose goodbye goes as it is told to; it counts how often its connection was ended."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error
        self.ended = 0
        self._response = self.connection = self.transport = self

    def abort(self) -> None:
        self.ended += 1

    async def close(self) -> None:
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("error", [None, OSError("reset"), TimeoutError()], ids=["in peace", "reset", "silent"])
async def test_a_connection_is_ended_with_its_forward(error: Exception | None) -> None:
    """TLS would wait for the other side's goodbye, and longer than this program runs."""
    leaving = Leaving(error)
    await _hang_up(leaving)  # type: ignore[arg-type]
    assert leaving.ended == 1


async def test_bytes_go_both_ways(api: FakeApi, link: Link) -> None:
    """A megabyte comes back as it was sent, by the newest ready pod, with our credentials."""
    steps: list[LinkState] = []
    bridge_of(link).progress = steps.append
    reader, writer = await connect(link)
    sent = bytes(range(256)) * 4096
    writer.write(sent)
    async with asyncio.timeout(5):
        assert await reader.readexactly(len(sent)) == sent
    await hang_up(writer)
    assert steps == [LinkState.FINDING, LinkState.FORWARDING]
    [headers] = api.asked("/namespaces/n/pods/kubealive-agent-1/portforward")
    assert headers["Authorization"] == "Bearer t-0"
    assert link.trouble is None


async def test_two_bytes_of_data_are_data(link: Link) -> None:
    """Only the first message of a channel is its port; a later one of the same length is carried."""
    reader, writer = await connect(link)
    writer.write(b"hi")
    async with asyncio.timeout(5):
        assert await reader.readexactly(2) == b"hi"
    await hang_up(writer)


async def test_a_slow_reader_slows_the_pod(api: FakeApi, link: Link) -> None:
    """What nobody reads stays where it is, instead of filling memory."""
    sent = 0

    async def flood(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        for _ in range(1024):
            await socket.send_bytes(bytes(64 * 1024))
            sent += 64 * 1024

    api.forward = flood
    _, writer = await connect(link)
    before = -1
    async with asyncio.timeout(10):
        while before != sent or not sent:
            before = sent
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await api.quiet.wait()
    assert sent < 24 << 20
    await hang_up(writer)


async def test_the_socket_is_private_and_goes_with_the_link(api: FakeApi, tmp_path: Path) -> None:
    """Nobody else may enter its folder, and nothing of it is left."""
    async with open_link(LinkOptions(kubeconfig=api.kubeconfig(tmp_path))) as link:
        path = await bridge_of(link).start()
        assert path == await bridge_of(link).start()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        _, writer = await asyncio.open_unix_connection(path)
    assert not path.parent.exists()
    await hang_up(writer)


def test_a_long_folder_for_temporary_files_is_left_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket's name has room for 104 bytes; /tmp is short enough."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    folder = _folder("")
    assert folder.path.parent == Path("/tmp")  # noqa: S108 - the place that is looked for
    folder.remove()
    assert list(long.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (401, DeniedError, "log in again"),
        (403, DeniedError, "you may not get and create pods/portforward in namespace n"),
        (404, LinkError, "kubealive-agent-1 is gone"),
        (500, LinkError, "with 500"),
    ],
    ids=["401", "403", "404", "500"],
)
async def test_a_refused_port_forward_is_told(
    api: FakeApi, link: Link, status: int, error: type[LinkError], sentence: str
) -> None:
    """The connection ends at once, and its reason is kept."""
    api.forward_status = status
    trouble = await closed(link)
    assert type(trouble) is error
    assert sentence in str(trouble)


async def test_no_agent_ends_a_dial(api: FakeApi, link: Link) -> None:
    """What the look-up found is the reason."""
    api.pods = []
    assert isinstance(await closed(link), NotInstalledError)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dial tcp4 127.0.0.1:50051: connect: connection refused", "nothing listens at its port yet"),
        ("sandbox is gone", "the kubelet ended the port-forward: sandbox is gone"),
    ],
    ids=["refused", "other"],
)
async def test_the_kubelets_complaint_is_told(api: FakeApi, link: Link, text: str, sentence: str) -> None:
    """What comes on the error channel ends the connection and is its reason."""

    async def complain(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x01" + text.encode())

    api.forward = complain
    assert sentence in str(await closed(link))


async def test_each_dial_chooses_anew(api: FakeApi, link: Link) -> None:
    """When the agent is replaced, the next connection goes to its successor."""

    async def end(socket: web.WebSocketResponse) -> None:
        await socket.close()

    api.forward = end
    await closed(link)
    api.pods = [pod(), pod("kubealive-agent-2", created="2026-02-01")]
    assert await closed(link) is None
    assert api.asked("kubealive-agent-1/portforward")
    assert api.asked("kubealive-agent-2/portforward")


async def test_connections_are_bounded(api: FakeApi, link: Link) -> None:
    """One more than the most is hung up on; the others go on."""
    writers = [(await connect(link))[1] for _ in range(MOST_CONNECTIONS)]
    async with asyncio.timeout(5):
        reader, writer = await connect(link)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    for one in [*writers, writer]:
        await hang_up(one)


async def test_a_feed_lives_over_the_bridge(api: FakeApi, link: Link, tmp_path: Path) -> None:
    """gRPC through socket, WebSocket and port-forward: the feed is live, each step is shown."""
    agent, server = FakeAgent(), grpc.aio.server()
    add_AgentServiceServicer_to_server(agent, server)
    server.add_insecure_port(f"unix:{tmp_path / 's'}")
    await server.start()
    api.forward = to_socket(tmp_path / "s")
    states: asyncio.Queue[LinkState] = asyncio.Queue()

    def deliver(signal: Signal) -> None:
        if isinstance(signal, LinkEvent):
            states.put_nowait(signal.state)

    task = asyncio.ensure_future(LiveFeed(link, actor="ann@desk").run(deliver))
    try:
        async with asyncio.timeout(10):
            seen = [await states.get() for _ in range(4)]
            assert seen == [LinkState.AUTHENTICATING, LinkState.FINDING, LinkState.FORWARDING, LinkState.CONNECTED]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await server.stop(None)


@pytest.mark.parametrize("agent", ["here", ":50051", "host:", "host:x", "host:0", "host:70000"])
async def test_an_agent_without_host_and_port_is_refused(agent: str) -> None:
    """What `--agent` has to look like is told."""
    with pytest.raises(UsageError, match="is not HOST:PORT"):
        async with open_link(LinkOptions(agent=agent)):
            pass


async def test_an_agent_by_address_has_no_cluster() -> None:
    """Channels work; what needs the API says that there is none."""
    async with open_link(LinkOptions(agent="127.0.0.1:50051")) as link:
        channel = await link.channel()
        await channel.close()
        with pytest.raises(LinkError, match="leads to an agent without its cluster"):
            _ = link.api
