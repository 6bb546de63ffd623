"""The status board: sampled memory, and a revision that rises when there is something to send."""

from __future__ import annotations

import os
import sys

import pytest

from kubealive_agent.status import StatusBoard, resident_bytes
from tests.agent.fakes import Lab, note


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_memory_is_the_sum_over_processes() -> None:
    """Our own process has memory, and one that is gone has none."""
    own = resident_bytes([os.getpid()])

    assert own > 1_000_000
    assert resident_bytes([os.getpid(), 2**22 + 1]) == pytest.approx(own, rel=0.1)


def test_the_board_says_what_the_journal_holds() -> None:
    """Counts come from the journal as it is when the status is sent."""
    lab = Lab()
    board = StatusBoard(lab.journal, started_us=5)
    lab.journal.add(note())
    message = board.message()

    assert message.started_us == 5
    assert (message.journal_facts, message.journal_bytes) == (lab.journal.fact_count, lab.journal.fact_bytes)


def test_only_what_is_worth_sending_raises_the_revision() -> None:
    """Facts do not, since they are always being written; errors of the generator and samples of memory do."""
    lab = Lab()
    board = StatusBoard(lab.journal, started_us=5)
    lab.journal.add(note())
    assert board.revision == 0

    board.add_local_errors(3)
    board.sample()
    assert board.revision == 2
    assert board.message().load_local_errors == 3
