"""The live feed against an agent of real gRPC on a socket, with a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from kubealive.v1 import agent_pb2 as wire
from kubealive_tui.errors import LinkError, RefusedError
from kubealive_tui.feed import Head, LiveFeed, Recorder, Recording
from kubealive_tui.feed._version import mismatch
from kubealive_tui.link import DeniedError, NotInstalledError
from kubealive_tui.model import (
    Act,
    Interest,
    LinkState,
    Scale,
    SetLoad,
    Snapshot,
    StopAll,
    StopLoad,
    Target,
)
from tests.tui.feed.stage import Stage

ACT = Act("balance", "u-1", "getip", Scale(3))


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    await stage.serve()
    yield stage
    await stage.end()


def whole() -> wire.SnapshotChunk:
    return wire.SnapshotChunk(first=True, last=True)


async def test_a_feed_goes_through_its_states_to_live(stage: Stage) -> None:
    """Each step is shown, and the agent's info and the round trip come with the last."""
    await stage.live()
    wanted = [LinkState.AUTHENTICATING, LinkState.FINDING, LinkState.FORWARDING, LinkState.CONNECTED]
    assert stage.states == wanted
    last = stage.events[-1]
    assert last.info is not None
    assert last.info.pod_name == "kubealive-agent-1"
    assert last.round_trip_ms is not None
    await stage.say(snapshot=whole())
    assert stage.frames[-1].body == Snapshot(first=True, last=True, changes=[], facts=[])


async def test_three_silent_seconds_are_degraded(stage: Stage) -> None:
    """Degraded is shown at 3 s of silence and not before, and is over with the next word."""
    await stage.live()
    await stage.say(snapshot=whole())
    await stage.clock.advance(2.6)
    assert LinkState.DEGRADED not in stage.states
    await stage.clock.advance(0.5)
    assert stage.state() is LinkState.DEGRADED
    await stage.clock.advance(1)
    assert stage.events[-1].silence_s >= 4
    await stage.say(tick=wire.Tick())
    assert stage.state() is LinkState.CONNECTED


async def test_eight_silent_seconds_are_a_redial(stage: Stage) -> None:
    """A frozen agent is given up and dialled again, and the reason is told."""
    await stage.live()
    await stage.say(snapshot=whole())
    await stage.clock.advance(8.1)
    await stage.later(lambda: len(stage.agent.watched) == 2)
    assert "the agent was silent for 8 s" in [event.reason for event in stage.events]


async def test_a_killed_agent_is_dialled_within_two_seconds(stage: Stage) -> None:
    """The stream breaks, the data's age is told each second, and the next dial comes soon."""
    await stage.live()
    await stage.say(snapshot=whole())
    stage.agent.outbox.put_nowait(None)
    await stage.until(lambda: stage.state() is LinkState.RECONNECTING)
    assert stage.events[-1].attempt == 1
    await stage.later(lambda: len(stage.agent.watched) == 2, most=2.25)
    await stage.until(lambda: stage.state() is LinkState.CONNECTED)


async def test_an_agent_that_is_gone_is_dialled_until_it_is_back(stage: Stage) -> None:
    """Attempts are counted, silence grows, nothing is raised; then it is live again."""
    await stage.live()
    await stage.say(snapshot=whole())
    assert stage.server is not None
    await stage.server.stop(None)
    stage.path.unlink(missing_ok=True)
    await stage.later(lambda: stage.events[-1].attempt >= 4)
    assert stage.events[-1].silence_s > 0
    assert not any(event.state is LinkState.FINDING for event in stage.events[3:])
    await stage.serve()
    await stage.later(lambda: stage.state() is LinkState.CONNECTED)


async def test_a_goodbye_is_followed_by_a_dial_at_once(stage: Stage) -> None:
    """No back-off after a goodbye of an agent that has served for a while."""
    await stage.live()
    await stage.say(snapshot=whole())
    await stage.clock.advance(2.5)
    await stage.say(goodbye=wire.Goodbye(reason="shutdown"))
    await stage.until(lambda: len(stage.agent.watched) == 2)
    assert "the agent said goodbye (shutdown)" in [event.reason for event in stage.events]


