"""What a load does when its connections are taken, on a clock of the test's own."""

import socket
from collections.abc import Iterable

from kubealive_agent.load import READ_TIMEOUT_US, Bin, Start
from kubealive_agent.load._connection import Network
from kubealive_agent.load._load import MAX_WAIT_US, Load
from kubealive_agent.load._ports import SourcePorts
from kubealive_agent.load._resolver import Resolver


class FakeClock:
    def __init__(self) -> None:
        self.now_us = 1_000_000_000

    def __call__(self) -> int:
        return self.now_us


class NoEvents:
    """A poller that never reports anything."""

    def watch(self, fd: int) -> None: ...
    def opening(self, fd: int) -> None: ...
    def connected(self, fd: int) -> None: ...
    def opened(self, fd: int) -> None: ...
    def forget(self, fd: int) -> None: ...
    def close(self) -> None: ...

    def poll(self, timeout: float | None, *, exact: bool) -> Iterable[tuple[int, int]]:
        return ()


def test_send_that_waited_too_long_is_given_up_as_our_own_fault() -> None:
    """With every connection taken sends wait for 2 s, then count as local; they are planned, and never sent."""
    clock = FakeClock()
    network = Network(clock=clock, poller=NoEvents(), ports=SourcePorts())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        start = Start(load_id=1, host="127.0.0.1", port=port, rate=10.0, connections=1)
        load = Load(start, network=network, resolver=Resolver("127.0.0.1", port, wake=lambda: None))
        load.dispatch()
        clock.now_us += MAX_WAIT_US + 250_000
        load.dispatch()
        bins = [report for report in load.reports() if isinstance(report, Bin)]
        load.close()
    assert sum(found.planned for found in bins) == 23
    assert sum(found.sent for found in bins) == 1
    assert [(row.outcome, row.count) for found in bins for row in found.rows] == [("local", 1)] * 2


def test_stop_withdraws_what_waits() -> None:
    """A stop sends nothing more, not even what was due."""
    clock = FakeClock()
    network = Network(clock=clock, poller=NoEvents(), ports=SourcePorts())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        start = Start(load_id=1, host="127.0.0.1", port=port, rate=10.0, connections=1)
        load = Load(start, network=network, resolver=Resolver("127.0.0.1", port, wake=lambda: None))
        load.dispatch()
        clock.now_us += 500_000
        load.dispatch()
        load.stop()
        in_flight = load.over
        for connection in network.replying.pop_expired(clock.now_us + READ_TIMEOUT_US):
            connection.expire()
        load.close()
    assert (in_flight, load.over) == (False, True)
