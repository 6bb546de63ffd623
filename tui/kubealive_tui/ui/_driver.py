"""Textual's terminal, but for its input: that waits for keys instead of looking for them ten times a second.

Those looks were a seventh of what an idle screen takes. The loop stands on parts of Textual that are its own
affair, which is one reason why its version is pinned exactly.
"""

import os
import selectors
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any

from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

__all__ = ["Ending", "TerminalDriver", "listen"]

_PIECE = 4096


class Ending(threading.Event):
    """An event that can be waited for beside a terminal: `number` is ready to read while it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.number, self._wake = os.pipe()

    def set(self) -> None:
        """Wake whoever waits for it."""
        super().set()
        os.write(self._wake, b"\0")

    def clear(self) -> None:
        """Undo one `set`."""
        os.read(self.number, 1)
        super().clear()

    def close(self) -> None:
        """Let go of its pipe."""
        for end in (self.number, self._wake):
            os.close(end)


class TerminalDriver(LinuxDriver):
    """A Linux or macOS terminal whose input thread sleeps while nobody types."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.exit_event = self._ending = Ending()

    def close(self) -> None:
        """Let go of what woke the input thread too."""
        super().close()
        self._ending.close()

    def run_input_thread(self) -> None:
        """Hand on what is typed until the driver is told to take no more."""
        listen(self.fileno, self._ending, self.process_message)


def listen(terminal: int, ending: Ending, hear: Callable[[Message], None]) -> None:
    """Tell of what is typed, and of an escape that nothing has followed for a while, until the end is set."""
    parser, decode = XTermParser(), getincrementaldecoder("utf-8")().decode
    with selectors.SelectSelector() as selector:
        selector.register(terminal, selectors.EVENT_READ)
        selector.register(ending.number, selectors.EVENT_READ)
        while not ending.is_set():
            if terminal in {key.fd for key, _ in selector.select(_patience(parser))}:
                typed = os.read(terminal, _PIECE)
                if not typed:  # its end, of which one would be told again and again
                    selector.unregister(terminal)
                text = decode(typed)  # empty where half a character has come
                for message in parser.feed(text) if text else ():
                    hear(message)
            for message in parser.tick():
                hear(message)


def _patience(parser: XTermParser) -> float | None:
    """The seconds until a sequence that has begun counts as broken off; None, for ever, where none has."""
    due = parser._timeout_time  # noqa: SLF001 - it tells nobody, and is asked ten times a second instead
    return None if due is None else max(0.0, due - get_time())
