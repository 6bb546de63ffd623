"""One connection to the agent, from the dial to its end: everything that dies with its channel.

The supervisor (`_live`) makes a new one for every dial, so that nothing of a broken connection is carried over but
the cursor.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc.aio

from kubealive.v1 import agent_pb2 as wire
from kubealive.v1.agent_pb2_grpc import AgentServiceStub
from kubealive_tui.errors import LinkError, RefusedError
from kubealive_tui.feed import _convert
from kubealive_tui.hints import up_command
from kubealive_tui.model import Act, Interest, Request, SetLoad, StopAll, StopLoad

__all__ = ["Cursor", "Session", "Viewer"]

# Longer than the agent's own deadline for the Kubernetes API behind it (10 s), whose words are better than ours.
ACT_S = 12.0
# A dial through a slow gateway, with its look-ups; the agent itself answers in milliseconds.
HELLO_S = 10.0
CALL_S = 5.0

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is watching: the session's id lives through reconnects, the actor is shown to others."""

    session_id: str
    actor: str
    read_only: bool = False


class Cursor:
    """Up to where the stream has been received whole; nothing inside a snapshot can be resumed."""

    def __init__(self) -> None:
        self.message: wire.Cursor | None = None

    def advance(self, message: wire.WatchResponse) -> None:
        """Take note of one message of the stream."""
        if message.HasField("snapshot") and not message.snapshot.last:
            self.message = None
        elif self.message is not None or message.HasField("snapshot"):
            self.message = wire.Cursor(epoch=message.epoch, sequence=message.sequence)


class Session:
    """The agent behind one channel. Every call has a deadline and none is repeated."""

    def __init__(self, channel: grpc.aio.Channel, viewer: Viewer) -> None:
        self._stub = AgentServiceStub(channel)
        self._viewer = viewer
        self._namespace = ""

    async def hello(self) -> tuple[wire.GetInfoResponse, float]:
        """Ask who the agent is; returns that and the round trip in milliseconds. Raises grpc's error."""
        begin = time.perf_counter()
        answer = await self._stub.GetInfo(wire.GetInfoRequest(), timeout=HELLO_S)
        self._namespace = answer.namespace
        return answer, (time.perf_counter() - begin) * 1e3

    async def watch(self, cursor: Cursor, interest: Interest, take: Callable[[wire.WatchResponse], None]) -> str:
        """Hand every message of the stream to `take`; returns the reason of the agent's goodbye.

        Raises grpc's error when the stream breaks, LinkError when it ends without a word.
        """
        request = wire.WatchRequest(
            session_id=self._viewer.session_id,
            actor=self._viewer.actor,
            read_only=self._viewer.read_only,
            experiments=sorted(interest.experiments),
            samples=_samples(interest),
            resume=cursor.message,
        )
        async for message in self._stub.Watch(request):
            cursor.advance(message)
            take(message)
            if message.HasField("goodbye"):
                return message.goodbye.reason
        raise LinkError("the agent ended the stream without saying why; see its log")

    async def set_interest(self, interest: Interest) -> None:
        """Tell the agent what is looked at. Raises grpc's error."""
        request = wire.SetInterestRequest(
            session_id=self._viewer.session_id,
            experiments=sorted(interest.experiments),
            samples=_samples(interest),
        )
        await self._stub.SetInterest(request, timeout=CALL_S)

    async def ask(self, request: Request, *, request_id: str) -> str:
        """Have something done; returns its id, or what was done in words. Raises RefusedError or LinkError."""
        session_id = self._viewer.session_id
        match request:
            case Act() as act:
                message = _convert.act_request(act, request_id=request_id, session_id=session_id)
                acted = await self._answer(self._stub.Act(message, timeout=ACT_S))
                if acted.HasField("refusal"):
                    raise _convert.refused(acted.refusal, act)
                return acted.dry_run or acted.action_id
            case SetLoad() | StopLoad():
                load = _convert.load_request(request, session_id=session_id)
                loaded = await self._answer(self._stub.SetLoad(load, timeout=ACT_S))
                if loaded.HasField("refusal"):
                    raise _convert.refused(loaded.refusal)
                return loaded.load_id
            case StopAll():
                every = wire.StopAllRequest(session_id=session_id)
                return _convert.stopped(await self._answer(self._stub.StopAll(every, timeout=ACT_S)))

    async def _answer(self, call: Awaitable[_T]) -> _T:
        """Await the answer to a call that changes something, and say what a failure leaves open."""
        task = asyncio.current_task()
        try:
            return await call
        except grpc.aio.AioRpcError as exc:
            match exc.code():
                case grpc.StatusCode.UNIMPLEMENTED:
                    up = up_command(namespace=self._namespace)
                    raise RefusedError(f"this agent is too old to do that; replace it with `{up}`") from exc
                case grpc.StatusCode.DEADLINE_EXCEEDED:
                    raise _unanswered(f"the agent did not answer in {ACT_S:.0f} s") from exc
                case _:
                    raise _unanswered("the link broke before the agent answered") from exc
        except asyncio.CancelledError as exc:
            # A channel that is closed cancels its calls, and with them whoever awaits one without being cancelled.
            if task is not None and task.cancelling():
                raise
            raise _unanswered("the link broke before the agent answered") from exc


def _samples(interest: Interest) -> list[wire.Sample]:
    """In an order of their own, so that equal interests are equal messages."""
    return sorted((_convert.sample(one) for one in interest.samples), key=str)


def _unanswered(said: str) -> LinkError:
    return LinkError(f"{said}: whether it happened is not known; watch the timeline before trying again")
