"""The lines around the views, at every width and in every state."""

from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from kubealive_tui.model import Entry, Heading, LinkState, Role, line
from kubealive_tui.ui._profile import Palette, Profile
from kubealive_tui.ui.draw import Header, Hit, KeyHint, Replay, Tab
from kubealive_tui.ui.draw._frame import entry_line, header_line, key_line, rule_line, tab_line
from kubealive_tui.ui.draw._strips import Pieces, strip_of
from tests.tui.ui.draw.screens import HEADER, TABS, keys

PALETTE = Palette.of(Profile())


def text(pieces: Pieces, width: int = 80) -> str:
    return strip_of(pieces, width, PALETTE).text


def lost(state: LinkState, **options: object) -> Header:
    header = replace(HEADER, link=state, round_trip_ms=None, **options)  # type: ignore[arg-type]
    return replace(header, age_s=12.3)


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (HEADER, " kubealive dev \u203a kubealive               ● live 3 ms  3 nodes  2 here  10:42:07 "),
        (replace(HEADER, nodes=1, viewers=None),
         " kubealive dev \u203a kubealive                        ● live 3 ms  1 node  10:42:07 "),
        (replace(HEADER, read_only=True),
         " kubealive dev \u203a kubealive    ● live 3 ms  3 nodes  2 here  READ-ONLY  10:42:07 "),
        (replace(HEADER, zone=ZoneInfo("Asia/Kolkata")),
         " kubealive dev \u203a kubealive               ● live 3 ms  3 nodes  2 here  16:12:07 "),
        (lost(LinkState.RECONNECTING, attempt=2, reason="connection refused"),
         " kubealive dev \u203a kubealive   ○ reconnecting (2): connection refu…  data 12 s old "),
        (replace(HEADER, link=LinkState.REPLAYING, round_trip_ms=None, nodes=None, viewers=None,
                 replay=Replay(75, 300, speed=4)),
         " kubealive dev \u203a kubealive      ▶ replaying  ━━━━──────────── 1:15 / 5:00 ×4 "),
        (replace(HEADER, context="arn:aws:eks:eu-central-1:123456789012:cluster/production-main"),
         " kubealive arn:aws:eks:eu-central-1:12…  ● live 3 ms  3 nodes  2 here  10:42:07 "),
    ],
    ids=["live", "unknown is left out", "read-only", "zone", "stale", "replay", "long context"],
)  # fmt: skip
def test_header(header: Header, shown: str) -> None:
    """Where am I: names at the left, facts at the right, at 80 cells."""
    drawn = text(header_line(header, 80, PALETTE))
    assert drawn.split() == shown.split()
    assert drawn.endswith(f"{shown.rsplit(maxsplit=1)[-1]} ")


def test_reason_where_there_is_room() -> None:
    """A wider terminal says why the link is lost, and how old the data is."""
    drawn = text(
        header_line(lost(LinkState.RECONNECTING, attempt=2, reason="connection refused"), 120, PALETTE), 120
    )
    assert "○ reconnecting (2): connection refused  data 12 s old" in drawn


def test_reason_comes_before_counts() -> None:
    """At 80 cells the reason of a lost link pushes out how many nodes and viewers there were."""
    drawn = text(header_line(lost(LinkState.RECONNECTING, reason="connection refused"), 80, PALETTE))
    assert "reconnecting: connection" in drawn
    assert "data 12 s old" in drawn


@pytest.mark.parametrize("width", range(20, 200, 7))
def test_header_fits(width: int) -> None:
    """The header is never wider than the terminal, and the link's state is the last to go."""
    drawn = text(header_line(lost(LinkState.FAILED, reason="no route", read_only=True), width, PALETTE), width)
    assert len(drawn) == width
    assert width < 50 or "✕ no link" in drawn


