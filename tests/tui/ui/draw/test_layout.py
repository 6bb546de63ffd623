"""Whole frames: sizes, golden texts, what gives way, and what lies under the mouse."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from kubealive_tui.model import Bins, Column, Entry, Lane, Role, Row, Sentence, Size, Table, line
from kubealive_tui.ui._profile import Colours, Palette, Profile, Theme
from kubealive_tui.ui.draw import LEAST, Composition, ScreenModel, compose
from tests.tui.ui.draw.preview import SCREENS
from tests.tui.ui.draw.screens import HEADER, TABS, balance, keys

PALETTE = Palette.of(Profile())
SMALL = Size(80, 24)
SIZES = [(80, 24), (80, 50), (100, 30), (139, 40), (140, 24), (160, 50), (237, 63)]
GOLDEN = """\
 kubealive dev \u203a kubealive               ● live 3 ms  3 nodes  2 here  10:42:07
 0 All  1 Balance  2 Heal 3 Update 4 Scale 5 Self 6 Svc 7 Daemon 8 State 9 DNS
 One Service, four pods: every new connection may go to any of them.
   POD        NODE    STATE         READY ENDPOINT   RST    AGE   SHARE
 ▸ …d8c-4ldf9 node-1  ● Running     yes   serving      0     3m  26.1 % ██████▊
   …d8c-47vpv node-2  ● Running     yes   serving      0     3m  24.8 % ██████▍
   …d8c-j9c5c node-3  ● Running     yes   serving      0     3m  25.0 % ██████▌
   …d8c-x8962 node-1  ● Running     yes   serving      0     1s   0.4 % ▏
   …d8c-88bbp node-2  ✕ gone        –     –            0     3m  23.7 % ██████▏
─ LOAD ───────── ▶ 100/s new connections  ok 12,401  failed 2  p50 1.2  p99 8 ms
  ok   ██████████████████████████████████████████████████████████████████ 100/s
  lost                                                  ▄                 −60 s
  spread expected 25.0 %, largest deviation 1.1: as even as chance (p = 0.41)
─ KILL …d8c-88bbp ──────────────────────── clients lost 2 of 190 in 0.19 s ±0.01
  ◆●─────────────●───────────────────────────────────────────────────────────●─
  0    0.02         0.21                                                 1.05 s
  you  terminating  left the Service                   successor ready, serving
─ TIMELINE ──────────────────────────────────────────────────────── newest first
  10:42:06.360 pod       …d8c-x8962 ready on node-1
  10:42:05.520 client    first failure: connection refused
  10:42:05.333 endpoint  …d8c-88bbp not ready, still serving, terminating
  10:42:05.310 you       delete pod …d8c-88bbp, grace 30 s

 l load  + - rate  b burst  m mode  x kill  r readiness  e explain  y kubectl  ?
