"""The load child: `python -m kubealive_agent.load --clock-offset-us N`, started by LoadSupervisor.

It reads commands from stdin, writes reports to stdout, and ends when stdin does, so that no load outlives its
agent. It loads neither asyncio nor gRPC.
"""

import resource
import signal
import sys
import time
from types import FrameType

from kubealive_agent.load import _lean  # noqa: F401 - imported for what it keeps out
from kubealive_agent.load._connection import Network
from kubealive_agent.load._engine import Engine
from kubealive_agent.load._pipe import Commands, PipeError, Reports
from kubealive_agent.load._poller import make_poller
from kubealive_agent.load._ports import SourcePorts


def main() -> int:
    """Run until stdin ends or SIGTERM comes (exit 0), or the agent breaks the pipe's protocol (exit 2)."""
    match sys.argv[1:]:
        case ["--clock-offset-us", text] if text.lstrip("-").isdigit():
            offset_us = int(text)
        case other:
            return _complain(f"wants --clock-offset-us and a number, not {' '.join(other) or 'nothing'}")
    _take_descriptors()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the agent, which ends us
    network = Network(
        clock=lambda: time.monotonic_ns() // 1000 + offset_us, poller=make_poller(), ports=SourcePorts()
    )
    try:
        Engine(network=network, commands=Commands(sys.stdin.fileno()), reports=Reports(sys.stdout.fileno())).run()
    except PipeError as exc:
        return _complain(str(exc))
    return 0


def _complain(why: str) -> int:
    sys.stderr.write(f"load engine: {why}\n")  # the agent's own log
    return 2


def _take_descriptors() -> None:
    """A connection is a descriptor, and the usual soft limit of 1,024 is less than two loads may hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
