"""Which key does what, where: the global keys merged with an experiment's own.

A letter has one meaning on a tab. An experiment that takes a global key is a mistake of its author and is refused
at once, since the two meanings would hide each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from kubealive_tui.experiments import Command, Experiment

__all__ = ["Do", "Global", "Hint", "Keymap", "Place"]


class Place(Enum):
    """Where on the screen a key is pressed."""

    OVERVIEW = auto()
    TAB = auto()
    EMPTY = auto()
    WAITING = auto()
    REPLAY_OVERVIEW = auto()
    REPLAY_TAB = auto()

    @property
    def replay(self) -> bool:
        """Whether a recording is shown."""
        return self in {Place.REPLAY_OVERVIEW, Place.REPLAY_TAB}


_LIVE = frozenset({Place.OVERVIEW, Place.TAB})
_REPLAY = frozenset({Place.REPLAY_OVERVIEW, Place.REPLAY_TAB})
_TABS = frozenset({Place.TAB, Place.REPLAY_TAB})
_OVERVIEWS = frozenset({Place.OVERVIEW, Place.REPLAY_OVERVIEW})
_EVERYWHERE = frozenset(Place)


class Do(Enum):
    """What a global key does."""

    TAB = auto()
    NEXT_TAB = auto()
    PREVIOUS_TAB = auto()
    DOWN = auto()
    UP = auto()
    FIRST = auto()
    LAST = auto()
    PAGE_DOWN = auto()
    PAGE_UP = auto()
    OLDER = auto()
    NEWER = auto()
    FILTER = auto()
    CLEAR = auto()
    OPEN = auto()
    STOP_ALL = auto()
    CHECK = auto()
    EXPLAIN = auto()
    KUBECTL = auto()
    FREEZE = auto()
    SAVE = auto()
    INSTALL = auto()
    PLAY = auto()
    SLOWER = auto()
    FASTER = auto()
    BACK = auto()
    AHEAD = auto()
    HELP = auto()
    PALETTE = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Global:
    """A key of every tab. `shown` is how it is written; an empty `label` keeps it out of the key line."""

    do: Do
    keys: tuple[str, ...]
    shown: str
    label: str
    help: str
    places: frozenset[Place] = _EVERYWHERE


@dataclass(frozen=True, slots=True)
class Hint:
    """A key, or two of one meaning, and what it does: an entry of the key line, the help or the palette."""

    keys: str
    label: str
    help: str
    target: Global | Command


# In the order in which the key line shows them, behind the experiment's own.
GLOBALS = (
    Global(Do.INSTALL, ("U",), "U", "install", "install agent and experiments here", frozenset({Place.EMPTY})),
    Global(Do.OPEN, ("enter",), "enter", "open", "open the experiment of this row", _OVERVIEWS),
    Global(Do.OPEN, ("enter",), "enter", "", "everything about this row, and the runs of this tab", _TABS),
    Global(Do.PLAY, ("space",), "space", "play", "play or pause the recording", _REPLAY),
    Global(Do.SLOWER, ("<",), "<", "", "play slower", _REPLAY),
    Global(Do.FASTER, (">",), "< >", "speed", "play faster", _REPLAY),
    Global(Do.BACK, ("left",), "←", "", "5 s back", _REPLAY),
    Global(Do.AHEAD, ("right",), "← →", "5 s", "5 s ahead", _REPLAY),
    Global(Do.STOP_ALL, ("!",), "!", "stop all load", "stop all load, whoever started it, and cure all faults",
           frozenset({Place.OVERVIEW})),
    Global(Do.STOP_ALL, ("!",), "!", "", "stop all load, whoever started it, and cure all faults",
           frozenset({Place.TAB})),
    Global(Do.CHECK, ("C",), "C", "check all", "run the check of every experiment that is installed",
           frozenset({Place.OVERVIEW})),
    Global(Do.EXPLAIN, ("e",), "e", "explain", "what happens here, in plain words", _TABS),
    Global(Do.EXPLAIN, ("e",), "e", "", "what this screen shows", _OVERVIEWS),
    Global(Do.KUBECTL, ("y",), "y", "kubectl", "the kubectl command that does the same as the last action", _TABS),
    Global(Do.KUBECTL, ("y",), "y", "", "the kubectl command that does the same as the last action", _OVERVIEWS),
    Global(Do.FILTER, ("/",), "/", "filter", "keep rows and timeline lines that contain the words typed",
           _LIVE | _REPLAY),
    Global(Do.CLEAR, ("escape",), "esc", "", "clear the filter, or close what is open"),
    Global(Do.FREEZE, ("space",), "space", "freeze", "let the screen stand still; everything else goes on", _LIVE),
    Global(Do.SAVE, ("w",), "w", "", "save the last run as text and JSON", _TABS),
    Global(Do.PALETTE, (":",), ":", "commands", "find a command by its words"),
    Global(Do.QUIT, ("q", "ctrl+c"), "q", "quit", "stop the load that you started, and leave"),
    Global(Do.TAB, tuple("0123456789"), "0-9", "", "go to a tab", _EVERYWHERE),
    Global(Do.NEXT_TAB, ("tab",), "tab", "", "next tab; shift+tab goes back", _EVERYWHERE),
    Global(Do.PREVIOUS_TAB, ("shift+tab",), "shift+tab", "", "tab before", _EVERYWHERE),
    Global(Do.DOWN, ("j", "down"), "j k ↓ ↑", "", "move the pointer", _EVERYWHERE),
    Global(Do.UP, ("k", "up"), "k", "", "row before", _EVERYWHERE),
    Global(Do.FIRST, ("g", "home"), "g", "", "first row; G goes to the last", _EVERYWHERE),
    Global(Do.LAST, ("G", "end"), "G", "", "last row", _EVERYWHERE),
    Global(Do.PAGE_DOWN, ("pagedown",), "PgDn", "", "a page of rows down; PgUp goes up", _EVERYWHERE),
    Global(Do.PAGE_UP, ("pageup",), "PgUp", "", "a page of rows up", _EVERYWHERE),
    Global(Do.OLDER, ("J",), "J", "", "older lines of the timeline; K goes back to newer ones", _EVERYWHERE),
    Global(Do.NEWER, ("K",), "K", "", "newer lines of the timeline", _EVERYWHERE),
    Global(Do.HELP, ("?",), "?", "", "every key of this tab"),
)  # fmt: skip
# What another line of the help says already.
_IN_PAIRS = frozenset({Do.PREVIOUS_TAB, Do.UP, Do.LAST, Do.PAGE_UP, Do.NEWER, Do.SLOWER, Do.BACK})
# A pair's line says what both of its keys do.
_PAIR_HELP = {Do.FASTER: "play slower, faster", Do.AHEAD: "5 s back, ahead"}
# These mean nothing as an entry of the palette: they are how one gets around in it.
_BY_HAND = frozenset(
    {Do.TAB, Do.DOWN, Do.UP, Do.FIRST, Do.LAST, Do.PAGE_DOWN, Do.PAGE_UP, Do.OLDER, Do.NEWER, Do.PALETTE, Do.CLEAR}
)
# Two keys of one meaning share an entry; the second one carries the label.
_PAIRS = {"-": "+", "S": "s"}


class Keymap:
    """The keys of one place: the global ones that apply there, and those of its experiment."""

    def __init__(self, place: Place, experiment: Experiment | None = None) -> None:
        """Merge them; raises ValueError when the experiment takes a global key."""
        self.place = place
        self.globals = tuple(entry for entry in GLOBALS if place in entry.places)
        own = experiment.commands if experiment is not None and place is Place.TAB else ()
        self.own: tuple[Command, ...] = tuple(own)
        self._keys: dict[str, Global | Command] = {key: entry for entry in self.globals for key in entry.keys}
        for command in self.own:
            if command.key and command.key in self._keys:
                taken = self._keys[command.key]
                raise ValueError(
                    f"{command.name} takes the key {command.key!r}, which means {taken.help!r} everywhere"
                )
            if command.key:
                self._keys[command.key] = command

    def find(self, key: str) -> Global | Command | None:
        """What the key does here, or None."""
        return self._keys.get(key)

    @property
    def asking(self) -> Sequence[str]:
        """The keys that ask before the first act of their kind, in the order of the registry."""
        own = [command.key for command in self.own if command.key and command.danger]
        return [*own, *(entry.shown for entry in self.globals if entry.do is Do.CHECK)]

    def line(self, *, read_only: bool) -> Sequence[Hint]:
        """The key line, most wanted first; triggers are left out where they would be refused."""
        hints = [
            Hint(self._paired(command.key), command.label, command.help, command)
            for command in self.own
            if command.key and command.label
        ]
        hints.extend(Hint(entry.shown, entry.label, entry.help, entry) for entry in self.globals if entry.label)
        hints.extend(Hint(entry.shown, "", entry.help, entry) for entry in self.globals if entry.do is Do.HELP)
        return [hint for hint in hints if not (read_only and self._acts(hint.target))]

    def _paired(self, key: str) -> str:
        other = _PAIRS.get(key)
        return f"{other} {key}" if other in self._keys else key

    @staticmethod
    def _acts(target: Global | Command) -> bool:
        if isinstance(target, Command):
            return target.triggers
        return target.do in {Do.STOP_ALL, Do.CHECK, Do.INSTALL}

    def help(self, *, read_only: bool) -> tuple[Sequence[Hint], Sequence[Hint]]:
        """(keys of this tab, keys of every tab), in the order of the registry, without those that are refused."""
        own = [
            Hint(command.key, command.name, command.help, command)
            for command in self.own
            if command.key and not (read_only and self._acts(command))
        ]
        other = [
            Hint(g.shown, g.label, _PAIR_HELP.get(g.do, g.help), g)
            for g in self.globals
            if g.do not in _IN_PAIRS and not (read_only and self._acts(g))
        ]
        return own, other

    def palette(self, *, read_only: bool) -> Sequence[Hint]:
        """All that the palette offers: the tab's commands, with or without a key, then the global ones.

        As in the key line, triggers are left out where they would be refused.
        """
        own = [Hint(command.key, command.name.replace("-", " "), command.help, command) for command in self.own]
        listed = (g for g in self.globals if g.do not in _BY_HAND)
        all_ = [*own, *(Hint(g.keys[0], g.do.name.lower().replace("_", " "), g.help, g) for g in listed)]
        return [hint for hint in all_ if not (read_only and self._acts(hint.target))]
