"""The rail: the stopwatch of a run on one line, to scale.

`◆` is the trigger and `●` each milestone; the stretch between has the colour of the state that clients were in.
Under the marks stand their times and under each time its word: a time alone would be read with the word beside
it. Where labels would collide the lighter one gives way, time and word together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubealive_tui.experiments import outage_length, seconds
from kubealive_tui.model import Ending, Heading, Line, Milestone, Outage, Rail, Role, Run, Span, line
from kubealive_tui.ui._profile import Palette
from kubealive_tui.ui.draw._strips import Piece, Pieces, clean, cut, measure, paint

__all__ = ["Label", "milestone_lines", "place", "rail_heading", "rail_lines"]

_LEFT = 2
# Spans (seconds) at which an open run is drawn, so that its marks keep their place as time goes on.
_SPANS = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 15, 20, 30, 40, 60, 90, 120, 180, 240, 300, 600, 900, 1800, 3600)
# Part of the rail that the past may take while something is awaited.
_PAST_SHARE = 0.75
# Cells that a label may stand off its mark, and that lie between two labels at least.
_DRIFT = 32
_GAP = 2
# A rail shows at least this much time, so that a run which has only begun has a scale.
_SHORTEST_US = 10_000
# Cells that the name of whoever pressed the key may take.
_ACTOR_CELLS = 12
_SOURCE_CELLS = 9
# The trigger's own labels never give way.
_HEAVIEST = 1_000


def rail_heading(run: Run, now_us: int | None = None, *, figure: Line = ()) -> Heading:
    """The rule over a rail: what was done; at the right the `figure`, else what clients lost, and how it ended."""
    figures: list[Line] = [figure or _lost(run)]
    if run.incomplete:
        figures.append(line((f"incomplete: {run.incomplete}", Role.WAITING)))
    if run.ending is Ending.OPEN:
        if now_us is not None:
            figures.append(line(("running ", Role.MUTED), f"{max(now_us - run.began_us, 0) / 1e6:.1f} s"))
    elif run.ending is not Ending.COMPLETE:
        bad = run.ending in {Ending.LIMIT, Ending.REFUSED}
        figures.append(line((run.ending.value, Role.BAD if bad else Role.WAITING)))
    return Heading(line((run.title, Role.STRONG)), _joined(figures))


def _joined(parts: Sequence[Line]) -> Line:
    joined: list[Span] = []
    for part in parts:
        joined += [Span("  "), *part] if joined else part
    return tuple(joined)


def _lost(run: Run) -> Line:
    if not run.measured:
        return line(("clients not measured", Role.MUTED))
    if run.ending is Ending.OPEN and not run.planned:
        return line(("nothing asked so far", Role.MUTED))
    count = (f"{run.failed:,}", Role.BAD if run.failed else Role.GOOD)
    words = line(("clients lost ", Role.MUTED), count)
    if run.ending is Ending.OPEN:
        return line(words, (" so far", Role.MUTED))
    words = line(words, (" of ", Role.MUTED), (f"{run.planned:,}", Role.MUTED))
    return line(words, *_outage_time(run.outages)) if run.failed and run.outages else words


def _outage_time(outages: Sequence[Outage]) -> Iterable[Line]:
    """How long clients were without, with the error bar of the sampling interval."""
    if any(outage.end_us is None for outage in outages):
        yield line((", outage still open", Role.BAD))
        return
    yield line((" in ", Role.MUTED), outage_length(outages))
    if len(outages) > 1:
        yield line((f" over {len(outages)} outages", Role.MUTED))


@dataclass(frozen=True, slots=True)
class _Scale:
    """From agent time to cells: `cells` of them, the trigger in the first, `span_us` at the last."""

    began_us: int
    span_us: int
    cells: int

    def cell(self, at_us: int) -> int:
        share = (at_us - self.began_us) / max(self.span_us, 1)
        return min(max(round(share * (self.cells - 1)), 0), self.cells - 1)

    def time(self, cell: float) -> int:
        return self.began_us + round(cell / max(self.cells - 1, 1) * self.span_us)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Milestones that fall into one cell."""

    cell: int
    milestones: tuple[Milestone, ...]

    @property
    def chief(self) -> Milestone:
        """The one that colours the mark and keeps its word longest."""
        return max(self.milestones, key=lambda milestone: milestone.weight)

    @property
    def named(self) -> tuple[Milestone, ...]:
        """Those that have a word, in the order of their times."""
        return tuple(milestone for milestone in self.milestones if milestone.label)


