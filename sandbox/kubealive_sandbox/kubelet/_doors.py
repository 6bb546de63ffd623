"""What the API server asks of the kubelets: logs, connections to pods, and programs in them."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from kubealive_sandbox.api import Api, ApiError, Object, failed
from kubealive_sandbox.kubelet._command import Attached, Command
from kubealive_sandbox.kubelet._container import Container
from kubealive_sandbox.kubelet._programs import is_python, unstartable
from kubealive_sandbox.kubelet.node import Node
from kubealive_sandbox.network import dial
from kubealive_sandbox.places import Places

__all__ = ["Doors"]

# Clients of one container; more are somebody's runaway loop.
MOST_COMMANDS = 32


class Doors:
    """All nodes, as the API server's streams use them."""

    def __init__(self, api: Api, nodes: Sequence[Node], places: Places) -> None:
        self._api = api
        self._places = places
        self._nodes = nodes

    async def logs(self, pod: Object, container: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of a container's log. Raises a 400 where there is none."""
        found = self._container(pod, container)
        if found is None:  # of a pod that no node has seen, a real server knows no more than that
            return
        previous, follow = query.get("previous") == "true", query.get("follow") == "true"
        log = found.previous if previous else found.log
        name = pod["metadata"]["name"]
        if log is None and previous:
            words = f'previous terminated container "{container}" in pod "{name}" not found'
            raise ApiError(400, "BadRequest", words)
        if log is None and "waiting" in found.state and not found.last:
            reason = found.state.get("waiting", {}).get("reason", "ContainerCreating")
            words = f'container "{container}" in pod "{name}" is waiting to start: {reason}'
            raise ApiError(400, "BadRequest", words)
        if log is None:  # it has ended without a word, since it could not begin
            return
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

    @asynccontextmanager
    async def execute(
        self, pod: Object, container: str, command: Sequence[str], *, stdin: bool
    ) -> AsyncIterator[Command]:
        """A command in a container that runs, no longer than this context. Raises ApiError where it cannot be."""
        found = self._running(pod, container)
        if len(found.commands) >= MOST_COMMANDS:
            raise failed(f"unable to upgrade connection: {MOST_COMMANDS} commands run in the container already")
        if not command:
            raise _unstarted("args must not be empty")
        if not is_python(command[0]):
            raise _not_run(command[0])
        async with AsyncExitStack() as stack:
            try:
                running = await stack.enter_async_context(found.command(command, stdin=stdin))
            except OSError as exc:
                raise _unstarted(unstartable(command[0], exc)) from exc
            yield running

    @asynccontextmanager
    async def attach(self, pod: Object, container: str, *, stdin: bool) -> AsyncIterator[Attached]:
        """A hold on the program of a container that runs. Raises ApiError where there is none."""
        found, meta = self._container(pod, container), pod["metadata"]
        if found is None or found.process is None or found.log is None:
            where = f"{meta['name']}_{meta['namespace']}"
            raise failed(f"unable to upgrade connection: container {container} not found in pod {where}")
        # Such a container was made for this client, who would miss what came before him.
        once = bool(found.spec.get("stdinOnce"))
        yield Attached(found.log, found.process.stdin if stdin else None, since_start=once, once=once and stdin)

    def _running(self, pod: Object, name: str) -> Container:
        found = self._container(pod, name)
        if found is None or found.process is None:
            raise failed(f'unable to upgrade connection: container not found ("{name}")')
        return found

    def _container(self, pod: Object, name: str) -> Container | None:
        uid = pod["metadata"]["uid"]
        for node in self._nodes:
            running = node.pods.get(uid)
            for each in (*running.containers, *running.initial) if running else ():
                if each.name == name:
                    return each
        return None


def _not_run(name: str) -> ApiError:
    """Why a program that is not Python is not run beside a container's."""
    if shutil.which(name) is None:
        return _unstarted(unstartable(name, FileNotFoundError()))
    return failed(f'the sandbox runs python3 alone in a pod: "{name}" would see this machine and not the pod')


def _unstarted(words: str) -> ApiError:
    """What a real node's runtime says, which numbers what it could not start."""
    attempt = f'failed to exec in container: failed to start exec "{secrets.token_hex(32)}"'
    said = (
        f"error executing command in container: {attempt}: OCI runtime exec failed: exec failed: {words}: unknown"
    )
    return failed(f"Internal error occurred: {said}")
