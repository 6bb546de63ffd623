"""`cpuhog`: burns as much CPU as it is asked for, to measure, so that an autoscaler has something to see.

`GET /burn?milliseconds=N` is answered once N milliseconds of CPU time have been burned, by the clock that the
kernel charges this process by; what serving requests takes counts. Burning lets go of the interpreter, so probes
are answered meanwhile as ever.

What cannot be burned within `PATIENCE_SECONDS` is given up and answered with 503: a pod that is asked for more
than its node has must not owe CPU that it goes on burning after the load has stopped.
"""

from __future__ import annotations

import _thread
import re
import time
import zlib
from collections import deque

from kubealive_workloads._http import json_reply, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubealive_workloads._deferred import Deferred, Outcome
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._router import Routes
    from kubealive_workloads.programs import Context

BURNERS = 2  # threads at once: one pod alone meets the largest load there is, two CPU
PATIENCE_SECONDS = 0.75  # from the request on: a stopped load has burned out within a second
MAX_MILLISECONDS = 500  # what one thread can burn within the patience, with half of it to spare
MAX_WAITING = 200  # requests: two seconds of the largest load; more are answered with 503 at once
MAX_CREDIT_NS = 2_000_000  # serving a request takes half of this; what else the process did is not the load's

_MILLISECONDS = re.compile(r"milliseconds=([0-9]{1,6})")
# Large enough that zlib lets go of the interpreter, small enough that a burn ends within 0.1 ms of its measure.
_FUEL = bytes(256 * 1024)


class _Burn:
    """One request under way."""

    __slots__ = ("_abandoned", "_asked_ns", "_credit_ns", "_deadline", "_reply")

    def __init__(self, reply: Deferred, *, milliseconds: int, credit_ns: int) -> None:
        self._reply = reply
        self._asked_ns = milliseconds * 1_000_000
        self._credit_ns = credit_ns
        self._deadline = time.monotonic() + PATIENCE_SECONDS
        self._abandoned = False
        reply.abandoned = self._abandon

    def run(self, since_ns: int) -> None:
        """Burn on the calling thread, what it has used `since_ns` included, and answer."""
        since_ns -= self._credit_ns
        while (burned := time.thread_time_ns() - since_ns) < self._asked_ns:
            if self._abandoned:
                return
            if self.late():
                break
            zlib.crc32(_FUEL)
        self._reply.complete(self._outcome(burned))

    def late(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() >= self._deadline

    def give_up(self) -> None:
        """Answer that nothing of it was burned."""
        self._reply.complete(self._outcome(0))

    def _outcome(self, burned_ns: int) -> Response:
        if burned_ns >= self._asked_ns:
            return json_reply({"burned_milliseconds": round(burned_ns / 1e6, 3)})
        return refusal(
            503,
            f"burned {burned_ns / 1e6:.0f} of {self._asked_ns / 1e6:.0f} ms in {PATIENCE_SECONDS:g} s, more CPU "
            "was not to be had: ask for less, or give it more pods",
        )

    def _abandon(self) -> None:
        self._abandoned = True


class Furnace:
    """Burns what it is given on at most `BURNERS` threads; idle it has none.

    The newest is burned first: where there is more than can be burned the old ones are late anyway, and CPU that
    goes into them is lost to those that could still be served.

    What the thread that calls `take` has used since it did so last is the serving of requests, and counts.
    """

    def __init__(self) -> None:
        self._served_ns: int | None = None
        self._waiting: deque[_Burn] = deque()
        self._burning = 0
        self._lock = _thread.allocate_lock()

    def take(self, reply: Deferred, *, milliseconds: int) -> bool:
        """Burn as soon as a thread is free, and then complete the reply; False if too many are waiting."""
        credit_ns = self._served()
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                return False
            self._waiting.append(_Burn(reply, milliseconds=milliseconds, credit_ns=credit_ns))
            if self._burning < BURNERS:
                self._burning += 1
                _thread.start_new_thread(self._burn_all, ())
        return True

    def _served(self) -> int:
        """Give the CPU time that the calling thread has used since it was here last, within reason."""
        before, now = self._served_ns, time.thread_time_ns()
        self._served_ns = now
        return 0 if before is None else min(now - before, MAX_CREDIT_NS)

    def _burn_all(self) -> None:
        since_ns = 0  # the clock of a thread begins with it
        while (burn := self._next()) is not None:
            burn.run(since_ns)
            since_ns = time.thread_time_ns()

    def _next(self) -> _Burn | None:
        """Give the newest that waits, or None to a thread that is then to end; give up those that are late."""
        with self._lock:
            while self._waiting and self._waiting[0].late():
                self._waiting.popleft().give_up()
            if self._waiting:
                return self._waiting.pop()
            self._burning -= 1
            return None


def routes(context: Context) -> Routes:
    """Answer `GET /burn?milliseconds=N` when that much CPU has been burned, and `GET /` with how to ask."""
    furnace = Furnace()
    usage = json_reply({"burn": f"GET /burn?milliseconds=1 to {MAX_MILLISECONDS}"})

    def burn(request: Request) -> Outcome:
        match = _MILLISECONDS.fullmatch(request.query)
        milliseconds = int(match[1]) if match else 0
        if not 1 <= milliseconds <= MAX_MILLISECONDS:
            return refusal(
                400, f"{request.query or 'nothing'!r} is no time to burn: use milliseconds=1 to {MAX_MILLISECONDS}"
            )
        later = context.defer()
        if furnace.take(later, milliseconds=milliseconds):
            return later
        return refusal(503, f"{MAX_WAITING} requests are waiting to be burned: ask for less, or give it more pods")

    def root(_request: Request) -> Response:
        return usage

    return {("GET", "/"): root, ("GET", "/burn"): burn}
