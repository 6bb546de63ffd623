"""The programs by name, found by looking: one file each, with a function `routes` from a context to routes.

A program is loaded only when it is the one that runs, so that none pays for another's imports.
"""

from __future__ import annotations

import importlib
import os

from kubealive_workloads._deferred import Deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubealive_workloads._config import Identity
    from kubealive_workloads._loop import Loop
    from kubealive_workloads._router import Routes

    Program = Callable[["Context"], Routes]

__all__ = ["NAMES", "Context", "load"]

NAMES = tuple(
    sorted(
        name.removesuffix(".py")
        for name in os.listdir(os.path.dirname(__file__))  # noqa: PTH120, PTH208 - pathlib would cost 1 MB
        if name.endswith(".py") and not name.startswith("_")
    )
)


class Context:
    """What a program gets to work with: who it is, whether it is well, and a way to answer later.

    `healthy` says whether the liveness probe would succeed now.
    """

    __slots__ = ("_loop", "healthy", "identity")

    def __init__(self, *, identity: Identity, loop: Loop, healthy: Callable[[], bool]) -> None:
        self.identity = identity
        self.healthy = healthy
        self._loop = loop

    def defer(self) -> Deferred:
        """Give a reply to return now and to complete later, from any thread."""
        return Deferred(self._loop)


def load(name: str) -> Program | None:
    """Give the program of that name, or None."""
    if name not in NAMES:
        return None
    program: Program = importlib.import_module(f"{__name__}.{name}").routes
    return program
