"""The app with a scripted feed on a real terminal: `1` restarts a pod, and the agent ticks each second."""

import asyncio
from collections.abc import Callable

from textual import events

from kubealive_tui.experiments import discover
from kubealive_tui.model import Kind, Signal
from kubealive_tui.ui import KubealiveApp, Profile, UiOptions
from tests.tui.ui.scripts import ACTOR, LIVE, Script, ScriptedFeed, changed, pod


class TickingFeed(ScriptedFeed):
    """An agent with nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.script = Script()

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        """Connect, then tick."""
        self.deliver = deliver
        deliver(LIVE)
        deliver(self.script.snapshot())
        while True:
            await asyncio.sleep(0.5)
            deliver(self.script.tick(0.5))

    def restart(self) -> None:
        """One pod changes one cell."""
        self.deliver(self.script.batch(changed(Kind.POD, pod(1, restarts=1))))


class Program(KubealiveApp):
    """The real app, but for one key that plays the cluster."""

    def __init__(self, feed: TickingFeed) -> None:
        super().__init__(
            UiOptions(
                context="dev",
                namespace="kubealive",
                experiments=discover(),
                feed=feed,
                profile=Profile(),
                actor=ACTOR,
                clock=False,
                tab="balance",
            )
        )
        self._script = feed

    def on_key(self, event: events.Key) -> None:
        """`1` is the cluster's."""
        if event.key == "1":
            event.prevent_default()
            event.stop()
            self._script.restart()
        else:
            super().on_key(event)


async def main() -> None:
    """Run until asked to end."""
    app = Program(TickingFeed())
    asyncio.get_running_loop().add_signal_handler(15, app.leave)
    await app.run_async()


if __name__ == "__main__":
    asyncio.run(main())
