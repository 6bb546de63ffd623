"""The live feed: one task that keeps a stream from the agent running, whatever happens to it.

Each connection is dialled anew, resumes where the last one stood, and is given up when the agent, which speaks at
least once a second, has been silent for too long: gRPC alone takes twenty seconds to notice a dead link, and a
frozen agent it never does.
"""

import asyncio
import logging
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol

import grpc.aio

import kubealive
from kubealive.v1 import agent_pb2 as wire
from kubealive_tui.errors import KubealiveError, LinkError
from kubealive_tui.feed import _convert
from kubealive_tui.feed._clock import Clock, SystemClock
from kubealive_tui.feed._recorder import Recorder
from kubealive_tui.feed._session import Cursor, Session, Viewer
from kubealive_tui.feed._version import mismatch
from kubealive_tui.link import DeniedError, NotInstalledError
from kubealive_tui.model import Interest, LinkEvent, LinkState, Request, Signal

__all__ = ["Line", "LiveFeed"]

# The agent speaks each second: three missed words are trouble worth showing, eight are an end.
DEGRADED_S = 3.0
REDIAL_S = 8.0
LOOK_S = 0.5
ROUND_TRIP_S = 5.0
# Full jitter within these. The most is what a new agent may have been ready before it is dialled, of the 3 s after
# which the screen promises to be live again.
BACKOFF_LEAST_S, BACKOFF_MOST_S = 0.2, 2.0
# What does not heal by itself is looked at less often, and still: somebody may be mending it.
FAILED_S = 5.0

_log = logging.getLogger(__name__)


class Line(Protocol):
    """What the feed needs of a link (`kubealive_tui.link.Link` is one)."""

    async def channel(self, progress: Callable[[LinkState], None]) -> grpc.aio.Channel:
        """Return a new channel; `progress` hears of its dial. Raises LinkError."""
        ...

    @property
    def trouble(self) -> LinkError | None:
        """Why the last dial failed, where the link knows better than gRPC."""
        ...


class _SilentError(Exception):
    """The agent has not spoken for too long."""


@dataclass(slots=True)
class _Heard:
    """When the agent last spoke, on the client's clock; None before its first word."""

    at: float | None = None


