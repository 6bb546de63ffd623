"""The main job on a real terminal, driven by keys: at 80x24, at 160x50, and from the cluster's master."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.harness import KUBEALIVE, NAMESPACE, kubectl, viewer
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("installed")]


def environ(**more: str) -> dict[str, str]:
    """This environment, as on a terminal in true colour."""
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "SSH_CONNECTION"}}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_DISABLE_KITTY_KEY": "1", **more}


def opened(columns: int, rows: int, *flags: str, **more: str) -> Terminal:
    return Terminal(
        [KUBEALIVE, "tui", "-n", NAMESPACE, *flags], columns=columns, rows=rows, environ=environ(**more)
    )


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (160, 50)], ids=["80x24", "160x50"])
def test_the_main_job_by_keys(columns: int, rows: int) -> None:
    """Load, kill, stopwatch, the successor's share, then stop all and leave."""
    with opened(columns, rows) as terminal:
        terminal.until("live", "Load balancing", "4/4")
        terminal.press("1")
        terminal.until("One Service, four pods", "SHARE")
        terminal.press("l")
        terminal.until("100/s new connections", "as even as chance")
        terminal.press("x")
        terminal.until("SURE?", NAMESPACE, "y yes")
        terminal.press("y")
        # The rail names what is awaited as well, until the run is over.
        ended = ("left the Service", "successor ready", "serving", "clients lost", "gone")
        terminal.until(*ended, without="so far", within=40)
        terminal.press("!")
        terminal.until("l starts 100/s")
        terminal.press("q")
        assert terminal.ended() == 0


def test_a_refusal_is_on_the_tab() -> None:
    """In a read-only session a kill says why it is none, and nothing is killed."""
    with opened(80, 24, "--read-only") as terminal:
        terminal.until("live", "READ-ONLY")
        terminal.press("1")
        terminal.until("SHARE")
        before = kubectl("-n", NAMESPACE, "get", "pods", "-o", "name")
        terminal.press("x")
        terminal.until("read-only")
        terminal.press("q")
        assert terminal.ended() == 0
    assert kubectl("-n", NAMESPACE, "get", "pods", "-o", "name") == before


async def test_a_killed_screen_leaves_its_load_for_thirty_seconds(tmp_path: Path) -> None:
    """SIGKILL ends the screen without a word; its load has stopped 30 s later."""
    async with viewer(actor="watcher@e2e") as watcher:
        watcher.look_away()
        # What is killed leaves its socket behind.
        with opened(80, 24, TMPDIR=str(tmp_path)) as terminal:
            terminal.until("live", "4/4")
            terminal.press("1")
            terminal.until("SHARE")
            terminal.press("l")
            terminal.until("100/s new connections")
            for less in ("50/s", "20/s"):
                terminal.press("-")
                terminal.until(f"{less} new connections")
            terminal.program.kill()
        began = time.monotonic()
        await watcher.until("the load", lambda: watcher.store.load("balance"), within=10)
        await watcher.until("the load's end", lambda: watcher.store.load("balance") is None or None, within=40)
    assert 25 <= time.monotonic() - began <= 36


def test_from_the_master_as_over_ssh() -> None:
    """On the control plane's machine, 80x24, as an ssh session has it: the same screen, sixteen colours."""
    script = os.environ.get("KUBEALIVE_TEST_CLUSTER")
    if not script:
        pytest.skip(
            "only the test cluster's master can be entered: KUBEALIVE_TEST_CLUSTER does not name its script"
        )
    words = [script, "exec", "0", "--", str(Path(sys.executable)), KUBEALIVE, "tui", "-n", NAMESPACE]
    with Terminal(
        words, columns=80, rows=24, environ=environ(SSH_CONNECTION="10.0.0.9 1 10.0.0.10 22")
    ) as terminal:
        terminal.until("live", "4/4")
        terminal.press("1")
        terminal.until("SHARE", "serving")
        terminal.press("b")
        terminal.until("as even as chance")
        terminal.press("q")
        assert terminal.ended() == 0
