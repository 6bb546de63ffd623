"""The screen: drawing as pure functions, and the app that shows it.

`run(UiOptions(…))` is all that a command needs.
"""

from kubealive_tui.ui._app import KubealiveApp, run
from kubealive_tui.ui._options import Player, UiOptions
from kubealive_tui.ui._profile import Colours, Profile, Theme

__all__ = ["Colours", "KubealiveApp", "Player", "Profile", "Theme", "UiOptions", "run"]
