"""Controllers run step by step: whatever is woken is looked at until nothing changes any more."""

import asyncio
from collections.abc import Callable

from kubealive_sandbox.api import Api
from kubealive_sandbox.controllers import Loop


async def settle(api: Api, *makers: Callable[[Api], Loop]) -> None:
    """Run these controllers until a few rounds of the loop have changed nothing."""
    tasks = [asyncio.create_task(make(api).run()) for make in makers]
    try:
        quiet, version = 0, -1
        while quiet < 20:
            await asyncio.sleep(0)
            quiet, version = (quiet + 1 if api.store.version == version else 0), api.store.version
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
