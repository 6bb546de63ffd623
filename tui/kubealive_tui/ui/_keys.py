"""What each key does: the registry's words turned into changes of the session, requests and dialogs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from kubealive_tui.commands import FROZEN, Do, Global, Hint, Question, kubectl, kubectl_watch, question, refusal
from kubealive_tui.errors import KubealiveError
from kubealive_tui.experiments import Command, Effect, NotNow, Scene, Script, Settings
from kubealive_tui.hints import up_command
from kubealive_tui.model import Line, Role, StopAll, line
from kubealive_tui.ui._prompt import Typed
from kubealive_tui.ui._session import Session
from kubealive_tui.ui.dialogs import (
    Choice,
    Confirm,
    Dialog,
    Entry,
    Palette,
    Reply,
    Text,
    details,
    help_lines,
    kubectl_lines,
    overview_words,
)
from kubealive_tui.ui.draw import Composition, KeyHint

__all__ = ["Keys"]

SEEK_US = 5_000_000
# How keys are written where their names are too long for the key line.
_NAMES = {"esc": "escape", "←": "left", "→": "right", "↓": "down", "↑": "up"}
_CHECK = "run the checks, which kill pods and load the cluster"


class Keys:
    """Gives keys, clicks and pastes to the session. `leave` ends the program, `copy` fills the clipboard."""

    def __init__(self, session: Session, *, leave: Callable[[], None], copy: Callable[[str], None]) -> None:
        self._session = session
        self._leave = leave
        self._copy = copy
        self._does: dict[Do, Callable[[], None]] = {
            Do.NEXT_TAB: lambda: session.go(session.active + 1),
            Do.PREVIOUS_TAB: lambda: session.go(session.active - 1),
            Do.DOWN: lambda: session.state.move(1),
            Do.UP: lambda: session.state.move(-1),
            Do.FIRST: lambda: session.state.point(0),
            Do.LAST: lambda: session.state.point(len(session.state.keys)),
            Do.PAGE_DOWN: lambda: session.state.move(session.state.page),
            Do.PAGE_UP: lambda: session.state.move(-session.state.page),
            Do.OLDER: lambda: session.state.scroll_timeline(1),
            Do.NEWER: lambda: session.state.scroll_timeline(-1),
            Do.FILTER: self._filter,
            Do.CLEAR: self._clear,
            Do.OPEN: self._open,
            Do.STOP_ALL: self._stop_all,
            Do.CHECK: self._check,
            Do.EXPLAIN: self._explain,
            Do.KUBECTL: self._kubectl,
            Do.FREEZE: session.freeze,
            Do.SAVE: self._save,
            Do.INSTALL: self._install,
            Do.PLAY: self._play,
            Do.SLOWER: lambda: self._speed(0.5),
            Do.FASTER: lambda: self._speed(2.0),
            Do.BACK: lambda: self._seek(-SEEK_US),
            Do.AHEAD: lambda: self._seek(SEEK_US),
            Do.HELP: self._help,
            Do.PALETTE: self._palette,
            Do.QUIT: leave,
        }

    # ---- input

    def press(self, key: str) -> None:
        """React to a key: a printed character stands for itself, others go by Textual's names."""
        session = self._session
        session.hush()
        if session.dialog is not None:
            self._in_dialog(session.dialog, key)
        elif session.typing:
            self._in_filter(key)
        elif (found := session.keymap().find(key)) is not None:
            self._run(found, key)
        elif why := session.idle(key):
            session.say(why)

    def paste(self, text: str) -> None:
        """Take pasted text where something is typed; a paste never triggers anything."""
        session = self._session
        if session.dialog is not None:
            session.dialog.paste(text)
        elif session.typing:
            session.state.filter = session.state.filter.pasted(text)

    def click(self, x: int, y: int, shown: Composition) -> None:
        """A click on a tab opens it, on a row selects it and then opens it, on a key presses it."""
        session = self._session
        if y == len(shown.strips) - 1:
            hit = next((h for h in shown.keys if h.start <= x < h.end), None)
            if hit is not None:
                names = hit.value.split()
                name = names[0 if x - hit.start < 2 else -1]
                self.press(_NAMES.get(name, name))
        elif session.dialog is not None or session.typing:
            return
        elif y == shown.tab_line:
            tab = next((h for h in shown.tabs if h.start <= x < h.end), None)
            if tab is not None:
                session.go(int(tab.value))
        elif (key := shown.rows.get(y)) is not None and key in session.state.keys:
            again = key == session.state.selected
            session.state.point(session.state.keys.index(key))
            if again:
                self._open()

    def _in_dialog(self, dialog: Dialog, key: str) -> None:
        reply = dialog.press(key)
        if reply is Reply.QUIT:
            self._leave()
        # What the dialog ran may have opened another one.
        elif reply is Reply.CLOSE and self._session.dialog is dialog:
            self._session.dialog = None

    def _in_filter(self, key: str) -> None:
        session = self._session
        if key == "ctrl+c":
            self._leave()
        elif key == "escape":
            self._clear()
        elif key == "enter":
            session.typing = False
        elif (typed := session.state.filter.after(key)) is not None:
            session.state.filter = typed

    def _run(self, found: Global | Command, key: str) -> None:
        if isinstance(found, Command):
            self.command(found)
        elif found.do is Do.TAB:
            self._tab(key)
        else:
            self._does[found.do]()

    # ---- commands of experiments

    def command(self, command: Command) -> None:
        """Run an experiment's command: at once, after what it asks for, after a question, or say why not."""
        session = self._session
        scene = session.scene()
        if scene is None:
            return
        if (command.choose or command.ask) and (refused := self._refusal(command, None)):
            session.say(refused)
        elif command.choose is not None:
            self._offer(command, scene)
        elif command.ask:
            title = line((command.ask, Role.STRONG))
            session.dialog = Entry(title, lambda typed: self._told(command, typed))
        elif refused := self._told(command, ""):
            session.say(refused)

    def _refusal(self, command: Command, effects: Sequence[Effect] | None) -> str:
        session = self._session
        return refusal(
            command,
            effects,
            read_only=session.options.read_only,
            info=session.store.info,
            frozen=session.frozen,
        )

    def _offer(self, command: Command, scene: Scene) -> None:
        """Let the user choose what the command is to be given."""
        session = self._session
        assert command.choose is not None  # noqa: S101 - looked at by the caller
        try:
            options = command.choose(scene)
        except NotNow as error:
            session.say(str(error))
            return

        def take(value: str) -> None:
            if refused := self._told(command, value):
                session.say(refused)

        choices = [Choice("", option.label, option.help, partial(take, option.value)) for option in options]
        session.dialog = Palette(choices, words=command.help)

    def _told(self, command: Command, given: str) -> str:
        """Run the command with what it was given; the sentence that refuses it, or nothing."""
        session = self._session
        scene = session.scene()
        if scene is None:
            return ""
        try:
            effects = command.run(replace(scene, given=given))
        except NotNow as error:
            # What a session may not do at all is said before why it would not work just now.
            return self._refusal(command, None) or str(error)
        refused = self._refusal(command, effects)
        if not refused:
            self._guarded(command.danger, effects, lambda: self._apply(effects))
        return refused

    def _guarded(self, danger: str, effects: Sequence[Effect], act: Callable[[], None]) -> None:
        session = self._session
        if not session.confirmations.wanted(danger):
            act()
            return
        options = session.options
        asked: Question = question(danger, effects, namespace=options.namespace, context=options.context)

        def yes() -> None:
            session.confirmations.give(danger)
            act()

        session.dialog = Confirm(asked, yes, no=lambda: session.say("not done", Role.TEXT))

    def _apply(self, effects: Sequence[Effect]) -> None:
        session = self._session
        for effect in effects:
            match effect:
                case Settings():
                    session.state.settings = effect
                case str():
                    session.say(effect, Role.TEXT)
                case Script():
                    session.acts.follow(session.name, effect)
                case request:
                    session.acts.ask(request)

    # ---- global keys

    def _tab(self, digit: str) -> None:
        session = self._session
        orders = {"0": 0} | {str(e.order): index for index, e in enumerate(session.experiments, 1)}
        if digit in orders:
            session.go(orders[digit])
        else:
            session.say(f"there is no tab {digit}")

    def _filter(self) -> None:
        self._session.thaw()
        self._session.typing = True

    def _clear(self) -> None:
        session = self._session
        session.typing = False
        session.state.filter = Typed()
        session.state.timeline_scroll = 0

    def _open(self) -> None:
        session = self._session
        if session.active == 0:
            names = [experiment.name for experiment in session.experiments]
            if session.state.selected in names:
                session.go(1 + names.index(session.state.selected))
            return
        experiment, key, zone = (
            session.experiments[session.active - 1],
            session.state.selected,
            session.options.zone,
        )

        def words() -> Sequence[Line]:
            pod = experiment.pod_of(session.store, key) if key else None
            scene = session.scene()
            own = experiment.details(replace(scene, selected=key)) if scene else ()
            rest = details(session.store, experiment.name, pod.uid if pod else key, zone=zone)
            return [*own, (), *rest] if own else rest

        session.dialog = Text(line(("DETAILS", Role.STRONG)), words)

    def _stop_all(self) -> None:
        if self._may_act("stop all load"):
            self._session.acts.ask(StopAll())

    def _check(self) -> None:
        session = self._session
        installed = [e for e in session.experiments if session.store.installed(e.name)]
        if not installed:
            session.say(
                f"no experiment is installed here: {up_command(namespace=session.options.namespace)} installs them"
            )
        elif self._may_act("check") and self._in_sight():
            self._guarded(_CHECK, (), lambda: session.acts.check(installed))

    def _install(self) -> None:
        session = self._session
        if session.options.install is None:
            session.say(
                f"installing is done outside of the screen here: {up_command(namespace=session.options.namespace)}"
            )
        elif self._may_act("install"):
            session.acts.install([session.name] if session.name and session.synced else [])

    def _may_act(self, what: str) -> bool:
        if self._session.options.read_only:
            self._session.say(f"read-only: {what} changes the cluster; leave out --read-only to allow it")
            return False
        return True

    def _in_sight(self) -> bool:
        if self._session.frozen:
            self._session.say(FROZEN)
        return not self._session.frozen

    def _explain(self) -> None:
        session = self._session

        def words() -> Sequence[Line]:
            scene = session.scene()
            return scene.experiment.explanation(scene) if scene else overview_words(session.options.namespace)

        session.dialog = Text(line(("WHAT HAPPENS HERE", Role.STRONG)), words)

    def _kubectl(self) -> None:
        session, options = self._session, self._session.options
        last = session.acts.last
        context, namespace, kubeconfig = options.context, options.namespace, options.kubeconfig
        watch = kubectl_watch(session.name, context=context, namespace=namespace, kubeconfig=kubeconfig)
        done = None
        if last is not None:
            done = kubectl(last, session.store, context=context, namespace=namespace, kubeconfig=kubeconfig)
        text = done or watch

        def on_key(key: str) -> None:
            if key in {"c", "y"}:
                self._copy(text)
                session.say("copied, if your terminal takes it (OSC 52)", Role.TEXT)

        session.dialog = Text(
            line(("KUBECTL", Role.STRONG)),
            lambda: kubectl_lines(done, watch, width=session.size.width),
            keys=(KeyHint("c", "copy"),),
            on_key=on_key,
        )

    def _save(self) -> None:
        session = self._session
        run = session.store.runs(session.name).last
        if run is None:
            session.say("there is no run to save yet: a trigger starts one")
        elif session.options.save is None:
            session.say("runs cannot be saved in this session")
        else:
            try:
                paths = session.options.save(session.name, run)
            except (OSError, KubealiveError) as error:
                session.say(f"the run was not saved: {error}")
            else:
                session.say(f"saved {' and '.join(map(str, paths))}", Role.TEXT)

    # ---- recordings

    def _play(self) -> None:
        player = self._session.player
        if player is not None:
            if player.paused or player.ended:
                player.play()
            else:
                player.pause()

    def _speed(self, factor: float) -> None:
        player = self._session.player
        if player is not None:
            player.set_speed(player.speed * factor)

    def _seek(self, by_us: int) -> None:
        player = self._session.player
        if player is not None:
            player.seek(max(0, min(player.position_us + by_us, player.duration_us)))

    # ---- help and palette

    def _help(self) -> None:
        session = self._session
        keymap, read_only = session.keymap(), session.options.read_only
        title = session.experiment.long_title if session.experiment else "Overview"
        session.dialog = Text(
            line(("KEYS", Role.STRONG)), lambda: help_lines(keymap, title=title, read_only=read_only)
        )

    def _palette(self) -> None:
        session = self._session
        choices = [self._choice(hint) for hint in session.keymap().palette(read_only=session.options.read_only)]
        titles = ("All", *(e.long_title for e in session.experiments))
        choices += [Choice("", f"go to {title}", "", partial(session.go, tab)) for tab, title in enumerate(titles)]
        session.dialog = Palette(choices)

    def _choice(self, hint: Hint) -> Choice:
        return Choice(hint.keys, hint.label, hint.help, lambda: self._run(hint.target, hint.keys))
