"""The README's pictures, from recordings of a real cluster: `python -m tests.tui.ui.pictures DIR`.

Writes an SVG a picture; `rsvg-convert NAME.svg -o NAME.png` (package librsvg2-bin) makes the PNG of the README.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from kubealive_tui.experiments import discover
from kubealive_tui.model import Size
from kubealive_tui.ui import UiOptions
from tests.tui.recordings import signals
from tests.tui.ui.draw.preview import svg
from tests.tui.ui.stage import stage

# Name of the picture, which is its recording's: seconds into it, and the keys that move the pointer there.
PICTURES = {
    "balance": (27.0, ""),
    "heal": (60.0, ""),
    "update": (36.0, ""),
    "scale": (100.0, ""),
    "service": (16.5, ""),
    "state": (16.0, "j"),
}
SIZE = Size(80, 24)


async def picture(recording: str, until_s: float, keys: str, size: Size = SIZE) -> str:
    """The screen at that moment of the recording, as SVG."""

    def change(options: UiOptions) -> UiOptions:
        return replace(options, experiments=discover(), context="test-cluster", tab=recording, actor="root@vm")

    async with stage(size=(size.width, size.height), change=change, live=False) as it:
        await it.deliver(*signals(recording, until_s=until_s))
        await it.press(*keys.split())
        return svg(it.app.canvas.shown, size)


def main(folder: str) -> None:
    """Write one SVG a picture."""
    for name, given in PICTURES.items():
        Path(folder, f"{name}.svg").write_text(asyncio.run(picture(name, *given)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
