"""Who is connected, what they look at, and how long their load may go on without them.

A session is the client's own name for itself and outlives its streams: a viewer that loses its connection
and comes back within the grace is the same viewer. Load belongs to an experiment and not to a session: it
goes on while anybody looks at that experiment, and ends when nobody has for the length of the lease.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import Refusal, Viewer
from kubealive_agent._errors import RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kubealive.v1.agent_pb2 import Sample, WatchRequest
    from kubealive_agent.clock import Clock

__all__ = ["GRACE_US", "LEASE_US", "MAX_SAMPLES", "MAX_SESSIONS", "Session", "Sessions", "Stream"]

GRACE_US = 30_000_000
"""A session without a stream lives so long: longer than the slowest redial, short enough to be seen leaving."""

LEASE_US = 29_000_000
"""Load outlives the last stream that looks at it by so much: a redial passes, a closed laptop is noticed. With
the second from one sweep to the next, it has stopped 30 s after its viewer was killed."""

MAX_SESSIONS = 64
"""A classroom and its teacher; 64 streams at 20 frames a second are about a tenth of a core."""

MAX_EXPERIMENTS = 32
"""Experiments one session may look at: nine exist, and the names are the client's words."""

MAX_SAMPLES = 256
"""Samples one session may want: the DNS matrix is the largest tab with about 90."""

MAX_NAME = 128
"""Longest session id, actor or experiment: Kubernetes label values have 63, user@host is mostly under 64."""


@dataclass(eq=False, slots=True)
class Stream:
    """One connection of a session. `ended` says why it has to end, once it has to."""

    session_id: str
    ended: str = ""


@dataclass(slots=True)
class Session:
    """One viewer. Without a stream since `left_us`, if that is set."""

    session_id: str
    actor: str
    since_us: int
    stream: Stream | None
    read_only: bool = False
    experiments: frozenset[str] = field(default_factory=frozenset)
    samples: tuple[Sample, ...] = ()
    left_us: int | None = None

    def viewer(self) -> Viewer:
        """The session as others are shown it."""
        return Viewer(
            session_id=self.session_id,
            actor=self.actor,
            read_only=self.read_only,
            since_us=self.since_us,
            experiments=sorted(self.experiments),
            leaving_us=None if self.left_us is None else self.left_us + GRACE_US,
        )


