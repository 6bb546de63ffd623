"""Source ports, chosen by us, because conntrack remembers the ones that ended badly.

A connect that timed out leaves an entry in SYN_SENT for 120 s that still points at the dead pod. Whoever uses
that source port again is sent to the dead pod again, long after the Service has recovered, and a graceful
rollout looks lossy. The kernel's own choice knows nothing of this.

What a port is owed is written down where it outlives the process that used it: a load child that crashed had ports
in use and in quarantine, and its successor would begin with just those.
"""

import mmap
import os
import tempfile
from array import array
from collections import deque
from typing import Final, TypeAlias

PORT_RANGE: Final = range(20_000, 50_000)
"""Above what servers mostly listen on, and enough that a port rests for seconds even at the highest rate."""

QUARANTINE_US: Final = 130_000_000
"""Longer than the 120 s of conntrack's SYN_SENT and the 60 s of our own TIME_WAIT."""

_IN_USE: Final = 0xFFFF_FFFF
"""Stands for "nobody knows until when"; as a second it is eighty years away."""

_BYTES_EACH: Final = 4

Owed: TypeAlias = "array[int] | memoryview[int]"
"""A number for each port, in place: until which second it is owed a rest, 0 for none."""


def port_memory() -> int:
    """Make memory for what each port of PORT_RANGE is owed, and return its descriptor, which children inherit."""
    size = _BYTES_EACH * len(PORT_RANGE)
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("kubealive-ports")
    else:
        with tempfile.TemporaryFile() as file:
            memory = os.dup(file.fileno())
    os.ftruncate(memory, size)
    return memory


def remembered(memory: int) -> Owed:
    """What is in that memory, a number for each port, to be read and written in place; of -1, memory of its own.

    Raises OSError or ValueError for a descriptor that is none of `port_memory`.
    """
    return memoryview(mmap.mmap(memory, _BYTES_EACH * len(PORT_RANGE))).cast("I")


class SourcePorts:
    """A pool that gives the port that was unused for the longest time.

    One pool serves all loads: a port that two destinations share can clash in conntrack, when one of them is a
    Service in front of the other. `owed` says of each port until which second it is owed a rest, 0 for none: what
    stands there at the beginning is respected, a port in use resting from `now_us` on, and it is kept up to date.
    """

    def __init__(self, ports: range = PORT_RANGE, *, owed: "Owed | None" = None, now_us: int = 0) -> None:
        self._start = ports.start
        self._owed = array("I", bytes(_BYTES_EACH * len(ports))) if owed is None else owed
        rest = {
            port: (now_us + QUARANTINE_US if until == _IN_USE else until * 1_000_000)
            for port, until in zip(ports, self._owed, strict=True)
            if until
        }
        # A ring of 16-bit numbers, since thirty thousand Python integers would be a megabyte.
        self._ring = array("H", (port for port in ports if port not in rest))
        self._first = 0
        self._free = len(self._ring)
        self._ring.extend(rest)
        self._quarantine = deque(sorted((until_us, port) for port, until_us in rest.items()))
        for until_us, port in self._quarantine:
            self._owed[port - self._start] = _second_after(until_us)

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
                self._owed[port - self._start] = _IN_USE
                return port
            self.give_back(port)
        return None

    def give_back(self, port: int) -> None:
        """Return a port whose connection the server closed first, or that was never connected."""
        self._ring[(self._first + self._free) % len(self._ring)] = port
        self._free += 1
        self._owed[port - self._start] = 0

    def keep_out(self, port: int, *, now_us: int) -> None:
        """Return a port that conntrack or our own TIME_WAIT may still remember; it rests for 130 s."""
        until_us = now_us + QUARANTINE_US
        self._quarantine.append((until_us, port))
        self._owed[port - self._start] = _second_after(until_us)


def _second_after(us: int) -> int:
    return -(-us // 1_000_000)
