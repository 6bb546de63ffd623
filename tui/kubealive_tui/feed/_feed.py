"""What screen and check see of a feed, whether a cluster is behind it or a file."""

from collections.abc import Callable
from typing import Protocol

from kubealive_tui.model import Interest, Request, Signal

__all__ = ["Feed"]


class Feed(Protocol):
    """A source of signals that can be asked to act."""

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        """Deliver signals until cancelled; trouble with the link is delivered as its state, not raised."""
        ...

    async def ask(self, request: Request) -> str:
        """Have something done; returns the id of the action or load, or what was done in words.

        Raises RefusedError or LinkError with one sentence. Nothing is ever sent twice.
        """
        ...

    def interest(self, interest: Interest) -> None:
        """Say what is looked at; the agent samples for this alone."""
        ...
