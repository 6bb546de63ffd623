"""A tab of any experiment as a screen model: its views, filtered, with the pointer, and its timeline.

The pane knows no experiment by name. It also holds what a frozen screen shows: the views with every row built, so
that the store may go on beneath.
"""

from collections.abc import Sequence
from dataclasses import replace

from kubealive_tui.experiments import Scene, count, timeline
from kubealive_tui.model import Bar, Line, Role, Row, Size, Table, View, line, plain
from kubealive_tui.store import Store
from kubealive_tui.ui._frame import Around
from kubealive_tui.ui._state import TabState
from kubealive_tui.ui.draw import ScreenModel

__all__ = ["filter_prompt", "filtered", "matching", "pane", "rows_of", "screen", "settled"]


def pane(scene: Scene, state: TabState, around: Around) -> ScreenModel:
    """The tab as it stands now; moves the state's pointer to a row that exists."""
    lesson = line(scene.experiment.lesson)
    return screen(scene.store, scene.name, lesson, scene.experiment.views(scene), state, around, scene.size)


def screen(
    store: Store, name: str, lesson: Line, views: Sequence[View], state: TabState, around: Around, size: Size
) -> ScreenModel:
    """Views and timeline of a tab or of the cluster, filtered, with the pointer on a row that exists."""
    words = state.filter.text
    kept = filtered(views, words)
    selected = state.show(rows_of(kept))
    lines = timeline(store, name, me=around.me, most=state.timeline_scroll + size.height, matches=words)
    # Past the end there is nothing to come back from.
    state.timeline_scroll = min(state.timeline_scroll, max(len(lines) - 1, 0))
    return ScreenModel(
        header=around.header,
        tabs=around.tabs,
        active=around.active,
        lesson=lesson,
        views=kept,
        timeline=lines,
        timeline_figures=_figures(words, dropped=store.timeline_dropped(name)),
        timeline_empty=_nothing(words) if words else line(("nothing has happened yet", Role.DIM)),
        timeline_scroll=state.timeline_scroll,
        keys=around.keys,
        selected=selected or "",
        scroll=state.scroll,
        stale=around.stale,
        notice=around.notice,
        prompt=around.prompt,
    )


def _nothing(words: str) -> Line:
    return line(("nothing matches ", Role.DIM), (words, Role.WAITING))


def _figures(words: str, *, dropped: int) -> Line:
    older = (f"; {count(dropped)} older not kept", Role.WAITING) if dropped else ""
    if not words:
        return line(("newest first", Role.DIM), older)
    return line(("only what contains ", Role.MUTED), (words, Role.WAITING), ("; esc clears", Role.MUTED), older)


def rows_of(views: Sequence[View]) -> Sequence[str]:
    """Keys of the rows that the pointer moves over: those of all selectable tables, from top to bottom."""
    tables = [view.keys for view in views if isinstance(view, Table) and view.selectable]
    return tables[0] if len(tables) == 1 else tuple(key for keys in tables for key in keys)


def filtered(views: Sequence[View], words: str) -> Sequence[View]:
    """The views with only the rows of selectable tables that contain the words."""
    if not words:
        return views
    return [_filtered(view, words) if isinstance(view, Table) and view.selectable else view for view in views]


def _filtered(table: Table, words: str) -> Table:
    kept = [key for key in table.keys if matching(table.row(key), words)]
    return replace(table, keys=kept, empty=_nothing(words) if table.keys else table.empty)


def matching(row: Row, words: str) -> bool:
    """Whether any of the row's words contain these, whatever the case."""
    text = " ".join(plain(cell) for cell in row.cells if not isinstance(cell, Bar))
    return words.casefold() in text.casefold()


def settled(model: ScreenModel) -> ScreenModel:
    """The model with every row built, so that it stays as it is whatever the store does."""
    return replace(model, views=[_settled(view) if isinstance(view, Table) else view for view in model.views])


def _settled(table: Table) -> Table:
    rows = {key: table.row(key) for key in table.keys}
    return replace(table, keys=tuple(table.keys), row=rows.__getitem__)


def filter_prompt(words: str) -> Line:
    """The bottom line while a filter is typed."""
    return line(("/", Role.ACCENT), words)
