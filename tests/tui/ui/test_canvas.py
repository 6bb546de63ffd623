"""What the canvas has repainted."""

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kubealive_tui.ui._canvas import difference

RED, BLUE = Style(color="red"), Style(color="blue")


def _strip(*parts: tuple[str, Style]) -> Strip:
    return Strip([Segment(text, style) for text, style in parts])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (_strip(("abc", RED)), _strip(("abc", RED)), None),
        (_strip(("abc", RED)), _strip(("ab", RED), ("c", RED)), None),
        (_strip(("abc", RED)), _strip(("axc", RED)), (1, 2)),
        (_strip(("abc", RED)), _strip(("a", RED), ("bc", BLUE)), (1, 3)),
        (_strip(("abcdef", RED)), _strip(("xbcdex", RED)), (0, 6)),
        (_strip(("a日b", RED)), _strip(("a本b", RED)), (1, 2)),
        (_strip(("a日b", RED)), _strip(("axyb", RED)), (1, 3)),
        (_strip(("ae\u0301b", RED)), _strip(("aeb", RED)), (1, 2)),
        (_strip(("abc", RED)), _strip(("abcd", RED)), (0, 4)),
    ],
    ids=["same", "split", "one-cell", "style", "both-ends", "wide", "wide-to-narrow", "combining", "length"],
)
def test_difference(old: Strip, new: Strip, expected: tuple[int, int] | None) -> None:
    """Only the cells from the first to the last difference are repainted, wide characters whole."""
    assert difference(old, new) == expected
