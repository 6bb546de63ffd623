"""How a command ends that is told to."""

import signal
import subprocess
import sys

# A command that, once it is cancelled, waits for a terminal that is gone.
STUCK = """
import argparse, time
from kubealive_tui import ending
from kubealive_tui.cli import _running
ending.END_S = 0.1
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


# A command that ends in order, in a program that goes on.
ORDERLY = """
import argparse, os, signal, time
from kubealive_tui import ending
from kubealive_tui.cli import _running
ending.END_S = 0.1
async def run(args, env):
    import asyncio
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(60)
code = _running.run_command(argparse.Namespace(run=run))
time.sleep(0.5)
print(code)
"""


def test_an_ending_in_order_is_not_cut_short_afterwards() -> None:
    """What ends in time leaves nothing behind that would end the program later."""
    done = subprocess.run([sys.executable, "-c", ORDERLY], capture_output=True, text=True, check=False, timeout=20)

    assert (done.returncode, done.stdout.strip()) == (0, str(128 + signal.SIGTERM))
