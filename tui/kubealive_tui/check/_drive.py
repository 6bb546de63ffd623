"""What checks act through: a feed, the store that is filled from it, and a deadline on everything.

A check may start load on a cluster that other people use. So whatever happens to it, a failure, a limit or Ctrl-C,
the load that it started is stopped before the drive lets go of the link.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from kubealive_tui.errors import KubealiveError, LinkError
from kubealive_tui.feed import Clock, Feed, SystemClock
from kubealive_tui.hints import own_command
from kubealive_tui.model import (
    Act,
    Call,
    DeletePod,
    Fault,
    Interest,
    LinkState,
    Request,
    Rollout,
    Run,
    Sample,
    Scale,
    SetLoad,
    Signal,
    StopAll,
    StopLoad,
    version_of,
)
from kubealive_tui.store import Store

__all__ = ["Asked", "CheckDrive", "driving"]

T = TypeVar("T")

# Longer than an agent takes to be replaced, shorter than a person's patience.
OPEN_WITHIN_S = 30.0
# A stop is one call; behind a dead link the agent's own lease ends the load after 30 s anyway.
RELEASE_WITHIN_S = 5.0
# Where a word begins in the name of a verb.
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_HOPELESS = frozenset({LinkState.FAILED, LinkState.NOT_INSTALLED})


class Asked(Protocol):
    """The half of a `Feed` that a check has a use for."""

    async def ask(self, request: Request) -> str:
        """Have something done; see `Feed.ask`."""
        ...

    def interest(self, interest: Interest) -> None:
        """Say which experiment is being checked, and what is to be asked for it; nothing between checks."""
        ...


class CheckDrive:
    """An `experiments.Drive` over a feed and a store; `tell` takes experiment and words, once a step.

    Whoever fills the store from the feed calls `heard` after each signal; `driving` does both.
    """

    def __init__(
        self,
        feed: Asked,
        store: Store,
        *,
        tell: Callable[[str, str], None],
        namespace: str = "",
        clock: Clock | None = None,
    ) -> None:
        self._feed = feed
        self._store = store
        self._tell = tell
        self._doctor = f"run `{own_command('doctor', namespace=namespace)}` to see what is missing"
        self._clock = clock or SystemClock()
        self._news = asyncio.Event()
        self._fed: asyncio.Task[None] | None = None
        self._loads: set[str] = set()
        self._asked: set[str] = set()
        self._loading_since_us: int | None = None
        self._experiment = ""
        self._samples: Callable[[], frozenset[Sample]] = frozenset
        self._interest = Interest()
        self._link = store.link

    @property
    def store(self) -> Store:
        """The store that the feed fills."""
        return self._store

    def heard(self) -> None:
        """Look again at what is waited for: the store has taken a signal."""
        link = self._store.link
        if (link.state, link.reason) != (self._link.state, self._link.reason):
            self.tell(f"link {link.state.value}" + (f": {link.reason}" if link.reason else ""))
        self._link = link
        self._declare()
        self._news.set()

    def over(self, feeding: asyncio.Task[None]) -> None:
        """Wait for nothing any more: the feed has ended, with this task's result."""
        self._fed = feeding
        self._news.set()

    def tell(self, words: str) -> None:
        """Tell a step of the experiment's check; of the link, before there is one."""
        self._tell(self._experiment, words)

    # ---- what the runner does

    async def opened(self, *, within: float = OPEN_WITHIN_S) -> None:
        """Wait until the link is live and the store complete; raises LinkError with the reason and next step."""
        if await self._wait(self._ready, within=within) is None:
            link = self._store.link
            reason = f": {link.reason}" if link.reason else f"; {self._doctor}"
            raise LinkError(f"the agent was not reached within {within:g} s, {link.state.value}{reason}")

    def _ready(self) -> bool | None:
        return True if self._store.link.state.live and self._store.synced else None

    def begin(self, experiment: str, samples: Callable[[], frozenset[Sample]] = frozenset) -> None:
        """From here on, act and tell for this experiment; `samples` gives what the agent is to ask for it."""
        self._experiment = experiment
        self._samples = samples
        self._asked.clear()
        self._loading_since_us = None
        self._declare()

    def _declare(self) -> None:
        """What is to be sampled follows what there is: a pod that has come, a name that it has."""
        interest = Interest(frozenset({self._experiment} - {""}), self._samples())
        if interest != self._interest:
            self._interest = interest
            self._feed.interest(interest)

    def runs(self) -> tuple[Run, ...]:
        """The runs that this experiment's requests began, oldest first; one may still be open."""
        return tuple(run for run in self._store.runs(self._experiment).all if self._began(run))

    def _began(self, run: Run) -> bool:
        """Whether it is a run of ours. The answer to a load is the load's id: such runs are told by their time."""
        loading = run.verb == "set_load" and self._loading_since_us is not None
        return run.action_id in self._asked or (loading and run.began_us >= (self._loading_since_us or 0))

    async def at_most(self, seconds: float, work: Awaitable[T]) -> T | None:
        """What `work` gives, or None when it was not done in time and has been cancelled."""
        task = asyncio.ensure_future(work)
        limit = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({task, limit}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            limit.cancel()
            # Waited for, so that what `work` does at its end is done; its result or error was taken above.
            await asyncio.gather(task, limit, return_exceptions=True)

    async def release(self) -> None:
        """Stop the load that this drive started, at most 5 s; what could not be stopped is told."""
        for experiment in sorted(self._loads):
            self.tell(f"stopping the load of {experiment}")
            try:
                stopped = await self.at_most(RELEASE_WITHIN_S, self._feed.ask(StopLoad(experiment)))
            except KubealiveError as error:
                stopped = None if self._store.load(experiment) else ""
                if stopped is None:
                    self.tell(f"{error}")
            if stopped is None:
                self.tell("the load was not stopped: the agent ends it by itself 30 s after nobody is interested")
        self._loads.clear()

    # ---- what checks do

    async def ask(self, request: Request) -> str:
        """Give a request to the agent, once the link is live; returns its id.

        Raises RefusedError or LinkError with a sentence.
        """
        await self.opened()
        self.tell(_words(request))
        if isinstance(request, SetLoad):
            self._loads.add(request.experiment)  # before it is sent: its answer may get lost
            if self._loading_since_us is None:
                self._loading_since_us = self._store.now_us
        given = await self._feed.ask(request)
        self._asked.add(given)
        if isinstance(request, StopLoad):
            self._loads.discard(request.experiment)
        return given

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        """Wait until `look` gives something, looking after each signal; None after `within` seconds.

        Raises LinkError when the link has failed for good, since nothing will come any more.
        """
        self.tell(f"waiting for {what}, at most {within:g} s")
        return await self._wait(look, within=within)

    async def _wait(self, look: Callable[[], T | None], *, within: float) -> T | None:
        deadline = self._clock.monotonic() + within
        while (found := look()) is None:
            self._check_feed()
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return None
            self._news.clear()
            await self.at_most(left, self._news.wait())
        return found

    def _check_feed(self) -> None:
        link = self._store.link
        if link.state in _HOPELESS:
            raise LinkError(link.reason or f"link {link.state.value}: {self._doctor}")
        if self._fed is not None and not self._fed.cancelled():
            self._fed.result()
            raise LinkError("the feed has ended; nothing further can be measured")


@asynccontextmanager
async def driving(
    feed: Feed,
    store: Store,
    *,
    tell: Callable[[str, str], None],
    namespace: str = "",
    clock: Clock | None = None,
) -> AsyncIterator[CheckDrive]:
    """Run the feed into the store and give the drive over both; at its end what it started is stopped, in 5 s.

    `namespace` is the one that advice is for.
    """
    drive = CheckDrive(feed, store, tell=tell, namespace=namespace, clock=clock)

    def deliver(signal: Signal) -> None:
        store.apply(signal)
        drive.heard()

    feeding = asyncio.create_task(feed.run(deliver))
    feeding.add_done_callback(drive.over)
    try:
        yield drive
    finally:
        try:
            await drive.release()
        finally:
            feeding.cancel()
            await asyncio.wait({feeding})


def _words(request: Request) -> str:
    match request:
        case SetLoad(burst=int() as burst):
            return f"load: a burst of {burst}"
        case SetLoad(cpu=float() as cpu):
            return f"load: {cpu:g} CPU"
        case SetLoad(rate=rate):
            return f"load: {rate or 0:g}/s"
        case StopLoad():
            return "load: stop"
        case Act() as act:
            return _act_words(act)
        case StopAll():
            return "stop all load and cure all faults"


def _act_words(act: Act) -> str:
    match act.verb:
        case DeletePod():
            return f"delete pod {act.name}"
        case Call(method=method, host=host, path=path):
            return f"{method} {host}{path}"
        case Scale(replicas=replicas):
            return f"scale {act.name} to {replicas}"
        case Fault(kind=kind):
            return f"fault {kind.name.lower()} of {act.name}"
        case Rollout(image=str() as image):
            return f"update {act.name} to {version_of(image)}"
        case verb:
            return f"{_CAPITAL.sub(' ', type(verb).__name__).lower()} {act.name}"
