"""The environment of a command at a real terminal."""

import argparse
import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubealive_tui.install import Api

__all__ = ["Terminal"]


class Terminal:
    """Results on standard output, everything else on standard error, questions to whoever is there."""

    @asynccontextmanager
    async def api(self, args: argparse.Namespace) -> "AsyncIterator[Api]":
        """Open the Kubernetes API of the context that the arguments choose."""
        from kubealive_tui.cli._opening import link_options  # noqa: PLC0415 - loads the Kubernetes client
        from kubealive_tui.link import open_link  # noqa: PLC0415 - the same

        async with open_link(link_options(args)) as link:
            yield link.api

    def context(self, args: argparse.Namespace) -> str:
        """Return the name of that context; raises UsageError where the kubeconfig has none."""
        from kubealive_tui.cli._opening import context_of  # noqa: PLC0415 - loads the Kubernetes client

        return context_of(args)

    def say(self, text: str) -> None:
        """Print a line of the result, at once, so that a pipe's reader sees it too."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def complain(self, text: str) -> None:
        """Print a line about progress or trouble."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    async def confirm(self, question: str) -> bool | None:
        """Ask; only a word for yes agrees. None where nobody can answer."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        answer = await _line()
        return answer.strip().lower() in {"y", "yes"}


async def _line() -> str:
    """The next line that is typed; not read by a thread, which Ctrl-C would wait for until Enter is pressed."""
    loop, typed, descriptor = asyncio.get_running_loop(), asyncio.Event(), sys.stdin.fileno()
    loop.add_reader(descriptor, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(descriptor)
    return sys.stdin.readline()
