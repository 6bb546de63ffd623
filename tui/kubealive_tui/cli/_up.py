"""`kubealive up`: install or update, and wait until it is ready."""

import argparse

from kubealive import __version__
from kubealive_tui.errors import KubealiveError
from kubealive_tui.hints import own_command
from kubealive_tui.install import LOCAL_REGISTRY, READY_SECONDS, Wanted, up

from ._environment import Environment, Subparsers, add_connection_arguments
from ._progress import failed, tell


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("up", help="install the agent and the experiments, and wait until ready")
    parser.add_argument("name", nargs="*", help="experiments to install (default: all)")
    parser.add_argument(
        "--registry",
        metavar="PREFIX",
        default=LOCAL_REGISTRY,
        help="where the images agent and workload are (default: %(default)s)",
    )
    parser.add_argument("--tag", default=__version__, help="tag of the agent's image (default: %(default)s)")
    parser.add_argument(
        "--host-port",
        type=int,
        metavar="PORT",
        help="port of every node that experiment daemon takes (default: the installed one, else 8080)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        default=READY_SECONDS,
        help="how long to wait until all is ready (default: %(default)g)",
    )
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Bring it up; 0 ready, 1 applied and not ready or refused, 2 nothing could be done."""
    try:
        wanted = Wanted(
            namespace=args.namespace,
            experiments=tuple(args.name) or None,
            registry=args.registry,
            tag=args.tag,
            host_port=args.host_port,
        )
        async with env.api(args) as api:
            await tell(up(api, wanted, seconds=args.timeout), env)
    except KubealiveError as error:
        return failed(error, env)
    env.say(
        f"ready in namespace {args.namespace} of context {env.context(args)}: "
        f"open it with `{own_command('tui', namespace=args.namespace)}`"
    )
    return 0