def test_tabs() -> None:
    """All ten tabs fit into 80 cells, and the hits are where they are seen."""
    pieces, hits = tab_line(TABS, 1, 80, PALETTE)
    drawn = text(pieces)
    assert drawn == " 0 All  1 Balance  2 Heal 3 Update 4 Scale 5 Self 6 Svc 7 Daemon 8 State 9 DNS  "
    assert [drawn[hit.start : hit.end].strip() for hit in hits] == [f"{tab.digit} {tab.title}" for tab in TABS]
    assert [hit.value for hit in hits] == [str(index) for index in range(10)]
    assert (" 1 Balance ", PALETTE.tab) in pieces


@pytest.mark.parametrize("active", range(14))
def test_many_tabs_scroll(active: int) -> None:
    """With more tabs than fit the active one is always seen, and marks say that there are more."""
    tabs = (*TABS, *(Tab("", f"Extra {index}") for index in range(4)))
    pieces, hits = tab_line(tabs, active, 80, PALETTE)
    drawn = text(pieces)
    assert str(active) in {hit.value for hit in hits}
    assert tabs[active].title in drawn
    assert (drawn[0] == "\u2039") == (hits[0].value != "0")
    assert (drawn[-1] == "\u203a") == (hits[-1].value != "13")


@pytest.mark.parametrize(
    ("title", "figures", "shown"),
    [
        ("LOAD", "ok 12", "─ LOAD ─────────────── ok 12"),
        ("LOAD", "", "─ LOAD ─────────────────────"),
        ("A TITLE THAT IS TOO LONG", "ok 12", "─ A TITLE THAT IS… ─── ok 12"[:28]),
        ("LOAD", "figures that are far too long", "─ L… figures that are fa…"),
    ],
    ids=["both", "title alone", "long title", "long figures"],
)
def test_rule(title: str, figures: str, shown: str) -> None:
    """A rule with a title at the left and figures that end at the right edge; the title is cut first."""
    drawn = text(rule_line(Heading(line(title), line(figures)), 28, PALETTE), 28)
    assert len(drawn) == 28
    assert drawn.startswith("─ ")
    if len(title) + len(figures) < 20:
        assert drawn == shown
    assert not figures or not drawn.endswith(" ")


def test_a_rule_never_loses_what_it_is_about() -> None:
    """However long the figures are, the begin of the title stays, and they end in an ellipsis."""
    long = "clients lost 693 of 697, outage still open  interrupted by the next trigger"
    drawn = text(rule_line(Heading(line("OOM …676-l6jz2"), line(long)), 80, PALETTE))

    assert drawn.startswith("─ OOM …676-l6jz2 ─")
    assert drawn.endswith("…")
    assert len(drawn) == 80


def test_entry() -> None:
    """Time, source in its colour, words; equal happenings are counted."""
    entry = Entry(1_795_000_000_123_456, "endpoint", Role.LEAVING, line("not ready"), 3)
    pieces = entry_line(entry, UTC, PALETTE)
    assert text(pieces).rstrip() == "  11:06:40.123 endpoint  not ready ×3"
    assert ("endpoint", PALETTE[Role.LEAVING]) in pieces


def test_long_source_is_cut() -> None:
    """A long source does not move the words."""
    entry = Entry(0, "horizontalpodautoscaler", Role.ACCENT, line("words"))
    assert text(entry_line(entry, UTC, PALETTE)).rstrip() == "  00:00:00.000 horizont… words"


@pytest.mark.parametrize("width", [80, 60, 40, 12], ids=str)
def test_keys(width: int) -> None:
    """As many keys as fit whole, and `?` always the last."""
    hints = (*keys("l load", "+_- rate", "b burst", "x kill", "e explain", "y kubectl"), KeyHint("?", "help"))
    pieces, hits = key_line(hints, width, PALETTE)
    drawn = text(pieces, width)
    assert drawn.rstrip().endswith("?")
    assert [drawn[hit.start : hit.end].split(" ")[0] for hit in hits] == [hit.value.split(" ")[0] for hit in hits]
    assert hits[-1].value == "?"


def test_key_hits() -> None:
    """A key's cells are the key and its label."""
    _, hits = key_line(keys("l load"), 80, PALETTE)
    assert hits == (Hit(1, 7, "l"), Hit(9, 10, "?"))
