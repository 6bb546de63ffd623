"""A Kubernetes API server for one namespace of any size: lists in pages, watches, and enough for `kubectl get -w`.

It runs as a process of its own, so that what it costs is not what is measured. Commands come on stdin, one a line:
`change POD STATUS RESTARTS` changes a pod, and is answered with the monotonic second in which that was written;
`churn N` changes N pods a second, one after another, until the next `churn`.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench._objects import KINDS, NAMESPACE, World, table, table_row

_PAGE = 500
_CHURN_STEP_S = 0.01
_DISCOVERY: dict[str, Any] = {
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.4"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {
                "name": "pods",
                "singularName": "pod",
                "namespaced": True,
                "kind": "Pod",
                "verbs": ["get", "list", "watch"],
            }
        ],
    },
}


class Server:
    """Serves a world, and tells everybody who watches the pods what changes in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._watchers: dict[asyncio.StreamWriter, bool] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                url = urlsplit(head.split(" ", 2)[1])
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                as_table = "as=Table" in head
                if query.get("watch") in {"1", "true"}:
                    await self._watch(reader, writer, url.path, as_table=as_table)
                    return
                _answer(writer, self._get(url.path, query, as_table=as_table))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._watchers.pop(writer, None)
            writer.close()

    def _get(self, path: str, query: dict[str, str], *, as_table: bool) -> Any:
        if path in _DISCOVERY:
            return _DISCOVERY[path]
        if "metrics.k8s.io" in path:
            return None
        return self._list(path.rpartition("/")[2], query, as_table=as_table)

    def _list(self, collection: str, query: dict[str, str], *, as_table: bool) -> Any:
        first, limit = int(query.get("continue", 0)), int(query.get("limit", _PAGE))
        items = list(itertools.islice(self._world.items(collection), first, first + limit))
        metadata = {"resourceVersion": str(self._world.version)}
        if collection == "pods" and first + limit < self._world.pods:
            metadata["continue"] = str(first + limit)
        if as_table:
            return table([table_row(item) for item in items], metadata)
        return {
            "kind": f"{KINDS.get(collection, 'None')}List",
            "apiVersion": "v1",
            "metadata": metadata,
            "items": items,
        }

    async def _watch(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, *, as_table: bool
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        if path.endswith("/pods"):
            self._watchers[writer] = as_table
        while await reader.read(1024):
            pass

    def change(self, index: int, status: str, restarts: int = 0) -> float:
        """Change a pod and tell it; the monotonic second in which the first byte was written."""
        pod = self._world.change(index, status, restarts)
        # Encoded beforehand for both readers, so that neither waits for the other's encoding.
        whole = _event(pod)
        row = _event(table([table_row(pod)], {"resourceVersion": pod["metadata"]["resourceVersion"]}))
        at = time.monotonic()
        for writer, as_table in self._watchers.items():
            writer.write(row if as_table else whole)
        return at

    async def churn(self, rate: float) -> None:
        """Change pods one after another until cancelled; each comes back to what it was at its next turn."""
        began, done = time.monotonic(), 0
        while True:
            await asyncio.sleep(_CHURN_STEP_S)
            for number in range(done, int((time.monotonic() - began) * rate)):
                turn, index = divmod(number, self._world.pods)
                self.change(index, "" if turn % 2 else "Churning")
                done = number + 1


def _event(value: Any) -> bytes:
    line = json.dumps({"type": "MODIFIED", "object": value}, separators=(",", ":")).encode() + b"\n"
    return b"%x\r\n%b\r\n" % (len(line), line)


def _answer(writer: asyncio.StreamWriter, value: Any) -> None:
    body = json.dumps(
        value if value is not None else {"kind": "Status", "code": 404}, separators=(",", ":")
    ).encode()
    status = b"404 Not Found" if value is None else b"200 OK"
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    writer.write(head + body)


async def _main(arguments: argparse.Namespace) -> None:
    server = Server(World(pods=arguments.pods, address=arguments.address, port=arguments.pod_port))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", arguments.port)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    churning: asyncio.Task[None] | None = None
    async with listening:
        while words := (await commands.readline()).decode().split():
            match words:
                case ["change", index, status, restarts]:
                    print(server.change(int(index), status, int(restarts)), flush=True)
                case ["churn", rate]:
                    if churning:
                        churning.cancel()
                    churning = asyncio.create_task(server.churn(float(rate))) if float(rate) else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"an API server with one namespace, {NAMESPACE}")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pods", type=int, required=True)
    parser.add_argument("--address", default="127.0.0.1", help="of every pod")
    parser.add_argument("--pod-port", type=int, default=8080)
    return parser


if __name__ == "__main__":
    asyncio.run(_main(_parser().parse_args()))
