"""`kubealive check` as a script sees it: one document, files, exit codes, whatever ends it."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from kubealive_tui.cli import _checking
from kubealive_tui.cli._parser import parse
from kubealive_tui.errors import KubealiveError, LinkError, UsageError
from kubealive_tui.experiments import Drive, Experiment, Finding, Verdict
from kubealive_tui.model import SetLoad, StopLoad, Target
from tests.tui.feed.fakes import settle
from tests.tui.test_check import LIVE, ScriptedFeed

LOAD = SetLoad("balance", Target(service="getip"), rate=100.0)


class Env:
    """Keeps both streams."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.err: list[str] = []

    def say(self, text: str) -> None:
        self.out.append(text)

    def complain(self, text: str) -> None:
        self.err.append(text)


class World:
    """A feed and one experiment in place of the real ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.feed = ScriptedFeed(*LIVE)
        self.env: Any = Env()
        self.refuse: KubealiveError | None = None
        self.lab = Experiment("balance", order=1, title="T", long_title="T", lesson="L")
        monkeypatch.setattr(_checking, "open_feed", self.open_feed)
        monkeypatch.setattr(_checking, "chosen", lambda _: [self.lab])
        monkeypatch.setattr(_checking, "context_of", lambda _: "lab")

    @asynccontextmanager
    async def open_feed(self, args: argparse.Namespace, *, trouble: object) -> AsyncIterator[SimpleNamespace]:
        if self.refuse is not None:
            raise self.refuse
        yield SimpleNamespace(feed=self.feed)

    def finds(self, *, kept: bool) -> None:
        async def function(drive: Drive) -> Verdict:
            return Verdict.of([Finding("replies", "3", "4", kept=kept)])

        self.lab.check(function)

    def hangs(self) -> None:
        async def function(drive: Drive) -> Verdict:
            await drive.ask(LOAD)
            await asyncio.Event().wait()
            raise AssertionError

        self.lab.check(function)

    async def check(self, *words: str) -> int:
        return await _checking.run_check(parse(["check", *words], {}), self.env)

    def document(self) -> dict[str, Any]:
        (text,) = self.env.out
        found: dict[str, Any] = json.loads(text)
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


@pytest.mark.parametrize(
    ("kept", "code", "word"), [(True, 0, "passed"), (False, 1, "failed")], ids=["good", "bad"]
)
async def test_json_is_all_that_is_on_standard_output(
    world: World,
    kept: bool,  # noqa: FBT001 - a column of the table
    code: int,
    word: str,
) -> None:
    """One document with the verdict; the telling is on standard error."""
    world.finds(kept=kept)

    assert await world.check("--json") == code
    assert world.document()["experiments"]["balance"]["verdict"] == word
    assert (world.document()["context"], world.document()["agent_version"]) == ("lab", "0.1.0")
    assert any(f"{word} in" in line for line in world.env.err)


async def test_without_json_there_is_a_table(world: World) -> None:
    """People get facts in columns and the verdict below."""
    world.finds(kept=True)

    assert await world.check() == 0
    assert world.env.out[0].splitlines()[-1].startswith("● balance: passed")


async def test_a_cluster_that_cannot_be_asked(world: World, tmp_path: Path) -> None:
    """The document and the JUnit file say why nothing was run, and the sentence goes on to the terminal."""
    world.refuse = LinkError("https://host cannot be reached")

    with pytest.raises(LinkError):
        await world.check("--json", "--junit", str(tmp_path / "j.xml"))
    assert (world.document()["experiments"], world.document()["error"]) == ({}, "https://host cannot be reached")
    assert len(list(ET.parse(tmp_path / "j.xml").getroot().iter("error"))) == 1  # noqa: S314 - our own


async def test_a_file_that_cannot_be_written_is_said_before_the_check(world: World, tmp_path: Path) -> None:
    """Nobody's pods are killed for results that have no place."""
    world.hangs()

    with pytest.raises(UsageError, match="cannot write JUnit results"):
        await world.check("--junit", str(tmp_path / "no" / "j.xml"))
    assert world.feed.asked == []


async def test_a_file_that_cannot_be_written_costs_no_result(world: World, tmp_path: Path) -> None:
    """One that is lost during the check: results are printed first, then the sentence about it, exit code 2."""
    folder = tmp_path / "there"
    folder.mkdir()

    async def loses(drive: Drive) -> Verdict:
        (folder / "j.xml").unlink()
        folder.rmdir()
        return Verdict.of([])

    world.lab.check(loses)
    with pytest.raises(UsageError, match="cannot write JUnit results") as refused:
        await world.check("--json", "--junit", str(folder / "j.xml"))
    assert world.document()["experiments"]["balance"]["verdict"] == "passed"
    assert refused.value.exit_code == 2


async def test_an_interrupted_check_reports_what_it_has(world: World) -> None:
    """Ctrl-C stops the load and still leaves a document, with what was not finished as skipped."""
    world.hangs()
    task = asyncio.ensure_future(world.check("--json"))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert world.feed.asked == [LOAD, StopLoad("balance")]
    found = world.document()["experiments"]["balance"]
    assert (found["verdict"], found["reasons"]) == ("skipped", ["interrupted"])
