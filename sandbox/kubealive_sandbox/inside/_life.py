"""A pod's process ends with its sandbox, even when nobody is left to kill it.

Every process is handed the reading end of a pipe whose other end only the sandbox holds. However the sandbox ends,
the pipe does then. On Linux the kernel could do it too, but only by code that runs between fork and exec, which
makes each start slower and is not safe beside threads. A thread that waits for a byte costs nothing, anywhere.
"""

import _thread
import os
import signal

__all__ = ["enter"]


def enter(pipe: int, *, folder: str) -> None:
    """Wait beside the program for the end of that pipe; remove the sandbox's folder then, and end this group."""
    os.set_inheritable(pipe, False)
    _thread.start_new_thread(_wait, (pipe, folder))


def _wait(pipe: int, folder: str) -> None:
    while os.read(pipe, 1):
        pass
    import shutil  # noqa: PLC0415 - a megabyte for what is needed once, at the end

    try:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.killpg(0, signal.SIGKILL)
