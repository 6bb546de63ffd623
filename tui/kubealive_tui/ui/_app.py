"""The Textual side of the screen: terminal in, terminal out, and the life of the tasks behind it.

Thin on purpose. What a key does is in `Keys`, what is shown in `Session`, how it looks in `draw`; here they meet
the event loop.
"""

import asyncio
import gc
import signal
import threading
from collections.abc import Callable

from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Offset

from kubealive_tui.ending import last_resort
from kubealive_tui.model import Interest, Size
from kubealive_tui.store import Store
from kubealive_tui.ui._canvas import Canvas
from kubealive_tui.ui._driver import TerminalDriver
from kubealive_tui.ui._gate import ASK, Gate
from kubealive_tui.ui._keys import Keys
from kubealive_tui.ui._options import UiOptions
from kubealive_tui.ui._profile import Palette
from kubealive_tui.ui._pump import Pump
from kubealive_tui.ui._session import Session
from kubealive_tui.ui.dialogs import overlay
from kubealive_tui.ui.draw import compose

__all__ = ["KubealiveApp", "run"]

# Signals on which a terminal that goes away, or a service manager, ends the program.
_ENDING = (signal.SIGHUP, signal.SIGTERM)


async def run(options: UiOptions) -> None:
    """Show the screen until the user leaves. Loads that this session started have ended then."""
    app = KubealiveApp(options)
    loop, last_resorts = asyncio.get_running_loop(), list[threading.Timer]()

    def end(number: int) -> None:
        last_resorts.append(last_resort(number))
        app.leave()

    for number in _ENDING:
        loop.add_signal_handler(number, end, number)
    try:
        await app.run_async(mouse=options.mouse)
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)
        for timer in last_resorts:
            timer.cancel()
    if app.failure is not None:
        raise app.failure


class KubealiveApp(App[None], inherit_bindings=False):
    """One canvas, one pump, one session; to be made inside the loop that runs it."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    CSS = """
    Screen { background: transparent; overflow: hidden; layers: base; }
    Canvas { background: transparent; }
    """

    def __init__(self, options: UiOptions) -> None:
        # Colours by name go to the terminal as they are, on its own background.
        super().__init__(driver_class=TerminalDriver, ansi_color=options.profile.ansi)
        self.animation_level = "none"
        self.failure: BaseException | None = None
        self._options = options
        self._palette = Palette.of(options.profile)
        self.canvas = Canvas()
        self._feeding: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._next_second: asyncio.TimerHandle | None = None
        self._interest = Interest()
        self.gate = Gate()
        self.pump = Pump(
            new_store=self._new_store,
            draw=self._frame,
            visible=self._visible,
            loop=asyncio.get_running_loop(),
            gate=self.gate,
        )
        player = options.replay(self.pump.rewind) if options.replay else None
        self.session = Session(options, self.pump, player)
        self.keys = Keys(self.session, leave=self.leave, copy=self.copy_to_clipboard)

    def compose(self) -> ComposeResult:
        """The canvas, and nothing else."""
        yield self.canvas

    # ---- life

    def on_mount(self) -> None:
        """Show the first frame; the feed starts once that is painted."""
        if self.is_headless:
            self.gate.disable()
        self.canvas.focus()
        self._second()
        self._show()
        self.call_after_refresh(self._start)

    def _new_store(self) -> Store:
        return Store({experiment.name: experiment.stopwatches for experiment in self._options.experiments})

    def _visible(self, dirty: frozenset[str]) -> bool:
        return self.session.visible(dirty)

    def _start(self) -> None:
        source = self.session.player or self._options.feed
        if source is not None:
            self._feeding = asyncio.ensure_future(source.run(self.pump.deliver))
            self._feeding.add_done_callback(self._fed)
        # What start-up has made lives as long as the program: full collections need not look at it again.
        gc.collect()
        gc.freeze()

    def _fed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """End with this error: a screen that has stopped without a word would be a lie."""
        self.failure = error
        self.exit()

    def leave(self) -> None:
        """Stop our loads and leave; asked a second time, leave at once."""
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._leave())
        else:
            self.exit()

    async def _leave(self) -> None:
        if loads := self.session.acts.loads():
            self.session.say(f"stopping the load of {', '.join(sorted(loads))} …")
        await self.session.acts.close()
        self.exit()

    async def on_unmount(self) -> None:
        """End every task that is left."""
        self.pump.close()
        if self._next_second is not None:
            self._next_second.cancel()
        await self.session.acts.close()
        tasks = [task for task in (self._feeding, self._leaving) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---- drawing

    def _frame(self) -> None:
        """Draw what the feed has brought, and ask the terminal to say when it is done with it."""
        try:
            if self._show() and self.gate.enabled:
                self.call_after_refresh(self._ask)
        except Exception as error:  # noqa: BLE001 - the root of all drawing: nobody else would hear of it
            self._fail(error)

    def _show(self) -> bool:
        """Bring the canvas up to date; whether anything on it changed."""
        size = Size(*self.size)
        composition = compose(self.session.model(size), size, self._palette)
        self.session.shown(composition)
        if (panel := self.session.panel) is not None:
            composition = overlay(composition, panel, size, self._palette)
        if composition.cursor is not None:
            self.cursor_position = Offset(*composition.cursor)
        self._declare_interest()
        return self.canvas.show(composition)

    def _declare_interest(self) -> None:
        wanted = self.session.interest()
        if wanted != self._interest and self._options.feed is not None:
            self._interest = wanted
            self._options.feed.interest(wanted)

    def _ask(self) -> None:
        if self._driver is not None:
            self._driver.write(ASK)
            self._driver.flush()
            self.gate.asked(asyncio.get_running_loop().time())

    def _second(self) -> None:
        """Have drawn each second what ages by itself."""
        if self.session.aging:
            self.pump.arm()
        # Of the loop, since a timer of Textual's costs ten times as much.
        self._next_second = asyncio.get_running_loop().call_later(1.0, self._second)

    # ---- input

    def on_cursor_position(self, _event: events.CursorPosition) -> None:
        """The terminal has drawn a frame."""
        self.pump.answered()

    def on_key(self, event: events.Key) -> None:
        """Give the key to the session; what it changes is drawn at once, whatever else is on its way."""
        event.prevent_default()
        event.stop()
        printed = event.character if event.is_printable and event.character != " " else None
        self._react(lambda: self.keys.press(printed or event.key))

    def on_paste(self, event: events.Paste) -> None:
        """Give pasted text to whatever is being typed."""
        event.stop()
        self._react(lambda: self.keys.paste(event.text))

    def on_click(self, event: events.Click) -> None:
        """Give the click to the session."""
        x, y = event.screen_x, event.screen_y
        self._react(lambda: self.keys.click(int(x), int(y), self.canvas.shown))

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the pointer, or scrolls what is open."""
        self._react(lambda: self.keys.press("down"))

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the pointer, or scrolls what is open."""
        self._react(lambda: self.keys.press("up"))

    def on_resize(self, _event: events.Resize) -> None:
        """Draw for the new size at once."""
        self._react(lambda: None)

    def _react(self, change: Callable[[], None]) -> None:
        change()
        self._show()