class Sessions:
    """All sessions. `on_change` is called whenever what others see of them has changed."""

    def __init__(self, clock: Clock, *, on_change: Callable[[], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._sessions: dict[str, Session] = {}
        self._last_interest: dict[str, int] = {}
        self._draining = ""
        self.on_samples: Callable[[frozenset[str]], None] = lambda _: None
        """Called whenever `samples` may have changed, with the experiments that somebody newly wants sampled."""

    def connect(self, request: WatchRequest) -> Stream:
        """Begin a stream; the same session's stream before it is ended as replaced.

        Raises RefusalError for names that cannot be used, and beyond MAX_SESSIONS.
        """
        now = self._clock.now_us()
        experiments = _checked(request.session_id, request.actor, request.experiments)
        samples = _samples(request.samples)
        known = self._sessions.get(request.session_id)
        if known is None and len(self._sessions) >= MAX_SESSIONS:
            raise RefusalError(
                Refusal.REASON_REJECTED,
                f"{MAX_SESSIONS} viewers are connected already, which is the most this agent takes; "
                "close one of them and connect again",
            )
        stream = Stream(request.session_id, ended=self._draining)
        if known is not None and known.stream is not None:
            known.stream.ended = "replaced"
        self._note_interest(known, now)
        self._sessions[request.session_id] = Session(
            session_id=request.session_id,
            actor=request.actor or "unknown",
            since_us=known.since_us if known is not None else now,
            stream=stream,
            read_only=request.read_only,
            experiments=experiments,
            samples=samples,
        )
        self._on_change()
        self.on_samples(_sampled(samples))
        return stream

    def disconnect(self, stream: Stream) -> None:
        """A stream has ended. Its session lives on for the grace, unless another stream has taken it over."""
        session = self._sessions.get(stream.session_id)
        if session is None or session.stream is not stream:
            return
        now = self._clock.now_us()
        self._note_interest(session, now)
        session.stream, session.left_us = None, now
        self._on_change()
        self.on_samples(frozenset())

    def set_interest(self, session_id: str, experiments: Iterable[str], samples: Iterable[Sample] = ()) -> None:
        """Replace what a session looks at. Raises RefusalError when it is not known, or wants too much."""
        session = self.get(session_id)
        wanted = _checked(session_id, session.actor, experiments)
        before, session.samples = session.samples, _samples(samples)
        if session.samples != before:
            self.on_samples(_sampled(session.samples))
        if wanted != session.experiments:
            self._note_interest(session, self._clock.now_us())
            session.experiments = wanted
            self._on_change()

    def get(self, session_id: str) -> Session:
        """The session of this id. Raises RefusalError when there is none (any more)."""
        session = self._sessions.get(session_id)
        if session is None:
            raise RefusalError(
                Refusal.REASON_INVALID,
                f"session {session_id[:MAX_NAME]!r} is not connected; open its stream first",
            )
        return session

    def viewers(self) -> list[Viewer]:
        """All sessions, those that are leaving among them, the oldest first."""
        return [session.viewer() for session in sorted(self._sessions.values(), key=lambda one: one.since_us)]

    def drain(self, reason: str) -> None:
        """End every stream with `reason`, and each new one at once."""
        self._draining = reason
        for session in self._sessions.values():
            if session.stream is not None:
                session.stream.ended = reason
        self._on_change()

    def interested(self, experiment: str) -> bool:
        """Whether a connected session looks at this experiment now."""
        return any(
            session.stream is not None and experiment in session.experiments for session in self._sessions.values()
        )

    def samples(self) -> Iterator[Sample]:
        """What the connected sessions want to have sampled, equal ones of several sessions among them."""
        for session in self._sessions.values():
            if session.stream is not None:
                yield from session.samples

    def lease_over(self, experiment: str, *, since_us: int) -> bool:
        """Whether nobody has looked at `experiment` for the length of the lease, counted from `since_us` on."""
        if self.interested(experiment):
            return False
        last = max(since_us, self._last_interest.get(experiment, 0))
        return self._clock.now_us() - last >= LEASE_US

    def sweep(self) -> None:
        """Forget the sessions whose grace is over, and interests older than any lease."""
        now = self._clock.now_us()
        left = [
            key for key, one in self._sessions.items() if one.left_us is not None and one.left_us + GRACE_US <= now
        ]
        for session_id in left:
            del self._sessions[session_id]
        self._last_interest = {name: us for name, us in self._last_interest.items() if us + LEASE_US > now}
        if left:
            self._on_change()

    def _note_interest(self, session: Session | None, now: int) -> None:
        if session is not None and session.stream is not None:
            self._last_interest.update(dict.fromkeys(session.experiments, now))


def _samples(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    wanted = tuple(samples)
    if len(wanted) > MAX_SAMPLES:
        raise RefusalError(
            Refusal.REASON_INVALID,
            f"a session may want up to {MAX_SAMPLES} samples, not {len(wanted)}; want fewer at a time",
        )
    if any(len(sample.experiment) > MAX_NAME for sample in wanted):
        raise RefusalError(Refusal.REASON_INVALID, f"an experiment's name has up to {MAX_NAME} characters")
    return wanted


def _sampled(samples: Iterable[Sample]) -> frozenset[str]:
    return frozenset(sample.experiment for sample in samples)


def _checked(session_id: str, actor: str, experiments: Iterable[str]) -> frozenset[str]:
    names = frozenset(experiments)
    if not 0 < len(session_id) <= MAX_NAME:
        raise RefusalError(
            Refusal.REASON_INVALID, f"a session id has 1 to {MAX_NAME} characters, not {len(session_id)}"
        )
    if len(actor) > MAX_NAME:
        raise RefusalError(Refusal.REASON_INVALID, f"an actor has at most {MAX_NAME} characters, not {len(actor)}")
    if len(names) > MAX_EXPERIMENTS or any(not 0 < len(name) <= MAX_NAME for name in names):
        raise RefusalError(
            Refusal.REASON_INVALID,
            f"a session looks at up to {MAX_EXPERIMENTS} experiments, with names of 1 to {MAX_NAME} characters",
        )
    return names
