"""The journal's memory: order, bounds, forgetting, and frames that any decoder reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive.v1.agent_pb2 import Cursor, WatchResponse
from kubealive.v1.state_pb2 import KIND_POD, Change, Kind, Pod
from kubealive_agent import _facts
from kubealive_agent._facts import FACT_OVERHEAD
from kubealive_agent._wire import CHANGE_FIELD, batch_body, change_record, record, snapshot_body
from kubealive_agent.journal import Journal
from kubealive_agent.reader import Reader
from tests.agent.fakes import Client, FakeClock, decoded_facts, note, pod_change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Write = tuple[str, str]

WRITES = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "fact"]), st.sampled_from(["a", "b", "c", "d"])), max_size=40
)


@pytest.fixture(autouse=True, params=[3, 64], ids=["pressed", "not yet pressed"])
def _blocks(request: pytest.FixtureRequest) -> Iterator[None]:
    """All that a journal promises holds whether facts are still as they came or are pressed already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_facts, "BLOCK_FACTS", request.param)
        yield


def apply(journal: Journal, writes: Sequence[Write]) -> None:
    for number, (what, key) in enumerate(writes):
        if what == "put":
            journal.put(KIND_POD, key, Pod(name=f"{key}{number}"))
        elif what == "drop":
            journal.drop(KIND_POD, key)
        else:
            journal.add(note(key))


def newest(journal: Journal) -> dict[tuple[int, str], Change]:
    client = Client()
    for frame in Reader(journal, FakeClock()).snapshot():
        client.take(frame)
    return client.state


def catch_up(client: Client, reader: Reader) -> None:
    if reader.fell_behind:
        for frame in reader.snapshot():
            client.take(frame)
    while (news := reader.advance()) is not None:
        client.take(news)


@pytest.mark.parametrize("count", [0, 1, 3], ids=["none", "one", "several"])
def test_wire_bodies_parse(count: int) -> None:
    """A header and a body joined from records are the message that protobuf itself would have made."""
    changes = [pod_change(f"uid-{index}", name="x" * 200) for index in range(count)]
    facts = [note("y" * index) for index in range(count)]
    header = WatchResponse(epoch=1, sequence=2, time_us=3)
    records = [record(change) for change in changes], [record(fact) for fact in facts]

    batch = WatchResponse.FromString(header.SerializeToString() + batch_body(*records))
    body = snapshot_body(*records, first=True, last=False)
    snapshot = WatchResponse.FromString(header.SerializeToString() + body)

    assert list(batch.batch.changes) == list(snapshot.snapshot.changes) == changes
    assert list(batch.batch.facts) == list(snapshot.snapshot.facts) == facts
    assert (batch.epoch, batch.sequence, batch.time_us) == (1, 2, 3)
    assert (snapshot.snapshot.first, snapshot.snapshot.last) == (True, False)
    assert batch.HasField("batch")


@pytest.mark.parametrize("kind", CHANGE_FIELD, ids=Kind.Name)
@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384], ids=lambda size: f"{size} bytes")
def test_a_change_is_put_together_as_protobuf_would(kind: Kind.ValueType, size: int) -> None:
    """Whatever its kind and size, the record is that of the message with the value in its field."""
    change = Change(kind=kind, uid="u" * size)
    value = getattr(change, CHANGE_FIELD[kind])
    value.SetInParent()
    if "name" in value.DESCRIPTOR.fields_by_name:
        value.name = "n" * size

    whole = change_record(kind, change.uid, value)

    assert batch_body([whole], []) == batch_body([record(change)], [])
    assert change_record(kind, "uid", None) == record(Change(kind=kind, uid="uid", deleted=True))


@given(writes=WRITES, cuts=st.lists(st.integers(0, 40), max_size=6), chunk=st.sampled_from([1, 40, 10_000]))
def test_any_split_of_reads_gives_the_same_state(writes: list[Write], cuts: list[int], chunk: int) -> None:
    """However often a reader reads, in frames of whatever size, it ends with the newest state and all facts."""
    clock = FakeClock()
    journal = Journal(clock=clock, epoch=1)
    reader, client = Reader(journal, clock, chunk_bytes=chunk), Client()
    for frame in reader.snapshot():
        client.take(frame)
    done = 0
    for cut in [*sorted(min(cut, len(writes)) for cut in cuts), len(writes)]:
        apply(journal, writes[done:cut])
        done = max(done, cut)
        catch_up(client, reader)

    assert client.state == newest(journal)
    assert client.facts == {fact.sequence: fact for fact in decoded_facts(journal)}
    assert not client.lost
    assert client.sequence == reader.position == journal.sequence


@given(writes=WRITES, keep=st.integers(1, 5), cuts=st.lists(st.integers(0, 40), max_size=4))
def test_loss_is_announced_exactly(writes: list[Write], keep: int, cuts: list[int]) -> None:
    """A fact reaches a reader or is announced as lost, never both and never neither."""
    clock = FakeClock()
    size = len(record(note("a"))) + 8 + FACT_OVERHEAD
    journal = Journal(clock=clock, epoch=1, max_fact_bytes=keep * size, max_tombstones=2)
    reader, client = Reader(journal, clock), Client()
    for frame in reader.snapshot():
        client.take(frame)
    written: set[int] = set()
    seen: set[int] = set()
    done = 0
    for cut in [*sorted(min(cut, len(writes)) for cut in cuts), len(writes)]:
        for write in writes[done:cut]:
            apply(journal, [write])
            if write[0] == "fact":
                written.add(journal.sequence)
        done = max(done, cut)
        catch_up(client, reader)
        seen |= client.facts.keys()

    assert written <= seen | client.lost
    assert not client.lost & seen
    assert client.state == newest(journal)
    assert journal.facts_dropped == len(written) - journal.fact_count
    assert journal.fact_bytes <= keep * size


