"""The address of a load's target, asked for in a thread of its own.

`getaddrinfo` blocks for seconds while DNS is down, which is when the engine has to keep its time. The newest
answer holds until the next: a name that fails to resolve has no address, as for any client that asks.
"""

import socket
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

REFRESH_S: Final = 10.0
"""A third of the 30 s for which cluster DNS caches: a moved address is noticed, DNS is not the experiment."""

RETRY_S: Final = 1.0
"""After a failure, so that a client outage by DNS is known to the second."""


class Address(NamedTuple):
    """Where to connect, as `socket.connect` takes it."""

    family: socket.AddressFamily
    sockaddr: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


Lookup = Callable[[str, int], Address | None]


def look_up(host: str, port: int) -> Address | None:
    """The first address that the system resolver gives, or None; blocks."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a label that is empty or too long
        return None
    return Address(answers[0][0], answers[0][4]) if answers else None


def literal(host: str, port: int) -> Address | None:
    """The address when `host` is one already, else None; never asks anybody."""
    for family, sockaddr in (
        (socket.AF_INET, (host, port)),
        (socket.AF_INET6, (host, port, 0, 0)),
    ):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return Address(family, sockaddr)
    return None


class Resolver:
    """Keeps the address of one host.

    `asked` turns true with the first answer, good or bad; `wake` is called then, from another thread. The
    thread ends soon after `close`, or with the process.
    """

    def __init__(self, host: str, port: int, *, wake: Callable[[], None], lookup: Lookup = look_up) -> None:
        self.address = literal(host, port)
        self.asked = self.address is not None
        self._host, self._port = host, port
        self._wake, self._lookup = wake, lookup
        self._closed = threading.Event()
        if not self.asked:
            threading.Thread(target=self._run, name=f"resolve {host}", daemon=True).start()

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            self.address = self._lookup(self._host, self._port)
            if not self.asked:
                self.asked = True
                self._wake()
            self._closed.wait(REFRESH_S if self.address else RETRY_S)