"""


def texts(drawn: Composition) -> list[str]:
    return [strip.text.rstrip() for strip in drawn.strips]


def pods(count: int, *, built: list[str] | None = None, most: int | None = None) -> Table:
    def row(key: str) -> Row:
        if built is not None:
            built.append(key)
        return Row(key, (line(key),))

    return Table((Column("POD", 20),), tuple(f"pod-{index}" for index in range(count)), row, most=most)


def plain_screen(*views: Table | Bins | Sentence, **options: object) -> ScreenModel:
    screen = ScreenModel(HEADER, TABS, 1, line("lesson"), views, keys=keys("l load"))
    return replace(screen, **options)  # type: ignore[arg-type]


def test_golden() -> None:
    """Tab 1 at 80x24, word for word."""
    assert texts(compose(balance(), SMALL, PALETTE)) == GOLDEN.splitlines()


def test_golden_wide() -> None:
    """Tab 1 at 160x36, word for word, with the timeline beside."""
    golden = Path(__file__).parent / "golden" / "balance-160x36.txt"
    assert texts(compose(balance(), Size(160, 36), PALETTE)) == golden.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "profile", [Profile(c, t) for c in Colours for t in Theme], ids=lambda p: f"{p.colours.value}-{p.theme.value}"
)
@pytest.mark.parametrize("build", SCREENS.values(), ids=SCREENS)
def test_words_do_not_depend_on_colour(build: Callable[[], ScreenModel], profile: Profile) -> None:
    """Every tab says the same in all colours and without, live and stale."""
    palette = Palette.of(profile)
    wanted = texts(compose(build(), SMALL, PALETTE))
    assert texts(compose(build(), SMALL, palette)) == wanted
    assert texts(compose(replace(build(), stale=True), SMALL, palette)) == wanted


@pytest.mark.parametrize(("width", "height"), SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
@pytest.mark.parametrize("build", SCREENS.values(), ids=SCREENS)
def test_exact_size(build: Callable[[], ScreenModel], width: int, height: int) -> None:
    """A frame has exactly as many lines and cells as the terminal; tabs and keys keep their places."""
    drawn = compose(build(), Size(width, height), PALETTE)
    assert [strip.cell_length for strip in drawn.strips] == [width] * height
    assert [cell_len(strip.text) for strip in drawn.strips] == [width] * height
    assert texts(drawn)[1].strip().startswith("0 All")
    assert texts(drawn)[-1].endswith("?")


@pytest.mark.parametrize("build", SCREENS.values(), ids=SCREENS)
def test_nothing_is_left_out_at_the_least_size(build: Callable[[], ScreenModel]) -> None:
    """At 80x24 every heading of the tab and at least one entry of the timeline is seen."""
    screen = build()
    lines = texts(compose(screen, SMALL, PALETTE))
    titles = [view.heading.title[0].text for view in screen.views if view.heading]
    assert all(any(text.startswith(f"─ {title}") for text in lines) for title in [*titles, "TIMELINE"])
    assert "…" not in "".join(lines[:3])
    newest = screen.timeline[0].text[0].text
    assert any(newest in text for text in lines)


def test_wide_terminals_have_the_timeline_beside() -> None:
    """From 140 columns the timeline stands right of the views, from line 4 down, under its own heading."""
    lines = texts(compose(balance(), Size(160, 50), PALETTE))
    assert lines[3].startswith("   POD ")
    assert "─ TIMELINE ─" in lines[3]
    assert lines[3].endswith(" newest first")
    assert "10:42:06.360 pod" in lines[4]
    assert not any(text.startswith("─ TIMELINE") for text in lines)
    assert "10.244.1.7" in lines[4]


def test_entries_beside_wrap() -> None:
    """Beside the views an entry that is too long goes on in the next line."""
    lines = texts(compose(balance(), Size(140, 40), PALETTE))
    at = next(index for index, text in enumerate(lines) if "endpoint" in text and "10:42:05.333" in text)
    assert lines[at].endswith("not ready, still")
    assert lines[at + 1].endswith(" serving, terminating")


def test_room_shows_milestones() -> None:
    """Where there is room the milestones stand in a list under the rail."""
    assert any(text.startswith("   0.21 s  watch") for text in texts(compose(balance(), Size(80, 50), PALETTE)))


@pytest.mark.parametrize(("width", "height"), [(79, 24), (80, 23), (20, 3), (1, 1)], ids=str)
def test_too_small(width: int, height: int) -> None:
    """A terminal that is too small says so, with the least size and its own."""
    drawn = compose(balance(), Size(width, height), PALETTE)
    assert [strip.cell_length for strip in drawn.strips] == [width] * height
    if width > 40:
        words = " ".join(texts(drawn))
        assert f"{LEAST.width}x{LEAST.height}" in words
        assert f"{width}x{height}" in words


def test_many_pods_leave_room_for_the_timeline() -> None:
    """A long table scrolls, says how many more there are, and leaves the timeline its three lines."""
    built: list[str] = []
    screen = plain_screen(pods(5_000, built=built), selected="pod-2500", timeline=balance().timeline)
    drawn = compose(screen, SMALL, PALETTE)
    lines = texts(drawn)
    assert len(built) == drawn.page < 24
    assert any("more ↑" in text and "more ↓" in text for text in lines)
    assert lines.index(next(text for text in lines if text.startswith("─ TIMELINE"))) <= 24 - 4


def test_scroll_comes_back() -> None:
    """The first visible row that a frame gives back shows the same rows in the next one."""
    screen = plain_screen(pods(50, most=5), selected="pod-20")
    first = compose(screen, SMALL, PALETTE)
    again = compose(replace(screen, scroll=first.scroll, selected="pod-19"), SMALL, PALETTE)
    assert first.scroll > 0
    assert again.scroll == first.scroll
    assert list(again.rows.values()) == list(first.rows.values())


def test_hits() -> None:
    """Lines of rows name their row, and the cursor is on the selected one."""
    drawn = compose(balance(), SMALL, PALETTE)
    assert drawn.rows == {4: "…d8c-4ldf9", 5: "…d8c-47vpv", 6: "…d8c-j9c5c", 7: "…d8c-x8962", 8: "-gone"}
    assert drawn.cursor == (1, 4)
    assert [hit.value for hit in drawn.keys][:3] == ["l", "+ -", "b"]
    assert drawn.tab_line == 1


def test_only_one_table_has_the_pointer() -> None:
    """Where two tables hold the selected key the first has the pointer."""
    drawn = compose(plain_screen(pods(2), pods(2), selected="pod-1"), SMALL, PALETTE)
    assert [at for at, text in enumerate(texts(drawn)) if text.startswith(" ▸ ")] == [5]


def test_a_table_without_pointer_has_no_rows_to_click() -> None:
    """Rows of a table that cannot be selected are no hits."""
    drawn = compose(plain_screen(replace(pods(2), selectable=False), selected="pod-1"), SMALL, PALETTE)
    assert drawn.rows == {}
    assert drawn.cursor is None


def test_notice_and_prompt() -> None:
    """A refusal stands above the keys; a question stands in their place, with the cursor behind it."""
    screen = plain_screen(pods(2), notice=line("pod-1 is gone: choose another"))
    assert texts(compose(screen, SMALL, PALETTE))[-2:] == [" pod-1 is gone: choose another", " l load  ?"]
    asked = compose(replace(screen, prompt=line("/pod")), SMALL, PALETTE)
    assert texts(asked)[-1] == " /pod"
    assert asked.cursor == (5, 23)
    assert asked.keys == ()


def test_stale_data_is_dim() -> None:
    """While the link is lost all data has one quiet colour; header and keys keep theirs."""
    drawn = compose(replace(balance(), stale=True, selected=""), SMALL, PALETTE)
    quiet = {PALETTE[Role.DIM].color, PALETTE[Role.RULE].color, None}
    assert {segment.style.color for strip in drawn.strips[3:-1] for segment in strip if segment.style} <= quiet
    assert PALETTE.tab in {segment.style for segment in drawn.strips[1]}


def test_timeline_is_lazy_and_scrolls() -> None:
    """Of a long timeline only the visible entries are asked for."""
    asked: list[int] = []

    class Entries(Sequence[Entry]):
        def __len__(self) -> int:
            return 500

        def __getitem__(self, index: object) -> Any:
            assert isinstance(index, int)
            asked.append(index)
            return Entry(0, "pod", Role.GOOD, line(f"entry {index}"))

    drawn = compose(plain_screen(pods(1), timeline=Entries(), timeline_scroll=100), SMALL, PALETTE)
    assert asked == list(range(100, 100 + drawn.timeline_page))
    assert any("entry 100" in text for text in texts(drawn))


def test_too_many_views() -> None:
    """More views than lines are cut at the bottom; header and keys stay."""
    drawn = compose(plain_screen(*(Sentence(line(f"words {index}")) for index in range(40))), SMALL, PALETTE)
    assert len(drawn.strips) == 24
    assert texts(drawn)[-1] == " l load  ?"


def test_an_unchanged_frame_is_the_same_strips() -> None:
    """Two frames of equal screens share their strips, so that nothing is painted again."""
    once, again = (compose(balance(), Size(160, 50), PALETTE) for _ in range(2))
    assert all(one is other for one, other in zip(once.strips, again.strips, strict=True))


def test_charts_grow_with_the_terminal() -> None:
    """A taller terminal has taller charts."""
    lane = Lane("ok", (1.0,) * 60, Role.GOOD, 1.0)
    heights = [
        sum("█" in text for text in texts(compose(plain_screen(Bins((lane,))), Size(160, rows), PALETTE)))
        for rows in (24, 50)
    ]
    assert heights[0] >= 1
    assert heights[1] >= heights[0] >= 1
