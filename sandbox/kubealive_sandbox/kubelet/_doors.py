"""What the API server asks of the kubelets: logs, and connections to pods."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

from kubealive_sandbox.api import Api, ApiError, Object
from kubealive_sandbox.kubelet._container import Container
from kubealive_sandbox.kubelet.node import Node
from kubealive_sandbox.network import dial
from kubealive_sandbox.places import Places

__all__ = ["Doors"]

WAIT_S = 0.1


class Doors:
    """All nodes, as the API server's streams use them."""

    def __init__(self, api: Api, nodes: Sequence[Node], places: Places) -> None:
        self._api = api
        self._places = places
        self._nodes = nodes

    async def logs(self, pod: Object, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of a container's log. Raises a 400 where there is none."""
        container = self._container(pod, query.get("container", ""))
        previous, follow = query.get("previous") == "true", query.get("follow") == "true"
        log = container.previous if previous else container.log
        name = pod["metadata"]["name"]
        if log is None and previous:
            words = f'previous terminated container "{container.name}" in pod "{name}" not found'
            raise ApiError(400, "BadRequest", words)
        if log is None:
            reason = container.state.get("waiting", {}).get("reason", "ContainerCreating")
            words = f'container "{container.name}" in pod "{name}" is waiting to start: {reason}'
            raise ApiError(400, "BadRequest", words)
        tail, seconds = query.get("tailLines"), query.get("sinceSeconds")
        since = self._api.now() - timedelta(seconds=int(seconds)) if seconds else None
        lines = log.read(
            tail=int(tail) if tail else None,
            since=since,
            follow=follow,
            timestamps=query.get("timestamps") == "true",
        )
        async for line in lines:
            yield line

    async def dial(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a port of a pod. Raises OSError."""
        address = pod["status"].get("podIP")
        if not address:
            raise ConnectionRefusedError("the pod has no address yet")
        return await dial(self._places, (address, port), source=address)

    def _container(self, pod: Object, name: str) -> Container:
        uid = pod["metadata"]["uid"]
        for node in self._nodes:
            running = node.pods.get(uid)
            for each in (*running.containers, *running.initial) if running else ():
                if not name or each.name == name:
                    return each
        words = (
            f"container {name} is not valid for pod {pod['metadata']['name']}" if name else "the pod does not run"
        )
        raise ApiError(400, "BadRequest", words)
