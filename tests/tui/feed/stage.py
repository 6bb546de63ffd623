"""An agent of real gRPC on a socket, a live feed on it, and a clock that a test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc.aio

from kubealive.v1 import agent_pb2 as wire
from kubealive.v1.agent_pb2_grpc import AgentServiceServicer, add_AgentServiceServicer_to_server
from kubealive_tui.feed import LiveFeed
from kubealive_tui.link._channel import open_channel
from kubealive_tui.model import Frame, LinkEvent, LinkState, Signal
from tests.tui.feed.fakes import FakeClock

if TYPE_CHECKING:
    from kubealive_tui.errors import LinkError


class FakeAgent(AgentServiceServicer):
    """Says what the test puts into its outbox; None breaks the stream off."""

    def __init__(self) -> None:
        self.version = "0.1.0"
        self.watched: list[wire.WatchRequest] = []
        self.interests: list[list[str]] = []
        self.acts: list[wire.ActRequest] = []
        self.act_answer: wire.ActResponse | None = wire.ActResponse(action_id="a-1")
        self.outbox: asyncio.Queue[wire.WatchResponse | None] = asyncio.Queue()
        self.news = asyncio.Event()

    async def GetInfo(self, request: wire.GetInfoRequest, context: Any) -> wire.GetInfoResponse:  # noqa: N802 - the contract's name
        return wire.GetInfoResponse(version=self.version, epoch=7, pod_name="kubealive-agent-1")

    async def Watch(self, request: wire.WatchRequest, context: Any) -> AsyncIterator[wire.WatchResponse]:  # noqa: N802 - the contract's name
        self.watched.append(request)
        self.news.set()
        while (message := await self.outbox.get()) is not None:
            yield message
        await context.abort(grpc.StatusCode.UNAVAILABLE, "killed")

    async def SetInterest(self, request: wire.SetInterestRequest, context: Any) -> wire.SetInterestResponse:  # noqa: N802 - the contract's name
        self.interests.append(list(request.experiments))
        self.news.set()
        return wire.SetInterestResponse()

    async def Act(self, request: wire.ActRequest, context: Any) -> wire.ActResponse:  # noqa: N802 - the contract's name
        self.acts.append(request)
        self.news.set()
        if self.act_answer is None:
            await asyncio.Event().wait()
        return self.act_answer or wire.ActResponse()

    async def SetLoad(self, request: wire.SetLoadRequest, context: Any) -> wire.SetLoadResponse:  # noqa: N802 - the contract's name
        return wire.SetLoadResponse(load_id=f"load {request.WhichOneof('load')}")

    async def StopAll(self, request: wire.StopAllRequest, context: Any) -> wire.StopAllResponse:  # noqa: N802 - the contract's name
        return wire.StopAllResponse(loads_stopped=2, pods_cured=1)


class FakeLine:
    """A line to the socket that can be made to fail as a cluster does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble: LinkError | None = None
        self.refusal: LinkError | None = None
        self.dials = 0

    async def channel(self, progress: Callable[[LinkState], None]) -> grpc.aio.Channel:
        self.dials += 1
        progress(LinkState.FINDING)
        if self.refusal is not None:
            raise self.refusal
        progress(LinkState.FORWARDING)
        return open_channel(f"unix:{self.path}")


class Stage:
    """An agent, a feed on it, and what the feed has delivered."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "s"
        self.agent = FakeAgent()
        self.line = FakeLine(self.path)
        self.clock = FakeClock()
        self.heard: list[Signal] = []
        self.feed = LiveFeed(self.line, actor="ann@desk", clock=self.clock)
        self.task: asyncio.Task[None] | None = None
        self.server: grpc.aio.Server | None = None

    async def serve(self) -> None:
        self.server = grpc.aio.server()
        add_AgentServiceServicer_to_server(self.agent, self.server)  # type: ignore[no-untyped-call,unused-ignore]
        self.server.add_insecure_port(f"unix:{self.path}")
        await self.server.start()

    def begin(self) -> None:
        self.task = asyncio.ensure_future(self.feed.run(self._deliver))

    def _deliver(self, signal: Signal) -> None:
        self.heard.append(signal)
        self.agent.news.set()

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait for what the network brings; time stands still."""
        async with asyncio.timeout(5):
            while not predicate():
                self.agent.news.clear()
                await self.agent.news.wait()

    async def later(self, predicate: Callable[[], bool], most: float = 30) -> None:
        """Let time pass until something has come of it."""
        for _ in range(int(most / 0.25)):
            if predicate():
                return
            await self.clock.advance(0.25)
            self.agent.news.clear()
            try:
                async with asyncio.timeout(0.02):
                    await self.agent.news.wait()
            except TimeoutError:
                continue
        assert predicate()

    async def live(self) -> None:
        self.begin()
        await self.until(lambda: LinkState.CONNECTED in self.states and bool(self.agent.watched))

    async def say(self, **body: Any) -> None:
        sequence = body.pop("sequence", 1)
        count = len(self.frames)
        self.agent.outbox.put_nowait(wire.WatchResponse(epoch=7, sequence=sequence, time_us=1, **body))
        await self.until(lambda: len(self.frames) > count)

    @property
    def events(self) -> list[LinkEvent]:
        return [signal for signal in self.heard if isinstance(signal, LinkEvent)]

    @property
    def states(self) -> list[LinkState]:
        return [event.state for event in self.events]

    def state(self) -> LinkState | None:
        """The newest state; a call, since it changes behind the reader's back."""
        return self.states[-1] if self.heard else None

    @property
    def frames(self) -> list[Frame]:
        return [signal for signal in self.heard if isinstance(signal, Frame)]

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        if self.server is not None:
            await self.server.stop(None)
