"""The engine against a server that misbehaves in known ways."""

import socket
import threading
from collections.abc import Callable

import msgspec
import pytest

from kubealive_agent.load import Outcome, Start, quantile
from kubealive_agent.load._limits import MAX_LOADS
from kubealive_agent.load._poller import Poller, SelectorPoller, make_poller
from kubealive_agent.load._resolver import Address
from kubealive_agent.load._wire import Rate, Refused, Stop
from tests.agent.load._rig import BRIEF_US, Rig
from tests.agent.load._server import (
    IDENTITY,
    Script,
    Server,
    answers,
    closed_port,
    keeps,
    receive,
    reply,
    resets,
    silent,
)

POLLERS = pytest.mark.parametrize("make", [make_poller, SelectorPoller], ids=["best", "fallback"])


def _burst(port: int, count: int | None = 5, **changes: object) -> Start:
    start = Start(load_id=1, host="127.0.0.1", port=port, connections=2, count=count)
    return msgspec.structs.replace(start, **changes)


def _drips(connection: socket.socket, _number: int) -> None:
    receive(connection)
    for byte in reply():
        connection.sendall(bytes((byte,)))


@POLLERS
@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (answers(reply()), "ok"),
        (_drips, "ok"),
        (answers(reply(body=b"x" * 100_000)), "ok"),
        (answers(b"HTTP/1.1 200 OK\r\n" + IDENTITY.encode() + b"\r\nuntil the end"), "ok"),
        (answers(reply(302)), "ok"),
        (answers(reply(404)), "http-4xx"),
        (answers(reply(500)), "http-5xx"),
        (answers(b""), "closed"),
        (answers(reply()[:-1]), "closed"),
        (answers(b"SSH-2.0-OpenSSH_9.2\r\n"), "closed"),
        (resets, "reset"),
    ],
    ids=[
        "whole",
        "byte-by-byte",
        "large",
        "no-length",
        "redirect",
        "404",
        "500",
        "closes-without-answer",
        "closes-early",
        "not-http",
        "reset",
    ],
)
def test_outcome(script: Script, outcome: Outcome, make: Callable[[], Poller]) -> None:
    """Each way to answer, or not to, has its own outcome, and every request has exactly one."""
    with Server(script) as server, Rig(poller=make()) as rig:
        run = rig.run(_burst(server.port))
    assert run.outcomes == {outcome: 5}
    assert (run.stopped.reason, run.stopped.totals.planned, run.stopped.totals.sent) == ("count", 5, 5)


@POLLERS
def test_silence_has_an_end(make: Callable[[], Poller]) -> None:
    """A server that takes a request and never answers is given up."""
    with Server(silent) as server, Rig(poller=make(), read_timeout_us=BRIEF_US) as rig:
        run = rig.run(_burst(server.port))
    assert run.outcomes == {"read-timeout": 5}


@POLLERS
def test_refused(make: Callable[[], Poller]) -> None:
    """A port without a listener refuses, which leaves no port in quarantine."""
    with Rig(poller=make()) as rig:
        run = rig.run(_burst(closed_port()))
        assert rig.network.ports.quarantined == 0
    assert run.outcomes == {"refused": 5}


def test_reply_names_its_server() -> None:
    """A request is attributed to the pod that its reply names, with the times of its ends."""
    with Server(answers(reply())) as server, Rig() as rig:
        run = rig.run(_burst(server.port))
    for row in run.rows:
        assert (row.pod_uid, row.pod_name, row.node, row.version) == ("u-1", "getip-1", "node-1", "v1")
        assert row.first_planned_us <= row.first_end_us <= row.last_end_us


def test_without_reply_no_server_is_named() -> None:
    """A request that nobody answered is in a row without a pod."""
    with Server(silent) as server, Rig(read_timeout_us=BRIEF_US) as rig:
        run = rig.run(_burst(server.port, 2))
    assert {(row.pod_uid, row.pod_name) for row in run.rows} == {("", "")}


def test_unreachable() -> None:
    """A target without a route is told apart from one that refuses."""
    with Rig() as rig:
        assert rig.run(_burst(80, 1, host="255.255.255.255")).outcomes == {"unreachable": 1}


def test_ipv6() -> None:
    """Loads go to IPv6 addresses as well."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 on this machine")
    with Rig() as rig:
        assert rig.run(_burst(closed_port(), 1, host="::1")).outcomes == {"refused": 1}


def _full_listener() -> tuple[socket.socket, list[socket.socket]]:
    """A listener whose accept queue is full, so that the kernel drops a further SYN without a word."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = [socket.socket() for _ in range(2)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    return listener, fillers


