"""`kubealive tui`: the laboratory itself, on a screen or, with --plain, as lines."""

import argparse

from ._environment import Environment, Subparsers, add_connection_arguments
from ._options import (
    add_agent_argument,
    add_plain_argument,
    add_record_argument,
    add_sandbox_arguments,
    add_screen_arguments,
)


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("tui", help="open the laboratory (also: kubealive-tui)")
    parser.add_argument("--read-only", action="store_true", help="look, and change nothing in the cluster")
    add_plain_argument(parser)
    add_record_argument(parser)
    add_connection_arguments(parser)
    add_agent_argument(parser)
    add_sandbox_arguments(parser)
    add_screen_arguments(parser)
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Show it until the user leaves; 0 left by key, 2 it could not be opened."""
    from ._embedded import cluster  # noqa: PLC0415 - loads asyncio and more, which the help can do without

    async with cluster(args, env):
        if args.plain:
            from ._plain import follow_live  # noqa: PLC0415 - loads the Kubernetes client and gRPC

            return await follow_live(args, env)
        from ._screen import show_live  # noqa: PLC0415 - loads the screen as well

        return await show_live(args, env)
