"""`kubealive workload NAME`: one of the experiments' programs, run by hand outside of any cluster."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._environment import Environment, Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("workload", help="run a program of the experiments here, without a cluster")
    parser.add_argument("name", metavar="NAME", nargs="*", help="the program; without one they are listed")
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: "Environment") -> int:  # noqa: ARG001 - every command is called alike
    """Become that program: same process, its own signals and exit codes."""
    # Not imported: nothing of the user's side may depend on it, and it is to run as it does in its image.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "kubealive_workloads", *args.name])  # noqa: S606 - ours
