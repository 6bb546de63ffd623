"""From arguments to an open feed: the link, what records it, and who is watching."""

import argparse
import getpass
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from kubealive import __version__
from kubealive_tui.errors import UsageError
from kubealive_tui.experiments import Experiment, discover
from kubealive_tui.feed import Head, LiveFeed, Recorder
from kubealive_tui.install import check_namespace
from kubealive_tui.link import Kubeconfig, Link, LinkOptions, open_link
from kubealive_tui.store import Store

__all__ = [
    "Opened",
    "actor",
    "chosen",
    "context_of",
    "link_options",
    "local_zone",
    "new_store",
    "open_feed",
]


@dataclass(frozen=True, slots=True)
class Opened:
    """A link and the feed over it."""

    link: Link
    feed: LiveFeed
    actor: str


def link_options(args: argparse.Namespace) -> LinkOptions:
    """The connection that the arguments choose; raises UsageError for a namespace that cannot be."""
    check_namespace(args.namespace)
    return LinkOptions(
        kubeconfig=args.kubeconfig or "",
        context=args.context or "",
        namespace=args.namespace,
        impersonate=args.as_user or "",
        agent=getattr(args, "agent", None) or "",
        folder=getattr(args, "folder", ""),
    )


def context_of(args: argparse.Namespace) -> str:
    """The name of the context that the arguments choose; raises UsageError where there is none."""
    options = link_options(args)
    return options.agent or Kubeconfig.find(options).context


def actor() -> str:
    """Who is at this terminal, as others are to see it: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = "somebody"
    return f"{user}@{socket.gethostname()}"


def local_zone() -> tzinfo | None:
    """The zone in which this machine shows times."""
    return datetime.now().astimezone().tzinfo


def chosen(names: list[str]) -> list[Experiment]:
    """The experiments of these names in the order of their tabs, all without a name.

    Raises UsageError for a name that is none, listing those there are.
    """
    known = discover()
    unknown = [name for name in names if name not in {lab.name for lab in known}]
    if unknown:
        raise UsageError(
            f"there is no experiment {unknown[0]!r}; there are {', '.join(lab.name for lab in known)}"
        )
    return [lab for lab in known if not names or lab.name in names]


def new_store() -> Store:
    """An empty store that knows the stopwatches of all experiments."""
    return Store({lab.name: lab.stopwatches for lab in discover()})


@asynccontextmanager
async def open_feed(
    args: argparse.Namespace, *, trouble: Callable[[str], None], read_only: bool = False
) -> AsyncIterator[Opened]:
    """Log in and make the feed, recorded where `--record` says so; `trouble` hears when recording has to end.

    Raises UsageError, LinkError or RecordingError with one sentence.
    """
    async with open_link(link_options(args)) as link:
        recorder = _recorder(args, link, trouble) if getattr(args, "record", None) else None
        me = actor()
        try:
            yield Opened(link, LiveFeed(link, actor=me, read_only=read_only, recorder=recorder), me)
        finally:
            if recorder is not None:
                recorder.close()


def _recorder(args: argparse.Namespace, link: Link, trouble: Callable[[str], None]) -> Recorder:
    head = Head(link.where.context, link.where.namespace, round(time.time() * 1e6), __version__)
    return Recorder.create(Path(args.record), head, on_trouble=trouble)
