"""A sandbox for one command: what it refuses before it starts anything."""

import sys

import pytest

from kubealive_tui.cli._embedded import sandbox
from kubealive_tui.errors import UsageError


async def test_windows_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it lacks, and where to go instead."""
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(
        UsageError, match=r"signals and process groups, which Windows has not; run kubealive in WSL$"
    ):
        async with sandbox():
            pass
