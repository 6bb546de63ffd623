"""Arguments and environment: which commands there are, which settings each takes, and what wins.

A flag wins over its environment variable, which wins over the default. Variables are for settings that describe
where and how one works; what is done (names, `--yes`, `--json`) is said each time.
"""

import argparse
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from kubealive import __version__
from kubealive_tui.errors import UsageError

__all__ = ["COMMANDS", "Setting", "parse", "settings"]

PREFIX = "KUBEALIVE_"

# In the order of their help. The module of each has `register` and `run`.
COMMANDS: Mapping[str, str] = {
    "tui": "_tui",
    "up": "_up",
    "status": "_status",
    "check": "_check",
    "reset": "_reset",
    "down": "_down",
    "doctor": "_doctor",
    "replay": "_replay",
    "sandbox": "_sandbox",
    "workload": "_workload",
}

_TWINS = frozenset(
    {
        "agent",
        "as",
        "context",
        "host-port",
        "kubeconfig",
        "namespace",
        "no-clock",
        "no-color",
        "no-mouse",
        "plain",
        "read-only",
        "record",
        "registry",
        "tag",
        "theme",
    }
)
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_EPILOG = (
    "A flag wins over its KUBEALIVE_* variable, which `COMMAND --help` names beside it. "
    "KUBEALIVE_DEBUG=1 shows tracebacks and fills the log. "
    "Exit codes: 0 done, 1 something is not as it should be, 2 it could not be done, 130 interrupted."
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A flag with its environment variable, what it does, and the commands that take it."""

    flag: str
    variable: str
    help: str
    commands: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    """An argument parser that takes no guesses, and whose complaints are this program's own."""

    def __init__(self, **given: Any) -> None:
        super().__init__(allow_abbrev=False, **given)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def twins(self) -> list[tuple[argparse.Action, str, str]]:
        """Every action that has an environment variable, with its flag and that variable."""
        found = []
        for action in self._actions:
            flag = next((option for option in action.option_strings if option.startswith("--")), "")
            if flag[2:] in _TWINS:
                found.append((action, flag, PREFIX + flag[2:].replace("-", "_").upper()))
        return found

    def adopt(self, environ: Mapping[str, str]) -> None:
        """Name each variable in the help, and take its value for the default where it has one."""
        for action, _, variable in self.twins():
            action.help = f"{action.help} [${variable}]"
            value = environ.get(variable, "")
            if value:
                action.default = _default(action, variable, value)


def _default(action: argparse.Action, variable: str, value: str) -> object:
    if action.nargs == 0:
        if value.lower() not in _YES | _NO:
            raise UsageError(f"{variable} is {value!r}; use 1 or 0")
        return value.lower() in _YES
    if action.choices is not None and value not in action.choices:
        raise UsageError(f"{variable} is {value!r}; use one of {', '.join(action.choices)}")
    return value


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    """Return the arguments with `run`, the command's coroutine function; loads the file of that command alone.

    Raises UsageError with a sentence, and SystemExit where help or version were asked for and printed.
    """
    first = argv[0] if argv else "--help"
    if not first.startswith("-") and first not in COMMANDS:
        raise UsageError(f"there is no command {first!r}; there are {', '.join(COMMANDS)}")
    if not argv:
        raise UsageError(f"no command is given; there are {', '.join(COMMANDS)} (see `kubealive --help`)")
    parser, commands = _parsers([first] if first in COMMANDS else [] if first == "--version" else list(COMMANDS))
    for command in commands.values():
        command.adopt(environ)
    return parser.parse_args(argv)


def _parsers(names: Sequence[str]) -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        prog="kubealive",
        description="Poke a cluster and watch it heal: a terminal laboratory for Kubernetes.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"kubealive {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name in names:
        importlib.import_module(f"kubealive_tui.cli.{COMMANDS[name]}").register(subparsers)
    return parser, dict(subparsers.choices)


def settings() -> list[Setting]:
    """All settings that have an environment variable, by flag: what help and documentation have to name."""
    _, commands = _parsers(list(COMMANDS))
    found: dict[str, Setting] = {}
    for name, command in commands.items():
        for action, flag, variable in command.twins():
            known = found.get(flag)
            takers = (*(known.commands if known else ()), name)
            found[flag] = Setting(flag, variable, known.help if known else str(action.help), takers)
    return [found[flag] for flag in sorted(found)]
