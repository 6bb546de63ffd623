"""How a command ends that is told to."""

import signal
import subprocess
import sys

# A command that, once it is cancelled, waits for a terminal that is gone.
STUCK = """
import argparse, time
from kubealive_tui.cli import _running
_running.END_S = 0.1
async def run(args, env):
    import asyncio
    print("running", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        time.sleep(60)
_running.run_command(argparse.Namespace(run=run))
"""


def test_an_ending_that_hangs_is_cut_short() -> None:
    """A hang-up ends the program even if something in it waits for ever, with the signal's exit code."""
    with subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.send_signal(signal.SIGHUP)

        assert program.wait(20) == 128 + signal.SIGHUP
