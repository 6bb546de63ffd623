"""A reply that is not there yet."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubealive_workloads._http import Response
    from kubealive_workloads._loop import Loop


class Deferred:
    """What a handler returns to answer its request later, from a timer or from another thread.

    `abandoned` is called, in the loop's thread, when the client has gone before the reply.
    """

    __slots__ = ("_deliver", "_loop", "abandoned")

    def __init__(self, loop: Loop, *, abandoned: Callable[[], None] | None = None) -> None:
        self._loop = loop
        self._deliver: Callable[[Outcome], None] | None = None
        self.abandoned = abandoned

    def complete(self, outcome: Outcome) -> None:
        """Answer now; safe from any thread. Nothing happens if the client has gone or was answered."""
        self._loop.post(lambda: self._complete(outcome))

    def attach(self, deliver: Callable[[Outcome], None]) -> None:
        """Say where the reply goes; for the connection."""
        self._deliver = deliver

    def abandon(self) -> None:
        """Say that nobody waits for the reply any more; for the connection."""
        self._deliver = None
        abandoned, self.abandoned = self.abandoned, None
        if abandoned is not None:
            abandoned()

    def _complete(self, outcome: Outcome) -> None:
        deliver, self._deliver = self._deliver, None
        if deliver is not None:
            deliver(outcome)


if TYPE_CHECKING:
    Outcome = Response | Deferred
