"""Options that several commands share."""

import argparse

__all__ = [
    "add_agent_argument",
    "add_plain_argument",
    "add_record_argument",
    "add_sandbox_arguments",
    "add_screen_arguments",
]

THEMES = ("auto", "dark", "light")


def add_agent_argument(parser: argparse.ArgumentParser) -> None:
    """Add the way to an agent without its cluster."""
    parser.add_argument(
        "--agent", metavar="HOST:PORT", help="an agent reached without its cluster, by a tunnel or in its network"
    )


def add_record_argument(parser: argparse.ArgumentParser) -> None:
    """Add the recording of what is seen."""
    parser.add_argument("--record", metavar="FILE", help="write all that arrives to FILE, for `kubealive replay`")


def add_plain_argument(parser: argparse.ArgumentParser) -> None:
    """Add the way without a screen."""
    parser.add_argument("--plain", action="store_true", help="print lines instead of drawing a screen")
    parser.add_argument(
        "--experiment", metavar="NAME", help="the tab shown first; with --plain, the only one that is told of"
    )


def add_sandbox_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the choice between a cluster and one in this machine's processes."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--sandbox", action="store_true", help="use a cluster of processes on this machine, just for this"
    )
    group.add_argument(
        "--or-sandbox", action="store_true", help="use the kubeconfig's cluster if it answers, else a sandbox"
    )


def add_screen_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how the screen is drawn."""
    group = parser.add_argument_group("screen")
    group.add_argument(
        "--theme",
        choices=THEMES,
        default="auto",
        help="colours for a dark or a light terminal (default: %(default)s)",
    )
    group.add_argument("--no-color", action="store_true", help="draw without colour, as NO_COLOR does")
    group.add_argument(
        "--no-clock", action="store_true", help="show no clock: no byte is sent while nothing changes"
    )
    group.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
