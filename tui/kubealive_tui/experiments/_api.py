"""What an experiment is: one file of data and pure functions, from which everything else follows.

An experiment says what it is called, what to look at, which keys do what, how a run is timed, what its tab
shows, what its check demands and how it is explained. Pane, store, check and help are generic and know none by
name; a further experiment is one file in this package and one folder of manifests.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol, TypeVar

from kubealive_tui.hints import DEFAULT_NAMESPACE, own_command
from kubealive_tui.model import Line, LoadMode, Pod, Request, Sample, Size, Stopwatch, View
from kubealive_tui.store import Store

__all__ = [
    "Check",
    "Command",
    "Drive",
    "Effect",
    "Experiment",
    "Finding",
    "Http",
    "Limit",
    "NotNow",
    "Option",
    "Scene",
    "Script",
    "Settings",
    "Verdict",
    "VerdictWord",
]

T = TypeVar("T")


class NotNow(Exception):  # noqa: N818 - it is no error: the key means nothing in this state, and says why
    """A command that cannot be given now; its sentence names what is missing and the next step."""


@dataclass(frozen=True, slots=True)
class Http:
    """The measured traffic of an experiment: a Service, and the rate that `l` starts (requests a second).

    With `cpu` it is sized by CPU instead: by the CPU-seconds a second that its requests ask for, and `l` starts
    with so many. The agent then chooses path and rate.
    """

    service: str
    rate: float = 100.0
    path: str = "/"
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user has set on a tab; lives with the screen, never in the cluster.

    `rate` is in the unit of the tab's traffic: requests a second, or CPU-seconds a second. `choices` are the tab's
    own: what is staged, by a name that only its experiment knows.
    """

    rate: float = 100.0
    burst: int = 50
    mode: LoadMode = LoadMode.NEW
    choices: Mapping[str, str] = field(default_factory=dict)

    def choose(self, name: str, value: str) -> "Settings":
        """The settings with this choice made."""
        return replace(self, choices={**self.choices, name: value})


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a tab is drawn and acted from: the store, the selected row's key, the settings, whose screen it is.

    `size` is what the views have, which is less than the terminal where the timeline stands beside them. `given`
    is what the user has chosen or typed for the command that runs, empty for commands that ask for nothing.
    """

    store: Store
    experiment: "Experiment"
    settings: Settings = field(default_factory=Settings)
    selected: str | None = None
    size: Size = field(default_factory=lambda: Size(80, 24))
    context: str = ""
    namespace: str = DEFAULT_NAMESPACE
    me: str = ""
    given: str = ""

    @property
    def name(self) -> str:
        """The experiment's name, as labels and the command line spell it."""
        return self.experiment.name

    @property
    def reset_command(self) -> str:
        """What puts back an object of this experiment that is missing, from the images that are installed."""
        return own_command("reset", self.name, namespace=self.namespace)

    def pod(self) -> Pod:
        """The selected pod; raises NotNow when none is selected or it is gone."""
        if self.selected is None:
            raise NotNow("no pod is selected: move with j and k")
        pod = self.experiment.pod_of(self.store, self.selected)
        if pod is None:
            raise NotNow("the selected row has no pod now: choose another with j and k")
        return pod


class Drive(Protocol):
    """What a check or a script may do: ask the agent, and wait until the store shows something."""

    @property
    def store(self) -> Store:
        """The same store that a tab is drawn from."""

    async def ask(self, request: Request) -> str:
        """Give a request to the agent; returns its id. Raises RefusedError with a sentence."""

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        """Wait until `look` gives something; None after `within` seconds. `what` is told as progress."""


@dataclass(frozen=True, slots=True)
class Script:
    """Several requests, each when the store shows that it is time: a fresh pod first, then the fault.

    `steps` returns the sentence to say at the end; it is cancelled after `within_s`. `target` is the object that a
    confirmation names.
    """

    target: str
    steps: Callable[[Drive], Awaitable[str]]
    within_s: float = 60.0