async def test_a_goodbye_at_once_is_not_dialled_without_end(stage: Stage) -> None:
    """An agent on its way out, or a replaced session, is given time."""
    await stage.live()
    await stage.say(goodbye=wire.Goodbye(reason="shutdown"))
    await stage.until(lambda: stage.state() is LinkState.RECONNECTING)
    assert len(stage.agent.watched) == 1
    await stage.later(lambda: len(stage.agent.watched) == 2)


async def test_a_reconnect_resumes_where_the_stream_stood(stage: Stage) -> None:
    """The cursor of the last whole message goes with the next request, and so does the same session."""
    await stage.live()
    assert not stage.agent.watched[0].HasField("resume")
    await stage.say(snapshot=whole(), sequence=40)
    await stage.say(batch=wire.Batch(), sequence=41)
    stage.agent.outbox.put_nowait(None)
    await stage.later(lambda: len(stage.agent.watched) == 2)
    first, second = stage.agent.watched
    assert second.resume == wire.Cursor(epoch=7, sequence=41)
    assert first.session_id == second.session_id
    assert second.actor == "ann@desk"


async def test_half_a_snapshot_is_not_resumed(stage: Stage) -> None:
    """What was cut inside a snapshot begins anew, whatever was known before."""
    await stage.live()
    await stage.say(snapshot=whole(), sequence=40)
    await stage.say(snapshot=wire.SnapshotChunk(first=True), sequence=50)
    await stage.say(tick=wire.Tick(), sequence=50)
    stage.agent.outbox.put_nowait(None)
    await stage.later(lambda: len(stage.agent.watched) == 2)
    assert not stage.agent.watched[1].HasField("resume")


async def test_an_agent_of_another_version_is_refused(stage: Stage) -> None:
    """The link fails with both versions and what to do, and is looked at again later."""
    stage.agent.version = "0.3.0"
    stage.begin()
    await stage.until(lambda: stage.state() is LinkState.FAILED)
    assert "agent 0.3.0 and this kubealive 0.1.0" in stage.events[-1].reason
    assert "install kubealive 0.3" in stage.events[-1].reason
    stage.agent.version = "0.2.5"
    await stage.later(lambda: stage.state() is LinkState.CONNECTED)


@pytest.mark.parametrize(
    ("agent", "client", "sentence"),
    [
        ("0.1.0", "0.1.7", ""),
        ("0.2.0", "0.1.0", ""),
        ("0.1.0", "0.2.0.dev1", ""),
        ("0.1.0", "0.3.0", "replace the agent with `kubealive up -n class`"),
        ("0.9.0", "1.0.0", "replace the agent"),
        ("1.2.0", "0.2.0", "install kubealive 1.2 here"),
        ("", "0.1.0", "which is none"),
    ],
    ids=["same", "newer", "older", "too old", "major", "too new", "nonsense"],
)
def test_versions_may_differ_by_one_minor(agent: str, client: str, sentence: str) -> None:
    """Same major version, and at most one minor apart, either way."""
    found = mismatch(agent, client, namespace="class")
    assert (sentence in found) if sentence else not found


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (NotInstalledError("no agent in namespace x; run `kubealive up`"), LinkState.NOT_INSTALLED),
        (DeniedError("you may not get pods/portforward"), LinkState.FAILED),
        (LinkError("agent pod is not ready: ErrImageNeverPull"), LinkState.RECONNECTING),
    ],
    ids=["not installed", "denied", "not ready"],
)
async def test_trouble_with_the_cluster_is_a_state(stage: Stage, refusal: LinkError, state: LinkState) -> None:
    """What the link finds is shown in its words, and the feed is live as soon as it is mended."""
    stage.line.refusal = refusal
    stage.begin()
    await stage.until(lambda: stage.state() is state)
    assert stage.events[-1].reason == str(refusal)
    stage.line.refusal = None
    await stage.later(lambda: stage.state() is LinkState.CONNECTED)


