"""`kubealive reset`: the experiments and the agent put back as `up` made them."""

import argparse

from kubealive_tui.errors import KubealiveError
from kubealive_tui.install import Pods, Wanted, reset

from ._environment import Environment, Subparsers, add_connection_arguments
from ._progress import failed, tell


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("reset", help="put the experiments, and the agent, back as they were installed")
    parser.add_argument("name", nargs="*", help="experiments to reset (default: all that are installed)")
    parser.add_argument(
        "--pods",
        action="store_const",
        const=Pods.REPLACE,
        default=Pods.KEEP,
        help="replace the running pods too, one by one, which ends every fault inside them",
    )
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Put it back; 0 ready, 1 applied and not ready or refused, 2 nothing could be done."""
    try:
        wanted = Wanted(namespace=args.namespace, experiments=tuple(args.name) or None)
        async with env.api(args) as api:
            await tell(reset(api, wanted, pods=args.pods), env)
    except KubealiveError as error:
        return failed(error, env)
    env.say(f"the experiments and the agent in namespace {args.namespace} are as they were installed")
    return 0
