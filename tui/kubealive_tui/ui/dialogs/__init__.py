"""What opens over a tab and closes with Esc: help, details, explanation, kubectl text, confirmation, palette.

A dialog is data and a reaction to keys; one function draws all of them over the composed screen. So whatever is
beneath goes on living, and none of them is a screen of its own.
"""

from kubealive_tui.ui.dialogs._confirm import Confirm
from kubealive_tui.ui.dialogs._details import details
from kubealive_tui.ui.dialogs._dialog import (
    Dialog,
    Reply,
    Text,
    overlay,
    wrapped,
)
from kubealive_tui.ui.dialogs._entry import Entry
from kubealive_tui.ui.dialogs._help import help_lines
from kubealive_tui.ui.dialogs._pages import kubectl_lines, overview_words, shell_lines
from kubealive_tui.ui.dialogs._palette import Choice, Palette

__all__ = [
    "Choice",
    "Confirm",
    "Dialog",
    "Entry",
    "Palette",
    "Reply",
    "Text",
    "details",
    "help_lines",
    "kubectl_lines",
    "overlay",
    "overview_words",
    "shell_lines",
    "wrapped",
]