class LiveFeed:
    """A feed from a live agent; see `Feed`.

    `viewer` names this session to the agent and to others. With a `recorder`, whatever is delivered is recorded.
    """

    def __init__(
        self,
        line: Line,
        *,
        actor: str,
        read_only: bool = False,
        recorder: Recorder | None = None,
        clock: Clock | None = None,
        client_version: str = kubealive.__version__,
    ) -> None:
        self._line = line
        self._viewer = Viewer(str(uuid.uuid4()), actor, read_only)
        self._recorder = recorder
        self._clock = clock or SystemClock()
        self._client_version = client_version
        self._deliver: Callable[[Signal], None] = lambda _: None
        self._session: Session | None = None
        self._cursor = Cursor()
        self._heard = _Heard()
        self._event = LinkEvent(LinkState.AUTHENTICATING)
        self._dead = asyncio.Event()
        self._info: wire.GetInfoResponse | None = None
        self._attempt = 0
        self._interest = Interest()
        self._interest_changed = asyncio.Event()

    @property
    def session_id(self) -> str:
        """What the agent knows this session by, through all its connections."""
        return self._viewer.session_id

    # ---- the interface

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        """Deliver the agent's frames and the link's states until cancelled."""
        self._deliver = deliver
        self._emit(self._event)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_silence())
            group.create_task(self._supervise())

    async def ask(self, request: Request) -> str:
        """Have something done by the agent; see `Feed.ask`."""
        if self._session is None:
            raise LinkError(f"not sent: the link is {self._event.state.value}; try again once it is live")
        return await self._session.ask(request, request_id=str(uuid.uuid4()))

    def interest(self, interest: Interest) -> None:
        """Say what is looked at; sent at once when live, else with the next connection."""
        if interest != self._interest:
            self._interest = interest
            self._interest_changed.set()

    # ---- the supervisor

    async def _supervise(self) -> None:
        while True:
            began = self._clock.monotonic()
            try:
                goodbye = await self._connect()
                self._lost(LinkState.RECONNECTING, f"the agent said goodbye ({goodbye})")
                # Its successor is dialled at once; an agent that is still on its way out is not asked again and
                # again, nor does a session that was replaced throw out its own successor for ever.
                if goodbye != "replaced" and self._clock.monotonic() - began > BACKOFF_MOST_S:
                    continue
            except (KubealiveError, grpc.aio.AioRpcError, _SilentError) as exc:
                self._lost(*self._judge(exc))
            except Exception:  # noqa: BLE001 - a task's root: one bad message must not end the feed
                _log.exception("the live feed met something unforeseen and dials again")
                self._lost(LinkState.RECONNECTING, "something unforeseen, which is in the log")
            await self._clock.sleep(self._pause())

    async def _connect(self) -> str:
        """Dial, and stay until the stream ends; returns the agent's goodbye."""
        channel = await self._line.channel(self._progress)
        try:
            session = Session(channel, self._viewer)
            info, round_trip_ms = await session.hello()
            if reason := mismatch(info.version, self._client_version, namespace=info.namespace):
                raise DeniedError(reason)
            self._info = info
            self._heard.at = self._clock.monotonic()
            self._interest_changed.clear()
            self._session = session
            self._live(round_trip_ms)
            return await self._stay(session)
        finally:
            self._session = None
            await channel.close(None)

    async def _stay(self, session: Session) -> str:
        """Read the stream beside what keeps an eye on it; the first to end ends all."""
        reading = asyncio.ensure_future(session.watch(self._cursor, self._interest, self._take))
        keepers = [
            asyncio.ensure_future(self._watch_silence()),
            asyncio.ensure_future(self._measure(session)),
            asyncio.ensure_future(self._send_interest(session)),
        ]
        tasks = [reading, *keepers]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {reading}:
                task.result()
            return await reading
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, message: wire.WatchResponse) -> None:
        self._heard.at = self._clock.monotonic()
        self._attempt = 0
        if self._event.state is LinkState.DEGRADED:
            self._live(self._event.round_trip_ms)
        if self._recorder is not None:
            self._recorder.frame(message)
        self._deliver(_convert.frame(message))

    async def _watch_silence(self) -> NoReturn:
        while True:
            # Until a silence that begins now is long enough; one that is long already is looked at often.
            await self._clock.sleep(max(LOOK_S, DEGRADED_S - self._silence()))
            silence = self._silence()
            if silence >= REDIAL_S:
                raise _SilentError
            if silence >= DEGRADED_S and self._event.state is LinkState.CONNECTED:
                reason = "the agent is silent; the link or the agent may have stopped"
                self._emit(replace(self._event, state=LinkState.DEGRADED, reason=reason, silence_s=silence))

    async def _measure(self, session: Session) -> NoReturn:
        while True:
            await self._clock.sleep(ROUND_TRIP_S)
            try:
                self._info, round_trip_ms = await session.hello()
            except grpc.aio.AioRpcError:
                continue  # the stream's own silence decides
            if self._event.state is LinkState.CONNECTED:
                self._live(round_trip_ms)

    async def _send_interest(self, session: Session) -> NoReturn:
        while True:
            await self._interest_changed.wait()
            self._interest_changed.clear()
            try:
                await session.set_interest(self._interest)
            except grpc.aio.AioRpcError as exc:
                _log.warning("interest was not taken (%s); sending it again", exc.details())
                self._interest_changed.set()
                await self._clock.sleep(1)

    # ---- what is told of the link

    def _progress(self, state: LinkState) -> None:
        # Only the first dial shows its steps: later ones would flicker between the reason and them.
        if self._attempt == 0 and self._session is None and self._heard.at is None:
            self._emit(LinkEvent(state))

    def _live(self, round_trip_ms: float | None) -> None:
        info = None if self._info is None else _convert.info(self._info)
        self._emit(LinkEvent(LinkState.CONNECTED, round_trip_ms=round_trip_ms, info=info))

    def _lost(self, state: LinkState, reason: str) -> None:
        self._attempt += 1
        self._emit(LinkEvent(state, reason=reason, attempt=self._attempt, silence_s=self._silence()))

    def _judge(self, exc: Exception) -> tuple[LinkState, str]:
        """The state that a failure leads to, and its sentence: the link's own, where it has one."""
        if isinstance(exc, grpc.aio.AioRpcError):
            known = self._line.trouble
            if known is None:
                return LinkState.RECONNECTING, _rpc_words(exc)
            exc = known
        match exc:
            case NotInstalledError():
                return LinkState.NOT_INSTALLED, str(exc)
            case DeniedError():
                return LinkState.FAILED, str(exc)
            case _SilentError():
                return LinkState.RECONNECTING, f"the agent was silent for {REDIAL_S:.0f} s"
            case _:
                return LinkState.RECONNECTING, str(exc)

    def _pause(self) -> float:
        if self._event.state is LinkState.FAILED:
            return FAILED_S
        most = min(BACKOFF_MOST_S, BACKOFF_LEAST_S * 2.0 ** min(self._attempt, 10))
        return random.uniform(BACKOFF_LEAST_S, most)  # noqa: S311 - jitter, not a secret

    async def _tell_silence(self) -> NoReturn:
        """While nothing is live, say each second how old the data is: the stream's own clock stands still."""
        while True:
            await self._dead.wait()
            await self._clock.sleep(1)
            if not self._event.state.live and self._heard.at is not None:
                self._emit(replace(self._event, silence_s=self._silence(), info=None))

    def _silence(self) -> float:
        return 0.0 if self._heard.at is None else self._clock.monotonic() - self._heard.at

    def _emit(self, event: LinkEvent) -> None:
        self._event = event
        if event.state.live:
            self._dead.clear()
        else:
            self._dead.set()
        if self._recorder is not None:
            self._recorder.link(event, self._info if event.info is not None else None)
        self._deliver(event)


def _rpc_words(exc: grpc.aio.AioRpcError) -> str:
    match exc.code():
        case grpc.StatusCode.UNAVAILABLE:
            return "the connection to the agent broke"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return "the agent did not answer in time"
        case grpc.StatusCode.UNIMPLEMENTED:
            return "what answers is not a kubealive agent; check --agent"
        case _:
            return f"the agent ended the stream: {exc.details() or exc.code().name}"
