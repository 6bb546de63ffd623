"""`--plain`: lines that are only ever appended, from the same store as the screen."""

import asyncio
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest

from kubealive_tui.cli import main
from kubealive_tui.cli._opening import new_store
from kubealive_tui.cli._plain import Teller, follow
from kubealive_tui.errors import LinkError
from kubealive_tui.experiments import dns
from kubealive_tui.feed import Head, Recorder
from kubealive_tui.model import (
    AgentNote,
    Aspect,
    Batch,
    DnsSample,
    Frame,
    Info,
    Interest,
    LinkEvent,
    LinkState,
    Loss,
    Request,
    Signal,
)
from tests.tui.signals import EPOCH, at, connected, deletion, entry, fact, frame, getip, moved, snapshot


class Feed:
    """Delivers what it is given, and then stays open."""

    def __init__(self, *signals: Signal) -> None:
        self.signals = signals
        self.interests: list[Interest] = []

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        for signal in self.signals:
            deliver(signal)
        await asyncio.Event().wait()

    async def ask(self, request: Request) -> str:
        raise AssertionError

    def interest(self, interest: Interest) -> None:
        self.interests.append(interest)


def told(*signals: Signal, only: str = "", me: str = "me@here") -> list[str]:
    lines: list[str] = []
    teller = Teller(new_store(), write=lines.append, me=me, only=only, zone=UTC)
    for signal in signals:
        teller.take(signal)
    return lines


NOTE = fact(3, 1.5, AgentNote("no metrics API", warning=True), experiment="")


def test_lines_say_time_experiment_source_and_words() -> None:
    """Each fact that is news is one line, in order of agent time; what is no news has none."""
    lines = told(
        connected(),
        snapshot(getip()),
        frame(
            4,
            2,
            fact(1, 1.25, deletion(), action_id="a1"),
            fact(2, 1.4, moved("p1", Aspect.DELETING, deleting=True)),
            NOTE,
        ),
    )
    assert lines == [
        "–             –           link      live, agent 0.1.0",
        "08:00:01.250  balance     you       delete pod …8c-aaap1, grace 30 s".replace("…8c-aaap1", "…d8c-aaap1"),
        "08:00:01.400  balance     pod       …d8c-aaap1 terminating",
        "08:00:01.500  –           agent     no metrics API",
    ]


def test_nothing_is_said_twice() -> None:
    """A link that repeats itself and a snapshot that repeats its facts add no line."""
    there = fact(1, 1, moved("p1", Aspect.READY, ready=True))
    signals = (connected(), snapshot(facts=(there,)), connected(), snapshot(facts=(there,)))
    assert len(told(*signals)) == 2


def test_one_experiment_alone() -> None:
    """The experiment that is asked for, and what concerns the cluster as a whole."""
    other = fact(2, 1, moved("p9", Aspect.READY, ready=True), experiment="heal")
    mine = fact(1, 1, moved("p1", Aspect.READY, ready=True))
    lines = told(frame(4, 2, mine, other, NOTE), only="heal")
    assert [line.split()[1] for line in lines[1:]] == ["heal", "–"]


def test_the_end_of_a_run_is_a_line() -> None:
    """Stopwatch and loss are told once the run is over."""
    lines = told(
        frame(1, 1, fact(1, 1, deletion(), action_id="a1")),
        frame(2, 1.5, fact(2, 1.2, entry("p1")), fact(3, 1.5, entry("p1", removed=True))),
        Frame(EPOCH, 3, at(70), Batch()),
        Frame(EPOCH, 4, at(71), Batch()),
    )
    assert [line.split("  ", 1)[1].strip() for line in lines if "  run  " in line] == [
        "balance     run       KILL …d8c-aaap1: time limit after 60.00 s; not ready 0.20, left the Service 0.50"
    ]


def test_a_loss_is_told_for_what_it_concerns() -> None:
    """Facts that are missing are named in the experiment that misses them."""
    lines = told(
        frame(1, 1, fact(1, 1, moved("p1", Aspect.READY, ready=True)), NOTE), Frame(EPOCH, 9, at(2), Loss(4, 8))
    )
    assert [line for line in lines if "lost" in line] == [
        "08:00:01.500  balance     agent     5 facts were lost on the way: what crosses this is incomplete"
    ]


def test_words_of_the_cluster_cannot_steer_the_terminal() -> None:
    """Escape sequences are taken out."""
    (line,) = told(LinkEvent(LinkState.RECONNECTING, reason="\x1b[2Jgone\n"))
    assert line.endswith("reconnecting:  [2Jgone ")


async def test_following_ends_with_the_recording() -> None:
    """At the end of a recording there is nothing to wait for."""
    lines: list[str] = []
    feed = Feed(connected(), LinkEvent(LinkState.ENDED))
    await follow(feed, Teller(new_store(), write=lines.append))
    assert lines[-1].endswith("end of recording")


async def test_what_is_followed_is_sampled() -> None:
    """Lines of one experiment tell what its tab has asked; nothing is asked for all of them together."""
    live = LinkEvent(LinkState.CONNECTED, info=Info("0.1.0", EPOCH, namespace="lab"))
    feed = Feed(live, snapshot(), LinkEvent(LinkState.ENDED))
    await follow(feed, Teller(new_store(), write=lambda _: None), watched=dns.lab)

    assert {interest.experiments for interest in feed.interests} == {frozenset({"dns"})}
    assert any(isinstance(sample.what, DnsSample) for sample in feed.interests[-1].samples)

    feed = Feed(live, LinkEvent(LinkState.ENDED))
    await follow(feed, Teller(new_store(), write=lambda _: None))
    assert not feed.interests


async def test_following_says_what_is_hopeless() -> None:
    """Without an agent it ends with the link's sentence; an agent that goes later may come back."""
    feed = Feed(LinkEvent(LinkState.NOT_INSTALLED, reason="install it with `kubealive up`"))
    with pytest.raises(LinkError, match="kubealive up"):
        await follow(feed, Teller(new_store(), write=lambda _: None))

    gone = LinkEvent(LinkState.NOT_INSTALLED, reason="gone")
    feed = Feed(connected(), snapshot(), gone, LinkEvent(LinkState.ENDED))
    await follow(feed, Teller(new_store(), write=lambda _: None))


async def test_following_ends_when_nobody_reads() -> None:
    """A closed pipe ends it, whatever task it was noticed in."""

    def closed(text: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await follow(Feed(connected()), Teller(new_store(), write=closed))


def test_a_cut_recording_is_printed_up_to_the_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is whole is printed with exit code 0, and the cut is said apart from it."""
    path = tmp_path / "r"
    recorder = Recorder.create(path, Head("lab", "kubealive", 0), on_trouble=pytest.fail)
    for word in ("one", "two"):
        recorder.link(LinkEvent(LinkState.RECONNECTING, reason=word), None)
    recorder.close()
    path.write_bytes(path.read_bytes()[:-3])

    assert main(["replay", str(path), "--plain"]) == 0
    said = capsys.readouterr()
    assert "reconnecting: one" in said.out
    assert "two" not in said.out
    assert "was cut after" in said.err
