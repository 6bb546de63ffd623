"""Runs one command's coroutine: signals end it in order, so that what it has to leave behind it can leave."""

import argparse
import asyncio
import signal
import threading

from kubealive_tui.cli._log import start_log
from kubealive_tui.cli._terminal import Terminal
from kubealive_tui.ending import last_resort

__all__ = ["run_command"]

_ENDING = (signal.SIGTERM, signal.SIGHUP)


def run_command(args: argparse.Namespace) -> int:
    """Run the command that was parsed and return its exit code; Ctrl-C raises KeyboardInterrupt at its end."""
    start_log()
    last_resorts: list[threading.Timer] = []
    try:
        return asyncio.run(_supervised(args, last_resorts))
    finally:
        for timer in last_resorts:
            timer.cancel()


async def _supervised(args: argparse.Namespace, last_resorts: list[threading.Timer]) -> int:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine
    came: list[int] = []

    def end(number: int) -> None:
        came.append(number)
        last_resorts.append(last_resort(number))
        task.cancel()

    for number in _ENDING:
        loop.add_signal_handler(number, end, number)
    try:
        code: int = await args.run(args, Terminal())
    except asyncio.CancelledError:
        if not came:
            raise
        return 128 + came[0]
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)
    return code
