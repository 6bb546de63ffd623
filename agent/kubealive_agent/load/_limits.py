"""What the load engine takes on at most. Checked by the supervisor, and by the child for its own sake."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kubealive_agent.load._wire import Start

MAX_RATE: Final = 5_000.0
"""Requests a second, of all loads together: what one core sends with every request still on time."""

MAX_CONNECTIONS: Final = 512
"""Open at once in one load: the accept queue of an ordinary server, so that we measure it and not our herd."""

MAX_DURATION_US: Final = 3_600_000_000
"""One hour: nobody watches an experiment for longer, and forgotten load has to end by itself."""

MAX_COUNT: Final = 1_000_000
"""Requests of one burst."""

MAX_LOADS: Final = 16
"""At once: one an experiment, and room for as many observed actions."""

MAX_TEXT: Final = 1_024
"""Characters of a path or host header: a request has to fit into an empty socket buffer in one piece."""

_HIGHEST_PORT: Final = 65_535


def why_refused(start: "Start", *, now_us: int, running_rate: float, running_loads: int) -> str | None:
    """One sentence that names the value beyond its cap, or None when the load can run beside the others."""
    return (
        _why_bad_target(start)
        or why_rate_refused(start.rate, running_rate=running_rate)
        or _why_bad_size(start, now_us=now_us)
        or (
            f"{running_loads} loads run already and {MAX_LOADS} is the most; stop one first"
            if running_loads >= MAX_LOADS
            else None
        )
    )


def why_rate_refused(rate: float | None, *, running_rate: float) -> str | None:
    """The same for a rate alone; `running_rate` is what the other loads send together, in requests/s."""
    if rate is None:
        return None
    if not rate > 0:
        return f"a rate of {rate:g} requests/s sends nothing; give more than 0, or stop the load"
    if not rate + running_rate <= MAX_RATE:
        beside = f" beside the {running_rate:g} that run already" if running_rate else ""
        return f"{rate:g} requests/s{beside} is over the cap of {MAX_RATE:g}; choose a lower rate"
    return None


def _why_bad_target(start: "Start") -> str | None:
    if not start.host:
        return "the load names no host; give a DNS name or an address"
    if not 0 < start.port <= _HIGHEST_PORT:
        return f"port {start.port} does not exist; give 1 to {_HIGHEST_PORT}"
    if not start.path.startswith("/"):
        return f"path {start.path[:80]!r} does not begin with a slash; write /{start.path[:80]}"
    for name, text in (("path", start.path), ("host header", start.host_header)):
        if len(text) > MAX_TEXT:
            return f"the {name} has {len(text)} characters and {MAX_TEXT} is the most; shorten it"
        if not (text.isascii() and text.isprintable()) or " " in text:
            return f"the {name} {text[:80]!r} holds characters that HTTP does not allow there; encode them"
    return None


def _why_bad_size(start: "Start", *, now_us: int) -> str | None:
    if not 0 < start.connections <= MAX_CONNECTIONS:
        return f"{start.connections} connections is outside 1 to {MAX_CONNECTIONS}; choose a number between"
    if start.count is not None and not 0 < start.count <= MAX_COUNT:
        return f"a count of {start.count} requests is outside 1 to {MAX_COUNT}; choose a number between"
    if start.stop_at_us is not None and start.stop_at_us - now_us > MAX_DURATION_US:
        asked = (start.stop_at_us - now_us) / 1e6
        return f"{asked:.0f} s of load is over the cap of {MAX_DURATION_US // 1_000_000} s; end it sooner"
    if start.rate is None and start.count is None and start.stop_at_us is None:
        return "a load without a rate needs a count or an end; give one of the three"
    return None
