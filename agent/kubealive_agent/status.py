"""What the agent says of itself: viewers, rights, memory, what was lost.

It is sent when it has changed, so it keeps a revision that readers compare. Memory and counters move all the
time and would make every moment a change: they are sampled.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kubealive.v1.agent_pb2 import KindAccess, Viewer
    from kubealive_agent.journal import Journal

__all__ = ["StatusBoard", "resident_bytes"]


def resident_bytes(pids: Iterable[int]) -> int:
    """Resident memory of these processes in bytes; 0 where the system has no /proc, gone ones count nothing."""
    pages = 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


class StatusBoard:
    """The newest Status, and a revision that rises with each change worth sending."""

    def __init__(self, journal: Journal, *, started_us: int) -> None:
        self._journal = journal
        self._started_us = started_us
        self._rss = 0
        self._local_errors = 0
        self._viewers: Callable[[], Iterable[Viewer]] = tuple
        self._kinds: Callable[[], Iterable[KindAccess]] = tuple
        self._pids: Callable[[], Iterable[int]] = tuple
        self.revision = 0

    def draw_from(
        self,
        *,
        viewers: Callable[[], Iterable[Viewer]],
        kinds: Callable[[], Iterable[KindAccess]],
        pids: Callable[[], Iterable[int]],
    ) -> None:
        """Set the sources. They come later than the board, since their owners tell it of their changes."""
        self._viewers, self._kinds, self._pids = viewers, kinds, pids

    def changed(self) -> None:
        """Something that viewers are shown has changed: wake the streams."""
        self.revision += 1
        self._journal.bell.ring()

    def sample(self) -> None:
        """Measure memory anew; a change by itself."""
        self._rss = resident_bytes(self._pids())
        self.changed()

    def add_local_errors(self, count: int) -> None:
        """Count what the load engine could not send."""
        self._local_errors += count
        self.changed()

    def message(self) -> Status:
        """The status as of now."""
        return Status(
            viewers=self._viewers(),
            kinds=self._kinds(),
            started_us=self._started_us,
            rss_bytes=self._rss,
            journal_facts=self._journal.fact_count,
            journal_bytes=self._journal.fact_bytes,
            journal_dropped=self._journal.facts_dropped,
            load_local_errors=self._local_errors,
        )
