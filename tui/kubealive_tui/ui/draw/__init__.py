"""The screen as a pure function: data in, one strip for each line of the terminal out.

`compose(screen, size, palette)` is all that the canvas calls. Nothing here knows a widget, the time, the store or
a particular experiment, so that every line can be tested without an app.
"""

from kubealive_tui.ui.draw._screen import Composition, Header, Hit, KeyHint, Replay, ScreenModel, Tab

__all__ = ["Composition", "Header", "Hit", "KeyHint", "Replay", "ScreenModel", "Tab"]
