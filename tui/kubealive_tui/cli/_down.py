"""`kubealive down`: everything removed that `up` made."""

import argparse

from kubealive_tui.errors import KubealiveError, UsageError
from kubealive_tui.hints import own_command
from kubealive_tui.install import check_namespace, down

from ._environment import Environment, Subparsers, add_connection_arguments
from ._progress import failed, tell


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("down", help="remove everything that `up` made, and nothing else")
    parser.add_argument("name", nargs="*", help="experiments to remove (default: the whole install)")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Take it down; 0 gone or nothing was there, 1 something is left or the answer was no, 2 nothing was done."""
    try:
        check_namespace(args.namespace)
        if not args.yes and not await _agreed(args, env):
            env.say("nothing was removed")
            return 1
        async with env.api(args) as api:
            count = await tell(down(api, namespace=args.namespace, names=args.name or None), env)
    except KubealiveError as error:
        return failed(error, env)
    if not count:
        env.say(f"nothing of kubealive is in namespace {args.namespace} of context {env.context(args)}")
    return 0


async def _agreed(args: argparse.Namespace, env: Environment) -> bool:
    what = f"the experiments {', '.join(args.name)}" if args.name else "kubealive and all its experiments"
    where = f"namespace {args.namespace} of context {env.context(args)}"
    answer = await env.confirm(f"Remove {what} from {where}?")
    if answer is None:
        command = own_command("down", *args.name, "--yes", namespace=args.namespace)
        raise UsageError(f"nobody is here to confirm: `{command}` removes {what} from {where}")
    return answer
