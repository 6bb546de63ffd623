"""The load child: `python -m kubealive_agent.load --clock-offset-us N --ports-fd N`, started by LoadSupervisor.

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
from kubealive_agent.load._ports import SourcePorts, remembered


def main() -> int:
    """Run until stdin ends or SIGTERM comes (exit 0), or the agent breaks the pipe's protocol (exit 2)."""
    match sys.argv[1:]:
        case ["--clock-offset-us", offset, "--ports-fd", memory] if _number(offset) and _number(memory):
            offset_us = int(offset)
        case other:
            given = " ".join(other) or "nothing"
            return _complain(f"wants --clock-offset-us and --ports-fd, each with a number, not {given}")
    try:
        owed = remembered(int(memory))
    except (OSError, ValueError) as exc:
        return _complain(f"--ports-fd {memory} holds no memory of ports: {exc}")
    _take_descriptors()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the agent, which ends us

    def clock() -> int:
        return time.monotonic_ns() // 1000 + offset_us

    ports = SourcePorts(owed=owed, now_us=clock())
    network = Network(clock=clock, poller=make_poller(), ports=ports)
    try:
        Engine(network=network, commands=Commands(sys.stdin.fileno()), reports=Reports(sys.stdout.fileno())).run()
    except PipeError as exc:
        return _complain(str(exc))
    return 0


def _number(text: str) -> bool:
    return text.lstrip("-").isdigit()


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
