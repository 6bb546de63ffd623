"""What the engine refuses."""

import msgspec
import pytest

from kubealive_agent.load import Start
from kubealive_agent.load._limits import MAX_LOADS, why_refused

GOOD = Start(load_id=1, host="getip.kubealive.svc.cluster.local.", port=80, rate=100.0, connections=64)
NOW_US = 1_000_000_000


def _why(running_rate: float = 0.0, running_loads: int = 0, **changes: object) -> str | None:
    start = msgspec.structs.replace(GOOD, **changes)
    return why_refused(start, now_us=NOW_US, running_rate=running_rate, running_loads=running_loads)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": ""}, ["no host"]),
        ({"port": 0}, ["port 0", "65535"]),
        ({"port": 70_000}, ["port 70000"]),
        ({"path": "x"}, ["'x'", "/x"]),
        ({"path": "/" + "x" * 1_024}, ["1025", "1024"]),
        ({"path": "/a\r\nEvil: 1"}, ["path", "encode"]),
        ({"host_header": "a b"}, ["host header", "encode"]),
        ({"rate": 0.0}, ["rate of 0", "stop"]),
        ({"rate": float("nan")}, ["rate of nan"]),
        ({"rate": 5_001.0}, ["5001", "5000"]),
        ({"rate": 100.0, "running_rate": 4_950.0}, ["100", "4950", "5000"]),
        ({"connections": 0}, ["0 connections", "512"]),
        ({"connections": 513}, ["513", "512"]),
        ({"count": 0}, ["count of 0"]),
        ({"count": 1_000_001}, ["1000001", "1000000"]),
        ({"stop_at_us": NOW_US + 3_601_000_000}, ["3601 s", "3600 s"]),
        ({"rate": None}, ["count or an end"]),
        ({"running_loads": MAX_LOADS}, ["16 loads"]),
    ],
    ids=lambda value: ",".join(map(str, value))[:40] if isinstance(value, dict) else "",
)
def test_refusal_names_value_and_cap(changes: dict[str, object], words: list[str]) -> None:
    """A value beyond its cap gets one sentence with value, cap and next step."""
    why = _why(**changes)  # type: ignore[arg-type]  # the table mixes fields and keyword arguments
    assert why is not None
    assert all(word in why for word in words)


@pytest.mark.parametrize(
    "changes",
    [{}, {"rate": 5_000.0}, {"rate": None, "count": 50}, {"stop_at_us": NOW_US + 3_600_000_000}],
    ids=["plain", "highest-rate", "burst", "longest"],
)
def test_within_the_caps(changes: dict[str, object]) -> None:
    """What is within the caps is not refused."""
    assert _why(**changes) is None  # type: ignore[arg-type]  # the table holds fields of Start
