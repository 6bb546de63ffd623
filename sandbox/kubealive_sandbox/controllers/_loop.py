"""What every controller is: keys that wait to be looked at, and a function that makes what is what should be.

client-go's machinery of informers, queues and expectations is not needed here: reads are current, so a controller
that is called again sees what it did before.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from kubealive_sandbox.api import BY_KIND, Api, ApiError, Event, Object

__all__ = ["Key", "Loop", "owner_keys", "self_key"]

_log = logging.getLogger(__name__)

Key = tuple[str, str]
Route = Callable[[Event], Iterable[Key]]

FIRST_RETRY_S, LAST_RETRY_S = 0.05, 30.0


class Loop:
    """One controller. `routes` say which keys an event of a kind wakes; `reconcile` may ask to be called again.

    Whoever awaits `run` owns the controller and cancels it.
    """

    def __init__(
        self, api: Api, name: str, reconcile: Callable[[str, str], float | None], routes: Mapping[str, Route]
    ) -> None:
        self._api = api
        self.name = name
        self._reconcile = reconcile
        self._routes = routes
        self._waiting: dict[Key, None] = {}
        self._woken = asyncio.Event()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}

    async def run(self) -> None:
        """Reconcile whatever is woken, until cancelled."""
        for kind in self._routes:
            for obj in self._api.select(kind):
                self._hear(Event(0, BY_KIND[kind], "ADDED", obj, None))
        end = self._api.store.subscribe(self._hear)
        try:
            while True:
                await self._woken.wait()
                while self._waiting:
                    key = next(iter(self._waiting))
                    del self._waiting[key]
                    self._once(key)
                    await asyncio.sleep(0)  # let others run between two keys
                self._woken.clear()
                if self._waiting:
                    self._woken.set()
        finally:
            end()
            for timer in self._timers.values():
                timer.cancel()

    def wake(self, key: Key) -> None:
        """Have a key looked at soon."""
        self._waiting[key] = None
        self._woken.set()

    def _hear(self, event: Event) -> None:
        route = self._routes.get(event.resource.kind)
        if route is not None:
            for key in route(event):
                self.wake(key)

    def _once(self, key: Key) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()
        try:
            again = self._reconcile(*key)
            self._failures.pop(key, None)
        except ApiError as exc:
            again = self._retry(key)
            _log.debug("%s %s/%s: %s; again in %.2f s", self.name, *key, exc, again)
        except Exception:  # noqa: BLE001 - one key's fault is not the others'
            again = self._retry(key)
            _log.exception("%s %s/%s: again in %.2f s", self.name, *key, again)
        if again is not None:
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(max(again, 0.0), self.wake, key)

    def _retry(self, key: Key) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return float(min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(failures, 20)))


def self_key(event: Event) -> Iterable[Key]:
    """The object itself."""
    meta = event.object["metadata"]
    return ((meta.get("namespace", ""), meta["name"]),)


def owner_keys(kind: str) -> Route:
    """The controllers of that kind which own the object, before and after the event."""

    def route(event: Event) -> Iterable[Key]:
        for obj in (event.object, event.before):
            if obj is not None and (owner := _controller(obj)) and owner["kind"] == kind:
                yield obj["metadata"]["namespace"], owner["name"]

    return route


def _controller(obj: Object) -> Object | None:
    return next((each for each in obj["metadata"].get("ownerReferences") or () if each.get("controller")), None)
