"""Keeps a mirror of one kind of object true: list once, watch for ever, and survive everything in between.

A reflector knows only uid and resourceVersion of what it reported; the objects themselves belong to the sink.
That is enough to find, after any gap, what vanished meanwhile and what did not change at all.
"""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from kubealive.v1 import agent_pb2, facts_pb2
from kubealive_agent._hints import own_command
from kubealive_agent.kube._client import Lines, Query
from kubealive_agent.kube._errors import (
    ForbiddenError,
    GoneError,
    KubeError,
    MalformedError,
    NotFoundError,
    UnreachableError,
)
from kubealive_agent.kube._gap import Gap
from kubealive_agent.kube._pace import Backoff, Timing
from kubealive_agent.kube._resources import RESOURCES, Resource
from kubealive_agent.kube._sink import AccessState, Sink

_logger = logging.getLogger(__name__)

# Objects a page: 5,000 pods then cost a few megabytes on the way in, not a hundred.
PAGE_LIMIT = 100

# How long the server is asked to keep a watch open, drawn anew each time so that watches do not end together.
WATCH_SECONDS = (240.0, 480.0)

# A watch that is silent this long after its time is a dead connection.
READ_GRACE_S = 30.0

# A watch that lasted this long was a success: the next failure begins again with the shortest wait.
STEADY_S = 10.0

# A watch that ends sooner, without an error, must not be opened again in a tight loop.
HASTY_S = 1.0

# The longest wait between two attempts. The agent is the only one in its namespace and has eleven watches, so
# knocking that often costs an API server nothing, and a screen is live again soon after the server is.
RETRY_S = 8.0

# A right or a resource that is missing appears by a person's hand, so asking again becomes slow. It begins with
# seconds, since an API server that has just started refuses for a moment what it allows once it knows its rules.
RECHECK_FIRST_S = 1.0
RECHECK_S = 60.0

# After so long without the API a watch is not resumed but listed anew. Its etcd may have been restored: a watch
# from a version that is still to come is accepted and stays silent until then. A list costs a page or two a kind.
OUTAGE_S = 10.0

# What is refused so often in a row, over some seconds, is refused for good.
STARTING_REFUSALS = 3


class Api(Protocol):
    """What a reflector needs of a `KubeClient`."""

    async def request(self, method: str, path: str, *, query: Query | None = None) -> bytes:
        """Return the body of a successful answer."""

    def watch(self, path: str, *, query: Query, idle_deadline: float) -> AbstractAsyncContextManager[Lines]:
        """Open a watch and give a function that hands on its lines until it ends."""


async def reflect_all(
    client: Api, *, namespace: str, sink: Sink, listed: asyncio.Event, timing: Timing | None = None
) -> None:
    """Mirror every kind of `RESOURCES` until cancelled.

    Lists run one after another, re-lists too, so that memory holds one page at a time. `listed` is set once
    each kind is either listed or known not to be readable; the agent is ready then.
    """
    timing = timing or Timing()
    gate, gap = asyncio.Lock(), Gap(sink, timing=timing)
    reflectors = [
        Reflector(client, resource=each, namespace=namespace, sink=sink, gate=gate, gap=gap, timing=timing)
        for each in RESOURCES
    ]
    async with asyncio.TaskGroup() as group:
        group.create_task(gap.tell(), name="watch gaps")
        for reflector in reflectors:
            group.create_task(reflector.run(), name=f"reflect {reflector.name}")
        for reflector in reflectors:
            await reflector.settled.wait()
        listed.set()


