"""The reaper itself: reads groups from its standard input, and at its end kills them and removes the folder.

It is a program of its own and imports nothing of the sandbox, so that nothing of it can fail here.
"""

import contextlib
import os
import shutil
import signal
import sys


def main(folder: str) -> None:
    """Wait for the end of the sandbox."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(group)
    # Before the kill too: pods clear up themselves until they are killed, and this program may be killed then.
    shutil.rmtree(folder, ignore_errors=True)
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
