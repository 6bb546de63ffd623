"""`kubealive replay FILE`: a recording played on the screen or, with --plain, printed as lines."""

import argparse

from kubealive_tui.errors import UsageError

from ._environment import Environment, Subparsers
from ._options import add_plain_argument, add_screen_arguments


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("replay", help="play a recording that --record has made")
    parser.add_argument("file", metavar="FILE", help="the recording")
    parser.add_argument(
        "--speed", type=float, metavar="X", help="recorded seconds a second, 0.25 to 16 (default: 1)"
    )
    parser.add_argument("--at", type=position, metavar="TIME", help="where to begin: seconds, or M:SS")
    add_plain_argument(parser)
    add_screen_arguments(parser)
    parser.set_defaults(run=run)


def position(text: str) -> float:
    """Seconds from `95`, `95.5` or `1:35`; raises ArgumentTypeError for anything else."""
    minutes, colon, seconds = text.rpartition(":")
    try:
        found = float(seconds) + 60 * (int(minutes) if colon else 0)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no position; write seconds (95) or minutes and seconds (1:35)"
        )
    return found


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Play it; 0 at its end or left by key, 2 it is no recording."""
    if not args.plain:
        from ._screen import show_recording  # noqa: PLC0415 - loads the screen

        return await show_recording(args)
    if args.speed is not None or args.at is not None:
        raise UsageError(
            "--speed and --at move the play head of the screen; --plain prints the whole recording at once"
        )
    from ._plain import print_recording  # noqa: PLC0415 - loads protobuf

    return print_recording(args, env)
