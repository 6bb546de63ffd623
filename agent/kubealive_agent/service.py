"""The contract's service over gRPC: requests in, refusals as the contract's words, streams as encoded bytes.

`Watch` hands its frames to gRPC as they are, without a serializer: they were encoded when they were written
to the journal (`_wire`). The generated registration cannot do that, so the handlers are listed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from kubealive.v1 import agent_pb2
from kubealive_agent._errors import RefusalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from google.protobuf.message import Message

    from kubealive_agent.sessions import Sessions
    from kubealive_agent.stream import Feed

    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

__all__ = ["HEALTH_SERVICES", "NOT_SERVING", "SERVER_OPTIONS", "SERVING", "Backend", "Service", "build_server"]

_NAME = agent_pb2.DESCRIPTOR.services_by_name["AgentService"].full_name

HEALTH_SERVICES = ("", _NAME)
"""Names under which grpc.health.v1 answers: the whole server and its one service."""

SERVING: int = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: int = health_pb2.HealthCheckResponse.NOT_SERVING

_MAX_CONCURRENT = 512
"""Calls at once: the streams of all sessions and a burst of small calls; more only from a broken client."""

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    # A client pings each 20 s; without this the server would call that abuse and hang up.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # The server pings too: a viewer whose line was cut without a word leaves within 20 s, and its leases run.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 64 * 1024),
    ("grpc.so_reuseport", 0),
)
"""What keeps a link alive and notices a dead one; gRPC ignores misspelt names."""


class Backend(Protocol):
    """What answers the calls that are not streams."""

    async def info(self) -> agent_pb2.GetInfoResponse:
        """Versions, capabilities, rights."""
        ...

    async def act(self, request: agent_pb2.ActRequest) -> agent_pb2.ActResponse:
        """Carry out one action."""
        ...

    async def set_load(self, request: agent_pb2.SetLoadRequest) -> agent_pb2.SetLoadResponse:
        """Start, change or stop measured traffic."""
        ...

    async def stop_all(self, request: agent_pb2.StopAllRequest) -> agent_pb2.StopAllResponse:
        """Stop all load and cure all faults."""
        ...


class Service:
    """The handlers. What they refuse beyond the contract's Refusal ends the call with a gRPC status."""

    def __init__(self, backend: Backend, sessions: Sessions, feed: Feed) -> None:
        self._backend = backend
        self._sessions = sessions
        self._feed = feed

    async def get_info(self, _request: agent_pb2.GetInfoRequest, _context: Context) -> agent_pb2.GetInfoResponse:
        """Answer GetInfo."""
        return await self._backend.info()

    async def watch(self, request: agent_pb2.WatchRequest, context: Context) -> AsyncIterator[bytes]:
        """Answer Watch with encoded WatchResponses."""
        try:
            stream = self._sessions.connect(request)
        except RefusalError as exc:
            invalid = exc.reason == agent_pb2.Refusal.REASON_INVALID
            code = grpc.StatusCode.INVALID_ARGUMENT if invalid else grpc.StatusCode.RESOURCE_EXHAUSTED
            await context.abort(code, exc.message)
        try:
            async for frame in self._feed.frames(request, stream):
                yield frame
        finally:
            self._sessions.disconnect(stream)

    async def set_interest(
        self, request: agent_pb2.SetInterestRequest, context: Context
    ) -> agent_pb2.SetInterestResponse:
        """Answer SetInterest."""
        try:
            self._sessions.set_interest(request.session_id, request.experiments, request.samples)
        except RefusalError as exc:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, exc.message)
        return agent_pb2.SetInterestResponse()

    async def act(self, request: agent_pb2.ActRequest, _context: Context) -> agent_pb2.ActResponse:
        """Answer Act."""
        return await self._backend.act(request)

    async def set_load(self, request: agent_pb2.SetLoadRequest, _context: Context) -> agent_pb2.SetLoadResponse:
        """Answer SetLoad."""
        return await self._backend.set_load(request)

    async def stop_all(self, request: agent_pb2.StopAllRequest, _context: Context) -> agent_pb2.StopAllResponse:
        """Answer StopAll."""
        return await self._backend.stop_all(request)

    def handler(self) -> grpc.GenericRpcHandler:
        """All methods as gRPC wants them."""
        methods = {
            "GetInfo": _unary(self.get_info, agent_pb2.GetInfoRequest.FromString),
            "SetInterest": _unary(self.set_interest, agent_pb2.SetInterestRequest.FromString),
            "Act": _unary(self.act, agent_pb2.ActRequest.FromString),
            "SetLoad": _unary(self.set_load, agent_pb2.SetLoadRequest.FromString),
            "StopAll": _unary(self.stop_all, agent_pb2.StopAllRequest.FromString),
        }
        methods["Watch"] = grpc.unary_stream_rpc_method_handler(
            self.watch, request_deserializer=agent_pb2.WatchRequest.FromString, response_serializer=None
        )
        return grpc.method_handlers_generic_handler(_NAME, methods)


def _encode(message: Message) -> bytes:
    return message.SerializeToString()


def _unary(call: Callable[..., Any], decode: Callable[[bytes], Any]) -> Any:
    return grpc.unary_unary_rpc_method_handler(call, request_deserializer=decode, response_serializer=_encode)


def build_server(
    service: Service, *, options: tuple[tuple[str, int], ...] = SERVER_OPTIONS
) -> tuple[grpc.aio.Server, health.aio.HealthServicer]:
    """A server that is not bound yet, and the health service whose word on us can be changed."""
    server = grpc.aio.server(options=options, maximum_concurrent_rpcs=_MAX_CONCURRENT)
    server.add_generic_rpc_handlers((service.handler(),))
    health_service = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    return server, health_service
