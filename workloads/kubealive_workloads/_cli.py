"""The command line of an image: one argument, the program's name; everything else comes by environment."""

from __future__ import annotations

import os
import sys

from kubealive_workloads import programs
from kubealive_workloads._config import UNKNOWN, read_settings
from kubealive_workloads._errors import ConfigError
from kubealive_workloads._loop import Loop
from kubealive_workloads._server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubealive_workloads._config import Settings

EXIT_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program that `argv` (without the command itself) names, and give the exit code.

    A wrong name, a wrong value in the environment or a port in use is one sentence on stderr and exit code 2.
    """
    arguments = sys.argv[1:] if argv is None else argv
    try:
        return _run(arguments)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE


def _run(arguments: Sequence[str]) -> int:
    name = arguments[0] if len(arguments) == 1 else None
    program = programs.load(name) if name is not None else None
    if name is None or program is None:
        given = f"{' '.join(arguments)!r} is no program" if arguments else "no program is named"
        raise ConfigError(f"{given}: run python -m kubealive_workloads with one of {', '.join(programs.NAMES)}")
    settings = read_settings(os.environ)
    server = Server(program, settings, Loop())
    server.handle_signals()
    sys.stderr.write(_greeting(name, settings, server))
    sys.stderr.flush()
    return server.run()


def _greeting(name: str, settings: Settings, server: Server) -> str:
    faults = (
        f"faults on port {server.fault.number}" if server.fault else "no fault port, since FAULT_TOKEN is not set"
    )
    lines = [f"{name} {settings.identity.version or UNKNOWN} listens on port {server.main.number}; {faults}"]
    if settings.missing:
        lines.append(f"not known, and said so in replies: {', '.join(settings.missing)} (set these variables)")
    return "\n".join(lines) + "\n"
