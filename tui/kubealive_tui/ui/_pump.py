"""The one way from the network to the screen.

A feed delivers signals in whatever number; the store takes each at once, and one callback on the next turn of
the loop draws whatever came. Nothing else draws data, and nothing of the network ever touches a widget, so that a
flood costs one frame and a slow terminal costs none.
"""

from collections.abc import Callable
from typing import Protocol

from kubealive_tui.model import LinkEvent, Signal
from kubealive_tui.store import Store
from kubealive_tui.ui._gate import Gate

__all__ = ["Loop", "Pump"]


class _Timer(Protocol):
    def cancel(self) -> None:
        """Do not call."""
        ...


class Loop(Protocol):
    """What the pump needs of an event loop; asyncio's is one."""

    def time(self) -> float:
        """Seconds of a clock that does not go back."""
        ...

    def call_soon(self, callback: Callable[[], object]) -> object:
        """Call on the next turn."""
        ...

    def call_later(self, delay: float, callback: Callable[[], object]) -> _Timer:
        """Call after a time in seconds."""
        ...


class Pump:
    """Owns the store; `draw` shows it, `visible` says whether a change of these experiments can be seen."""

    def __init__(
        self,
        *,
        new_store: Callable[[], Store],
        draw: Callable[[], None],
        visible: Callable[[frozenset[str]], bool],
        loop: Loop,
        gate: Gate,
    ) -> None:
        self._new_store = new_store
        self._draw = draw
        self._visible = visible
        self._loop = loop
        self._gate = gate
        self._armed = False
        self._timer: _Timer | None = None
        self._shown_second = -1
        self._frame_at = self._state_at = loop.time()
        self._watchers: list[Callable[[], None]] = []
        self.store = new_store()

    def deliver(self, signal: Signal) -> None:
        """Take a signal; to be given to the feed."""
        before = self.store.link.state
        self.store.apply(signal)
        link = isinstance(signal, LinkEvent)
        if not link:
            self._frame_at = self._loop.time()
        elif self.store.link.state is not before:
            self._state_at = self._loop.time()
        dirty = self.store.drain()
        for watcher in tuple(self._watchers):
            watcher()
        second = self.store.now_us // 1_000_000
        if link or second != self._shown_second or self._visible(dirty):
            self._shown_second = second
            self.arm()

    def rewind(self) -> None:
        """Begin with an empty store: a recording starts over."""
        self.store = self._new_store()
        self.arm()

    def arm(self) -> None:
        """Have the screen drawn on the next turn of the loop, however often this is called before."""
        if not self._armed:
            self._armed = True
            self._loop.call_soon(self._flush)

    @property
    def armed(self) -> bool:
        """Whether a frame is still to be drawn."""
        return self._armed

    def answered(self) -> None:
        """The terminal has drawn a frame: what waited for that is drawn."""
        self._gate.answered(self._loop.time())
        if self._timer is not None:
            self._flush()

    def silence_s(self) -> float:
        """Seconds since the agent last said anything."""
        return self._loop.time() - self._frame_at

    def waited_s(self) -> float:
        """Seconds for which the link has been in its state."""
        return self._loop.time() - self._state_at

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call `watcher` after each signal; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def close(self) -> None:
        """Draw nothing any more."""
        self._draw = _nothing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wait := self._gate.wait_s(self._loop.time()):
            self._timer = self._loop.call_later(wait, self._flush)
            return
        self._armed = False
        self._draw()


def _nothing() -> None:
    pass
