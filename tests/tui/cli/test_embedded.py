"""A sandbox for one command: what is refused before, what it has to say, and that its end is waited for."""

import asyncio
import sys
from pathlib import Path

import pytest

from kubealive_tui.cli import _embedded
from kubealive_tui.errors import LinkError, UsageError


def program(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let this Python program stand in for the sandbox."""
    monkeypatch.setattr(_embedded, "_command", lambda: [sys.executable, "-c", text])


async def test_a_sandbox_that_complains_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However much it writes on standard error, it never waits for somebody to read it."""
    done, ended = tmp_path / "done", tmp_path / "ended"
    program(
        monkeypatch,
        "import pathlib, sys\n"
        "print('/a/kubeconfig', flush=True)\n"
        "sys.stderr.write('trouble\\n' * 200_000)\n"
        f"pathlib.Path({str(done)!r}).touch()\n"
        "sys.stdin.read()\n"
        f"pathlib.Path({str(ended)!r}).touch()\n",
    )
    async with _embedded.sandbox() as kubeconfig, asyncio.timeout(20):
        assert kubeconfig == "/a/kubeconfig"
        while not done.exists():  # noqa: ASYNC110 - another program makes it
            await asyncio.sleep(0.01)

    assert ended.exists()


async def test_a_sandbox_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are the reason."""
    program(monkeypatch, "import sys; sys.exit('no room for pods')")

    with pytest.raises(LinkError, match="did not start: no room for pods"):
        async with _embedded.sandbox():
            pass


async def test_windows_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it lacks, and where to go instead."""
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(
        UsageError, match=r"signals and process groups, which Windows has not; run kubealive in WSL$"
    ):
        async with _embedded.sandbox():
            pass