@given(before=WRITES, between=WRITES, during=WRITES, fits=st.booleans())
def test_resume_gives_only_what_is_new(
    before: list[Write], between: list[Write], during: list[Write], *, fits: bool
) -> None:
    """A client that comes back with its cursor ends with everything, without a snapshot if it can."""
    clock = FakeClock()
    journal = Journal(clock=clock, epoch=1, max_tombstones=100 if fits else 0)
    client = Client()
    apply(journal, [("fact", "first"), *before])
    for frame in Reader(journal, clock).snapshot():
        client.take(frame)
    apply(journal, between)
    reader = Reader(journal, clock, chunk_bytes=30)
    client.bodies.clear()
    resumed = reader.resume(Cursor(epoch=1, sequence=client.sequence))
    if not resumed:
        frames = reader.snapshot()
        client.take(next(frames))
        apply(journal, during)
        for frame in frames:
            client.take(frame)
    catch_up(client, reader)

    assert resumed or not fits or not between
    assert "snapshot" not in client.bodies or not resumed
    assert client.state == newest(journal)
    assert client.facts.keys() == {fact.sequence for fact in decoded_facts(journal)}


@pytest.mark.parametrize(
    ("epoch", "sequence"),
    [(2, 1), (1, 0), (1, 99)],
    ids=["another epoch", "never finished a snapshot", "from the future"],
)
def test_cursors_that_cannot_be_resumed(epoch: int, sequence: int) -> None:
    """A cursor that this epoch never gave leads to a snapshot."""
    clock = FakeClock()
    journal = Journal(clock=clock, epoch=1)
    apply(journal, [("put", "a"), ("fact", "b")])

    assert not Reader(journal, clock).resume(Cursor(epoch=epoch, sequence=sequence))


def test_a_snapshot_tells_a_returning_client_what_it_missed() -> None:
    """Facts that retention let go while a client was away come as a Loss after the snapshot's first chunk."""
    clock = FakeClock()
    journal = Journal(clock=clock, epoch=1, retention_us=10_000_000)
    journal.add(note())
    cursor = Cursor(epoch=1, sequence=journal.sequence)
    journal.add(note())
    lost = journal.sequence
    clock.advance(11)
    journal.add(note())
    reader, client = Reader(journal, clock), Client()

    assert not reader.resume(cursor)
    for frame in reader.snapshot():
        client.take(frame)

    assert client.bodies[:2] == ["snapshot", "loss"]
    assert client.lost == {lost}
    assert list(client.facts) == [journal.sequence]


def test_a_new_client_is_not_told_of_losses_before_its_time() -> None:
    """Whoever comes for the first time has missed nothing."""
    clock = FakeClock()
    journal = Journal(clock=clock, epoch=1, retention_us=1)
    apply(journal, [("fact", "a")])
    clock.advance(1)
    apply(journal, [("fact", "b")])
    client = Client()
    for frame in Reader(journal, clock).snapshot():
        client.take(frame)

    assert not client.lost
    assert list(client.facts) == [2]


def test_a_loss_during_a_snapshot_is_told() -> None:
    """Facts that go while a slow reader is being sent its snapshot are announced, not silently left out."""
    clock = FakeClock()
    journal = Journal(clock=clock, epoch=1, retention_us=10_000_000)
    apply(journal, [("fact", "a"), ("fact", "b"), ("fact", "c")])
    reader, client = Reader(journal, clock, chunk_bytes=1), Client()
    frames = reader.snapshot()
    client.take(next(frames))
    client.take(next(frames))
    clock.advance(11)
    journal.add(note("late"))
    for frame in frames:
        client.take(frame)
    catch_up(client, reader)

    assert set(client.facts) == {1, 4}
    assert client.lost == {2, 3}


def test_a_frame_is_bounded() -> None:
    """No frame exceeds the chunk size by more than one record and the headers."""
    clock = FakeClock()
    journal = Journal(clock=clock, epoch=1)
    for index in range(200):
        journal.put(KIND_POD, f"uid-{index}", Pod(name="n" * 100))
        journal.add(note("t" * 100))
    reader = Reader(journal, clock, chunk_bytes=2000)
    frames = [*reader.snapshot()]
    late = Reader(journal, clock, chunk_bytes=2000)
    late.position = 1
    while (frame := late.advance()) is not None:
        frames.append(frame)

    assert max(map(len, frames)) < 2000 + 1000
    assert len(frames) > 20


def test_state_is_kept_once_by_object_and_facts_within_their_bytes() -> None:
    """A thousand changes of one object are one entry, and facts never exceed their bound."""
    clock = FakeClock()
    journal = Journal(clock=clock, epoch=1, max_fact_bytes=50_000)
    for index in range(10_000):
        journal.put(KIND_POD, "a", Pod(name=str(index)))
        journal.add(note("x" * 50))

    assert len(journal.objects()) == 1
    assert journal.fact_bytes <= 50_000
    assert journal.fact_count + journal.facts_dropped == 10_000
    assert len([*journal.facts_since(0)]) == journal.fact_count


async def test_one_write_wakes_all_waiters_and_a_cancelled_one_takes_none_along() -> None:
    """Every reader that waits is woken by one write, whatever became of the others."""
    journal = Journal(clock=FakeClock(), epoch=1)
    waiters = [asyncio.create_task(journal.bell.wait(5)) for _ in range(3)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    await asyncio.sleep(0)
    journal.add(note())

    assert await asyncio.gather(*waiters[1:]) == [True, True]
    assert waiters[0].cancelled()


async def test_a_wait_without_news_ends() -> None:
    """Nothing happens: the wait says so."""
    assert not await Journal(clock=FakeClock(), epoch=1).bell.wait(0.001)
