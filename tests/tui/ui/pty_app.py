"""The screen on a real terminal with a scripted agent: it ticks, and whatever is asked of it restarts a pod."""

import asyncio
from collections.abc import Callable

from kubealive_tui.experiments import balance
from kubealive_tui.model import Kind, Request, Signal
from kubealive_tui.ui import Profile, UiOptions, run
from tests.tui.ui.scripts import ACTOR, LIVE, Script, ScriptedFeed, changed, pod


class TickingFeed(ScriptedFeed):
    """An agent with nothing to say but the time."""

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

    async def ask(self, request: Request) -> str:
        """One pod changes one cell."""
        self.deliver(self.script.batch(changed(Kind.POD, pod(1, restarts=1))))
        return await super().ask(request)


OPTIONS = UiOptions(
    context="dev",
    namespace="kubealive",
    experiments=[balance.lab],
    feed=TickingFeed(),
    profile=Profile(),
    actor=ACTOR,
    clock=False,
    tab="balance",
)

if __name__ == "__main__":
    asyncio.run(run(OPTIONS))
