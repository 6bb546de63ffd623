"""An app on a stage: headless, on a scripted feed, with what it did written down."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from textual.pilot import Pilot

from kubealive_tui.experiments import balance
from kubealive_tui.model import LinkEvent, LinkState, Run, Signal
from kubealive_tui.ui import KubealiveApp, UiOptions
from tests.tui.ui.screens import plain_text
from tests.tui.ui.scripts import ACTOR, LIVE, Script, ScriptedFeed

__all__ = ["LABS", "Stage", "stage"]

# One tab, so that what these tests see does not change with each experiment that is added.
LABS = (balance.lab,)


@dataclass
class Stage:
    """The running app, its feed, and the script of what comes from the agent."""

    app: KubealiveApp
    pilot: Pilot[None]
    feed: ScriptedFeed
    script: Script = field(default_factory=Script)

    async def deliver(self, *signals: Signal) -> None:
        """Let signals come in, and the frame that follows be drawn."""
        for signal in signals:
            self.feed.deliver(signal)
        await self._drawn()

    async def _drawn(self) -> None:
        """Wait for the frame, however long a busy machine takes for it; the test's own limit ends this."""
        await self.pilot.pause()
        while self.app.pump.armed:
            await self.pilot.pause(0.01)

    async def live(self) -> None:
        """Connect, with the whole cluster and both viewers."""
        await self.deliver(LIVE, self.script.snapshot(), self.script.status())

    async def lose_link(self, reason: str = "pod is gone") -> None:
        """The link breaks."""
        await self.deliver(LinkEvent(LinkState.RECONNECTING, reason=reason, attempt=2, silence_s=4.0))

    async def press(self, *keys: str) -> None:
        """Press keys by Textual's names."""
        await self.pilot.press(*keys)
        await self._drawn()

    @property
    def text(self) -> str:
        """What the screen says."""
        return plain_text(self.app.canvas.shown.strips)

    @property
    def lines(self) -> list[str]:
        """The same by lines."""
        return self.text.splitlines()

    @property
    def pointed(self) -> str:
        """The line under the pointer."""
        return next((text for text in self.lines if text.startswith(" ▸")), "")


@asynccontextmanager
async def stage(
    *,
    size: tuple[int, int] = (80, 24),
    change: Callable[[UiOptions], UiOptions] = lambda options: options,
    refuse: Exception | None = None,
    live: bool = True,
) -> AsyncIterator[Stage]:
    """Run the app; connected to a cluster unless told otherwise."""
    feed = ScriptedFeed(refuse)
    options = UiOptions(context="dev", namespace="kubealive", experiments=LABS, feed=feed, actor=ACTOR)
    options = change(options)
    app = KubealiveApp(options)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        if options.feed is feed:
            # Before the app has started it, whatever a test delivers is lost.
            await feed.started.wait()
        found = Stage(app, pilot, feed)
        if live:
            await found.live()
        yield found


def read_only(options: UiOptions) -> UiOptions:
    """The same, read-only."""
    return replace(options, read_only=True)


def saving_to(folder: Path) -> Callable[[UiOptions], UiOptions]:
    """The same, with runs written there."""

    def save(experiment: str, run: Run) -> Sequence[Path]:
        path = folder / f"{experiment}.txt"
        path.write_text(run.title, encoding="utf-8")
        return [path]

    return lambda options: replace(options, save=save)
