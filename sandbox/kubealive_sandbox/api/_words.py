"""Small pieces of text that several tables show, as kubectl writes them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from kubealive_sandbox.api._store import Object

__all__ = ["age", "joined", "labels", "span"]


def joined(parts: Iterable[str]) -> str:
    """The parts, separated by commas."""
    return ",".join(parts)


def labels(selector: Object | None) -> str:
    """A selector as a column shows it."""
    found = (selector or {}).get("matchLabels") or {}
    return joined(f"{key}={value}" for key, value in sorted(found.items())) or "<none>"


def age(obj: Object, now: datetime) -> str:
    """How long ago an object was made."""
    made = obj["metadata"].get("creationTimestamp")
    return span(now, made) if made else "<unknown>"


def span(now: datetime, then: str) -> str:
    """The time since then, in kubectl's two units."""
    moment = datetime.fromisoformat(then).astimezone(UTC)
    seconds = max(0, int((now - moment).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    return f"{hours}h" if hours < 48 else f"{days}d"
