"""Screens as text: what a reader sees, and with which look, one golden file a screen.

Set KUBEALIVE_UPDATE_GOLDEN=1 to write the files anew; then read the difference before committing it.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from textual.strip import Strip

GOLDEN = Path(__file__).parent / "golden"


def plain_text(strips: Sequence[Strip]) -> str:
    """The words alone, a line of text for a line of the terminal."""
    return "".join(f"{strip.text.rstrip()}\n" for strip in strips)


def styled_text(strips: Sequence[Strip]) -> str:
    """Every run of one look as ⟨style⟩text, so that a change of colour is seen in a diff."""
    lines = []
    for strip in strips:
        runs = [f"⟨{style or 'none'}⟩{text}" for text, style, _ in strip if text.strip()]
        lines.append("".join(runs))
    return "".join(f"{text}\n" for text in lines)


def assert_golden(name: str, strips: Sequence[Strip]) -> None:
    """Hold a screen against its file."""
    path = GOLDEN / f"{name}.txt"
    found = f"{plain_text(strips)}\n{styled_text(strips)}"
    if os.environ.get("KUBEALIVE_UPDATE_GOLDEN"):
        path.write_text(found, encoding="utf-8")
    assert path.exists(), f"{path} is missing: run with KUBEALIVE_UPDATE_GOLDEN=1 and read what it writes"
    assert found == path.read_text(encoding="utf-8")