class Reflector:
    """Mirrors one resource into a sink until cancelled.

    `settled` is set once the first list is complete, or once it is clear that there is nothing to list (no
    right, no such resource). `gate` is held during each list; `gap` hears what cannot be watched.
    """

    def __init__(
        self,
        client: Api,
        *,
        resource: Resource[Any],
        namespace: str,
        sink: Sink,
        gate: asyncio.Lock,
        gap: Gap,
        timing: Timing,
    ) -> None:
        self.name = resource.name
        self.settled = asyncio.Event()
        self._client = client
        self._resource = resource
        self._path = resource.path(namespace)
        self._where = f"in namespace {namespace}" if resource.namespaced else "of the cluster"
        self._what = f"{resource.name} {self._where}"
        self._grants = own_command("reset", namespace=namespace)
        self._sink = sink
        self._gate = gate
        self._gap = gap
        self._timing = timing
        self._backoff = Backoff(self._timing, most=RETRY_S)
        self._recheck = Backoff(self._timing, first=RECHECK_FIRST_S, most=RECHECK_S)
        self._known: dict[str, str] = {}
        # Where to go on watching; None asks for a list first.
        self._version: str | None = None
        self._verb = "list"
        self._ever_listed = False
        self._refusals = 0
        self._broke_at: float | None = None
        self._told: tuple[AccessState, str] | None = None
        self._noted = ""

    async def run(self) -> None:
        """List and watch until cancelled; no failure ends it."""
        while True:
            try:
                await self._once()
            except (ForbiddenError, NotFoundError) as exc:
                await self._refused(exc)
            except KubeError as exc:
                await self._failed(exc)
            except Exception as exc:  # a fault in one kind must not blind the others
                _logger.exception("the reflector of %s starts over", self.name)
                self._version = None
                await self._failed(exc)

    async def _once(self) -> None:
        if self._broke_at is not None and self._timing.monotonic() >= self._broke_at + OUTAGE_S:
            self._version = None
        if self._version is None:
            async with self._gate:
                self._version = await self._list()
            self._ever_listed = True
            self.settled.set()
        began = self._timing.monotonic()
        try:
            await self._watch(self._version)
        finally:
            lasted = self._timing.monotonic() - began
            if lasted >= STEADY_S:
                self._backoff.reset()
        if lasted < HASTY_S:
            raise UnreachableError("the server ends it as soon as it has begun")

    async def _list(self) -> str:
        """Report what is there, page by page, then what is there no more; return the list's version."""
        self._verb = "list"
        if self._told is None or not self._told[1]:  # a trouble and its reason stand until it is over
            self._tell(agent_pb2.KindAccess.STATE_LISTING, "")
        seen: set[str] = set()
        query: dict[str, str | int] = {"limit": PAGE_LIMIT}
        while True:
            page, unreadable = self._resource.decode_page(
                await self._client.request("GET", self._path, query=query)
            )
            for item in page.items or ():
                seen.add(item.metadata.uid)
                unreadable += not self._take(item, found=not self._ever_listed)
            if unreadable:
                self._note(f"{unreadable} of the {self._what} cannot be read and are left out")
            if not page.metadata.continue_:
                break
            query["continue"] = page.metadata.continue_
        for uid in self._known.keys() - seen:
            self._forget(uid)
        if not page.metadata.resource_version:
            raise MalformedError("the list says no resourceVersion")
        return page.metadata.resource_version

    async def _watch(self, version: str) -> None:
        """Report changes until the server ends the watch or something breaks."""
        self._verb = "watch"
        seconds = int(self._timing.uniform(*WATCH_SECONDS))
        query: Query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": seconds,
        }
        idle_deadline = seconds + READ_GRACE_S
        async with self._client.watch(self._path, query=query, idle_deadline=idle_deadline) as lines:
            self._tell(agent_pb2.KindAccess.STATE_WATCHING, "")
            self._recheck.reset()
            self._refusals, self._broke_at = 0, None
            self._gap.back(self._what)
            await lines(self._handle)

    def _handle(self, line: bytes) -> None:
        event = self._resource.decode_event(line)
        item = event.object
        if event.type != "BOOKMARK" and not self._take(item, found=False):
            self._note(f"{item.metadata.name} of the {self._what} cannot be read")
        if event.type == "DELETED" and item.metadata.uid in self._known:
            self._forget(item.metadata.uid)
        self._version = item.metadata.resource_version or None

    def _take(self, item: Any, *, found: bool) -> bool:
        """Report an object unless its version is known already; false when it cannot be projected."""
        meta = item.metadata
        if self._known.get(meta.uid) == meta.resource_version:
            return True
        try:
            value = self._resource.project(item)
        except ValueError:
            return False
        self._known[meta.uid] = meta.resource_version
        if isinstance(value, facts_pb2.KubeEvent):
            self._sink.event(value, found=found)
        else:
            self._sink.apply(self._resource.kind, meta.uid, value, found=found)
        return True

    def _forget(self, uid: str) -> None:
        """Report that an object is gone."""
        del self._known[uid]
        if self._resource.reports_removal:
            self._sink.apply(self._resource.kind, uid, None, found=False)

    async def _refused(self, exc: ForbiddenError | NotFoundError) -> None:
        """Say in one sentence what is missing, and look again now and then."""
        self._version = None
        if isinstance(exc, ForbiddenError):
            reason = f"the agent has no right to {self._verb} {self._what}; `{self._grants}` grants it"
            self._tell(agent_pb2.KindAccess.STATE_FORBIDDEN, reason)
        else:
            reason = f"this API server does not serve {self.name} ({self._resource.api})"
            self._tell(agent_pb2.KindAccess.STATE_ABSENT, reason)
        self.settled.set()
        self._refusals += 1
        if self._refusals >= STARTING_REFUSALS:
            self._gap.back(self._what)
        await self._recheck.wait()

    async def _failed(self, exc: Exception) -> None:
        """Wait before the next attempt; what can no longer be resumed is listed anew."""
        if isinstance(exc, GoneError | MalformedError):
            self._version = None
        reason = f"the {self._verb} of {self._what} broke: {exc}"
        self._tell(agent_pb2.KindAccess.STATE_RETRYING, reason)
        if self._broke_at is None:
            self._broke_at = self._timing.monotonic()
        self._gap.broke(self._what, reason)
        await self._backoff.wait()

    def _tell(self, state: AccessState, reason: str) -> None:
        if self._told != (state, reason):
            self._told = (state, reason)
            self._sink.access(self._resource.kind, state, reason)

    def _note(self, message: str) -> None:
        """Pass a note on unless it only repeats the one before, as an odd object that keeps changing would."""
        if self._noted != message:
            self._noted = message
            self._sink.note(message)
