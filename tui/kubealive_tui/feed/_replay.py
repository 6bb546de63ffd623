"""Plays a recording as if it were live: at its own pace, faster or slower, from any point.

The store only goes forward. So going back means a fresh store and everything up to that point once more, as fast
as it can be reduced; `on_rewind` tells the owner of the store when.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from kubealive_tui.feed._clock import Clock, SystemClock, wait_for
from kubealive_tui.feed._recording import Recording
from kubealive_tui.model import LinkEvent, LinkState, Signal

__all__ = ["Replay"]

SLOWEST, FASTEST = 0.25, 16.0
# Signals delivered, or decoded ahead, in one go: some 5 ms each, so that keys are still answered.
AT_ONCE = 200
AHEAD = 20


class Replay:
    """A recording with a play head; positions in microseconds from the beginning of the recording.

    It begins to play when it runs. The link is shown as the recording saw it, but for "live", which is shown as
    "replaying", and for the end.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        clock: Clock | None = None,
        on_rewind: Callable[[], None] = lambda: None,
    ) -> None:
        self.recording = recording
        self._clock = clock or SystemClock()
        self._on_rewind = on_rewind
        self._next = 0
        self._speed = 1.0
        self._paused = False
        self._changed = asyncio.Event()
        self._anchor_us = 0
        self._anchor_s: float | None = None
        self._rewound = False

    # ---- controls

    @property
    def position_us(self) -> int:
        """Where the play head stands now, at most at the end."""
        if self._paused or self._anchor_s is None:
            return self._anchor_us
        played = (self._clock.monotonic() - self._anchor_s) * self._speed * 1e6
        return min(self._anchor_us + round(played), self.duration_us)

    @property
    def duration_us(self) -> int:
        """Up to where the recording can be played."""
        return self.recording.duration_us

    @property
    def paused(self) -> bool:
        """Whether the play head stands still by command."""
        return self._paused

    @property
    def ended(self) -> bool:
        """Whether everything has been delivered."""
        return self._next >= len(self.recording)

    @property
    def speed(self) -> float:
        """Recorded seconds a second."""
        return self._speed

    def pause(self) -> None:
        """Hold the play head where it is."""
        self._move(self.position_us, paused=True)

    def play(self) -> None:
        """Go on from where the play head is; at the end, from the beginning."""
        if self.ended:
            self.seek(0)
        self._move(self.position_us, paused=False)

    def set_speed(self, speed: float) -> float:
        """Play at this speed, within 0.25 and 16; returns the speed taken."""
        at = self.position_us
        self._speed = min(max(speed, SLOWEST), FASTEST)
        self._move(at, paused=self._paused)
        return self._speed

    def seek(self, position_us: int) -> None:
        """Put the play head there, within the recording; what lies before it is delivered at once."""
        position_us = min(max(position_us, 0), self.duration_us)
        if self.recording.until(position_us) < self._next:
            self._next, self._rewound = 0, True
        self._move(position_us, paused=self._paused)

    def _move(self, position_us: int, *, paused: bool) -> None:
        self._anchor_us = position_us
        self._anchor_s = None if self._anchor_s is None else self._clock.monotonic()
        self._paused = paused
        self._changed.set()

    # ---- playing

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        """Deliver the recording's signals as the play head passes them, until cancelled."""
        self._anchor_s = self._clock.monotonic()
        while True:
            self._changed.clear()
            if self._rewound:
                self._rewound = False
                self._on_rewind()
            if self._deliver_due(deliver) or self.recording.warm(AHEAD):
                await asyncio.sleep(0)
            else:
                await wait_for(self._changed, self._clock, self._seconds_to_next())

    def _deliver_due(self, deliver: Callable[[Signal], None]) -> bool:
        """Deliver what the play head has passed, a little at a time; whether anything was."""
        due = self.recording.until(self.position_us)
        begin, self._next = self._next, max(self._next, min(due, self._next + AT_ONCE))
        for index in range(begin, self._next):
            deliver(_as_replayed(self.recording.signal(index)))
        if begin < self._next == len(self.recording):
            deliver(LinkEvent(LinkState.ENDED, reason=self._last_words()))
        return begin < self._next

    def _seconds_to_next(self) -> float | None:
        if self._paused or self.ended:
            return None
        ahead_us = self.recording.offset_us(self._next) - self.position_us
        # At least a microsecond on, since that is the grain of offsets.
        return max(ahead_us, 1) / 1e6 / self._speed

    def _last_words(self) -> str:
        if not self.recording.cut:
            return ""
        return f"the file was cut after {self.duration_us / 1e6:.1f} s; what came then is missing"


def _as_replayed(signal: Signal) -> Signal:
    if isinstance(signal, LinkEvent) and signal.state is LinkState.CONNECTED:
        return replace(signal, state=LinkState.REPLAYING)
    return signal
