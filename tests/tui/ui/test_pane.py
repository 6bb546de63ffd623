"""The generic pane: which rows the pointer moves over."""

import pytest

from kubealive_tui.model import Column, Row, Sentence, Table, line
from kubealive_tui.ui._pane import rows_of


def table(*keys: str, selectable: bool = True) -> Table:
    return Table((Column("X", 3),), keys, lambda key: Row(key, (line(key),)), selectable=selectable)


@pytest.mark.parametrize(
    ("views", "rows"),
    [
        pytest.param([Sentence(line("no table"))], (), id="none"),
        pytest.param([table("a", "b"), table("c", selectable=False)], ("a", "b"), id="one"),
        pytest.param([table("a", "b"), Sentence(()), table("c")], ("a", "b", "c"), id="one beside another"),
    ],
)
def test_the_pointer_moves_over_all_selectable_tables(
    views: list[Table | Sentence], rows: tuple[str, ...]
) -> None:
    """Two workloads in two tables are one list of rows to the pointer."""
    assert tuple(rows_of(views)) == rows
