"""Adapts the frame rate to the terminal: no more frames on their way than it has room for.

Between program and terminal lie buffers (ssh, TCP) that swallow seconds of frames, and nothing tells how full
they are. So after a frame of data the terminal is asked where its cursor stands; its answer means that it has
drawn all before. While two answers are outstanding no further frame is drawn: the next one shows the newest
state. A terminal that does not answer must not stop the screen, so silence opens the gate after a while, and a
terminal that never answers is not asked again.
"""

from collections import deque

__all__ = ["ASK", "Gate"]

# "Report the cursor's position", which every terminal since the VT100 answers.
ASK = "\x1b[6n"
# One frame on the way and one behind it keep a slow line busy; more would only add age.
MOST_UNANSWERED = 2
# Longer than a round trip over two satellites, shorter than a person's doubt.
PATIENCE_S = 1.0
# So often in a row an answer may stay away before the terminal counts as one that does not answer.
MOST_MISSES = 3


class Gate:
    """Frames sent and answered; times are seconds of any clock that does not go back."""

    def __init__(self) -> None:
        self._asked: deque[float] = deque()
        self._misses = 0
        self._enabled = True
        self.round_trip_s: float | None = None

    @property
    def enabled(self) -> bool:
        """Whether frames are followed by a question at all."""
        return self._enabled

    def disable(self) -> None:
        """Ask nothing any more, and stand open."""
        self._enabled = False
        self._asked.clear()

    def open(self, now: float) -> bool:
        """Whether a frame may be drawn now."""
        self._expire(now)
        return len(self._asked) < MOST_UNANSWERED

    def wait_s(self, now: float) -> float:
        """Seconds after which the gate opens by itself; 0 when it is open."""
        if self.open(now):
            return 0.0
        return max(self._asked[0] + PATIENCE_S - now, 0.0)

    def asked(self, now: float) -> None:
        """A frame went out with a question behind it."""
        if self._enabled:
            self._asked.append(now)

    def answered(self, now: float) -> None:
        """The terminal answered the oldest question; an answer nobody asked for changes nothing."""
        if self._asked:
            self.round_trip_s = now - self._asked.popleft()
            self._misses = 0

    def _expire(self, now: float) -> None:
        while self._asked and now - self._asked[0] >= PATIENCE_S:
            self._asked.popleft()
            self._misses += 1
        if self._misses >= MOST_MISSES:
            self.disable()
