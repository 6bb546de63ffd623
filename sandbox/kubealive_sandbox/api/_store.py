"""The objects, one version for all of them, and what happened lately.

It is etcd and the watch cache of a real cluster in one dictionary, since everything runs on one thread: a read is
always current, and a change and its event are one step. Objects are never altered once they are in here; whoever
wants another one clones it first.
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kubealive_sandbox.apart import Apart
from kubealive_sandbox.api._errors import expired
from kubealive_sandbox.api._resources import Resource

__all__ = ["Event", "Object", "Store", "clone"]

_log = logging.getLogger(__name__)

Object = dict[str, Any]
Key = tuple[str, str]

# Changes that a watch can resume over: a client that was away for minutes in a lively laboratory.
KEPT_EVENTS = 5000


def clone(obj: Object) -> Object:
    """A copy that shares nothing."""
    copy: Object = json.loads(json.dumps(obj))
    return copy


@dataclass(slots=True)
class Event:
    """One change: the object after it (before it, for DELETED, with the version of the deletion)."""

    version: int
    resource: Resource
    type: str
    object: Object
    before: Object | None
    _encoded: bytes = field(default=b"", repr=False)

    def encoded(self) -> bytes:
        """The object as JSON, made once for all who watch."""
        if not self._encoded:
            self._encoded = json.dumps(self.object, separators=(",", ":")).encode()
        return self._encoded


class Store:
    """Objects by resource, namespace and name. `subscribe` tells of every change at once."""

    def __init__(self) -> None:
        self.version = 1
        self._objects: dict[Key, dict[tuple[str, str], Object]] = {}
        self._events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._compacted = 0
        self._subscribers: dict[int, Callable[[Event], None]] = {}
        self._next = 0
        self._apart = Apart(_log)

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        return self._objects.get(resource.key, {}).get((namespace, name))

    def each(self, resource: Resource, namespace: str = "") -> Iterator[Object]:
        """Every object of the resource, of all namespaces where none is given."""
        for (home, _), obj in self._objects.get(resource.key, {}).items():
            if not namespace or home == namespace:
                yield obj

    def put(self, resource: Resource, obj: Object) -> Object:
        """Store a new object or a new version of one; the object is the store's from now on."""
        meta = obj["metadata"]
        place = (meta.get("namespace", ""), meta["name"])
        kind = self._objects.setdefault(resource.key, {})
        before = kind.get(place)
        self.version += 1
        meta["resourceVersion"] = str(self.version)
        kind[place] = obj
        self._emit(Event(self.version, resource, "MODIFIED" if before else "ADDED", obj, before))
        return obj

    def remove(self, resource: Resource, obj: Object) -> Object:
        """Take an object out; the answer is its last state, with the version of the removal."""
        meta = obj["metadata"]
        before = self._objects[resource.key].pop((meta.get("namespace", ""), meta["name"]))
        self.version += 1
        last = {**before, "metadata": {**before["metadata"], "resourceVersion": str(self.version)}}
        self._emit(Event(self.version, resource, "DELETED", last, before))
        return last

    def since(self, version: int, resource: Resource) -> list[Event]:
        """The changes of a resource after that version. Raises Expired when they are not all known any more."""
        if version < self._compacted:
            raise expired(version, self._compacted)
        return [event for event in self._events if event.version > version and event.resource is resource]

    def subscribe(self, hear: Callable[[Event], None]) -> Callable[[], None]:
        """Have `hear` called at each change, in the step that makes it; the answer ends that.

        What fails in there is neither the writer's nor the other subscribers' fault, and only logged.
        """
        self._next += 1
        mine = self._next
        self._subscribers[mine] = hear
        return lambda: self._subscribers.pop(mine, None) and None

    def compact(self) -> None:
        """Forget all changes so far, as etcd does now and then."""
        self._events.clear()
        self._compacted = self.version

    def _emit(self, event: Event) -> None:
        if len(self._events) == KEPT_EVENTS:
            self._compacted = self._events[0].version
        self._events.append(event)
        for hear in tuple(self._subscribers.values()):
            with self._apart.keep(f"who hears of {event.resource.kind} {event.object['metadata']['name']}"):
                hear(event)
