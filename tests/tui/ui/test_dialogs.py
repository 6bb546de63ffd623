"""Dialogs as data: wrapping, ranking, scrolling."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kubealive_tui.commands import Keymap, Place
from kubealive_tui.experiments import Experiment, balance
from kubealive_tui.model import Role, Size, line, plain
from kubealive_tui.ui.dialogs import Choice, Entry, Palette, Reply, Text, help_lines, shell_lines, wrapped
from kubealive_tui.ui.dialogs._palette import score

WORDS = st.text(st.sampled_from("ab 日-"), max_size=40)


@given(st.lists(WORDS, min_size=1, max_size=4), st.integers(8, 30))
def test_wrapping_keeps_the_words_in_the_width(texts: list[str], width: int) -> None:
    """No word is lost, and a line is wider than asked only where a single word is."""
    text = line(*((part, Role.TEXT) for part in texts))
    rows = wrapped(text, width) if text else []
    assert "".join(plain(row) for row in rows).replace(" ", "") == plain(text).replace(" ", "")
    for row in rows:
        longest = max((cell_len(word) for word in plain(row).split()), default=0)
        assert cell_len(plain(row).rstrip()) <= max(width, longest + len(plain(row)) - len(plain(row).lstrip()))


@pytest.mark.parametrize(
    ("typed", "better", "worse"),
    [("kill", "kill", "kill force"), ("st", "stop all", "install"), ("sd", "scale down", "saved runs around")],
    ids=["whole", "begin", "initials"],
)
def test_fuzzy_ranking(typed: str, better: str, worse: str) -> None:
    """What is meant stands first: whole words before parts, beginnings of words before their middles."""
    first, second = score(typed, better), score(typed, worse)
    assert first is not None
    assert second is not None
    assert first <= second


def test_fuzzy_misses() -> None:
    """Letters that do not come in this order fit nothing."""
    assert score("llik", "kill") is None


def test_palette_marks_and_runs() -> None:
    """The marked entry runs, the one below after a step down."""
    ran: list[str] = []
    palette = Palette([Choice("", name, "", lambda name=name: ran.append(name)) for name in ("one", "two")])  # type: ignore[misc]  # mypy infers no lambda with a default
    assert palette.press("down") is Reply.STAY
    assert palette.page(Size(80, 20)).marked == 1
    assert palette.press("enter") is Reply.CLOSE
    assert ran == ["two"]


def test_a_palettes_names_stand_in_one_column() -> None:
    """However long the name of a key is."""
    palette = Palette([Choice(key, "name", "help", lambda: None) for key in ("x", "shift+tab")])
    assert len({plain(words).index("name") for words in palette.page(Size(80, 20)).lines}) == 1


def test_an_entry_gives_what_was_typed() -> None:
    """Enter gives the line; what is refused stays, with the reason, until it is mended."""
    given: list[str] = []

    def take(text: str) -> str:
        given.append(text)
        return "" if text.isdigit() else f"{text!r} is no number; type 0 to 255"

    entry = Entry(line("exit code"), take)
    entry.paste("1x")
    assert entry.press("enter") is Reply.STAY
    shown = [plain(text) for text in entry.page(Size(80, 20)).lines]
    assert "1x" in shown[0]
    assert shown[1] == "'1x' is no number; type 0 to 255"
    assert entry.press("backspace") is Reply.STAY
    assert len(entry.page(Size(80, 20)).lines) == 1
    assert entry.press("enter") is Reply.CLOSE
    assert given == ["1x", "1"]


@pytest.mark.parametrize(("key", "reply"), [("escape", Reply.CLOSE), ("ctrl+c", Reply.QUIT)])
def test_an_entry_can_be_left(key: str, reply: Reply) -> None:
    """Leaving gives nothing."""
    given: list[str] = []

    def take(text: str) -> str:
        given.append(text)
        return ""

    entry = Entry(line("value"), take)
    entry.press("a")
    assert entry.press(key) is reply
    assert given == []


def test_text_scrolls_within_its_lines() -> None:
    """G shows the end, g the beginning, and no key scrolls beyond either."""
    text = Text(line("T"), lambda: [line(str(number)) for number in range(30)])
    assert text.page(Size(80, 10)).scroll == 0
    text.press("G")
    assert text.page(Size(80, 10)).scroll == 20
    text.press("j")
    assert text.page(Size(80, 10)).scroll == 20
    text.press("g")
    text.press("k")
    assert text.page(Size(80, 10)).scroll == 0


@pytest.mark.parametrize("key", ["escape", "q", "enter"])
def test_text_closes(key: str) -> None:
    """The usual keys close it, and q does not end the program from inside a dialog."""
    assert Text(line("T"), lambda: [line("words")]).press(key) is Reply.CLOSE


COMMANDS = st.lists(st.text("ab -'$\\\n", max_size=30), min_size=1, max_size=8).map(shlex.join)


@given(COMMANDS, st.integers(20, 80))
def test_a_wrapped_command_is_the_same_command(command: str, width: int) -> None:
    """Its lines, copied off the screen, are the same words to a shell."""
    copied = "\n".join(shell_lines(command, width))
    assert shlex.split(re.sub(r" \\\n    ", " ", copied)) == shlex.split(command)


def test_a_command_breaks_between_words() -> None:
    """A line that goes on says so to the shell, and none is wider than the screen."""
    assert shell_lines("kubectl -n kubealive get pods -l 'a b=c d' --watch", 30) == [
        "kubectl -n kubealive get \\",
        "    pods -l 'a b=c d' \\",
        "    --watch",
    ]


@pytest.mark.parametrize(
    ("place", "lab", "sentence"),
    [
        (Place.OVERVIEW, None, "C asks once a session; ! never asks."),
        (Place.TAB, balance.lab, "x, X and S ask once a session; ! never asks."),
        (Place.TAB, Experiment("calm", order=1, title="", long_title="", lesson=""), "! never asks."),
    ],
    ids=["overview", "tab", "without"],
)
def test_help_names_the_keys_that_ask(place: Place, lab: Experiment | None, sentence: str) -> None:
    """They are those of the registry, so that no tab names a key that it has not, or leaves one out."""
    (*_, last) = help_lines(Keymap(place, lab), title="", read_only=False)
    assert plain(last).startswith(sentence)
