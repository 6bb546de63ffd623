"""Sessions: who is shown, what replaces what, and when a lease is over."""

from __future__ import annotations

import pytest

from kubealive.v1.agent_pb2 import Sample
from kubealive_agent._errors import RefusalError
from kubealive_agent.sessions import GRACE_US, LEASE_US, MAX_SAMPLES, MAX_SESSIONS, Sessions
from tests.agent.fakes import FakeClock, watch


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sessions(clock: FakeClock) -> Sessions:
    return Sessions(clock, on_change=lambda: None)


def test_the_same_session_replaces_its_stream(sessions: Sessions) -> None:
    """A second stream of a session ends the first as replaced, and the first's end does not end the session."""
    first = sessions.connect(watch("a"))
    second = sessions.connect(watch("a"))
    sessions.disconnect(first)

    assert (first.ended, second.ended) == ("replaced", "")
    assert len(sessions.viewers()) == 1
    assert not sessions.viewers()[0].HasField("leaving_us")


def test_a_session_outlives_its_stream_by_the_grace(sessions: Sessions, clock: FakeClock) -> None:
    """Without a stream a viewer is shown as leaving, and is gone when the grace is over."""
    since = clock.us
    sessions.disconnect(sessions.connect(watch("a")))
    clock.advance(29)
    sessions.sweep()

    assert sessions.viewers()[0].leaving_us == since + GRACE_US
    clock.advance(1)
    sessions.sweep()
    assert not sessions.viewers()


def test_a_session_that_comes_back_keeps_its_age(sessions: Sessions, clock: FakeClock) -> None:
    """A redial within the grace is the same viewer, with its interest as it is now."""
    since = clock.us
    sessions.disconnect(sessions.connect(watch("a")))
    clock.advance(10)
    sessions.connect(watch("a", experiments=["heal"]))

    viewer = sessions.viewers()[0]
    assert (viewer.since_us, list(viewer.experiments)) == (since, ["heal"])


@pytest.mark.parametrize("leave", ["disconnect", "set_interest", "reconnect"])
def test_a_lease_is_over_when_nobody_has_looked_for_its_length(
    sessions: Sessions, clock: FakeClock, leave: str
) -> None:
    """Interest may end in three ways; from each the lease runs for its length and no longer."""
    stream = sessions.connect(watch("a"))
    started = clock.us
    clock.advance(100)
    if leave == "disconnect":
        sessions.disconnect(stream)
    elif leave == "set_interest":
        sessions.set_interest("a", ["heal"])
    else:
        sessions.connect(watch("a", experiments=["heal"]))

    clock.advance(LEASE_US / 1e6 - 0.001)
    sessions.sweep()
    assert not sessions.lease_over("balance", since_us=started)
    clock.advance(0.002)
    sessions.sweep()
    assert sessions.lease_over("balance", since_us=started)


def test_a_lease_holds_while_anybody_looks(sessions: Sessions, clock: FakeClock) -> None:
    """One viewer of two leaves: the load of the experiment both looked at goes on."""
    stream = sessions.connect(watch("a"))
    sessions.connect(watch("b"))
    sessions.disconnect(stream)
    clock.advance(1000)
    sessions.sweep()

    assert not sessions.lease_over("balance", since_us=0)


def test_a_load_nobody_ever_looked_at_has_its_lease_too(sessions: Sessions, clock: FakeClock) -> None:
    """A load that was started without interest in it ends a lease after its start."""
    assert not sessions.lease_over("scale", since_us=clock.us)
    assert sessions.lease_over("scale", since_us=clock.us - LEASE_US)


def test_sessions_are_bounded(sessions: Sessions) -> None:
    """One viewer too many is turned away with a sentence; those that are there may still reconnect."""
    for index in range(MAX_SESSIONS):
        sessions.connect(watch(f"s{index}"))
    sessions.connect(watch("s0"))

    with pytest.raises(RefusalError, match=r"64 viewers are connected already.*close one"):
        sessions.connect(watch("one more"))


@pytest.mark.parametrize(
    ("session_id", "experiments"),
    [("", ["a"]), ("x" * 200, ["a"]), ("ok", [""]), ("ok", [str(n) for n in range(99)]), ("ok", ["y" * 200])],
    ids=["no id", "long id", "empty experiment", "many experiments", "long experiment"],
)
def test_names_that_cannot_be_used(sessions: Sessions, session_id: str, experiments: list[str]) -> None:
    """Ids and experiments are the client's words and therefore bounded."""
    with pytest.raises(RefusalError):
        sessions.connect(watch(session_id, experiments=experiments))


def test_an_unknown_session_is_told_what_to_do(sessions: Sessions) -> None:
    """Interest can only be set by a session that is connected."""
    with pytest.raises(RefusalError, match=r"'ghost' is not connected; open its stream first"):
        sessions.set_interest("ghost", ["balance"])


def test_draining_ends_all_streams_and_new_ones_at_once(sessions: Sessions) -> None:
    """Once the agent ends, no stream lives on and none begins."""
    stream = sessions.connect(watch("a"))
    sessions.drain("shutdown")

    assert stream.ended == "shutdown"
    assert sessions.connect(watch("b")).ended == "shutdown"


def test_samples_are_wanted_by_connected_sessions_alone(sessions: Sessions) -> None:
    """From the stream's request or from SetInterest, and not a moment longer than the stream lives."""
    heard: list[list[str]] = []
    newly: list[set[str]] = []

    def listen(experiments: frozenset[str]) -> None:
        newly.append(set(experiments))
        heard.append([one.experiment for one in sessions.samples()])

    sessions.on_samples = listen
    request = watch("a")
    request.samples.append(Sample(experiment="dns"))
    stream = sessions.connect(request)
    sessions.connect(watch("b"))
    for _ in range(2):
        sessions.set_interest("b", ["state"], [Sample(experiment="state")])
    sessions.set_interest("b", [])
    sessions.disconnect(stream)

    assert heard == [["dns"], ["dns"], ["dns", "state"], ["dns"], []]
    assert newly == [{"dns"}, set(), {"state"}, set(), set()]


@pytest.mark.parametrize(
    "samples",
    [[Sample(experiment=str(n)) for n in range(MAX_SAMPLES + 1)], [Sample(experiment="x" * 200)]],
    ids=["too many", "long name"],
)
def test_samples_are_bounded(sessions: Sessions, samples: list[Sample]) -> None:
    """What is too much is refused, and what was wanted before stays wanted."""
    sessions.connect(watch("a"))
    sessions.set_interest("a", [], [Sample(experiment="dns")])
    with pytest.raises(RefusalError):
        sessions.set_interest("a", [], samples)

    assert [one.experiment for one in sessions.samples()] == ["dns"]
