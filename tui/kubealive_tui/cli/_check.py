"""`kubealive check`: verdicts, for people and for machines."""

import argparse

from ._environment import Environment, Subparsers, add_connection_arguments
from ._options import add_agent_argument, add_record_argument, add_sandbox_arguments


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("check", help="run the experiments' checks and give a verdict on each")
    parser.add_argument("name", metavar="NAME", nargs="*", help="experiments to check (default: all there are)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML to FILE as well")
    add_record_argument(parser)
    add_connection_arguments(parser)
    add_agent_argument(parser)
    add_sandbox_arguments(parser)
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Check; 0 all passed, 1 something failed, 2 something could not be run or was skipped."""
    from ._checking import run_check  # noqa: PLC0415 - loads the Kubernetes client and gRPC
    from ._embedded import cluster  # noqa: PLC0415 - the same

    async with cluster(args, env):
        return await run_check(args, env)