async def test_the_link_knows_better_than_grpc(stage: Stage) -> None:
    """When a call fails, the bridge's reason is shown, not gRPC's."""
    stage.line.path = stage.path.with_name("none")
    stage.line.trouble = NotInstalledError("no agent in namespace x")
    stage.begin()
    await stage.until(lambda: stage.state() is LinkState.NOT_INSTALLED)


async def test_interest_is_sent_when_it_changes(stage: Stage) -> None:
    """The first goes with the stream, later ones by themselves, and equal ones not at all."""
    stage.feed.interest(Interest(frozenset({"balance"})))
    await stage.live()
    assert list(stage.agent.watched[0].experiments) == ["balance"]
    stage.feed.interest(Interest(frozenset({"heal", "balance"})))
    stage.feed.interest(Interest(frozenset({"balance", "heal"})))
    await stage.until(lambda: bool(stage.agent.interests))
    assert stage.agent.interests == [["balance", "heal"]]


async def test_the_round_trip_is_measured_while_live(stage: Stage) -> None:
    """Every five seconds, beside the stream."""
    await stage.live()
    count = len(stage.events)
    for _ in range(5):
        await stage.clock.advance(1)
        await stage.say(tick=wire.Tick())
    await stage.until(lambda: len(stage.events) > count)
    assert stage.state() is LinkState.CONNECTED


async def test_an_action_returns_its_id(stage: Stage) -> None:
    """Each request goes out once, with an id of its own and the session's."""
    await stage.live()
    assert await stage.feed.ask(ACT) == "a-1"
    assert await stage.feed.ask(ACT) == "a-1"
    first, second = stage.agent.acts
    assert first.request_id != second.request_id
    assert first.session_id == stage.agent.watched[0].session_id
    assert await stage.feed.ask(SetLoad("balance", Target(service="getip"), rate=1.0)) == "load run"
    assert await stage.feed.ask(StopLoad("balance")) == "load stop"
    assert await stage.feed.ask(StopAll()) == "stopped 2 loads and cured 1 pods"


async def test_a_refused_action_raises_the_agents_sentence(stage: Stage) -> None:
    """The agent's words reach the user."""
    await stage.live()
    refusal = wire.Refusal(reason=wire.Refusal.REASON_GONE, message="getip is gone")
    stage.agent.act_answer = wire.ActResponse(refusal=refusal)
    with pytest.raises(RefusedError, match="getip is gone"):
        await stage.feed.ask(ACT)


async def test_nothing_is_asked_while_not_live(stage: Stage) -> None:
    """Without a connection a request is refused at once and not kept for later."""
    with pytest.raises(LinkError, match="not sent: the link is authenticating"):
        await stage.feed.ask(ACT)


async def test_an_action_whose_link_breaks_is_told_as_unknown(stage: Stage) -> None:
    """Nobody knows whether it happened; it is not sent again, and its caller is not cancelled."""
    await stage.live()
    stage.agent.act_answer = None
    asking = asyncio.ensure_future(stage.feed.ask(ACT))
    await stage.until(lambda: bool(stage.agent.acts))
    stage.agent.outbox.put_nowait(None)
    with pytest.raises(LinkError, match="whether it happened is not known"):
        await asking
    await stage.later(lambda: len(stage.agent.watched) == 2)
    assert len(stage.agent.acts) == 1


async def test_a_live_feed_is_recorded_as_it_is_delivered(stage: Stage, tmp_path: Path) -> None:
    """A recording made beside a live feed plays the very signals that were delivered."""
    path = tmp_path / "run.kar"
    recorder = Recorder.create(path, Head("c", "n", 0), on_trouble=print, clock=stage.clock)
    stage.feed = LiveFeed(stage.line, actor="ann@desk", clock=stage.clock, recorder=recorder)
    await stage.live()
    await stage.say(snapshot=whole())
    await stage.clock.advance(3.2)
    await stage.say(tick=wire.Tick())
    delivered = list(stage.heard)
    recorder.close()
    recording = Recording.open(path)
    assert [signal for _, signal in recording] == delivered
    recording.close()
