"""What the screen needs of the program around it, so that it runs in a test as it does on a cluster.

The screen knows neither how a feed is made nor how anything is installed or written to disk: the command line
hands all of it in.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Protocol

from kubealive_tui.experiments import Experiment
from kubealive_tui.feed import Feed
from kubealive_tui.model import Run, Signal
from kubealive_tui.ui._profile import Profile

__all__ = ["Player", "UiOptions"]


class Player(Protocol):
    """A recording with a play head; `feed.Replay` is one. Positions in microseconds."""

    async def run(self, deliver: Callable[[Signal], None]) -> None:
        """Deliver signals as the play head passes them, until cancelled."""
        ...

    @property
    def position_us(self) -> int:
        """Where the play head stands."""
        ...

    @property
    def duration_us(self) -> int:
        """How long the recording is."""
        ...

    @property
    def paused(self) -> bool:
        """Whether it stands still by command."""
        ...

    @property
    def ended(self) -> bool:
        """Whether everything has been delivered."""
        ...

    @property
    def speed(self) -> float:
        """Recorded seconds a second."""
        ...

    def play(self) -> None:
        """Go on."""
        ...

    def pause(self) -> None:
        """Stand still."""
        ...

    def set_speed(self, speed: float) -> float:
        """Play at this speed; returns the one taken."""
        ...

    def seek(self, position_us: int) -> None:
        """Put the play head there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UiOptions:
    """How the screen is run.

    Either `feed` or `replay` is given; `replay` makes the player from what is to be called when the recording
    starts over. `install` yields lines of progress for the experiments named (all when none is); `save` writes
    a run and returns the files. `tab` is the experiment shown first, the overview when empty. `session_id` is what
    the agent knows this session by among its viewers; where it is empty the actor stands in. `kubeconfig` is the
    context's file where kubectl would not find it by itself.
    """

    context: str
    namespace: str
    experiments: Sequence[Experiment]
    feed: Feed | None = None
    replay: Callable[[Callable[[], None]], Player] | None = None
    profile: Profile = field(default_factory=Profile)
    actor: str = ""
    session_id: str = ""
    kubeconfig: str = ""
    read_only: bool = False
    clock: bool = True
    mouse: bool = True
    zone: tzinfo = UTC
    tab: str = ""
    install: Callable[[Sequence[str]], AsyncIterator[str]] | None = None
    save: Callable[[str, Run], Sequence[Path]] | None = None
