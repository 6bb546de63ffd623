"""Streams: what comes first, what is coalesced, what fills silence, and how they end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kubealive.v1.agent_pb2 import Cursor, WatchResponse
from kubealive.v1.state_pb2 import KIND_POD, Pod
from kubealive_agent.status import StatusBoard
from kubealive_agent.stream import Feed, Pace
from tests.agent.fakes import Client, Lab, note, watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubealive_agent.sessions import Stream

QUICK = Pace(rest=0.001, tick=0.005)
CALM = Pace(rest=0.001, tick=5.0)


class Bench(Lab):
    """A lab with a feed; its board is told of session changes."""

    def __init__(self) -> None:
        super().__init__()
        self.board = StatusBoard(self.journal, started_us=self.clock.us)
        self.board.draw_from(viewers=self.sessions.viewers, kinds=self.world.accesses, pids=lambda: [1])
        self.sessions._on_change = self.board.changed
        self.client = Client()

    def open(self, *, pace: Pace = CALM, resume: Cursor | None = None) -> tuple[Stream, AsyncIterator[bytes]]:
        request = watch("s")
        if resume is not None:
            request.resume.CopyFrom(resume)
        stream = self.sessions.connect(request)
        return stream, Feed(self.journal, self.clock, self.board, pace=pace).frames(request, stream)

    async def take(self, frames: AsyncIterator[bytes], *, until: str) -> WatchResponse:
        """Read frames up to the first of one kind."""
        async with asyncio.timeout(2):
            async for frame in frames:
                response = self.client.take(frame)
                if response.WhichOneof("body") == until:
                    return response
        raise AssertionError(f"the stream ended without {until}")


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_stream_begins_with_snapshot_and_status(bench: Bench) -> None:
    """Chunks, the last one marked, then the status with this viewer in it."""
    _, frames = bench.open()
    status = await bench.take(frames, until="status")

    assert bench.client.bodies == ["snapshot"] * (len(bench.client.bodies) - 1) + ["status"]
    assert bench.client.state.keys() == set(bench.journal.objects())
    assert [viewer.session_id for viewer in status.status.viewers] == ["s"]
    assert (status.epoch, status.sequence) == (7, bench.journal.sequence)


async def test_changes_during_the_rest_come_as_one_batch(bench: Bench) -> None:
    """The first change leaves at once; what follows within the rest is one frame with the newest state."""
    _, frames = bench.open(pace=Pace(rest=0.03, tick=5))
    await bench.take(frames, until="status")
    bench.journal.put(KIND_POD, "p", Pod(name="first"))
    first = await bench.take(frames, until="batch")
    for index in range(50):
        bench.journal.put(KIND_POD, "p", Pod(name=f"n{index}"))
        bench.journal.add(note(str(index)))
    second = await bench.take(frames, until="batch")

    assert [change.pod.name for change in first.batch.changes] == ["first"]
    assert [change.pod.name for change in second.batch.changes] == ["n49"]
    assert len(second.batch.facts) == 50


async def test_silence_is_filled_with_ticks(bench: Bench) -> None:
    """A quiet cluster is told from a dead link."""
    _, frames = bench.open(pace=QUICK)
    await bench.take(frames, until="tick")
    bench.clock.advance(1)
    tick = await bench.take(frames, until="tick")

    assert (tick.sequence, tick.time_us) == (bench.journal.sequence, bench.clock.us)


async def test_a_status_that_changed_wakes_the_stream(bench: Bench) -> None:
    """Another viewer appears on everybody's screen at once."""
    _, frames = bench.open()
    await bench.take(frames, until="status")
    waiting = asyncio.create_task(bench.take(frames, until="status"))
    await asyncio.sleep(0)
    bench.sessions.connect(watch("other"))
    status = await waiting

    assert {viewer.session_id for viewer in status.status.viewers} == {"s", "other"}


@pytest.mark.parametrize("reason", ["replaced", "shutdown"])
async def test_a_stream_that_has_to_end_says_goodbye(bench: Bench, reason: str) -> None:
    """A replaced stream and a shutting agent end with the reason, and with nothing after it."""
    _, frames = bench.open()
    await bench.take(frames, until="status")
    waiting = asyncio.create_task(bench.take(frames, until="goodbye"))
    await asyncio.sleep(0)
    if reason == "replaced":
        bench.sessions.connect(watch("s"))
    else:
        bench.sessions.drain(reason)

    assert (await waiting).goodbye.reason == reason
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


async def test_a_resumed_stream_has_no_snapshot(bench: Bench) -> None:
    """A client that comes back is sent what it missed, and its old state is still good."""
    cursor = Cursor(epoch=7, sequence=bench.journal.sequence)
    bench.journal.add(note("missed"))
    _, frames = bench.open(resume=cursor)
    batch = await bench.take(frames, until="batch")

    assert "snapshot" not in bench.client.bodies
    assert [fact.note.message for fact in batch.batch.facts] == ["missed"]


async def test_a_reader_that_fell_far_behind_gets_a_new_snapshot(bench: Bench) -> None:
    """When deletions that it has not seen are forgotten, only a snapshot is true."""
    bench.journal._max_tombstones = 1
    _, frames = bench.open()
    await bench.take(frames, until="status")
    bench.client.bodies.clear()
    for uid in ("uid-a", "uid-b"):
        bench.journal.drop(KIND_POD, uid)
    await bench.take(frames, until="snapshot")
    while not (await bench.take(frames, until="snapshot")).snapshot.last:
        pass

    assert bench.client.bodies[0] == "snapshot"
    assert bench.client.state.keys() == set(bench.journal.objects())
