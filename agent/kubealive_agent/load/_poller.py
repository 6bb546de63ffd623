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

    def opening(self, fd: int) -> None:
        """Report when a new connection is established or has failed."""

    def connected(self, fd: int) -> None:
        """It is established: report from now on as for an opened one."""

    def opened(self, fd: int) -> None:
        """Report when there is something to read from a connection or the other side has closed."""

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

        _OPENED: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
        _OPENING: Final = _OPENED | select.EPOLLOUT

        def __init__(self) -> None:
            self._epoll = select.epoll()

        def watch(self, fd: int) -> None:
            """See Poller."""
            self._epoll.register(fd, select.EPOLLIN)

        def opening(self, fd: int) -> None:
            """See Poller."""
            self._epoll.register(fd, self._OPENING)

        def connected(self, fd: int) -> None:
            """See Poller; what is to be read is reported already."""

        def opened(self, fd: int) -> None:
            """See Poller."""
            self._epoll.register(fd, self._OPENED)

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

    def opening(self, fd: int) -> None:
        """See Poller."""
        self._selector.register(fd, selectors.EVENT_WRITE)

    def connected(self, fd: int) -> None:
        """See Poller."""
        self._selector.modify(fd, selectors.EVENT_READ)

    def opened(self, fd: int) -> None:
        """See Poller."""
        self._selector.register(fd, selectors.EVENT_READ)

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
