"""The generic pane: which rows the pointer moves over."""

import pytest

from kubealive_tui.model import AgentNote, Column, Row, Sentence, Table, line
from kubealive_tui.store._ledger import KEPT_FACTS
from kubealive_tui.ui._pane import rows_of
from tests.tui.signals import fact, frame, pod, pod_change, snapshot
from tests.tui.ui.scripts import LIVE
from tests.tui.ui.stage import stage


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


async def test_a_timeline_that_let_facts_go_says_how_many() -> None:
    """What gave way for newer facts is counted over the lines."""
    notes = [fact(100 + n, 1.0, AgentNote(f"note {n}")) for n in range(KEPT_FACTS + 1_234)]
    async with stage(live=False) as it:
        await it.deliver(LIVE, snapshot(pod_change(pod())))
        await it.press("1")
        assert "newest first" in it.text
        assert "older not kept" not in it.text
        await it.deliver(frame(9_999, 1.0, *notes))
        assert "newest first; 1,234 older not kept" in it.text
