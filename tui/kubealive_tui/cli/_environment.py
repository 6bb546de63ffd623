"""What a command needs of the program around it, so that commands run in tests without a terminal or a cluster."""

import argparse
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from kubealive_tui.hints import DEFAULT_NAMESPACE
from kubealive_tui.install import Api


class Subparsers(Protocol):
    """What `ArgumentParser.add_subparsers` returns, to which argparse gives no public name."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002 - argparse's own word
        """Return the parser of a new command."""
        ...


class Environment(Protocol):
    """Cluster, output and the person at the terminal."""

    def api(self, args: argparse.Namespace) -> AbstractAsyncContextManager[Api]:
        """Open the Kubernetes API of the context that the arguments choose."""
        ...

    def context(self, args: argparse.Namespace) -> str:
        """Return the name of that context, for sentences."""
        ...

    def say(self, text: str) -> None:
        """Print one line of the command's result."""
        ...

    def complain(self, text: str) -> None:
        """Print one line about what went wrong, apart from the result."""
        ...

    async def confirm(self, question: str) -> bool | None:
        """Ask a yes-or-no question; None means that nobody is there to answer."""
        ...


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options by which every command that speaks to a cluster finds it."""
    group = parser.add_argument_group("connection")
    group.add_argument("--context", metavar="NAME", help="kubeconfig context (default: the current one)")
    group.add_argument(
        "-n",
        "--namespace",
        metavar="NAME",
        default=DEFAULT_NAMESPACE,
        help="namespace of the install (default: %(default)s)",
    )
    group.add_argument(
        "--kubeconfig", metavar="FILE", help="kubeconfig file (default: $KUBECONFIG or ~/.kube/config)"
    )
    group.add_argument("--as", dest="as_user", metavar="USER", help="act as this user (impersonation)")
