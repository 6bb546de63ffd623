"""The strip of a pod's own probe record."""

import json

import pytest

from kubealive_tui.experiments.heal._record import probe_strip
from kubealive_tui.model import Kind, Reading, Role, plain
from kubealive_tui.store import Latest
from tests.tui.signals import at

NOW = 1_000.0


def record(*calls: tuple[float, str, int], now: float = NOW, at_s: float = 10.0) -> Latest[Reading]:
    """A record read at `at_s`; calls are (seconds before the reading, probe, status)."""
    probes = [{"probe": probe, "time": NOW - ago, "status": status} for ago, probe, status in calls]
    body = Reading(Kind.POD, "h1", "healthcheck", "/probes", json.dumps({"now": now, "probes": probes}))
    return Latest(body, at(at_s), at(at_s))


def lives(*ages: float) -> tuple[tuple[float, str, int], ...]:
    return tuple((age, "livez", 200) for age in ages)


def strip(read: Latest[Reading] | None, *, seconds: float = 10.5, most: int = 20) -> str:
    return plain(probe_strip(read, now_us=at(seconds), most=most))


@pytest.mark.parametrize(
    ("calls", "marks"),
    [
        (lives(2.2, 1.2, 0.2), "●●●"),
        ((*lives(4.2, 3.2), (2.2, "livez", 503), *lives(0.1)), "●●✕·●"),
        ((*lives(2.2, 1.2, 0.2), (1.4, "readyz", 503)), "●○●"),
        ((*lives(1.2), (1.3, "readyz", 503), (0.2, "livez", 503), (0.1, "readyz", 503)), "○✕"),
        ((*lives(4.2), (2.2, "readyz", 503), (1.2, "readyz", 200), (0.3, "readyz", 200), *lives(0.1)), "●·○●●"),
        ((*lives(0.4), (1.0, "readyz", 200), (2.0, "readyz", 200)), "●●"),
        (lives(2.3, 1.1, 0.2), "●●●"),
        ((), ""),
    ],
    ids=[
        "well",
        "killed and back",
        "unready",
        "both",
        "liveness not asked yet",
        "no gap between both",
        "uneven",
        "none yet",
    ],
)
def test_a_mark_a_second(calls: tuple[tuple[float, str, int], ...], marks: str) -> None:
    """Liveness decides, readiness is next, and a second without any call is a dot."""
    assert strip(record(*calls)) == marks


@pytest.mark.parametrize(("seconds", "marks"), [(11.0, "●●"), (12.4, "●●·"), (14.4, "●●···")])
def test_silence_grows(seconds: float, marks: str) -> None:
    """Where no newer call is known, the time since the last one shows; a second of reading is no silence."""
    assert strip(record(*lives(1.2, 0.2)), seconds=seconds) == marks


def test_the_programs_clock_is_its_own() -> None:
    """Ages are taken on the clock that wrote them: a node that is an hour off changes nothing."""
    early = record(*lives(1.2, 0.2))
    text = str(early.body.value).replace("1000", "4600").replace("999.8", "4599.8").replace("998.8", "4598.8")
    shifted = Latest(Reading(Kind.POD, "h1", "healthcheck", "/probes", text), early.at_us, early.since_us)
    assert strip(shifted) == strip(early)


def test_the_newest_stay() -> None:
    """Where there is room for fewer, the oldest go; equal neighbours are one span."""
    read = record(*lives(4.2, 3.2), (2.2, "livez", 503), *lives(1.2, 0.2))
    shown = probe_strip(read, now_us=at(10.5), most=3)
    assert [(span.text, span.role) for span in shown] == [("✕", Role.BAD), ("●●", Role.GOOD)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"now": 1}', '{"now": 1, "probes": [1]}', "null"])
def test_what_cannot_be_read_is_a_dash(text: str) -> None:
    """Another program's reply, or a cut one, is unknown."""
    read = Latest(Reading(Kind.POD, "h1", "x", "/probes", text), at(10), at(10))
    assert (strip(read), strip(None)) == ("–", "–")
