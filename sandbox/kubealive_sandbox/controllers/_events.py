"""Kubernetes Events: what components say about objects, the same words counted and not repeated."""

from typing import Any

from kubealive_sandbox.api import Api, ApiError, Object, stamp

__all__ = ["Recorder"]

# Kubernetes keeps them for an hour; a laboratory that repeats itself fills no more than this many.
MOST_EVENTS = 1000


class Recorder:
    """Writes Events in the name of one component."""

    def __init__(self, api: Api, component: str, *, host: str = "") -> None:
        self._api = api
        self._component = component
        self._host = host
        self._known: dict[tuple[str, ...], str] = {}

    def normal(self, about: Object, reason: str, message: str, *, path: str = "") -> None:
        """Say what happened."""
        self._say(about, "Normal", reason, message, path)

    def warning(self, about: Object, reason: str, message: str, *, path: str = "") -> None:
        """Say what went wrong."""
        self._say(about, "Warning", reason, message, path)

    def _say(self, about: Object, kind: str, reason: str, message: str, path: str) -> None:
        meta, now = about["metadata"], stamp(self._api.now())
        namespace = meta.get("namespace", "default")
        key = (meta["uid"], kind, reason, message, path)
        known = self._known.get(key)
        event = self._api.find("Event", namespace, known) if known else None
        try:
            if event is not None:
                change = {"count": event["count"] + 1, "lastTimestamp": now}
                self._api.patch("Event", namespace, event["metadata"]["name"], change)
                return
            self._known[key] = self._create(about, namespace, kind, (reason, message, path), now)
        except ApiError:
            return  # the namespace is going, and with it everything that could be said
        while len(self._known) > MOST_EVENTS:
            old = next(iter(self._known))
            self._forget(self._known.pop(old))

    def _create(self, about: Object, namespace: str, kind: str, words: tuple[str, str, str], now: str) -> str:
        meta = about["metadata"]
        reference: dict[str, Any] = {
            "kind": about["kind"],
            "namespace": meta.get("namespace", ""),
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": meta["resourceVersion"],
        }
        reason, message, path = words
        self._api.store.version += 1
        name = f"{meta['name']}.{self._api.store.version:016x}"
        event = {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {**reference, **({"fieldPath": path} if path else {})},
            "reason": reason,
            "message": message,
            "source": {"component": self._component, **({"host": self._host} if self._host else {})},
            "reportingComponent": self._component,
            "reportingInstance": self._host,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": kind,
        }
        self._api.create("Event", event)
        return name

    def _forget(self, name: str) -> None:
        for event in self._api.select("Event", fields=f"metadata.name={name}"):
            self._api.delete("Event", event["metadata"]["namespace"], name)
