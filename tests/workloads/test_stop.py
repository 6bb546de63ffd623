"""How a program ends: drained, cut off, told to crash, or not at all."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack

import pytest

from kubealive_workloads import _server
from tests.workloads.harness import Clock, connected, get, process, read_all, read_reply, serving, status_of

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_ends_well_when_idle(number: signal.Signals) -> None:
    """With nothing to do a signal is exit 0."""
    with process() as program:
        program.signal(number)
        assert program.exit_code() == 0


def test_finishes_open_requests() -> None:
    """A request that is in work at SIGTERM gets its reply, which says that it is the connection's last."""
    with process() as program, connected(program.port) as sock:
        program.fault("delay", milliseconds=500)
        sock.sendall(REQUEST)
        get(program.port, "/livez")
        program.signal(signal.SIGTERM)
        reply = read_reply(sock)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert program.exit_code() == 0


def test_readiness_fails_at_once_and_new_clients_are_still_answered() -> None:
    """While it drains, a program says that it is not ready, and turns nobody away."""
    clock = Clock()
    with serving(clock=clock) as server, connected(server.port) as kept:
        kept.sendall(REQUEST)
        assert read_reply(kept).headers["connection"] == "keep-alive"
        server.on_loop(server.server.stop)
        assert get(server.port, "/readyz").status == 503
        assert get(server.port, "/livez").status == 200
        kept.sendall(REQUEST)
        assert read_reply(kept).headers["connection"] == "close"
        assert kept.recv(1) == b""
        clock.now += _server.QUIET_SECONDS + _server.DRAIN_STEP_SECONDS  # the next step of the stop sees it
        server.thread.join(10)
        assert server.exit_code == 0


def test_answers_whom_the_kernel_has_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that wait in the listener's queue when the port closes get their replies."""
    monkeypatch.setattr("kubealive_workloads._port.ACCEPT_BATCH", 2)
    with serving() as server, ExitStack() as stack:
        busy, go = threading.Event(), threading.Event()

        def be_busy() -> None:
            busy.set()
            go.wait(10)

        server.loop.post(be_busy)
        assert busy.wait(10)
        clients = [stack.enter_context(connected(server.port)) for _ in range(20)]
        for sock in clients:
            sock.sendall(LAST)
        server.loop.post(server.server.stop)
        server.loop.post(server.server.main.stop_listening)
        go.set()
        assert [status_of(sock) for sock in clients] == [200] * 20
        server.thread.join(10)
        assert server.exit_code == 0


def test_a_drain_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    """A request that is still open at the limit is given up, and the exit code and stderr say so."""
    clock = Clock()
    with serving(clock=clock) as server, connected(server.port) as sock:
        server.fault("hang")
        sock.sendall(REQUEST)
        server.wait_until(lambda: server.server.main.owed() == 1)
        server.on_loop(server.server.stop)
        clock.now += _server.DRAIN_SECONDS
        server.loop.post(lambda: None)
        assert read_all(sock) == b""
        server.thread.join(10)
        assert server.exit_code == _server.EXIT_UNFINISHED
    assert "1 requests were still open" in capsys.readouterr().err


def test_a_second_signal_exits_at_once() -> None:
    """Whoever does not want to wait for the drain need not."""
    with process() as program, connected(program.port) as sock:
        program.fault("delay", milliseconds=10_000)
        sock.sendall(REQUEST)
        get(program.port, "/livez")
        program.signal(signal.SIGTERM)
        while get(program.port, "/readyz").status == 200:
            pass
        program.signal(signal.SIGTERM)
        assert program.exit_code() == 128 + signal.SIGTERM


def test_without_drain_open_requests_are_reset() -> None:
    """`DRAIN=off` is the bad way: exit at once, and a reset for whoever waits."""
    with process(DRAIN="off") as program, connected(program.port) as sock:
        program.fault("delay", milliseconds=10_000)
        sock.sendall(REQUEST)
        get(program.port, "/livez")
        program.signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        assert program.exit_code() == 128 + signal.SIGTERM


@pytest.mark.parametrize("code", [0, 1, 255])
def test_exits_as_told_once_the_reply_is_there(code: int) -> None:
    """The caller of `exit` gets its reply, then the process ends with that code."""
    with process() as program:
        assert program.fault("exit", code=code).json == {"exit": {"code": code}}
        assert program.exit_code() == code


def test_a_hanging_program_ignores_sigterm() -> None:
    """A hang is ended by SIGKILL only, or by the cure."""
    with process() as program:
        program.fault("hang")
        program.signal(signal.SIGTERM)
        program.signal(signal.SIGTERM)
        program.fault("cure")
        assert get(program.port, "/readyz").status == 200
        program.signal(signal.SIGTERM)
        assert program.exit_code() == 0
