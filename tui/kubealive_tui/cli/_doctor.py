"""`kubealive doctor`: what is there, what is missing, and what to do about it."""

import argparse

from ._environment import Environment, Subparsers, add_connection_arguments
from ._options import add_agent_argument


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("doctor", help="find out what keeps kubealive from working here")
    add_connection_arguments(parser)
    add_agent_argument(parser)
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Examine it; 0 all is fine, 1 something is missing, 2 the cluster could not be asked."""
    from ._examination import examine  # noqa: PLC0415 - loads the Kubernetes client and gRPC

    return await examine(args, env)
