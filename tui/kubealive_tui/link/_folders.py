"""Folders that only this user may enter: for the link's socket, and for the key that a plugin has given.

A program that is killed cannot remove its folders; the next one does. Whether one is still used is told by a lock
on a file in it, which the kernel takes back with the program, in whatever container that ran.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["LEFT_BEHIND_S", "PrivateFolder"]

# A folder may be a moment older than the lock in it.
LEFT_BEHIND_S = 60.0
_PREFIX = "kubealive-"
_LOCK = "in-use"


class PrivateFolder:
    """A new folder at `path`, in `parent` or where temporary files lie; `remove` ends it, or another program.

    Without locks, on Windows, what a killed program leaves stays.
    """

    def __init__(self, parent: str = "") -> None:
        where = Path(parent or tempfile.gettempdir())
        _sweep(where)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=where))
        self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_WRONLY, 0o600)
        _take(self._lock)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _sweep(parent: Path) -> None:
    """Remove the folders of this user's programs that are gone: nobody holds their locks."""
    if sys.platform == "win32":
        return
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            old = time.time() - folder.stat().st_mtime > LEFT_BEHIND_S
            if old and folder.stat().st_uid == os.getuid() and _is_free(folder / _LOCK):
                shutil.rmtree(folder, ignore_errors=True)


def _is_free(path: Path) -> bool:
    """Whether nobody holds this lock; raises OSError where there is none, in a folder that is not a link's."""
    lock = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        return _take(lock)
    finally:
        os.close(lock)


def _take(lock: int) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
