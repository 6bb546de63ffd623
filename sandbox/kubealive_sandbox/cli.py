"""The sandbox as a program: it says where its kubeconfig is, and runs until it is told to end.

It ends with SIGINT, SIGTERM or SIGHUP, and when its standard input ends if it was asked to watch that, so that
whoever starts it for a session of their own need not live to stop it.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kubealive_sandbox.errors import SandboxError
from kubealive_sandbox.kubelet import Image
from kubealive_sandbox.network import MANY, ONE
from kubealive_sandbox.sandbox import open_sandbox

__all__ = ["main"]

_UNUSABLE = 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a sandbox; 0 ended as asked, 1 it failed while it ran, 2 there can be none here."""
    args = _parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return asyncio.run(_run(_images(args.images), scheme=args.addresses, until_eof=args.until_eof))
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return _UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kubealive_sandbox", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--images",
        metavar="JSON",
        default="{}",
        help='what its images run: {"NAME": {"argv": [...], "env": {...}, "tags": [...]}}',
    )
    parser.add_argument(
        "--addresses",
        choices=(MANY, ONE),
        default=os.environ.get("SANDBOX_ADDRESSES", ""),
        help="whether pods have addresses of this machine, as on Linux, or share 127.0.0.1, as on macOS "
        "[SANDBOX_ADDRESSES; default: what there is]",
    )
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    return parser


def _images(text: str) -> Mapping[str, Image]:
    try:
        given: dict[str, Any] = json.loads(text)
        return {
            name: Image(
                argv=tuple(each["argv"]),
                env=dict(each.get("env") or {}),
                tags=frozenset(each["tags"]) if each.get("tags") else None,
            )
            for name, each in given.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise SandboxError(f"--images cannot be read: {exc}") from exc


async def _run(images: Mapping[str, Image], *, scheme: str, until_eof: bool) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    async with open_sandbox(images, scheme=scheme) as sandbox:
        sys.stdout.write(f"{sandbox.kubeconfig}\n")
        sys.stdout.flush()
        waiting: list[asyncio.Future[Any]] = [asyncio.create_task(stop.wait()), sandbox.ended]
        if until_eof:
            waiting.append(asyncio.create_task(_until_eof()))
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        failed = sandbox.ended.done()
        for task in waiting:
            task.cancel()
    return 1 if failed else 0


async def _until_eof() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, ValueError):
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while await reader.read(1024):
            pass
