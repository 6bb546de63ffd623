"""What the screen has others do: ask the agent, install, check. Each runs in a task that is owned here.

Results come back as one sentence, or not at all: an action that was accepted shows in the facts. Nothing here
draws, and nothing outlives `close`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from kubealive_tui.check import CheckDrive, check
from kubealive_tui.errors import KubealiveError, LinkError, RefusedError
from kubealive_tui.experiments import Experiment, Script, Verdict
from kubealive_tui.model import Interest, Request, SetLoad, StopAll, StopLoad
from kubealive_tui.reports import Result
from kubealive_tui.ui._options import UiOptions
from kubealive_tui.ui._pump import Pump

__all__ = ["Acts"]

# A key held down repeats thirty times a second; more than these unanswered means that the link is stuck.
MOST_ASKED = 8
# The feed has a deadline of its own, 12 s; this one holds whatever the feed does.
ASK_S = 15.0
# How long leaving may wait for the agent to stop our load; its lease ends it anyway.
LEAVE_S = 2.0
# An install tells a line an object and one a second while it waits.
KEPT_LINES = 200

_LOG = logging.getLogger(__name__)


class Acts:
    """Owner of all tasks that the user's keys start. `say` takes a sentence, `changed` asks for a frame."""

    def __init__(
        self, options: UiOptions, pump: Pump, *, say: Callable[[str], None], changed: Callable[[], None]
    ) -> None:
        self._options = options
        self._pump = pump
        self._say = say
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked = 0
        # By experiment the id of the load: what somebody else has started there since is not ours to stop.
        self._ours: dict[str, str] = {}
        self.last: Request | None = None
        self.installing = False
        self.installed: deque[str] = deque(maxlen=KEPT_LINES)
        self.checking = ""
        self.examined = Interest()
        self._following = ""
        self.progress = ""
        self.verdicts: dict[str, Verdict | None] = {}

    def ask(self, request: Request) -> None:
        """Send a request to the agent; a refusal is said."""
        if self._asked >= MOST_ASKED:
            self._say(f"{self._asked} requests are unanswered: nothing more is sent until the agent answers")
            return
        self.last = request if not isinstance(request, StopLoad) else self.last
        self._asked += 1
        self._start(self._ask(request))

    async def _ask(self, request: Request) -> None:
        try:
            await self.send(request)
        except KubealiveError as error:
            self._say(str(error))
        finally:
            self._asked -= 1

    async def send(self, request: Request) -> str:
        """Give the request to the agent and keep account of our loads; raises KubealiveError within 15 s."""
        if self._options.feed is None:
            raise RefusedError("a recording cannot be acted on; start kubealive-tui to act on the cluster")
        try:
            async with asyncio.timeout(ASK_S):
                answer = await self._options.feed.ask(request)
        except TimeoutError as exc:
            raise LinkError(
                f"no answer in {ASK_S:.0f} s: what was asked may still have been done, the timeline tells"
            ) from exc
        match request:
            case SetLoad(experiment=experiment):
                self._ours[experiment] = answer
            case StopLoad(experiment=experiment):
                self._ours.pop(experiment, None)
            case StopAll():
                self._ours.clear()
            case _:
                pass
        return answer

    def loads(self) -> frozenset[str]:
        """Experiments with a running load that this session started."""
        running = {name: self._pump.store.load(name) for name in self._ours}
        return frozenset(name for name, load in running.items() if load and load.uid == self._ours[name])

    def install(self, names: Sequence[str]) -> None:
        """Install, unless an install is running; its lines are kept for the screen."""
        if self._options.install is not None and not self.installing:
            self.installing = True
            self.installed.clear()
            self._start(self._install(names))

    async def _install(self, names: Sequence[str]) -> None:
        assert self._options.install is not None  # noqa: S101 - looked at by the caller
        try:
            async for text in self._options.install(names):
                self.installed.append(text)
                self._changed()
            self._say("installed")
        except KubealiveError as error:
            self._say(str(error))
        finally:
            self.installing = False
            self._changed()

    def follow(self, experiment: str, script: Script) -> None:
        """Follow a script on an experiment, unless one is being followed or a check is running."""
        if self._following or self.checking:
            busy = f"{self._following} is still under way" if self._following else "a check is running"
            self._say(f"{busy}: wait until it has ended")
            return
        self._following = experiment
        self._start(self._follow(experiment, script))

    async def _follow(self, experiment: str, script: Script) -> None:
        drive = CheckDrive(_Scripted(self._remembered), self._pump.store, tell=self._told)
        drive.begin(experiment)
        unwatch = self._pump.watch(drive.heard)
        try:
            said = await drive.at_most(script.within_s, script.steps(drive))
            self._say(said or f"not done within {script.within_s:g} s: the timeline tells how far it came")
        except KubealiveError as error:
            self._say(str(error))
        finally:
            unwatch()
            self._following = self.progress = ""
            self._changed()

    async def _remembered(self, request: Request) -> str:
        self.last = request
        return await self.send(request)

    def _told(self, experiment: str, words: str) -> None:
        self.progress = f"{experiment}: {words}"
        self._changed()

    def check(self, experiments: Sequence[Experiment]) -> None:
        """Run the checks of these experiments, one after another, unless some are running."""
        if self.checking or self._following or self._options.feed is None:
            busy = "a check is running" if self.checking else f"{self._following} is still under way"
            self._say("a recording cannot be checked" if self._options.feed is None else busy)
            return
        self.verdicts = {}
        self._start(self._check(experiments))

    async def _check(self, experiments: Sequence[Experiment]) -> None:
        drive = CheckDrive(_Checked(self.send, self._begin), self._pump.store, tell=self._tell)
        unwatch = self._pump.watch(drive.heard)
        try:
            await check(experiments, drive, done=self._checked)
        finally:
            unwatch()
            self.checking = self.progress = ""
            self.examined = Interest()
            self.verdicts = {name: verdict for name, verdict in self.verdicts.items() if verdict is not None}
            self._changed()

    def _begin(self, interest: Interest) -> None:
        self.examined = interest
        for experiment in interest.experiments - {self.checking}:
            self.checking = experiment
            self.verdicts[experiment] = None
        self._changed()

    def _tell(self, experiment: str, words: str) -> None:
        self._told(f"checking {experiment}", words)

    def _checked(self, result: Result) -> None:
        self.verdicts[result.name] = result.verdict
        if result.verdict.reasons:
            self._say(f"{result.name}: {result.verdict.reasons[0]}")
        self._changed()

    async def close(self) -> None:
        """Stop the loads that this session started, within 2 s, and end every task."""
        loads = self.loads()
        await _ended(self._tasks)
        if loads:
            _, late = await asyncio.wait(
                [asyncio.ensure_future(self.send(StopLoad(name))) for name in loads], timeout=LEAVE_S
            )
            await _ended(late)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a task of the screen failed", exc_info=error)
            self._say(f"this went wrong inside kubealive: {type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class _Checked:
    """The feed as a check from the screen has it: the screen itself declares the interest in what is checked."""

    send: Callable[[Request], Awaitable[str]]
    begin: Callable[[Interest], None]

    async def ask(self, request: Request) -> str:
        return await self.send(request)

    def interest(self, interest: Interest) -> None:
        self.begin(interest)


@dataclass(frozen=True, slots=True)
class _Scripted:
    """The feed as a script has it: the tab that it was started on is looked at already."""

    send: Callable[[Request], Awaitable[str]]

    async def ask(self, request: Request) -> str:
        return await self.send(request)

    def interest(self, interest: Interest) -> None:
        pass


async def _ended(tasks: Collection["asyncio.Task[Any]"]) -> None:
    pending = set(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
