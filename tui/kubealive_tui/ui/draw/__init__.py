"""The screen as a pure function: data in, one strip for each line of the terminal out.

`compose(screen, size, palette)` is all that the canvas calls. Nothing here knows a widget, the time, the store or
a particular experiment, so that every line can be tested without an app.
"""

from kubealive_tui.ui.draw._frame import clock, key_line, rule_line
from kubealive_tui.ui.draw._layout import LEAST, SIDE_BY_SIDE, compose, views_size
from kubealive_tui.ui.draw._rail import rail_heading
from kubealive_tui.ui.draw._screen import Composition, Header, Hit, KeyHint, Replay, ScreenModel, Tab
from kubealive_tui.ui.draw._strips import measure, paint, strip_of

__all__ = [
    "LEAST",
    "SIDE_BY_SIDE",
    "Composition",
    "Header",
    "Hit",
    "KeyHint",
    "Replay",
    "ScreenModel",
    "Tab",
    "clock",
    "compose",
    "key_line",
    "measure",
    "paint",
    "rail_heading",
    "rule_line",
    "strip_of",
    "views_size",
]
