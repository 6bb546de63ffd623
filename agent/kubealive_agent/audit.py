"""One line of JSON on standard output for each attempt to change something, for `kubectl logs`.

Standard output carries nothing else; the agent's own words go to standard error.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from kubealive_agent.clock import Clock

__all__ = ["Audit"]


class Audit:
    """Writes audit lines. Empty values are left out."""

    def __init__(self, clock: Clock, *, output: TextIO | None = None) -> None:
        self._clock = clock
        self._output = output or sys.stdout

    def write(self, *, parameters: Mapping[str, str] | None = None, **entry: str) -> None:
        """Write who did what to which object and what became of it; `parameters` are what was asked for."""
        time = datetime.fromtimestamp(self._clock.now_us() / 1e6, tz=UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"audit": time, **{name: value for name, value in entry.items() if value}}
        if parameters:
            line["parameters"] = dict(parameters)
        self._output.write(json.dumps(line) + "\n")
        self._output.flush()
