"""`cpuhog`: how truly it burns, what it refuses, and that it answers meanwhile."""

from __future__ import annotations

import _thread
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kubealive_workloads._deferred import Deferred
from kubealive_workloads._http import Response
from kubealive_workloads._loop import Loop
from kubealive_workloads.programs import cpuhog, load
from tests.workloads.harness import InThread, Process, Reply, connected, get, process, serving

if TYPE_CHECKING:
    from collections.abc import Callable

program = load("cpuhog")


def cpu_seconds(program: Process) -> float:
    """CPU time of all threads of a process, as the kernel charges it; 10 ms fine."""
    stat = Path(f"/proc/{program.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / 100


@pytest.mark.skipif(sys.platform != "linux", reason="CPU time is read from /proc")
def test_burns_what_it_says() -> None:
    """What the replies to fifty requests of 20 ms tell is what the kernel charges, serving included."""
    with process("cpuhog") as hog:
        before = cpu_seconds(hog)
        told = sum(burned_ms(get(hog.port, "/burn?milliseconds=20")) for _ in range(50))
        assert cpu_seconds(hog) - before == pytest.approx(told / 1000, abs=0.06)


def burned_ms(reply: Reply) -> float:
    """What a reply says was burned: what was asked for, or on a machine without so much CPU a part of it."""
    if reply.status == 200:
        return float(reply.json["burned_milliseconds"])
    return float(re.findall(r"burned (\d+) of 20 ms", reply.json["error"])[0])


def test_says_what_it_burned() -> None:
    """The reply tells the CPU time, which is never less than was asked for."""
    with serving(program) as server:
        reply = get(server.port, "/burn?milliseconds=5").json
        burned = reply["burned_milliseconds"]
        assert 5 <= burned < 25
        assert "GET /burn" in get(server.port, "/").json["burn"]


@pytest.mark.parametrize(
    "query",
    ["", "?milliseconds=", "?milliseconds=0", "?milliseconds=501", "?milliseconds=-5", "?seconds=1"],
    ids=["none", "empty", "nothing", "too long", "negative", "other"],
)
def test_refuses_what_cannot_be_burned(query: str) -> None:
    """A time that is none, or longer than its patience, is a sentence with what can be asked."""
    with serving(program) as server:
        reply = get(server.port, f"/burn{query}")
        assert reply.status == 400
        assert "milliseconds=1 to 500" in reply.json["error"]


def in_parallel(server: InThread, count: int, milliseconds: int) -> list[int]:
    """Statuses of so many burns at once."""
    with ThreadPoolExecutor(count) as clients:
        paths = [f"/burn?milliseconds={milliseconds}"] * count
        return [reply.status for reply in clients.map(lambda path: get(server.port, path), paths)]


def test_gives_up_what_is_late_and_starts_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than can be burned in time is answered with 503 on at most two threads, and is over with them."""
    monkeypatch.setattr(cpuhog, "PATIENCE_SECONDS", 0.2)
    started: list[int] = []
    start = _thread.start_new_thread

    def counted(work: Callable[[], object], arguments: tuple[()]) -> int:
        started.append(1)
        return start(work, arguments)

    monkeypatch.setattr(_thread, "start_new_thread", counted)
    with serving(program) as server:
        began = time.monotonic()
        statuses = in_parallel(server, 12, 150)
        took = time.monotonic() - began
    assert set(statuses) >= {503}
    assert len(started) == cpuhog.BURNERS
    assert took < 1.0


def test_the_newest_is_burned_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are late are answered at once, with nothing burned for them."""
    monkeypatch.setattr(cpuhog, "BURNERS", 0)
    loop, furnace = Loop(), cpuhog.Furnace()
    answers: dict[str, object] = {}
    for name, patience in (("late", 0.0), ("old", 60.0), ("new", 60.0)):
        monkeypatch.setattr(cpuhog, "PATIENCE_SECONDS", patience)
        reply = Deferred(loop)
        reply.attach(partial(answers.__setitem__, name))
        assert furnace.take(reply, milliseconds=1)
    for burn in iter(furnace._next, None):
        burn.run(0)
        loop._on_woken(0)
    loop.close()
    assert list(answers) == ["late", "new", "old"]
    assert [answer.status for answer in answers.values() if isinstance(answer, Response)] == [503, 200, 200]


def test_takes_no_more_than_it_can_remember(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the requests that may wait the answer is 503 at once."""
    monkeypatch.setattr(cpuhog, "MAX_WAITING", 0)
    with serving(program) as server:
        reply = get(server.port, "/burn?milliseconds=5")
        assert (reply.status, "are waiting" in reply.json["error"]) == (503, True)


def test_answers_probes_while_it_burns() -> None:
    """Probes are prompt beside two burns, which hold no interpreter."""
    with serving(program) as server, connected(server.port) as one, connected(server.port) as two:
        for sock in (one, two):
            sock.sendall(b"GET /burn?milliseconds=500 HTTP/1.1\r\nHost: a\r\n\r\n")
        took = []
        for _ in range(10):
            began = time.monotonic()
            assert get(server.port, "/livez").status == 200
            took.append(time.monotonic() - began)
        # A probe has a second.
        assert sorted(took)[5] < 0.3


def test_burns_for_nobody() -> None:
    """A client that has gone leaves no CPU to be burned."""
    with serving(program) as server:
        with connected(server.port) as sock:
            sock.sendall(b"GET /burn?milliseconds=500 HTTP/1.1\r\nHost: a\r\n\r\n")
            server.wait_until(lambda: server.server.main.owed() == 1)
        before = time.process_time()
        server.wait_until(lambda: server.server.main.owed() == 0)
        assert time.process_time() - before < 0.3


def test_a_reply_that_is_late_for_the_end_is_nothing() -> None:
    """A thread that answers when the loop has been closed disturbs nobody."""
    with serving(program) as server:
        loop = server.loop
    loop.post(lambda: None)
