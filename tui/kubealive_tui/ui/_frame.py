"""The parts of a screen model that are the same on every tab: header, tabs, keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubealive_tui.commands import Hint
from kubealive_tui.experiments import Experiment
from kubealive_tui.model import Line, LinkState
from kubealive_tui.store import Store
from kubealive_tui.ui._options import Player, UiOptions
from kubealive_tui.ui.draw import Header, KeyHint, Replay, Tab

__all__ = ["Around", "header", "key_hints", "stale", "steady", "tabs"]

# A round trip is told anew when it differs by more than this, so that its jitter alone draws nothing.
STEADY_SHARE = 0.25
STEADY_MS = 3.0


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a tab's own content, and what the pane needs to know of the session."""

    header: Header
    tabs: tuple[Tab, ...]
    active: int
    keys: tuple[KeyHint, ...]
    me: str
    session_id: str = ""
    stale: bool = False
    notice: Line = ()
    prompt: Line = ()


def steady(shown_ms: float | None, measured_ms: float | None) -> float | None:
    """The round trip to show: the one shown before, unless the new one differs by more than jitter."""
    if shown_ms is None or measured_ms is None:
        return measured_ms
    return shown_ms if abs(measured_ms - shown_ms) <= max(STEADY_MS, STEADY_SHARE * shown_ms) else measured_ms


def header(
    store: Store,
    options: UiOptions,
    *,
    age_s: float,
    round_trip_ms: float | None,
    frozen: bool,
    player: Player | None,
) -> Header:
    """Where am I; counts that are not known yet are left out."""
    link, status = store.link, store.status
    staying = [viewer for viewer in status.viewers if viewer.leaving_us is None] if status else []
    return Header(
        context=options.context,
        namespace=options.namespace,
        link=link.state,
        reason=link.reason,
        attempt=link.attempt,
        round_trip_ms=round_trip_ms if options.clock else None,
        age_s=age_s if stale(store) or link.state is LinkState.DEGRADED else None,
        nodes=len(store.nodes()) or None,
        viewers=len(staying) or None,
        read_only=options.read_only,
        frozen=frozen,
        now_us=store.now_us if options.clock and store.now_us else None,
        zone=options.zone,
        replay=_replay(player),
    )


def _replay(player: Player | None) -> Replay | None:
    if player is None:
        return None
    playing = not player.paused and not player.ended
    return Replay(player.position_us / 1e6, player.duration_us / 1e6, player.speed, playing)


def stale(store: Store) -> bool:
    """Whether what is shown may no longer be true: there is data, and nothing renews it."""
    fresh = store.link.state.live or store.link.state in {LinkState.DEGRADED, LinkState.ENDED}
    return store.now_us > 0 and not fresh


def tabs(experiments: Sequence[Experiment]) -> tuple[Tab, ...]:
    """The overview and a tab for each experiment; digits end at nine."""
    own = (Tab(str(e.order) if e.order <= 9 else "", e.title) for e in experiments)
    return (Tab("0", "All"), *own)


def key_hints(hints: Sequence[Hint]) -> tuple[KeyHint, ...]:
    """The key line's entries."""
    return tuple(KeyHint(hint.keys, hint.label) for hint in hints)
