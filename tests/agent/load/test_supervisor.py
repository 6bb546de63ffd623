"""The supervisor and a real child, or one that misbehaves."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from kubealive_agent.load import (
    AnyReport,
    ChildDied,
    LoadEngineError,
    LoadRefusedError,
    LoadSupervisor,
    Start,
    Stopped,
    _supervisor,
)
from tests.agent.load._server import Server, answers, closed_port, reply, silent

PATIENCE_S = 10
OFFSET_US = time.time_ns() // 1_000 - time.monotonic_ns() // 1_000


@pytest.fixture(autouse=True)
def _child_finds_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


class Inbox:
    """The reports as they come."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[AnyReport] = asyncio.Queue()
        self.take = self._queue.put_nowait

    async def until(self, kind: type[AnyReport]) -> AnyReport:
        """The next report of a kind, passing over others."""
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(report := await self._queue.get(), kind):
                pass
        return report


@pytest.fixture
def inbox() -> Inbox:
    """Where the supervisor's reports go."""
    return Inbox()


@pytest.fixture
async def supervisor(inbox: Inbox) -> AsyncIterator[LoadSupervisor]:
    """A supervisor with the real child."""
    supervisor = LoadSupervisor(clock_offset_us=OFFSET_US, on_report=inbox.take)
    yield supervisor
    await supervisor.close()
    assert supervisor.pid is None


def _steady(load_id: int = 1, *, port: int | None = None, rate: float | None = 100.0) -> Start:
    return Start(load_id=load_id, host="127.0.0.1", port=port or closed_port(), rate=rate, connections=4)


async def test_load_runs_to_its_end(supervisor: LoadSupervisor, inbox: Inbox) -> None:
    """A burst is run by the child, reported, and forgotten at its end."""
    with Server(answers(reply())) as server:
        burst = Start(load_id=5, host="127.0.0.1", port=server.port, connections=4, count=20)
        await supervisor.run_load(burst)
        assert supervisor.loads == {5: burst}
        stopped = await inbox.until(Stopped)
    assert isinstance(stopped, Stopped)
    assert (stopped.load_id, stopped.reason, stopped.totals.outcomes) == (5, "count", {"ok": 20})
    assert supervisor.loads == {}


async def test_stopped_loads_end(supervisor: LoadSupervisor, inbox: Inbox) -> None:
    """A load that is asked to end does; asking one that is not running is no error."""
    for load_id in (1, 2):
        await supervisor.run_load(_steady(load_id))
    for load_id in (9, 1, 2):
        await supervisor.stop(load_id)
    for _ in range(2):
        await inbox.until(Stopped)
    assert supervisor.loads == {}


async def test_a_stopped_load_leaves_its_rate_to_the_next(supervisor: LoadSupervisor, inbox: Inbox) -> None:
    """While the last requests of a load come to their outcome it plans none, so the next has the whole cap."""
    with Server(silent) as server:
        await supervisor.run_load(_steady(1, port=server.port, rate=4_000.0))
        await supervisor.stop(1)
        assert 1 in supervisor.loads
        await supervisor.run_load(_steady(2, rate=5_000.0))
        await supervisor.stop(2)
        for _ in range(2):
            assert isinstance(await inbox.until(Stopped), Stopped)


async def test_caps(supervisor: LoadSupervisor) -> None:
    """Rates are capped in sum, an id runs once, and what is refused is never sent."""
    await supervisor.run_load(_steady(1, rate=3_000.0))
    with pytest.raises(LoadRefusedError, match=r"2500 requests/s beside the 3000.* cap of 5000"):
        await supervisor.run_load(_steady(2, rate=2_500.0))
    with pytest.raises(LoadRefusedError, match="load 1 runs already"):
        await supervisor.run_load(_steady(1))
    with pytest.raises(LoadRefusedError, match="cap of 5000"):
        await supervisor.set_rate(1, 5_001.0)
    await supervisor.set_rate(1, 5_000.0)
    assert supervisor.loads[1].rate == 5_000.0
    with pytest.raises(LoadRefusedError, match="load 7 does not run"):
        await supervisor.set_rate(7, 1.0)


async def test_burst_has_no_rate_to_change(supervisor: LoadSupervisor) -> None:
    """The rate of a closed loop cannot be set."""
    stop_at_us = OFFSET_US + time.monotonic_ns() // 1_000 + 1_000_000
    await supervisor.run_load(Start(load_id=1, host="127.0.0.1", port=closed_port(), stop_at_us=stop_at_us))
    with pytest.raises(LoadRefusedError, match="without a rate"):
        await supervisor.set_rate(1, 5.0)