def test_connect_timeout_spoils_the_port() -> None:
    """A connect that nobody answers ends in its own outcome and puts its source port in quarantine."""
    listener, fillers = _full_listener()
    with listener, fillers[0], fillers[1], Rig(connect_timeout_us=BRIEF_US) as rig:
        run = rig.run(_burst(listener.getsockname()[1], 3))
        assert rig.network.ports.quarantined == 3
    assert run.outcomes == {"connect-timeout": 3}
    assert max(found.ports_quarantined for found in run.bins) == 3


@POLLERS
def test_retransmitted_connect_is_marked(make: Callable[[], Poller]) -> None:
    """An ok that needed a second SYN counts as ok, and says what it needed."""
    listener, fillers = _full_listener()

    def serve() -> None:
        for filler in fillers:
            filler.close()
        answered = False
        while not answered:
            connection, _ = listener.accept()
            with connection:
                if answered := receive(connection):
                    connection.sendall(reply())

    listener.settimeout(2)
    with listener, Rig(poller=make(), connect_timeout_us=2_500_000) as rig:
        rig.send(_burst(listener.getsockname()[1], 1))
        thread = threading.Timer(0.3, serve)
        thread.start()
        run = rig.finish()
        thread.join()
    assert run.outcomes == {"ok": 1}
    assert run.total("retransmitted") == 1


def test_taken_ports_are_passed_over() -> None:
    """A source port that somebody else holds is skipped; with none left it is our fault, not the cluster's."""
    with Server(answers(reply())) as server, socket.create_server(("0.0.0.0", 0)) as holder:  # noqa: S104 - holds a port
        held = holder.getsockname()[1]
        with Rig(ports=range(held, held + 1)) as rig:
            assert rig.run(_burst(server.port)).outcomes == {"local": 5}
            assert rig.run(_burst(server.port)).edges == []
        with Rig(ports=range(held, held + 50)) as rig:
            assert rig.run(_burst(server.port)).outcomes == {"ok": 5}


@pytest.mark.parametrize(
    ("address", "outcome"),
    [(Address(socket.AF_INET, ("127.0.0.1", 1)), "refused"), (None, "dns")],
    ids=["found", "not-found"],
)
def test_name(address: Address | None, outcome: Outcome) -> None:
    """The load begins with the first answer of DNS; a planned send without an address is a failure of DNS."""
    with Rig(lookup=lambda _host, _port: address) as rig:
        run = rig.run(_burst(1, host="getip.kubealive.svc."))
    assert run.outcomes == {outcome: 5}


@POLLERS
def test_kept_connections_take_turns(make: Callable[[], Poller]) -> None:
    """Kept connections are opened once each, and used in turn."""
    numbers: set[int] = set()

    def script(connection: socket.socket, number: int) -> None:
        numbers.add(number)
        keeps(connection, number)

    with Server(script) as server, Rig(poller=make()) as rig:
        run = rig.run(_burst(server.port, 40, mode="kept"))
    assert run.outcomes == {"ok": 40}
    assert numbers == {0, 1}
    assert run.total("retried") == 0


def test_kept_connection_closed_while_idle_is_no_failure() -> None:
    """A kept connection that the server ends between two requests is opened anew in silence."""
    with Server(answers(reply(keep=True))) as server, Rig() as rig:
        run = rig.run(_burst(server.port, 5, mode="kept", rate=10.0, connections=1))
    assert run.outcomes == {"ok": 5}
    assert run.total("retried") == 0


@pytest.mark.parametrize("end", [answers(b""), resets], ids=["closes", "resets"])
def test_kept_connection_lost_under_a_request_is_retried_once(end: Script) -> None:
    """When a kept connection dies under a request, the request goes out once more, and is marked."""

    def script(connection: socket.socket, number: int) -> None:
        if receive(connection):
            connection.sendall(reply(keep=True))
            end(connection, number)

    with Server(script) as server, Rig() as rig:
        run = rig.run(_burst(server.port, 3, mode="kept", connections=1))
    assert run.outcomes == {"ok": 3}
    assert run.total("retried") == 2


def test_fresh_connection_lost_under_a_request_is_not_retried() -> None:
    """A connection that dies under its first request is a failure, as it is for any client."""
    with Server(answers(b"")) as server, Rig() as rig:
        run = rig.run(_burst(server.port, 3, mode="kept"))
    assert run.outcomes == {"closed": 3}
    assert run.total("retried") == 0


