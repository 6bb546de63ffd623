"""Source ports, chosen by us, because conntrack remembers the ones that ended badly.

A connect that timed out leaves an entry in SYN_SENT for 120 s that still points at the dead pod. Whoever uses
that source port again is sent to the dead pod again, long after the Service has recovered, and a graceful
rollout looks lossy. The kernel's own choice knows nothing of this.
"""

from array import array
from collections import deque
from typing import Final

PORT_RANGE: Final = range(20_000, 50_000)
"""Above what servers mostly listen on, and enough that a port rests for seconds even at the highest rate."""

QUARANTINE_US: Final = 130_000_000
"""Longer than the 120 s of conntrack's SYN_SENT and the 60 s of our own TIME_WAIT."""


class SourcePorts:
    """A pool that gives the port that was unused for the longest time.

    One pool serves all loads: a port that two destinations share can clash in conntrack, when one of them is a
    Service in front of the other.
    """

    def __init__(self, ports: range = PORT_RANGE) -> None:
        # A ring of 16-bit numbers, since thirty thousand Python integers would be a megabyte.
        self._ring = array("H", ports)
        self._first = 0
        self._free = len(ports)
        self._quarantine: deque[tuple[int, int]] = deque()

    @property
    def quarantined(self) -> int:
        """How many ports are kept out of use."""
        return len(self._quarantine)

    def take(self, *, avoid: int, now_us: int) -> int | None:
        """A port for one connection, or None when every port is in use or in quarantine.

        `avoid` is the target's port: on loopback a socket that is bound to it would connect to itself.
        """
        quarantine = self._quarantine
        while quarantine and quarantine[0][0] <= now_us:
            self.give_back(quarantine.popleft()[1])
        for _ in range(min(2, self._free)):
            port = self._ring[self._first]
            self._first = (self._first + 1) % len(self._ring)
            self._free -= 1
            if port != avoid:
                return port
            self.give_back(port)
        return None

    def give_back(self, port: int) -> None:
        """Return a port whose connection the server closed first, or that was never connected."""
        self._ring[(self._first + self._free) % len(self._ring)] = port
        self._free += 1

    def keep_out(self, port: int, *, now_us: int) -> None:
        """Return a port that conntrack or our own TIME_WAIT may still remember; it rests for 130 s."""
        self._quarantine.append((now_us + QUARANTINE_US, port))
