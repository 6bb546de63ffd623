"""One thread's event loop: sockets, timers, and work handed over by other threads and by signals.

`asyncio` would take 6 MB and twice the CPU of a new connection, for features that these programs have no use for.
"""

from __future__ import annotations

import errno
import heapq
import os
import selectors
import time
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

_WAKE_BYTES = 4096  # one read empties the pipe of all but absurd numbers of wake-ups


class Timer:
    """A call that is due at a moment of the loop's clock."""

    __slots__ = ("_action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Make the call never happen, and let go of what it refers to."""
        self._action = None

    def run(self) -> None:
        """Make the call, once."""
        action, self._action = self._action, None
        if action is not None:
            action()


class Loop:
    """Runs callbacks one at a time until `stop`. Only `post` may be called from elsewhere."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        # Entries come from deferred replies, one a connection at most, and from signals.
        self._posted: deque[Callable[[], None]] = deque()
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        self._selector.register(self._woken, READ, self._on_woken)
        self._exit_code: int | None = None

    def watch(self, sock: socket.socket, events: int, callback: Callable[[int], None]) -> None:
        """Call `callback` with the events that `sock` is ready for, as long as it is watched."""
        self._selector.register(sock, events, callback)

    def rewatch(self, sock: socket.socket, events: int, callback: Callable[[int], None]) -> None:
        """Change the events that a watched socket is watched for."""
        self._selector.modify(sock, events, callback)

    def unwatch(self, sock: socket.socket) -> None:
        """Watch `sock` no more; to be called before it is closed."""
        self._selector.unregister(sock)

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call `action` in that many seconds, unless the timer is cancelled before."""
        timer = Timer(action)
        self._sequence += 1
        heapq.heappush(self._timers, (self.now() + seconds, self._sequence, timer))
        return timer

    def post(self, action: Callable[[], None]) -> None:
        """Call `action` in the loop's thread, soon. Safe from any thread and from a signal handler.

        A loop that is closed calls nothing any more, and other threads may hear of that late.
        """
        self._posted.append(action)
        try:
            os.write(self._wake, b"\0")
        except BlockingIOError:
            return  # a full pipe has woken the loop already
        except OSError as exc:
            if exc.errno != errno.EBADF:
                raise

    def stop(self, exit_code: int) -> None:
        """End `run` after the current round of callbacks."""
        self._exit_code = exit_code

    def run(self) -> int:
        """Serve until stopped, and give the exit code."""
        while self._exit_code is None:
            for key, events in self._selector.select(self._patience()):
                key.data(events)
            self._run_due()
        return self._exit_code

    def close(self) -> None:
        """Let go of the loop's own file descriptors."""
        self._selector.close()
        os.close(self._woken)
        os.close(self._wake)

    def _patience(self) -> float | None:
        return max(0.0, self._timers[0][0] - self.now()) if self._timers else None

    def _run_due(self) -> None:
        now = self.now()  # taken once, so that a timer that sets the next one cannot keep sockets waiting
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2].run()

    def _on_woken(self, _events: int) -> None:
        os.read(self._woken, _WAKE_BYTES)
        while self._posted:
            self._posted.popleft()()