Effect = Request | Settings | Script | str
"""What a command does: ask the agent, change the tab's settings, follow a script, or say a sentence."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values that a command can be given: itself, its word, and what it means."""

    value: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A key of a tab, or a line of its palette where `key` is empty.

    `run` is pure: it turns the scene into effects, or raises NotNow with a sentence.

    `danger` names the kind of destructive act ("delete pod"); the first of each kind in a session asks.
    `needs` is the agent's capability without which the key is refused in words. `label` is the footer's word,
    empty to keep the key out of the footer. What is to be chosen first comes from `choose`; `ask` is the question
    to which a line is typed first. Either is the scene's `given` when it runs.
    """

    key: str
    name: str
    label: str
    help: str
    run: Callable[[Scene], Sequence[Effect]]
    danger: str = ""
    needs: str = ""
    triggers: bool = True
    choose: Callable[[Scene], Sequence[Option]] | None = None
    ask: str = ""


class VerdictWord(Enum):
    """How a check ended; skipped is never passed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact of a check, with the limit it was held against in words, and whether it kept it.

    `blind` is a broken limit of the laboratory itself, which missed facts: the cluster may have kept its own.
    """

    name: str
    value: str
    limit: str
    kept: bool
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """What a check demands of one finding: its name and its bound, both in words; the docs list them all."""

    finding: str
    wanted: str

    def found(self, value: str, *, kept: bool) -> Finding:
        """What a check found, held against this."""
        return Finding(self.finding, value, self.wanted, kept)


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

    @property
    def blind(self) -> str:
        """What the laboratory missed, where nothing else is wrong: that says nothing about the cluster."""
        broken = [finding for finding in self.findings if not finding.kept]
        return ", ".join(dict.fromkeys(f.value for f in broken)) if all(f.blind for f in broken) else ""

    @classmethod
    def skipped(cls, reason: str) -> "Verdict":
        """Not run, and why."""
        return cls(VerdictWord.SKIPPED, reasons=(reason,))


Check = Callable[[Drive], Awaitable[Verdict]]


class Experiment:
    """One experiment, put together by decorators in its own file.

    `order` is its tab's digit; `title` the tab's word; `long_title` the overview's; `lesson` the one sentence
    under the tabs; `manifests` the folder that `up` applies. `subject` names the workload that `s` and `S` scale,
    where there are several. `limits` are what the check demands, as the docs list it; `check_within_s` bounds a
    check that hangs: what it demands of single steps, it waits for itself.
    """

    def __init__(  # noqa: PLR0913 - what an experiment is, each part by its name
        self,
        name: str,
        *,
        order: int,
        title: str,
        long_title: str,
        lesson: str,
        manifests: str | None = None,
        traffic: Http | None = None,
        subject: str = "",
        limits: Sequence[Limit] = (),
        check_within_s: float = 300.0,
    ) -> None:
        self.name = name
        self.order = order
        self.title = title
        self.long_title = long_title
        self.lesson = lesson
        self.manifests = manifests or name
        self.traffic = traffic
        self.subject = subject
        self.limits = tuple(limits)
        self.check_within_s = check_within_s
        self.commands: list[Command] = []
        self.stopwatches: list[Stopwatch] = []
        self._view: Callable[[Scene], Sequence[View]] | None = None
        self._explain: Callable[[Scene], Sequence[Line]] | None = None
        self._check: Check | None = None
        self._samples: Callable[[Scene], Sequence[Sample]] | None = None
        self._detail: Callable[[Scene], Sequence[Line]] | None = None
        self._pod_of: Callable[[Store, str], Pod | None] = Store.pod

    def settings(self) -> Settings:
        """What a fresh session starts with."""
        if self.traffic is None:
            return Settings(rate=0.0)
        return Settings(rate=self.traffic.rate if self.traffic.cpu is None else self.traffic.cpu)

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

    def sample(self, function: Callable[[Scene], Sequence[Sample]]) -> Callable[[Scene], Sequence[Sample]]:
        """Decorator: what the agent is to ask again and again while this tab is looked at or checked."""
        self._samples = function
        return function

    def rows(self, function: Callable[[Store, str], Pod | None]) -> Callable[[Store, str], Pod | None]:
        """Decorator: the pod behind a row's key, where rows outlive pods: a number of a set, a node."""
        self._pod_of = function
        return function

    def detail(self, function: Callable[[Scene], Sequence[Line]]) -> Callable[[Scene], Sequence[Line]]:
        """Decorator: what `enter` tells of the selected row, before its pod and the runs."""
        self._detail = function
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

    def details(self, scene: Scene) -> Sequence[Line]:
        """What the tab itself tells of the selected row."""
        return self._detail(scene) if self._detail else ()

    def pod_of(self, store: Store, key: str) -> Pod | None:
        """The pod behind a row's key, or None where there is none; keys are UIDs unless the tab says otherwise."""
        return self._pod_of(store, key)

    def samples(self, scene: Scene) -> frozenset[Sample]:
        """What the agent is to ask for this scene."""
        return frozenset(self._samples(scene)) if self._samples else frozenset()

    def untouched_samples(self, store: Store) -> frozenset[Sample]:
        """The same for a tab that nobody has touched: for a check, and for lines without a screen.

        Nothing before the agent has said in which namespace it is.
        """
        if not store.namespace:
            return frozenset()
        return self.samples(Scene(store, self, settings=self.settings(), namespace=store.namespace))

    async def verdict(self, drive: Drive) -> Verdict:
        """Run the check."""
        if self._check is None:
            return Verdict.skipped(f"{self.name} has no check")
        return await self._check(drive)