def rail_lines(view: Rail, width: int, palette: Palette) -> list[Pieces]:
    """Three lines of the run (rail, times, words), or one that says how to start one; without the heading."""
    run = view.run
    indent = (" " * _LEFT, palette.blank)
    if run is None:
        return [[indent, *paint(view.hint, palette)]]
    cells = max(width - _LEFT - 1, 8)
    missing = tuple(m for m in run.milestones if m.at_us is None and not m.optional)
    pending = bool(missing) or (run.ending is Ending.OPEN and any(o.end_us is None for o in run.outages))
    now = _now(run, view.now_us if pending else None)
    scale = _scale(run, now, cells, pending=pending)
    marks = _marks(run, scale)
    track = _track(run, scale, marks, palette, reach=scale.cell(now) if pending else cells - 1)
    labels = _labels(marks, run, cells, missing, pending=pending)
    times = [(label.stand(label.text, at), label.text, label.role) for at, label in labels]
    words = [(label.stand(label.word, at), label.word, label.role) for at, label in labels]
    return [[indent, *track], [indent, *_row(times, palette)], [indent, *_row(words, palette)]]


def milestone_lines(run: Run, palette: Palette) -> list[Pieces]:
    """Every milestone on a line of its own: seconds from the trigger, whose word it is, what came."""
    ordered = sorted(run.milestones, key=lambda m: (m.at_us is None, m.at_us or 0))
    lines: list[Pieces] = []
    for milestone in ordered:
        known = milestone.at_us is not None
        time = f"{seconds((milestone.at_us - run.began_us) / 1e6)} s" if milestone.at_us is not None else "–  "
        mark = "●" if known else "○" if run.ending is Ending.OPEN else "–"
        role, word = (milestone.role, Role.TEXT) if known else (Role.DIM, Role.DIM)
        source = f"{milestone.source.value:<{_SOURCE_CELLS}}"
        words = line((f"{time:>9}  ", word), (source, Role.MUTED), (f"{mark} ", role), (milestone.words, word))
        lines.append(paint(words, palette))
    return lines


def _now(run: Run, now_us: int | None) -> int:
    """Up to where the run is known."""
    known = [run.began_us, run.last_us or 0, run.ended_us or 0, *(outage.end_us or 0 for outage in run.outages)]
    if run.ending is Ending.OPEN and now_us is not None:
        known.append(now_us)
    return max(known)


def _scale(run: Run, now: int, cells: int, *, pending: bool) -> _Scale:
    passed = max(now - run.began_us, _SHORTEST_US)
    if not pending:
        # A cell is left behind the last mark, so that the state after it is seen.
        return _Scale(run.began_us, round(passed * (cells - 1) / (cells - 2)), cells)
    wanted = passed / 1e6 / _PAST_SHARE
    if run.ending is Ending.OPEN:
        wanted = next((span for span in _SPANS if span >= wanted), wanted)
    return _Scale(run.began_us, round(wanted * 1e6), cells)


def _marks(run: Run, scale: _Scale) -> list[_Mark]:
    """The milestones that came, by cell, in the order of their times; none hides the trigger."""
    cells: dict[int, list[Milestone]] = {}
    reached = [(milestone.at_us, milestone) for milestone in run.milestones if milestone.at_us is not None]
    for at_us, milestone in sorted(reached, key=lambda pair: pair[0]):
        cells.setdefault(max(scale.cell(at_us), 1), []).append(milestone)
    return [_Mark(cell, tuple(milestones)) for cell, milestones in cells.items()]


def _track(run: Run, scale: _Scale, marks: Sequence[_Mark], palette: Palette, *, reach: int) -> list[Piece]:
    """The rail itself: solid up to `reach`, then what is awaited."""
    states = _states(run, scale)
    glyphs: list[Piece] = [("─", palette[role]) for role in states[: reach + 1]]
    if reach < scale.cells - 1:
        glyphs += [("┄", palette[Role.DIM])] * (scale.cells - 2 - reach)
        ending = ("○", Role.MUTED) if run.ending is Ending.OPEN else ("✕", Role.DIM)
        glyphs.append((ending[0], palette[ending[1]]))
    glyphs[0] = ("◆", palette[Role.ACCENT])
    for mark in marks:
        glyphs[mark.cell] = ("●", palette[mark.chief.role])
    return glyphs


def _states(run: Run, scale: _Scale) -> list[Role]:
    """For each cell the state that clients were in while its time passed."""
    reached = sorted(
        ((milestone.at_us, milestone) for milestone in run.milestones if milestone.at_us is not None),
        key=lambda pair: pair[0],
    )
    times = [at_us for at_us, _ in reached]
    after = [milestone.after or milestone.role for _, milestone in reached]
    start = Role.GOOD if run.measured else Role.ACCENT
    states: list[Role] = []
    for cell in range(scale.cells):
        begin, end = scale.time(cell - 0.5), scale.time(cell + 0.5)
        index = bisect_right(times, scale.time(cell))
        state = after[index - 1] if index else start
        lost = any(o.begin_us < end and (o.end_us is None or o.end_us > begin) for o in run.outages)
        states.append(Role.BAD if lost else state)
    return states


