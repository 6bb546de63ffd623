"""`kubealive sandbox`: a cluster of processes on this machine, for kubectl and all else that has a kubeconfig."""

import argparse
import asyncio
import os
import signal

from kubealive_tui.errors import UsageError
from kubealive_tui.hints import own_command

from ._environment import Environment, Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "sandbox", help="run a cluster of processes here, until Ctrl-C or for one command"
    )
    parser.add_argument(
        "words",
        metavar="COMMAND",
        nargs=argparse.REMAINDER,
        help="what to run with KUBECONFIG set to it; the sandbox ends with it, and with its exit code",
    )
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace, env: Environment) -> int:
    """Keep one until interrupted, or until the command has ended; 2 where there can be none."""
    from ._embedded import sandbox  # noqa: PLC0415 - loads more than the help needs

    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    async with sandbox() as kubeconfig:
        if words:
            return await _carry_out(words, kubeconfig)
        env.complain("a sandbox runs until Ctrl-C; in another terminal:")
        env.say(f"export KUBECONFIG={kubeconfig}")
        # No namespace is said here: whoever runs these may have one in the environment.
        up, tui = (own_command(word, namespace="") for word in ("up", "tui"))
        env.complain(f"`{up}` installs into it, `{tui}` opens it, `kubectl get pods -A -w` looks at it")
        await asyncio.Event().wait()
    return 0


async def _carry_out(words: list[str], kubeconfig: str) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*words, env={**os.environ, "KUBECONFIG": kubeconfig})
    except OSError as exc:
        raise UsageError(
            f"{words[0]!r} cannot be run: {exc.strerror}; name a program after `kubealive sandbox`"
        ) from exc
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.send_signal(signal.SIGTERM)
        await process.wait()
        raise
    return 128 - code if code < 0 else code
