"""The record of probe calls, in memory and in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubealive_workloads._record import REMEMBERED_CALLS, REWRITTEN_BYTES, Record
from tests.workloads.harness import get, serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def told(record: Record) -> list[tuple[str, float, int]]:
    return [(call.probe, call.time, call.status) for call in record.calls()]


def test_remembers_in_the_order_of_time() -> None:
    """Calls of both probes are one list, oldest first, the last twenty of each."""
    record = Record()
    for second in range(30):
        record.add("livez", second, 200)
    record.add("readyz", 15.5, 503)

    found = told(record)
    assert found == sorted(found, key=lambda call: call[1])
    assert sum(probe == "livez" for probe, _, _ in found) == REMEMBERED_CALLS
    assert ("readyz", 15.5, 503) in found


def test_outlives_its_process(tmp_path: Path) -> None:
    """What a container's run wrote down is there for the next run of the same pod."""
    path = str(tmp_path / "probes")
    with serving(PROBE_RECORD=path) as first:
        get(first.port, "/livez")
        first.fault("liveness", fail="always")
        get(first.port, "/livez")
    with serving(PROBE_RECORD=path) as second:
        get(second.port, "/livez")
        reply = get(second.port, "/probes").json

    assert [call["status"] for call in reply["probes"]] == [200, 503, 200]
    assert reply["now"] >= reply["probes"][-1]["time"]


def test_passes_over_what_a_kill_left_half_written(tmp_path: Path) -> None:
    """A line that was cut, or is none, costs only itself."""
    path = tmp_path / "probes"
    path.write_text("livez 1.0 200\nlivez\nnonsense 2.0 200\nlivez x 200\nreadyz 3.0 503\nlivez 4.0 2")
    assert told(Record(str(path))) == [("livez", 1.0, 200), ("readyz", 3.0, 503)]


def test_does_not_grow_for_ever(tmp_path: Path) -> None:
    """The file begins anew with what is remembered before it is large."""
    path = tmp_path / "probes"
    record = Record(str(path))
    for second in range(2000):
        record.add("livez", second, 200)

    assert path.stat().st_size < 2 * REWRITTEN_BYTES
    assert told(Record(str(path))) == told(record)


def test_goes_on_in_memory_where_nothing_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A volume that is not there is said once, and the probes are answered all the same."""
    record = Record(str(tmp_path / "absent" / "probes"))
    record.add("livez", 1.0, 200)
    record.add("livez", 2.0, 200)

    assert len(told(record)) == 2
    assert capsys.readouterr().err.count("cannot be written") == 1
