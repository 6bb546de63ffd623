"""The link as screen and commands hold it: where it leads, the cluster's API, and channels to the agent."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc.aio

from kubealive_tui.errors import LinkError, UsageError
from kubealive_tui.link._access import check_rights
from kubealive_tui.link._bridge import Bridge
from kubealive_tui.link._channel import open_channel
from kubealive_tui.link._kubeconfig import LinkOptions, Where
from kubealive_tui.model import LinkState

if TYPE_CHECKING:
    from kubealive_tui.link._cluster import Cluster
    from kubealive_tui.link._rest import RestApi

__all__ = ["Link", "open_link"]


class Link:
    """An open link. Without a cluster (`--agent`) it has channels alone."""

    def __init__(
        self, where: Where, *, cluster: "Cluster | None" = None, target: str = "", folder: str = ""
    ) -> None:
        self.where = where
        self._cluster = cluster
        self._bridge = None if cluster is None else Bridge(cluster, parent=folder)
        self._target = target
        self._admitted = False

    @property
    def api(self) -> "RestApi":
        """JSON requests to the cluster's API; raises LinkError with `--agent`."""
        return self._reached.api

    @property
    def _reached(self) -> "Cluster":
        if self._cluster is None:
            raise LinkError(f"--agent {self._target} leads to an agent without its cluster; leave it out for this")
        return self._cluster

    async def admit(self) -> None:
        """Find out, once, whether this user may reach the agent; raises LinkError saying what is missing."""
        if self._cluster is not None and not self._admitted:
            await check_rights(self._cluster.api, self.where.namespace)
        self._admitted = True

    async def channel(self, progress: Callable[[LinkState], None] = lambda _: None) -> grpc.aio.Channel:
        """Return a new channel, which is the caller's to close; the first call on it dials.

        `progress` hears of the dial's steps. Raises LinkError where a right is missing.
        """
        await self.admit()
        if self._bridge is None:
            return open_channel(self._target)
        path = await self._bridge.start()
        self._bridge.trouble, self._bridge.progress = None, progress
        return open_channel(f"unix:{path}")

    @property
    def trouble(self) -> LinkError | None:
        """Why the last dial failed, where the link knows better than gRPC."""
        return None if self._bridge is None else self._bridge.trouble

    async def close(self) -> None:
        """End every connection and remove the socket."""
        if self._bridge is not None:
            await self._bridge.close()
        if self._cluster is not None:
            await self._cluster.close()


@asynccontextmanager
async def open_link(options: LinkOptions) -> AsyncIterator[Link]:
    """Log in, so that no password is asked for once the screen is drawn; nothing is dialled yet.

    Raises UsageError, LinkError or DeniedError with one sentence.
    """
    link = await _open(options)
    try:
        yield link
    finally:
        await link.close()


async def _open(options: LinkOptions) -> Link:
    if not options.agent:
        from kubealive_tui.link._cluster import Cluster  # noqa: PLC0415 - a second, which `--agent` need not pay

        cluster = await Cluster.connect(options)
        return Link(cluster.where, cluster=cluster, folder=options.folder)
    host, colon, port = options.agent.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
        raise UsageError(f"--agent {options.agent!r} is not HOST:PORT; write for example 127.0.0.1:50051")
    return Link(Where(options.agent, options.namespace), target=options.agent)