def test_request_is_timed_from_its_plan() -> None:
    """Sends that wait for a free connection are late, and their latency counts the wait."""
    gate = threading.Event()

    def script(connection: socket.socket, number: int) -> None:
        receive(connection)
        gate.wait(0.15 if number == 0 else 0)
        connection.sendall(reply())

    with Server(script) as server, Rig() as rig:
        run = rig.run(_burst(server.port, 10, rate=200.0, connections=1))
    assert run.outcomes == {"ok": 10}
    assert max(found.lag_max_us for found in run.bins) > 90_000
    slowest = quantile([pair for found in run.bins for pair in found.latency], 1.0)
    median = quantile([pair for found in run.bins for pair in found.latency], 0.5)
    assert slowest is not None
    assert slowest > 140_000
    assert median is not None
    assert median > 90_000


def test_outage_has_two_edges() -> None:
    """Ten failed sends in a steady load are one outage, from the first of them to the first ok after."""

    def script(connection: socket.socket, number: int) -> None:
        if receive(connection) and not 20 <= number < 30:
            connection.sendall(reply())

    with Server(script) as server, Rig() as rig:
        run = rig.run(_burst(server.port, 240, rate=200.0, connections=1))
    begin, end = run.edges
    assert (begin.kind, begin.failed, begin.outcomes) == ("begin", 1, {"closed": 1})
    assert (end.kind, end.failed, end.outcomes) == ("end", 10, {"closed": 10})
    assert end.at_us - begin.at_us == 50_000
    assert (begin.interval_us, end.interval_us) == (5_000, 5_000)


def test_load_that_ends_within_an_outage_says_so() -> None:
    """Without recovery the outage is reported open before the load is reported stopped."""
    with Rig() as rig:
        run = rig.run(_burst(closed_port(), 5, rate=200.0))
    assert [(edge.kind, edge.failed) for edge in run.edges] == [("begin", 1), ("open", 5)]
    assert run.reports[-2] == run.edges[-1]


def test_time_ends_a_load() -> None:
    """A load with an end plans no send at or after it."""
    with Server(answers(reply())) as server, Rig() as rig:
        stop_at_us = rig.network.clock() + 100_000
        run = rig.run(_burst(server.port, rate=200.0, count=None, stop_at_us=stop_at_us))
    assert run.stopped.reason == "time"
    assert 0 < run.stopped.totals.planned <= 21
    assert all(row.last_planned_us < stop_at_us for row in run.rows)


def test_stop_ends_a_load() -> None:
    """A stop ends the load asked for and no other; an unknown one is no error."""
    with Server(answers(reply())) as server, Rig() as rig:
        rig.send(_burst(server.port, rate=100.0, count=None))
        rig.send(_burst(server.port, rate=100.0, count=None, load_id=2))
        rig.send(Stop(load_id=9))
        rig.send(Stop(load_id=1))
        first = rig.finish()
        rig.send(Stop(load_id=2))
        second = rig.finish()
    assert [(run.stopped.load_id, run.stopped.reason) for run in (first, second)] == [(1, "asked"), (2, "asked")]


def test_rate_can_be_changed() -> None:
    """A slow load becomes fast at once when told."""
    with Server(answers(reply())) as server, Rig() as rig:
        rig.send(_burst(server.port, 10, rate=0.001))
        rig.send(Rate(load_id=1, rate=500.0))
        assert rig.finish().outcomes == {"ok": 10}


def test_a_stopped_load_leaves_its_rate_to_the_next() -> None:
    """A load whose last requests are in flight plans no more, so the next may have the whole cap."""
    with Server(silent) as server, Rig(read_timeout_us=BRIEF_US) as rig:
        rig.send(_burst(server.port, rate=3_000.0, count=None))
        rig.read()  # the first bin: requests are in flight, and the stop is not yet the end
        rig.send(Stop(load_id=1))
        rig.send(_burst(server.port, rate=3_000.0, count=None, load_id=2))
        rig.send(Stop(load_id=2))
        ends = {rig.finish().stopped.load_id for _ in range(2)}
    assert ends == {1, 2}


def test_refusals() -> None:
    """Values beyond the caps and loads beyond the number are refused; what runs goes on."""
    with Server(answers(reply())) as server, Rig() as rig:
        slow = _burst(server.port, count=None, rate=1.0)
        for load_id in range(MAX_LOADS):
            rig.send(msgspec.structs.replace(slow, load_id=load_id))
        whys = []
        for command in (
            msgspec.structs.replace(slow, load_id=99),
            slow,
            msgspec.structs.replace(slow, load_id=99, connections=0),
            Rate(load_id=1, rate=1e6),
        ):
            rig.send(command)
            last = rig.finish().last
            assert isinstance(last, Refused)
            whys.append(last.why)
    assert "16 loads" in whys[0]
    assert "runs already" in whys[1]
    assert "connections" in whys[2]
    assert "1e+06" in whys[3]
