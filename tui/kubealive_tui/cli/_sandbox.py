"""`kubealive sandbox`: a cluster of processes on this machine, in the foreground, for kubectl and all else."""

import argparse
import asyncio

from ._environment import Environment, Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("sandbox", help="run a cluster of processes here, until Ctrl-C")
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:  # noqa: ARG001 - every command is called alike
    """Keep one until interrupted; 2 where there can be none."""
    from ._embedded import sandbox  # noqa: PLC0415 - loads more than the help needs

    async with sandbox() as kubeconfig:
        env.complain("a sandbox runs until Ctrl-C; in another terminal:")
        env.say(f"export KUBECONFIG={kubeconfig}")
        env.complain(
            "`kubealive up` installs into it, `kubealive tui` opens it, `kubectl get pods -A -w` looks at it"
        )
        await asyncio.Event().wait()
    return 0
