"""The child as a process: what it loads, when it ends, and that its source ports last."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kubealive_agent.load import AnyReport, Bin, Start, Stopped
from kubealive_agent.load._wire import encoder, report_decoder
from tests.agent.load._server import reply

PATIENCE_S = 10
CHILD = [sys.executable, "-P", "-m", "kubealive_agent.load"]
OFFSET = ["--clock-offset-us", "0", "--ports-fd", "-1"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@contextmanager
def _child(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [*CHILD, *(arguments or OFFSET)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def _give(child: subprocess.Popen[bytes], line: bytes) -> None:
    assert child.stdin is not None
    child.stdin.write(line + b"\n")
    child.stdin.flush()


def _running(child: subprocess.Popen[bytes]) -> None:
    """Wait until the child has answered, which means that it serves."""
    assert child.stdout is not None
    _give(child, encoder.encode(Start(load_id=1, host="", port=1)))
    assert b"Refused" in child.stdout.readline()


def test_end_of_stdin_ends_the_child() -> None:
    """The child cannot outlive its agent: it ends when its stdin does, even under load."""
    with _child() as child:
        _running(child)
        _give(child, encoder.encode(Start(load_id=1, host="127.0.0.1", port=1, rate=100.0)))
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(PATIENCE_S) == 0


def test_sigterm_ends_the_child() -> None:
    """SIGTERM is an orderly end, and Ctrl-C in the agent's terminal is not for the child."""
    with _child() as child:
        _running(child)
        child.send_signal(signal.SIGINT)
        _running(child)
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("arguments", "line", "words"),
    [
        (("--offset",), b"", b"wants --clock-offset-us"),
        (("--clock-offset-us", "0", "--ports-fd", "99"), b"", b"--ports-fd 99 holds no memory"),
        ((), b"no json", b"not a command"),
        ((), b'{"type":"Start"}', b"load_id"),
    ],
    ids=["arguments", "no memory", "garbage", "incomplete"],
)
def test_broken_agent_ends_the_child(arguments: tuple[str, ...], line: bytes, words: bytes) -> None:
    """What no agent would say ends the child with exit code 2 and one sentence."""
    with _child(*arguments) as child:
        _, errors = child.communicate(line + b"\n", PATIENCE_S)
        assert child.returncode == 2
    assert words in errors
    assert errors.count(b"\n") == 1


def test_child_is_lean() -> None:
    """The child loads neither asyncio nor gRPC, nor what else would double its memory."""
    heavy = ("asyncio", "grpc", "google", "ssl", "inspect", "kubealive_agent.load._supervisor")
    program = f"import sys, kubealive_agent.load.__main__; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, env=ENVIRONMENT, check=True)
    assert found.stdout == b"[]\n"


@pytest.mark.timeout(60)
def test_source_ports_last() -> None:
    """20,000 new connections in a row, the server closing first, meet no want of ports and no quarantine."""
    count = 20_000
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener, _child() as child:
        server = threading.Thread(target=_serve, args=(listener, count))
        server.start()
        start = Start(load_id=1, host="127.0.0.1", port=listener.getsockname()[1], connections=16, count=count)
        _give(child, encoder.encode(start))
        assert child.stdout is not None
        reports: list[AnyReport] = []
        while not reports or not isinstance(reports[-1], Stopped):
            reports.append(report_decoder.decode(child.stdout.readline()))
        server.join(PATIENCE_S)
    assert isinstance(reports[-1], Stopped)
    assert reports[-1].totals.outcomes == {"ok": count}
    assert max(found.ports_quarantined for found in reports if isinstance(found, Bin)) == 0


def _serve(listener: socket.socket, count: int) -> None:
    data = reply()
    for _ in range(count):
        connection, _ = listener.accept()
        with connection:
            connection.recv(4_096)
            connection.send(data)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_child_stays_small() -> None:
    """The child takes at most 20 MB, Python's own 9 to 12 included."""
    with _child() as child:
        _running(child)
        with open(f"/proc/{child.pid}/statm", encoding="ascii") as statm:  # noqa: PTH123 - one number
            pages = int(statm.read().split()[1])
    assert pages * os.sysconf("SC_PAGE_SIZE") <= 20_000_000


def test_clock_offset_is_the_agents() -> None:
    """The child's times are on the agent's base: the offset it was given plus CLOCK_MONOTONIC."""
    offset_us = 1_700_000_000_000_000
    with _child("--clock-offset-us", str(offset_us), "--ports-fd", "-1") as child:
        _give(child, encoder.encode(Start(load_id=1, host="127.0.0.1", port=1, count=1)))
        assert child.stdout is not None
        report = report_decoder.decode(child.stdout.readline())
        now_us = time.monotonic_ns() // 1_000 + offset_us
    assert isinstance(report, Bin)
    assert now_us - 5_000_000 < report.start_us <= now_us
