"""The service over a real gRPC connection: raw frames, refusals, keepalive, health."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kubealive.v1 import agent_pb2, agent_pb2_grpc
from kubealive_agent.service import HEALTH_SERVICES, SERVER_OPTIONS, SERVING, Service, build_server
from kubealive_agent.sessions import MAX_SESSIONS
from kubealive_agent.status import StatusBoard
from kubealive_agent.stream import Feed, Pace
from tests.agent.fakes import Lab, watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubealive.v1.agent_pb2_grpc import AgentServiceAsyncStub


class FakeBackend:
    """Answers with what tells the calls apart."""

    async def info(self) -> agent_pb2.GetInfoResponse:
        return agent_pb2.GetInfoResponse(version="9.9")

    async def act(self, request: agent_pb2.ActRequest) -> agent_pb2.ActResponse:
        return agent_pb2.ActResponse(action_id=f"for {request.request_id}")

    async def set_load(self, request: agent_pb2.SetLoadRequest) -> agent_pb2.SetLoadResponse:
        return agent_pb2.SetLoadResponse(load_id=f"for {request.experiment}")

    async def stop_all(self, request: agent_pb2.StopAllRequest) -> agent_pb2.StopAllResponse:
        return agent_pb2.StopAllResponse(loads_stopped=3)


class Bench(Lab):
    """A lab served over a unix socket."""

    def __init__(self) -> None:
        super().__init__()
        board = StatusBoard(self.journal, started_us=self.clock.us)
        feed = Feed(self.journal, self.clock, board, pace=Pace(rest=0.001, tick=0.005))
        self.service = Service(FakeBackend(), self.sessions, feed)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[grpc.aio.Channel]:
        with tempfile.TemporaryDirectory() as folder:
            address = f"unix:{Path(folder) / 's'}"
            server, health = build_server(self.service)
            server.add_insecure_port(address)
            await server.start()
            for name in HEALTH_SERVICES:
                await health.set(name, SERVING)
            try:
                async with grpc.aio.insecure_channel(address) as channel:
                    yield channel
            finally:
                await server.stop(0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def stub_of(channel: grpc.aio.Channel) -> AgentServiceAsyncStub:
    return agent_pb2_grpc.AgentServiceStub(channel)


async def test_every_method_of_the_contract_is_served(bench: Bench) -> None:
    """The list of handlers is complete, and each call reaches its own."""
    async with bench.connected() as channel:
        stub = stub_of(channel)
        bench.sessions.connect(watch("s"))
        info = await stub.GetInfo(agent_pb2.GetInfoRequest(), timeout=2)
        acted = await stub.Act(agent_pb2.ActRequest(request_id="r"), timeout=2)
        load = await stub.SetLoad(agent_pb2.SetLoadRequest(experiment="e"), timeout=2)
        stopped = await stub.StopAll(agent_pb2.StopAllRequest(), timeout=2)
        await stub.SetInterest(agent_pb2.SetInterestRequest(session_id="s", experiments=["heal"]), timeout=2)

    assert (info.version, acted.action_id, load.load_id, stopped.loads_stopped) == ("9.9", "for r", "for e", 3)
    assert list(bench.sessions.viewers()[0].experiments) == ["heal"]
    methods = agent_pb2.DESCRIPTOR.services_by_name["AgentService"].methods_by_name
    assert set(methods) == {"GetInfo", "Watch", "SetInterest", "Act", "SetLoad", "StopAll"}


async def test_a_stream_arrives_as_messages_and_its_end_frees_the_session(bench: Bench) -> None:
    """Frames built by hand are WatchResponses to any client; a client that goes leaves its session leaving."""
    bodies: list[str | None] = []
    left = asyncio.Event()
    async with bench.connected() as channel:
        async for response in stub_of(channel).Watch(watch("s"), timeout=2):
            bodies.append(response.WhichOneof("body"))
            if bodies[-1] == "tick":
                bench.sessions._on_change = left.set
                break
    async with asyncio.timeout(2):
        await left.wait()

    assert bodies[0] == "snapshot"
    assert bodies[-2:] == ["status", "tick"]
    assert bench.sessions.viewers()[0].HasField("leaving_us")


async def test_one_viewer_too_many_is_told_why(bench: Bench) -> None:
    """The stream ends with RESOURCE_EXHAUSTED and the sentence."""
    for index in range(MAX_SESSIONS):
        bench.sessions.connect(watch(str(index)))
    async with bench.connected() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in stub_of(channel).Watch(watch("more"), timeout=2):
                pass

    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "viewers are connected already" in (caught.value.details() or "")


async def test_interest_of_an_unknown_session(bench: Bench) -> None:
    """A session that is over has to open its stream again."""
    async with bench.connected() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub_of(channel).SetInterest(agent_pb2.SetInterestRequest(session_id="ghost"), timeout=2)

    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize("name", HEALTH_SERVICES, ids=["server", "service"])
async def test_the_health_service_answers(bench: Bench, name: str) -> None:
    """grpc.health.v1 tells any gRPC tool how the agent is."""
    async with bench.connected() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=2)

    assert answer.status == SERVING


PING_OPTION = "grpc.http2.min_ping_interval_without_data_ms"
PINGING = (
    ("grpc.keepalive_time_ms", 1000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


async def pinged_until(bench: Bench, *, permitted_ms: int, deadline: float) -> grpc.StatusCode:
    """How a stream ends whose client pings each second, where the server permits a ping each `permitted_ms`."""
    options = {**dict(SERVER_OPTIONS), PING_OPTION: permitted_ms, "grpc.http2.max_ping_strikes": 1}
    server, health = build_server(bench.service, options=tuple(options.items()))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await health.set("", SERVING)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=PINGING) as channel:
            request = health_pb2.HealthCheckRequest()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                async for _ in health_pb2_grpc.HealthStub(channel).Watch(request, timeout=deadline):
                    pass
    finally:
        await server.stop(0)
    return caught.value.code()


async def test_the_name_of_the_ping_option_is_right(bench: Bench) -> None:
    """Our option decides whether a pinging client is thrown out; gRPC would ignore a misspelt one silently.

    gRPC pings once a second at most, and the second ping is the first that can be too many: hence the time.
    """
    assert PING_OPTION in dict(SERVER_OPTIONS)
    permitted, thrown_out = await asyncio.gather(
        pinged_until(bench, permitted_ms=10, deadline=2.4),
        pinged_until(bench, permitted_ms=60_000, deadline=10),
    )

    assert (permitted, thrown_out) == (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)