async def test_death_is_reported_and_survived(supervisor: LoadSupervisor, inbox: Inbox) -> None:
    """A child that dies takes its loads with it, which is told; the next load has a new child."""
    await supervisor.run_load(_steady(3))
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    assert await inbox.until(ChildDied) == ChildDied(exit_code=-signal.SIGKILL, load_ids=(3,))
    assert supervisor.loads == {}
    await supervisor.run_load(Start(load_id=4, host="127.0.0.1", port=closed_port(), count=1))
    await inbox.until(Stopped)


async def test_ports_of_a_child_that_died_are_left_alone(supervisor: LoadSupervisor, inbox: Inbox) -> None:
    """Its connections may still be remembered on the way, so the next child takes other source ports."""
    seen: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]
        for load_id in (3, 4):
            await supervisor.run_load(Start(load_id=load_id, host="127.0.0.1", port=port, connections=3, count=3))
            accepted = [await asyncio.to_thread(server.accept) for _ in range(3)]
            seen += [peer[1] for _, peer in accepted]
            assert supervisor.pid is not None
            os.kill(supervisor.pid, signal.SIGKILL)
            await inbox.until(ChildDied)
            for sock, _ in accepted:
                sock.close()

    assert len(set(seen)) == 6


@pytest.mark.parametrize(
    "program",
    ["print('no report')", "print('x' * (2 << 20))", "print('{')", "print(end='{')"],
    ids=["garbage", "endless-line", "cut-json", "cut-line"],
)
async def test_child_that_talks_nonsense_is_ended(program: str, inbox: Inbox) -> None:
    """A child that breaks the protocol is ended and reported, and nothing hangs."""
    supervisor = LoadSupervisor(
        clock_offset_us=0, on_report=inbox.take, argv=(sys.executable, "-c", f"{program}; input()")
    )
    await supervisor.start()
    if "end=" in program:
        await supervisor.close()
    else:
        assert isinstance(await inbox.until(ChildDied), ChildDied)
        await supervisor.close()
    assert supervisor.pid is None


async def test_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, inbox: Inbox) -> None:
    """Closing is bounded, whatever the child does."""
    monkeypatch.setattr(_supervisor, "CLOSE_DEADLINE_S", 0.1)
    stubborn = (sys.executable, "-c", "import time; time.sleep(60)")
    supervisor = LoadSupervisor(clock_offset_us=0, on_report=inbox.take, argv=stubborn)
    await supervisor.start()
    async with asyncio.timeout(PATIENCE_S):
        await supervisor.close()
    assert supervisor.pid is None


async def test_closed_supervisor_runs_nothing(inbox: Inbox) -> None:
    """After closing, and without a program, a load is refused in words."""
    supervisor = LoadSupervisor(clock_offset_us=0, on_report=inbox.take, argv=("/nonexistent/engine",))
    with pytest.raises(LoadEngineError, match="/nonexistent/engine cannot be started"):
        await supervisor.run_load(_steady())
    await supervisor.close()
    with pytest.raises(LoadEngineError, match="has been closed"):
        await supervisor.run_load(_steady())
    assert supervisor.loads == {}


def _gone(pid: int) -> None:
    """Wait until there is no such process."""
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.005)


async def test_an_idle_child_ends_and_is_started_anew(inbox: Inbox) -> None:
    """Without load the child gives its memory back, silently, and the next load has another."""
    supervisor = LoadSupervisor(clock_offset_us=OFFSET_US, on_report=inbox.take, idle_s=0.0)
    try:
        with Server(answers(reply())) as server:
            burst = Start(load_id=5, host="127.0.0.1", port=server.port, connections=4, count=20)
            await supervisor.run_load(burst)
            first = supervisor.pid
            await inbox.until(Stopped)
            assert first is not None
            await asyncio.wait_for(asyncio.to_thread(_gone, first), PATIENCE_S)
            await supervisor.run_load(msgspec.structs.replace(burst, load_id=6))
            assert supervisor.pid not in {None, first}
            stopped = await inbox.until(Stopped)
    finally:
        await supervisor.close()
    assert isinstance(stopped, Stopped)
    assert stopped.totals.outcomes == {"ok": 20}
