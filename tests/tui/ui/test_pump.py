"""The pump: one frame however much arrives."""

from collections.abc import Callable

from kubealive_tui.store import Store
from kubealive_tui.ui._gate import Gate
from kubealive_tui.ui._pump import Pump
from tests.tui.ui.scripts import LIVE, Script


class FakeTimer:
    """A call to come, unless cancelled."""

    def __init__(self, at: float, callback: Callable[[], object]) -> None:
        self.at, self.callback, self.cancelled = at, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """An event loop whose time is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.soon: list[Callable[[], object]] = []
        self.later: list[FakeTimer] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], object]) -> object:
        self.soon.append(callback)
        return None

    def call_later(self, delay: float, callback: Callable[[], object]) -> FakeTimer:
        self.later.append(FakeTimer(self.now + delay, callback))
        return self.later[-1]

    def turn(self) -> None:
        """One turn of the loop."""
        ready, self.soon = self.soon, []
        for callback in ready:
            callback()

    def move(self, seconds: float) -> None:
        """Let time pass, with the timers that come due."""
        self.now += seconds
        for timer in [t for t in self.later if t.at <= self.now and not t.cancelled]:
            self.later.remove(timer)
            timer.callback()
        self.turn()


class Bench:
    """A pump with a counter where the screen would be."""

    def __init__(self, seen: str = "balance") -> None:
        self.loop, self.gate, self.frames = FakeLoop(), Gate(), 0
        self.pump = Pump(
            new_store=Store, draw=self.draw, visible=lambda dirty: seen in dirty, loop=self.loop, gate=self.gate
        )

    def draw(self) -> None:
        self.frames += 1
        self.gate.asked(self.loop.now)


def test_a_flood_costs_one_frame() -> None:
    """However many signals come in one turn, one frame is drawn."""
    bench, script = Bench(), Script()
    bench.pump.deliver(LIVE)
    bench.pump.deliver(script.snapshot())
    for _ in range(100):
        bench.pump.deliver(script.terminating())
    bench.loop.turn()
    assert bench.frames == 1


def test_what_cannot_be_seen_is_not_drawn() -> None:
    """A change in another experiment within the same second draws nothing."""
    bench, script = Bench(seen="heal"), Script()
    bench.pump.deliver(script.snapshot())
    bench.loop.turn()
    before = bench.frames
    bench.pump.deliver(script.terminating())
    bench.loop.turn()
    assert bench.frames == before
    bench.pump.deliver(script.tick())
    bench.loop.turn()
    assert bench.frames == before + 1


def test_unanswered_frames_hold_the_next_one_back() -> None:
    """With two frames on their way the third waits for an answer, and then shows the newest state."""
    bench, script = Bench(), Script()
    for _ in range(5):
        bench.pump.deliver(script.terminating())
        bench.loop.turn()
    assert bench.frames == 2
    bench.pump.answered()
    assert bench.frames == 3


def test_a_terminal_that_is_silent_gets_frames_after_a_while() -> None:
    """The gate opens by itself, and what waited is drawn."""
    bench, script = Bench(), Script()
    for _ in range(5):
        bench.pump.deliver(script.terminating())
        bench.loop.turn()
    bench.loop.move(1.0)
    assert bench.frames == 3


def test_silence_is_counted_from_the_last_frame() -> None:
    """Events of the link are not words of the agent."""
    bench, script = Bench(), Script()
    bench.pump.deliver(script.snapshot())
    bench.loop.now = 7.0
    bench.pump.deliver(LIVE)
    assert bench.pump.silence_s() == 7.0


def test_rewinding_begins_with_an_empty_store() -> None:
    """What a recording showed later is gone when it starts over."""
    bench, script = Bench(), Script()
    bench.pump.deliver(script.snapshot())
    assert bench.pump.store.pods("balance")
    bench.pump.rewind()
    assert not bench.pump.store.pods("balance")
