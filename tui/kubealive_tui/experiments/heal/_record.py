"""A pod's own record of its probes, as a strip: one glyph a second, newest at the right.

The record is what the program says that it was asked and what it answered, which is more than Kubernetes tells: a
probe that succeeds leaves no trace in the API. Its times are the program's clock; only how old each call was when
the record was read is taken from them, so that no two clocks are subtracted from each other.
"""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kubealive_tui.model import GLYPH, Line, Reading, Role, Span
from kubealive_tui.store import Latest

__all__ = ["probe_strip"]

# From one probe to the next; silence is drawn once a probe is late by half of it, and read once a second.
PERIOD_S = 1.0
LATE_S = 2.5
# A readiness call belongs to the liveness call that it was made beside.
BESIDE_S = 0.75
_NONE = ("·", Role.DIM)


class _Call(NamedTuple):
    age_s: float
    probe: str
    failed: bool


def probe_strip(read: Latest[Reading] | None, *, now_us: int, most: int) -> Line:
    """The last `most` seconds of a pod's record; a dash where none was read that can be.

    `●` what was asked succeeded, `✕` liveness failed, `○` readiness failed, `·` nothing was answered.
    """
    calls = _calls(read)
    if read is None or calls is None:
        return (Span("–", Role.MUTED),)
    since_s = max(now_us - read.at_us, 0) / 1e6
    return _merged(list(_marks(calls, since_s))[-most:])


def _calls(read: Latest[Reading] | None) -> Sequence[_Call] | None:
    """The calls with their ages at the time of reading, oldest first."""
    if read is None or not isinstance(read.body.value, str):
        return None
    try:
        record = json.loads(read.body.value)
        now = float(record["now"])
        return [_Call(now - float(c["time"]), str(c["probe"]), int(c["status"]) >= 400) for c in record["probes"]]
    except (ValueError, TypeError, KeyError):
        return None


def _marks(calls: Sequence[_Call], since_s: float) -> Iterator[tuple[str, Role]]:
    """One mark a second. Counted from call to call, since equal bins would miss a call now and then."""
    before: float | None = None
    for age_s, role in _seconds(calls):
        if before is not None:
            yield from [_NONE] * int((before - age_s - BESIDE_S) / PERIOD_S)
        yield GLYPH[role], role
        before = age_s
    late_s = before + since_s - LATE_S if before is not None else -1.0
    yield from [_NONE] * (int(late_s / PERIOD_S) + 1 if late_s >= 0 else 0)


def _seconds(calls: Sequence[_Call]) -> Sequence[tuple[float, Role]]:
    """Age and role of each second in which a probe was asked, oldest first.

    A liveness call stands for its second, with the readiness call beside it. Alone is a readiness call only where
    liveness was not asked: after a start, until its initial delay is over.
    """
    lives = [call for call in calls if call.probe == "livez"]
    reads = [call for call in calls if call.probe == "readyz"]
    found = []
    for live in lives:
        unready = any(read.failed for read in reads if _beside(read, live))
        found.append((live.age_s, Role.BAD if live.failed else Role.WAITING if unready else Role.GOOD))
    alone = (read for read in reads if not any(_beside(read, live) for live in lives))
    found += [(read.age_s, Role.WAITING if read.failed else Role.GOOD) for read in alone]
    return sorted(found, key=lambda second: -second[0])


def _beside(one: _Call, other: _Call) -> bool:
    return abs(one.age_s - other.age_s) <= BESIDE_S


def _merged(marks: Sequence[tuple[str, Role]]) -> Line:
    spans: list[Span] = []
    for glyph, role in marks:
        if spans and spans[-1].role is role:
            spans[-1] = Span(spans[-1].text + glyph, role)
        else:
            spans.append(Span(glyph, role))
    return tuple(spans)
