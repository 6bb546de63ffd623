"""`kubealive status`: what is installed, what is ready, and what keeps the rest from it."""

import argparse
from collections.abc import Iterator

from kubealive_tui.errors import KubealiveError
from kubealive_tui.hints import own_command, up_command
from kubealive_tui.install import Part, Status, status

from ._environment import Environment, Subparsers, add_connection_arguments
from ._progress import failed


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("status", help="what is installed, and whether it is ready")
    parser.add_argument("name", nargs="*", help="experiments to look at (default: all)")
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Say how it is; 0 all ready, 1 something is not, 2 the cluster could not be asked."""
    try:
        async with env.api(args) as api:
            found = await status(api, namespace=args.namespace, names=args.name or None)
    except KubealiveError as error:
        failed(error, env)
        return 2
    for line in lines(found):
        env.say(line)
    return 0 if found.ready else 1


def lines(found: Status) -> Iterator[str]:
    """Yield the status as lines: the agent, one an experiment, and under each what is not as it was installed."""
    if not found.installed:
        said = f"kubealive is not installed in namespace {found.namespace}:"
        yield f"{said} install it with `{up_command(namespace=found.namespace)}`"
        return
    advised: set[str] = set()
    for title, part in _titled(found):
        yield _line(title, part)
        for one in part.altered:
            back = own_command("reset", *filter(None, [part.name]), namespace=found.namespace)
            yield f"  {one.ref}: {one.words}; `{back}` puts it back"
        for trouble in part.troubles:
            yield f"  {trouble.subject}: {trouble.text}"
            if trouble.advice and trouble.advice not in advised:
                advised.add(trouble.advice)
                yield f"    {trouble.advice}"


def _titled(found: Status) -> list[tuple[str, Part]]:
    agent = (f"agent {found.agent_version}".rstrip(), found.agent)
    return [agent, *((part.name, part) for part in found.experiments)]


def _line(title: str, part: Part) -> str:
    if not part.installed:
        word, counts = "not installed", ""
    else:
        word = "ready" if part.ready else "not ready"
        counts = ", ".join(f"{w.ref} {w.ready}/{w.desired}" for w in part.workloads)
    return f"{title:<16} {word:<13} {counts}".rstrip()
