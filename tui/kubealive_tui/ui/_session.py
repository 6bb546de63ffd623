"""One person at one screen: which tab, which row, what is open over it, and the model of what is shown.

It knows no terminal. Keys change it (`Keys`), the store feeds it, and `compose` makes strips of its model.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from kubealive_tui.commands import Confirmations, Do, Global, Hint, Keymap, Place
from kubealive_tui.experiments import Experiment, Scene
from kubealive_tui.model import Interest, Line, LinkEvent, LinkState, Role, Size, line
from kubealive_tui.store import Store
from kubealive_tui.ui._acts import Acts
from kubealive_tui.ui._blank import absent, blank, installing, not_installed, waiting
from kubealive_tui.ui._frame import Around, header, key_hints, stale, steady, tabs
from kubealive_tui.ui._options import Player, UiOptions
from kubealive_tui.ui._overview import overview
from kubealive_tui.ui._pane import filter_prompt, pane, settled
from kubealive_tui.ui._pump import Pump
from kubealive_tui.ui._state import Notice, TabState
from kubealive_tui.ui._welcome import LESSON_ALONE
from kubealive_tui.ui.dialogs import Text
from kubealive_tui.ui.draw import Composition, ScreenModel, measure, views_size

if TYPE_CHECKING:
    from kubealive_tui.ui.dialogs import Dialog

__all__ = ["Session"]

# Lines of a page that are its own: not header, tabs, lesson, heading and keys.
_PAGE_FRAME = 8
# Blank cells beside a notice.
_NOTICE_MARGINS = 4


class Session:
    """What the user has chosen, and what is therefore shown."""

    def __init__(self, options: UiOptions, pump: Pump, player: Player | None = None) -> None:
        self.options = options
        self.pump = pump
        self.player = player
        self.acts = Acts(options, pump, say=self.say, changed=pump.arm)
        self.experiments: Sequence[Experiment] = options.experiments
        self.active = next((i for i, e in enumerate(self.experiments, 1) if e.name == options.tab), 0)
        self.dialog: Dialog | None = None
        self.typing = False
        self.confirmations = Confirmations()
        self.size = Size(80, 24)
        self._notice: Notice | None = None
        self._read = LinkEvent(LinkState.AUTHENTICATING)
        self._still: ScreenModel | None = None
        self._states = {"": TabState()} | {e.name: TabState(e.settings()) for e in self.experiments}
        self._tabs = tabs(self.experiments)
        self._synced: Store | None = None
        self._round_trip_ms: float | None = None

    # ---- where the user is

    @property
    def store(self) -> Store:
        """The store of the moment; a recording that starts over brings a new one."""
        return self.pump.store

    @property
    def experiment(self) -> Experiment | None:
        """The experiment of the visible tab; None on the overview."""
        return self.experiments[self.active - 1] if self.active else None

    @property
    def name(self) -> str:
        """Its name; empty on the overview."""
        return self.experiment.name if self.experiment else ""

    @property
    def state(self) -> TabState:
        """Pointer, filter and settings of the visible tab."""
        return self._states[self.name]

    @property
    def synced(self) -> bool:
        """Whether the store has ever held a whole snapshot: before that there is nothing true to show."""
        if self.store.synced:
            self._synced = self.store
        return self._synced is self.store

    @property
    def place(self) -> Place:
        """Which keys mean something here."""
        if self.player is not None:
            return Place.REPLAY_TAB if self.active else Place.REPLAY_OVERVIEW
        if self._absent():
            return Place.EMPTY
        if not self.synced:
            return Place.WAITING
        return Place.TAB if self.active else Place.OVERVIEW

    def _absent(self) -> bool:
        if self.store.link.state is LinkState.NOT_INSTALLED:
            return True
        return self.active > 0 and self.synced and not self.store.installed(self.name)

    def keymap(self) -> Keymap:
        """The keys of this place."""
        return Keymap(self.place, self.experiment)

    def idle(self, key: str) -> str:
        """Why a key does nothing here that means something where this tab has its data; empty for any other.

        It is not kept until then: what it does to a cluster is never to happen late and unseen.
        """
        if Keymap(Place.TAB if self.active else Place.OVERVIEW, self.experiment).find(key) is None:
            return ""
        if self.place is Place.WAITING:
            return f"not connected yet ({self.store.link.state.value}): {key} did nothing; press it again later"
        if self.place is Place.EMPTY:
            what = self.experiment.long_title if self.experiment else "kubealive"
            return f"{key} did nothing: {what} is not installed here"
        return f"{key} did nothing: this is a recording, on which nothing acts; q leaves it"

    def scene(self) -> Scene | None:
        """What commands and views of the visible tab work from; None on the overview."""
        if self.experiment is None:
            return None
        return Scene(
            store=self.store,
            experiment=self.experiment,
            settings=self.state.settings,
            selected=self.state.selected,
            size=views_size(self.size),
            context=self.options.context,
            namespace=self.options.namespace,
            me=self.options.actor,
        )

    def interest(self) -> Interest:
        """Experiments whose loads of ours the agent must not end, and what it is to sample for this screen."""
        examined, scene = self.acts.examined, self.scene()
        looked_at = {self.name} - {""}
        samples = scene.experiment.samples(scene) if scene is not None and self.synced else frozenset()
        return Interest(
            frozenset(looked_at) | examined.experiments | self.acts.loads(), samples | examined.samples
        )

    def visible(self, dirty: frozenset[str]) -> bool:
        """Whether a change in these experiments can be seen now; the cluster's own is on every tab."""
        return bool(dirty) and (not self.active or self.name in dirty or "" in dirty)

    @property
    def aging(self) -> bool:
        """Whether what is shown changes with time alone: an age, a wait, a play head."""
        if self.player is not None:
            return not self.player.paused
        return not self.synced or not self.store.link.state.live

    # ---- what the user is told

    def say(self, text: str, role: Role = Role.WAITING) -> None:
        """Show one sentence until the next key, or for a while."""
        self._notice = Notice(text, role, self.store.now_us)
        self.pump.arm()

    def hush(self) -> None:
        """Take the sentence away."""
        self._notice = None
        self._read = self.store.link

    @property
    def panel(self) -> "Dialog | None":
        """What lies over the tab: the open dialog, or a sentence too long for one line, which takes no keys."""
        said = self._said()
        if self.dialog is not None or measure(said) <= self.size.width - _NOTICE_MARGINS:
            return self.dialog
        return Text(line(("NOTE", Role.WAITING)), lambda: [said])

    def _told(self) -> Line:
        said = self._said()
        return said if measure(said) <= self.size.width - _NOTICE_MARGINS else ()

    def _said(self) -> Line:
        now_us = self.store.now_us
        if self._notice is not None and not self._notice.born_us:
            # It was said before the first word of the agent, from whose clock on its time counts.
            self._notice = replace(self._notice, born_us=now_us)
        if self._notice is not None and self._notice.over(now_us):
            self._notice = None
        if self._notice is not None:
            return line((self._notice.text, self._notice.role))
        link = self.store.link
        if link.state.live:
            self._read = link
        known = (link.state, link.reason) == (self._read.state, self._read.reason)
        if self.synced and link.state is LinkState.FAILED and not (known or self.acts.progress):
            # It does not heal by itself, and the header has no room for what to do about it.
            return line((link.reason, Role.BAD))
        return line((self.acts.progress, Role.MUTED))

    # ---- what is shown

    def go(self, index: int) -> None:
        """Show a tab; a frozen screen goes on."""
        self.active = index % (len(self.experiments) + 1)
        self._still = None
        self.dialog = None
        self.typing = False

    @property
    def frozen(self) -> bool:
        """Whether the screen stands still."""
        return self._still is not None

    def freeze(self) -> None:
        """Let the screen stand still as it is now, with all its rows, or go on."""
        self._still = settled(self._live(self._around())) if self._still is None else None

    def thaw(self) -> None:
        """Go on."""
        self._still = None

    def model(self, size: Size) -> ScreenModel:
        """Everything the screen says now."""
        self.size = size
        around = self._around()
        if self._still is None:
            return self._live(around)
        still = self._still
        return replace(
            still,
            header=replace(still.header, frozen=True),
            selected=self.state.selected or "",
            scroll=self.state.scroll,
            timeline_scroll=self.state.timeline_scroll,
            notice=around.notice,
            prompt=around.prompt,
            keys=around.keys,
        )

    def shown(self, composition: Composition) -> None:
        """Remember where the drawn table is scrolled to."""
        self.state.scroll, self.state.page = composition.scroll, max(composition.page, 1)

    def _around(self) -> Around:
        store, options = self.store, self.options
        self._round_trip_ms = steady(self._round_trip_ms, store.link.round_trip_ms)
        return Around(
            header=header(
                store,
                options,
                age_s=store.link.silence_s if self.player else self.pump.silence_s(),
                round_trip_ms=self._round_trip_ms,
                frozen=self.frozen,
                player=self.player,
            ),
            tabs=self._tabs,
            active=self.active,
            keys=key_hints(self._offered()),
            me=options.actor,
            session_id=options.session_id,
            stale=stale(store),
            notice=self._told(),
            prompt=filter_prompt(self.state.filter.text) if self.typing else (),
        )

    def _offered(self) -> Sequence[Hint]:
        """The key line, without the key that installs where the screen cannot."""
        hints = self.keymap().line(read_only=self.options.read_only)
        if self.options.install is not None:
            return hints
        return [hint for hint in hints if not (isinstance(hint.target, Global) and hint.target.do is Do.INSTALL)]

    def _live(self, around: Around) -> ScreenModel:
        page = self._page()
        if page is not None:
            title, lines = page
            lesson = line(self.experiment.lesson) if self.experiment else LESSON_ALONE
            return blank(around, lesson, lines, title=title, width=self.size.width)
        if scene := self.scene():
            return pane(scene, self.state, around)
        return overview(
            self.store, self.experiments, self.state, around, verdicts=self.acts.verdicts, size=self.size
        )

    def _page(self) -> tuple[str, Sequence[Line]] | None:
        """The page of sentences to show in place of data, where there is no data."""
        can = self.options.install is not None and not self.options.read_only
        if self.acts.installing:
            most = max(self.size.height - _PAGE_FRAME, 1)
            newest = list(islice(self.acts.installed, max(len(self.acts.installed) - most, 0), None))
            return "INSTALL", installing(newest, most=most)
        if self.store.link.state is LinkState.NOT_INSTALLED:
            where = self.options
            lines = not_installed(
                self.experiments,
                context=where.context,
                namespace=where.namespace,
                reason=self.store.link.reason,
                key=can,
            )
            return "NOT INSTALLED", lines
        if not self.synced:
            return "NO DATA YET", waiting(
                self.store.link, since_s=self.pump.waited_s(), namespace=self.options.namespace
            )
        if self.experiment is not None and self._absent():
            return "NOT INSTALLED", absent(self.experiment, namespace=self.options.namespace, key=can)
        return None
