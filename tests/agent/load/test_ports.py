"""Source ports."""

import os
from array import array

from kubealive_agent.load._ports import PORT_RANGE, QUARANTINE_US, SourcePorts, port_memory, remembered

ELSEWHERE = 80


def _take(ports: SourcePorts, *, now_us: int = 0) -> int | None:
    return ports.take(avoid=ELSEWHERE, now_us=now_us)


def test_every_port_is_given_once() -> None:
    """Ports are given in turn, and None when all are in use."""
    ports = SourcePorts(range(100, 103))
    assert [_take(ports) for _ in range(4)] == [100, 101, 102, None]


def test_longest_unused_comes_first() -> None:
    """A returned port waits until all others have had their turn."""
    ports = SourcePorts(range(100, 103))
    assert _take(ports) == 100
    ports.give_back(100)
    assert [_take(ports) for _ in range(3)] == [101, 102, 100]


def test_quarantine_lasts() -> None:
    """A port that ended badly is out of use for 130 s, and not a microsecond longer."""
    ports = SourcePorts(range(100, 101))
    assert _take(ports) == 100
    ports.keep_out(100, now_us=5)
    assert ports.quarantined == 1
    assert _take(ports, now_us=5 + QUARANTINE_US - 1) is None
    assert _take(ports, now_us=5 + QUARANTINE_US) == 100
    assert ports.quarantined == 0


def test_what_ports_are_owed_outlives_their_user() -> None:
    """A successor leaves alone what was in use for 130 s, and what was in quarantine until its time; no other."""
    owed = array("I", bytes(4 * 4))
    ports = SourcePorts(range(100, 104), owed=owed)
    in_use, bad, clean = (_take(ports, now_us=7) for _ in range(3))
    assert (in_use, bad, clean) == (100, 101, 102)
    ports.keep_out(101, now_us=7)
    ports.give_back(102)

    successor = SourcePorts(range(100, 104), owed=owed, now_us=9_000_000)
    assert successor.quarantined == 2
    assert [_take(successor, now_us=9_000_000) for _ in range(3)] == [102, 103, None]
    assert _take(successor, now_us=131_000_000) == 101
    assert [_take(successor, now_us=139_000_000 - 1), _take(successor, now_us=139_000_000)] == [None, 100]


def test_a_successors_successor_is_owed_no_more() -> None:
    """A port that nobody used meanwhile is not owed a longer rest by being handed on."""
    owed = array("I", bytes(4 * 1))
    _take(SourcePorts(range(100, 101), owed=owed))
    SourcePorts(range(100, 101), owed=owed, now_us=1_000_000)
    third = SourcePorts(range(100, 101), owed=owed, now_us=60_000_000)

    assert [_take(third, now_us=131_000_000 - 1), _take(third, now_us=131_000_000)] == [None, 100]


def test_the_memory_is_shared() -> None:
    """What one reader writes, another reads, and there is a place for each port."""
    memory = port_memory()
    try:
        first, second = remembered(memory), remembered(memory)
        first[len(PORT_RANGE) - 1] = 7
        assert second[len(PORT_RANGE) - 1] == 7
        assert len(second) == len(PORT_RANGE)
    finally:
        os.close(memory)


def test_targets_own_port_is_avoided() -> None:
    """The port of the target is skipped for it, and kept for others."""
    ports = SourcePorts(range(100, 102))
    assert ports.take(avoid=100, now_us=0) == 101
    assert ports.take(avoid=100, now_us=0) is None
    assert _take(ports) == 100


def test_ring_survives_many_turns() -> None:
    """However often ports go round, none is lost and none is given twice at a time."""
    ports = SourcePorts(range(100, 107))
    held: list[int] = []
    for turn in range(1_000):
        port = _take(ports, now_us=turn * QUARANTINE_US)
        assert port is not None
        assert port not in held
        held.append(port)
        if len(held) == 5:
            ports.give_back(held.pop(0))
            ports.keep_out(held.pop(), now_us=turn * QUARANTINE_US)


def test_range_is_that_of_the_documentation() -> None:
    """The range is 20000 to 49999."""
    assert (PORT_RANGE.start, PORT_RANGE.stop) == (20_000, 50_000)
