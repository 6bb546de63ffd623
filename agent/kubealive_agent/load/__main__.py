"""The load child: `python -m kubealive_agent.load --clock-offset-us N`, started by LoadSupervisor.

It reads commands from stdin, writes reports to stdout, and ends when stdin does, so that no load outlives its
agent. It loads neither asyncio nor gRPC.
"""

import argparse
import resource
import signal
import sys
import time
from types import FrameType

from kubealive_agent.load._connection import Network
from kubealive_agent.load._engine import Engine
from kubealive_agent.load._pipe import Commands, PipeError, Reports
from kubealive_agent.load._poller import make_poller
from kubealive_agent.load._ports import SourcePorts


def main() -> int:
    """Run until stdin ends or SIGTERM comes (exit 0), or the agent breaks the pipe's protocol (exit 2)."""
    parser = argparse.ArgumentParser(prog="kubealive_agent.load", description=__doc__)
    parser.add_argument("--clock-offset-us", type=int, required=True, help="agent time less monotonic time")
    offset_us: int = parser.parse_args().clock_offset_us
    _take_descriptors()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the agent, which ends us
    network = Network(
        clock=lambda: time.monotonic_ns() // 1000 + offset_us, poller=make_poller(), ports=SourcePorts()
    )
    try:
        Engine(
            network=network, commands=Commands(sys.stdin.fileno()), reports=Reports(sys.stdout.fileno())
        ).run()
    except PipeError as exc:
        print(f"load engine: {exc}; ending", file=sys.stderr)  # noqa: T201 - stderr is the agent's log
        return 2
    return 0


def _take_descriptors() -> None:
    """A connection is a descriptor, and the usual soft limit of 1,024 is less than two loads may hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
