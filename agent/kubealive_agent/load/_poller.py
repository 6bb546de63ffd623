"""Readiness of sockets: edge-triggered epoll where there is one, the platform's selector elsewhere.

Edge triggering saves one system call a request, the change from "writable" to "readable". The fallback makes
that call, so that both look alike to a connection.
"""

import select
import selectors
import sys
from collections.abc import Iterable
from typing import Final, Protocol

HANGUP: Final = 0x2000
"""Flag of an event: the other side has sent all it will send (epoll's RDHUP); only epoll tells."""

MAX_EVENTS: Final = 512
"""Events taken at once; more would make the first of a batch look slower than it was."""


class Poller(Protocol):
    """What a connection and the engine need of either kind."""

    def watch(self, fd: int) -> None:
        """Report a pipe for as long as there is something to read."""

    def connecting(self, fd: int) -> None:
        """Report when a new connection is established or has failed, and from then on as `reading` says."""

    def reading(self, fd: int) -> None:
        """Report when there is something to read or the other side has closed."""

    def forget(self, fd: int) -> None:
        """Report nothing more. To be called before the descriptor is closed."""

    def close(self) -> None:
        """Let go of the system's resources."""

    def poll(self, timeout: float | None, *, exact: bool) -> Iterable[tuple[int, int]]:
        """(descriptor, flags) of what is ready, after at most `timeout` seconds; None waits for ever.

        `exact` asks for an end to the wait within microseconds, at the price of a further system call.
        """


if sys.platform == "linux":

    class EpollPoller:
        """Edge-triggered, and quiet about descriptors that were closed."""

        _EVENTS: Final = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET

        def __init__(self) -> None:
            self._epoll = select.epoll()

        def watch(self, fd: int) -> None:
            """See Poller."""
            self._epoll.register(fd, select.EPOLLIN)

        def connecting(self, fd: int) -> None:
            """See Poller."""
            self._epoll.register(fd, self._EVENTS)

        def reading(self, fd: int) -> None:
            """See Poller; edges of reading are reported already."""

        def forget(self, fd: int) -> None:
            """See Poller; closing the descriptor is enough."""

        def close(self) -> None:
            """See Poller."""
            self._epoll.close()

        def poll(self, timeout: float | None, *, exact: bool) -> Iterable[tuple[int, int]]:
            """See Poller; epoll alone rounds its timeout up to whole milliseconds."""
            if exact and timeout:
                select.select((self._epoll,), (), (), timeout)
                timeout = 0
            return self._epoll.poll(timeout, MAX_EVENTS)


class SelectorPoller:
    """Level-triggered, for systems without epoll."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, fd: int) -> None:
        """See Poller."""
        self._selector.register(fd, selectors.EVENT_READ)

    def connecting(self, fd: int) -> None:
        """See Poller."""
        self._selector.register(fd, selectors.EVENT_WRITE)

    def reading(self, fd: int) -> None:
        """See Poller."""
        self._selector.modify(fd, selectors.EVENT_READ)

    def forget(self, fd: int) -> None:
        """See Poller."""
        self._selector.unregister(fd)

    def close(self) -> None:
        """See Poller."""
        self._selector.close()

    def poll(self, timeout: float | None, *, exact: bool) -> Iterable[tuple[int, int]]:  # noqa: ARG002 - see Poller
        """See Poller; these wait exactly anyway."""
        return [(key.fd, events) for key, events in self._selector.select(timeout)]


def make_poller() -> Poller:
    """The best poller of this platform."""
    return EpollPoller() if sys.platform == "linux" else SelectorPoller()