@dataclass(frozen=True, slots=True)
class Label:
    """A text with a word under it for the mark in cell `at`, or ending there with `ends`; the heavier one wins."""

    text: str
    at: int
    role: Role
    weight: int = 1
    ends: bool = False
    word: str = ""

    @property
    def size(self) -> int:
        """Cells that it takes, whichever of the two is longer."""
        return max(measure(self.text), measure(self.word))

    @property
    def wanted(self) -> int:
        """The cell at which it would begin if it were alone."""
        return self.at - self.size + 1 if self.ends else self.at

    def reach(self, drift: int) -> tuple[int, int]:
        """The first and last cell at which it may begin: the mark is over it, or at most `drift` cells beside."""
        if self.ends or self.at == 0:
            return self.wanted, self.wanted
        return self.at - max(self.size - 1, 0) - drift, self.at + drift

    def stand(self, text: str, begin: int) -> int:
        """Where its text or word begins when it begins there itself: as near to the mark as it can."""
        return min(max(self.at, begin), begin + self.size - measure(text))


def place(labels: Sequence[Label], cells: int, *, gap: int = _GAP, drift: int = _DRIFT) -> dict[int, int]:
    """The cell of each label that finds room, by its index: none touch, and their order is kept.

    Heavier ones choose first, of equal ones the earlier; the others join as long as all can stand within `drift`
    cells of their marks. Labels that end somewhere, and the first cell's, do not drift. One without
    text takes no place.
    """
    kept: list[int] = []
    order = sorted((i for i, label in enumerate(labels) if label.text), key=lambda i: (-labels[i].weight, i))
    for index in order:
        together = sorted([*kept, index])
        if _ranges([labels[i] for i in together], cells, gap, drift) is not None:
            kept = together
    ranges = _ranges([labels[i] for i in kept], cells, gap, drift) or []
    placed: dict[int, int] = {}
    free = 0
    for index, (low, high) in zip(kept, ranges, strict=True):
        placed[index] = min(max(labels[index].wanted, low, free), high)
        free = placed[index] + labels[index].size + gap
    return placed


def _ranges(labels: Sequence[Label], cells: int, gap: int, drift: int) -> list[tuple[int, int]] | None:
    """The first and last cell at which each label can stand so that all fit, or None."""
    lows: list[int] = []
    for label in labels:
        free = lows[-1] + labels[len(lows) - 1].size + gap if lows else 0
        lows.append(max(label.reach(drift)[0], free))
    highs: list[int] = []
    limit = cells
    for label in reversed(labels):
        highs.append(min(label.reach(drift)[1], limit - label.size))
        limit = highs[-1] - gap
    ranges = list(zip(lows, reversed(highs), strict=True))
    return ranges if all(low <= high for low, high in ranges) else None


def _labels(
    marks: Sequence[_Mark], run: Run, cells: int, missing: Sequence[Milestone], *, pending: bool
) -> list[tuple[int, Label]]:
    """The labels that find room, with their places. Where all words of a mark do not fit, its weightiest may."""
    whole = [
        Label("0", 0, Role.MUTED, _HEAVIEST, word=cut(run.actor or "you", _ACTOR_CELLS)),
        *(_came(mark, mark.named, run, cells, last=not pending and mark is marks[-1]) for mark in marks),
    ]
    brief = [
        whole[0],
        *(
            _came(mark, sorted(mark.named, key=lambda m: -m.weight)[:1], run, cells, last=label.ends)
            for mark, label in zip(marks, whole[1:], strict=True)
        ),
    ]
    if pending:
        whole.append(_awaited(missing, run, cells, weight=0))
        brief.append(_awaited(missing[:1], run, cells, weight=_HEAVIEST))
    fits = place(whole, cells)
    labels = [label if index in fits else brief[index] for index, label in enumerate(whole)]
    placed = place(labels, cells)
    if pending and len(labels) - 1 not in placed:
        # Words that came back in brief have taken the room of all that is awaited.
        labels[-1] = brief[-1]
        placed = place(labels, cells)
    return [(at, labels[index]) for index, at in sorted(placed.items())]


def _came(mark: _Mark, named: Sequence[Milestone], run: Run, cells: int, *, last: bool) -> Label:
    """These milestones of a mark: when they came, from the first to the last, over their words."""
    times = [seconds(((milestone.at_us or 0) - run.began_us) / 1e6) for milestone in named]
    text = "–".join(dict.fromkeys((times[0], times[-1]))) if times else ""
    word, chief = ", ".join(milestone.words for milestone in named), mark.chief
    if last:
        return Label(text and f"{text} s", cells - 1, chief.role, _HEAVIEST, ends=True, word=word)
    return Label(text, mark.cell, chief.role, chief.weight, word=word)


def _awaited(missing: Sequence[Milestone], run: Run, cells: int, *, weight: int) -> Label:
    """What stands for that which has not come; all of it only where what has come leaves room."""
    text = "…" if run.ending is Ending.OPEN else "–"
    word = ", ".join(milestone.words for milestone in missing)
    return Label(text, cells - 1, Role.DIM, weight, ends=True, word=word)


def _row(texts: Sequence[tuple[int, str, Role]], palette: Palette) -> list[Piece]:
    pieces: list[Piece] = []
    used = 0
    for at, text, role in texts:
        pieces += [(" " * (at - used), palette.blank), (clean(text), palette[role])]
        used = at + measure(text)
    return pieces
