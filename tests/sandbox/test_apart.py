"""Faults of one among many."""

import logging

import pytest

from kubealive_sandbox.apart import Apart


def test_a_fault_is_said_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is met again; another one's is said too."""
    apart = Apart(logging.getLogger("of-a-task"))
    for name in ("one", "one", "other"):
        with apart.keep(name):
            raise KeyError(name)

    assert [each.getMessage() for each in caplog.records] == [
        "one met something unforeseen", "other met something unforeseen",
    ]  # fmt: skip
