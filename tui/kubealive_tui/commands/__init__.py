"""Keys and what they mean: one registry for the screen, the help, the palette and the key line.

Here too are the rules that hold for every key: what a read-only session or an older agent refuses, which act asks
first, and the kubectl command that does the same. Knows no terminal, so that each rule is a table in a test.
"""

from kubealive_tui.commands._guard import (
    FROZEN,
    Confirmations,
    Question,
    question,
    refusal,
)
from kubealive_tui.commands._keymap import (
    Do,
    Global,
    Hint,
    Keymap,
    Place,
)
from kubealive_tui.commands._kubectl import kubectl, kubectl_watch

__all__ = [
    "FROZEN",
    "Confirmations",
    "Do",
    "Global",
    "Hint",
    "Keymap",
    "Place",
    "Question",
    "kubectl",
    "kubectl_watch",
    "question",
    "refusal",
]
