"""Watches: what changed since a version, then whatever changes, until the client or its time is over."""

import asyncio
import contextlib
import json
from collections.abc import Callable

from aiohttp import web

from kubealive_sandbox.api._core import Api
from kubealive_sandbox.api._errors import bad_request, expired
from kubealive_sandbox.api._resources import Resource
from kubealive_sandbox.api._selectors import field_selector, label_selector
from kubealive_sandbox.api._store import Event, Object
from kubealive_sandbox.api._tables import table

__all__ = ["watch"]

# A client that reads nothing while this much happens has to list anew; it costs references, not copies.
QUEUE = 2000
BOOKMARK_S = 60.0
# Between these the real server draws where the client names no time.
WATCH_S = (1800.0, 3600.0)


async def watch(
    request: web.Request, api: Api, resource: Resource, namespace: str, fields: str
) -> web.StreamResponse:
    """Answer a watch until its end. Raises a 410 where the version asked for is too old."""
    stream = _Stream(request, api, resource, namespace, fields)
    end = stream.begin()
    try:
        await stream.run()
    finally:
        end()
    return stream.response


class _Stream:
    def __init__(self, request: web.Request, api: Api, resource: Resource, namespace: str, fields: str) -> None:
        query = request.query
        self.response = web.StreamResponse(headers={"Content-Type": "application/json"})
        self._request = request
        self._api = api
        self._resource = resource
        self._namespace = namespace
        self._labels = label_selector(query.get("labelSelector", ""))
        self._fields = field_selector(fields)
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(QUEUE)
        self._as_table = "as=Table" in request.headers.get("Accept", "")
        self._include = query.get("includeObject", "Metadata")
        self._heads = True
        self._bookmarks = query.get("allowWatchBookmarks") in {"true", "1"}
        self._initial = query.get("sendInitialEvents") == "true"
        given = query.get("resourceVersion", "")
        if given and not given.isdigit():
            raise bad_request(f"invalid resource version {given!r}")
        self._from = int(given or 0)
        asked = query.get("timeoutSeconds", "")
        self._seconds = float(asked) if asked.isdigit() and asked != "0" else sum(WATCH_S) / 2
        self._replay: list[Event] = []

    def begin(self) -> Callable[[], None]:
        """Begin to listen, so that nothing falls between the past and the future; returns what ends it."""
        api = self._api
        if self._from and not self._initial:
            self._replay = api.store.since(self._from, self._resource)
        else:
            current = api.store.each(self._resource, self._namespace)
            self._replay = [Event(0, self._resource, "ADDED", obj, None) for obj in current]
        return api.store.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if event.resource is not self._resource:
            return
        if self._queue.qsize() >= QUEUE - 1:
            if not self._queue.full():
                self._queue.put_nowait(None)
            return
        self._queue.put_nowait(event)

    async def run(self) -> None:
        """Send until the time is over or the client has gone."""
        await self.response.prepare(self._request)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(self._seconds):
                for event in self._replay:
                    await self._send(event)
                if self._initial:
                    await self._bookmark({"k8s.io/initial-events-end": "true"})
                await self._follow()
        with contextlib.suppress(ConnectionError):
            await self.response.write_eof()

    async def _follow(self) -> None:
        while True:
            try:
                event = await asyncio.wait_for(self._queue.get(), BOOKMARK_S)
            except TimeoutError:
                if self._bookmarks:
                    await self._bookmark({})
                continue
            if event is None:
                status = expired(self._from, self._api.store.version).status()
                await self._line("ERROR", json.dumps(status).encode())
                return
            await self._send(event)

    def _fits(self, obj: Object | None) -> bool:
        if obj is None or (self._namespace and obj["metadata"].get("namespace") != self._namespace):
            return False
        return self._labels(obj) and self._fields(obj)

    async def _send(self, event: Event) -> None:
        """Send an event as this watch's selectors see it: what no longer fits is deleted for it."""
        fits, fitted = self._fits(event.object), self._fits(event.before)
        if event.type == "DELETED":
            kind = "DELETED" if fitted else ""
        elif fits:
            kind = "MODIFIED" if fitted else "ADDED"
        else:
            kind = "DELETED" if fitted else ""
        if not kind:
            return
        if self._as_table:
            await self._line(kind, json.dumps(self._table(event)).encode())
        else:
            await self._line(kind, event.encoded())

    def _table(self, event: Event) -> Object:
        version = event.object["metadata"]["resourceVersion"]
        heads, self._heads = self._heads, False
        return table(
            self._resource.kind,
            [event.object],
            now=self._api.now(),
            version=version,
            include=self._include,
            heads=heads,
        )

    async def _bookmark(self, annotations: dict[str, str]) -> None:
        meta: Object = {"resourceVersion": str(self._api.store.version), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        obj = {"kind": self._resource.kind, "apiVersion": self._resource.api_version, "metadata": meta}
        await self._line("BOOKMARK", json.dumps(obj).encode())

    async def _line(self, kind: str, obj: bytes) -> None:
        await self.response.write(b'{"type":"%s","object":%s}\n' % (kind.encode(), obj))
