"""Private folders: nobody else enters them, and a program that was killed leaves none behind for long."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubealive_tui.link._folders import LEFT_BEHIND_S, PrivateFolder


def test_nobody_else_enters_and_nothing_stays(tmp_path: Path) -> None:
    """It is made where it is wanted, for this user alone, and goes with its content."""
    folder = PrivateFolder(str(tmp_path))
    (folder.path / "key").write_text("secret", encoding="ascii")
    assert folder.path.parent == tmp_path
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("age_s", "runs", "stays"),
    [
        pytest.param(LEFT_BEHIND_S + 60, False, False, id="of a program that was killed"),
        pytest.param(LEFT_BEHIND_S + 60, True, True, id="of one that runs"),
        pytest.param(0.0, False, True, id="of one that begins"),
    ],
)
def test_what_a_killed_program_left_is_swept(tmp_path: Path, *, age_s: float, runs: bool, stays: bool) -> None:
    """A folder whose program is gone goes with the next one's beginning, whatever lies in it, and no other."""
    script = (
        "import sys, time; from kubealive_tui.link._folders import PrivateFolder\n"
        f"folder = PrivateFolder({str(tmp_path)!r}); print(folder.path, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        left = Path(program.stdout.readline().strip())
        (left / "key").write_text("secret", encoding="ascii")
        if not runs:
            program.kill()
            program.wait()
        os.utime(left, times=(time.time() - age_s,) * 2)
        PrivateFolder(str(tmp_path)).remove()
        assert left.exists() == stays
        program.kill()


def test_what_is_not_a_links_is_left_alone(tmp_path: Path) -> None:
    """An old folder of that name without the lock is somebody else's: a sandbox's, or a person's."""
    other = tmp_path / "kubealive-notes"
    other.mkdir()
    os.utime(other, times=(time.time() - 2 * LEFT_BEHIND_S,) * 2)
    PrivateFolder(str(tmp_path)).remove()
    assert other.exists()
