"""What an experiment is: one file of data and pure functions, from which everything else follows.

An experiment says what it is called, what to look at, which keys do what, how a run is timed, what its tab
shows, what its check demands and how it is explained. Pane, store, check and help are generic and know none by
name; a further experiment is one file in this package and one folder of manifests.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeVar

from kubealive_tui.model import Line, LoadMode, Pod, Request, Size, Stopwatch, View
from kubealive_tui.store import Store

__all__ = [
    "Check",
    "Command",
    "Drive",
    "Effect",
    "Experiment",
    "Finding",
    "Http",
    "NotNow",
    "Scene",
    "Settings",
    "Verdict",
    "VerdictWord",
]

T = TypeVar("T")


class NotNow(Exception):  # noqa: N818 - it is no error: the key means nothing in this state, and says why
    """A command that cannot be given now; its sentence names what is missing and the next step."""


@dataclass(frozen=True, slots=True)
class Http:
    """The measured traffic of an experiment: a Service, and the rate that `l` starts (requests a second)."""

    service: str
    rate: float = 100.0
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user has set on a tab; lives with the screen, never in the cluster."""

    rate: float = 100.0
    burst: int = 50
    mode: LoadMode = LoadMode.NEW


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a tab is drawn and acted from: the store, the selected row's key, the settings, whose screen it is.

    `size` is what the views have, which is less than the terminal where the timeline stands beside them.
    """

    store: Store
    experiment: "Experiment"
    settings: Settings = field(default_factory=Settings)
    selected: str | None = None
    size: Size = field(default_factory=lambda: Size(80, 24))
    context: str = ""
    namespace: str = "kubealive"
    me: str = ""

    @property
    def name(self) -> str:
        """The experiment's name, as labels and the command line spell it."""
        return self.experiment.name

    def pod(self) -> Pod:
        """The selected pod; raises NotNow when none is selected or it is gone."""
        if self.selected is None:
            raise NotNow("no pod is selected: move with j and k")
        pod = self.store.pod(self.selected)
        if pod is None:
            raise NotNow("the selected pod is gone: choose another with j and k")
        return pod


Effect = Request | Settings | str
"""What a command does: ask the agent, change the tab's settings, or say a sentence."""


@dataclass(frozen=True, slots=True)
class Command:
    """A key of a tab, or a line of its palette where `key` is empty.

    `run` is pure: it turns the scene into effects, or raises NotNow with a sentence.

    `danger` names the kind of destructive act ("delete pod"); the first of each kind in a session asks.
    `needs` is the agent's capability without which the key is refused in words. `label` is the footer's word,
    empty to keep the key out of the footer.
    """

    key: str
    name: str
    label: str
    help: str
    run: Callable[[Scene], Sequence[Effect]]
    danger: str = ""
    needs: str = ""
    triggers: bool = True


class VerdictWord(Enum):
    """How a check ended; skipped is never passed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact of a check, with the limit it was held against in words, and whether it kept it."""

    name: str
    value: str
    limit: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found; `reasons` are sentences for everything that did not pass."""

    word: VerdictWord
    findings: tuple[Finding, ...] = ()
    reasons: tuple[str, ...] = ()

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> "Verdict":
        """Passed if every finding kept its limit; otherwise failed, with a reason for each that did not."""
        broken = tuple(f"{f.name}: {f.value}, wanted {f.limit}" for f in findings if not f.kept)
        return cls(VerdictWord.FAILED if broken else VerdictWord.PASSED, tuple(findings), broken)

    @classmethod
    def skipped(cls, reason: str) -> "Verdict":
        """Not run, and why."""
        return cls(VerdictWord.SKIPPED, reasons=(reason,))


class Drive(Protocol):
    """What a check may do: ask the agent, and wait until the store shows something."""

    @property
    def store(self) -> Store:
        """The same store that a tab is drawn from."""

    async def ask(self, request: Request) -> str:
        """Give a request to the agent; returns its id. Raises RefusedError with a sentence."""

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        """Wait until `look` gives something; None after `within` seconds. `what` is told as progress."""


Check = Callable[[Drive], Awaitable[Verdict]]


class Experiment:
    """One experiment, put together by decorators in its own file.

    `order` is its tab's digit; `title` the tab's word; `long_title` the overview's; `lesson` the one sentence
    under the tabs; `manifests` the folder that `up` applies. `check_within_s` bounds a check that hangs; what it
    demands of single steps, it waits for itself.
    """

    def __init__(
        self,
        name: str,
        *,
        order: int,
        title: str,
        long_title: str,
        lesson: str,
        manifests: str | None = None,
        traffic: Http | None = None,
        check_within_s: float = 300.0,
    ) -> None:
        self.name = name
        self.order = order
        self.title = title
        self.long_title = long_title
        self.lesson = lesson
        self.manifests = manifests or name
        self.traffic = traffic
        self.check_within_s = check_within_s
        self.commands: list[Command] = []
        self.stopwatches: list[Stopwatch] = []
        self._view: Callable[[Scene], Sequence[View]] | None = None
        self._explain: Callable[[Scene], Sequence[Line]] | None = None
        self._check: Check | None = None

    def settings(self) -> Settings:
        """What a fresh session starts with."""
        return Settings(rate=self.traffic.rate if self.traffic else 0.0)

    def use(self, *commands: Command) -> None:
        """Add commands; a key can be taken once a tab."""
        for command in commands:
            if command.key and any(c.key == command.key for c in self.commands):
                raise ValueError(f"experiment {self.name}: the key {command.key!r} is taken twice")
            self.commands.append(command)

    def view(self, function: Callable[[Scene], Sequence[View]]) -> Callable[[Scene], Sequence[View]]:
        """Decorator: what the tab shows, from top to bottom."""
        self._view = function
        return function

    def explain(self, function: Callable[[Scene], Sequence[Line]]) -> Callable[[Scene], Sequence[Line]]:
        """Decorator: plain words for the state on screen, a line a paragraph; whoever shows them wraps."""
        self._explain = function
        return function

    def check(self, function: Check) -> Check:
        """Decorator: the headless verdict."""
        self._check = function
        return function

    def views(self, scene: Scene) -> Sequence[View]:
        """The tab's views for this scene."""
        return self._view(scene) if self._view else ()

    def explanation(self, scene: Scene) -> Sequence[Line]:
        """The tab's words for this scene."""
        return self._explain(scene) if self._explain else ()

    async def verdict(self, drive: Drive) -> Verdict:
        """Run the check."""
        if self._check is None:
            return Verdict.skipped(f"{self.name} has no check")
        return await self._check(drive)
