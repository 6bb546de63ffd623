"""The app under a pilot: keys in, words on the screen and requests to the agent out."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kubealive_tui.errors import RefusedError
from kubealive_tui.model import (
    DeletePod,
    Ending,
    Kind,
    LinkEvent,
    LinkState,
    Run,
    Scale,
    SetLoad,
    Status,
    StopAll,
    StopLoad,
    plain,
)
from kubealive_tui.ui import UiOptions
from kubealive_tui.ui._overview import last_run
from tests.tui.ui.scripts import LIVE, ScriptedFeed, changed, running
from tests.tui.ui.stage import read_only, saving_to, stage


async def test_nothing_is_asked_before_the_first_frame() -> None:
    """The screen says what it waits for before any network is touched."""
    async with stage(live=False) as it:
        assert "waiting for the Kubernetes API to accept your credentials" in it.text
        assert it.feed.started.is_set()


async def test_a_key_before_the_first_snapshot_says_that_it_did_nothing() -> None:
    """It is not kept to act late, unseen: the sentence outlives the moment in which the data comes."""
    async with stage(live=False) as it:
        await it.deliver(LinkEvent(LinkState.FINDING))
        await it.press("1", "x")
        assert "not connected yet (finding agent): x did nothing; press it again later" in it.text
        await it.live()
        assert "x did nothing" in it.text
        assert "SURE?" not in it.text
        await it.press("Z")
        assert "did nothing" not in it.text
    assert not it.feed.asked


async def test_a_key_for_what_is_not_installed_says_so() -> None:
    """A page without pods names the key that would bring them."""
    async with stage(live=False) as it:
        await it.deliver(LinkEvent(LinkState.NOT_INSTALLED))
        await it.press("1", "x")
        assert "x did nothing: Load balancing is not installed here" in it.text


async def test_the_first_minute_says_what_this_is_and_where_to_begin() -> None:
    """Four lines, none of them cut at 80x24, until somebody has done something; then one."""
    async with stage() as it:
        first = [text.strip() for text in it.lines[2:6]]
        assert first[0].startswith("Poke a cluster and watch it heal: one experiment")
        assert first[2].startswith("Press 1, there x and y: a pod is killed")
        assert not any(text.endswith("…") for text in first)
        await it.deliver(it.script.killed())
        assert it.lines[2].strip().startswith("Poke a cluster, watch it heal. 1 a tab")
        assert "Press 1" not in it.text


async def test_the_first_minute_of_a_read_only_session_names_no_key_that_it_refuses() -> None:
    """It says why, and what is there to see."""
    async with stage(change=read_only) as it:
        assert "and look on, e explains it: this session is read-only" in it.text
        assert "! ends load" not in it.text


async def test_the_overview_shows_a_load_whole() -> None:
    """Also one that is sized by CPU, at 80x24."""
    async with stage() as it:
        await it.deliver(it.script.batch(changed(Kind.LOAD, replace(running(25.0), cpu=0.5))))
        assert " 0.5 CPU" in it.text


@pytest.mark.parametrize(
    ("title", "target", "words"),
    [
        ("KILL …d8c-4ldf9", "getip-5f6b8cd8c-4ldf9", "kill: "),
        ("LABEL mood=calm ON …d8c-4ldf9", "getip-5f6b8cd8c-4ldf9", "label mood=calm: "),
        ("SCALE phoenix to 3", "phoenix", "scale phoenix to 3: "),
        ("UPDATE v1 → v2", "incver", "update v1 → v2: "),
    ],
    ids=["kill", "label", "scale", "update"],
)
def test_a_last_run_is_a_whole_phrase(title: str, target: str, words: str) -> None:
    """Only the pod is left out of it, which its tab names."""
    run = Run("a1", title, "verb", "me", target, "u1", 0, None, Ending.OPEN, ())
    assert plain(last_run(run)) == f"{words}running"


async def test_overview_says_all_that_is_known() -> None:
    """Nodes, agent, viewers and experiments, one line each."""
    async with stage() as it:
        assert "node-3  ● Ready" in it.text
        assert "0.1.0 on node-1, up 3h, 44 MB" in it.text
        assert "you (5m)  anna@classroom-7 (2m, read-only)" in it.text
        assert "Load balancing           4/4 – not run" in it.text


@pytest.mark.parametrize(
    ("keys", "title"),
    [(["1"], "One Service"), (["tab"], "One Service"), (["tab", "tab"], "Poke"), (["1", "0"], "Poke"),
     (["shift+tab"], "One Service"), (["enter"], "One Service")],
    ids=["digit", "tab", "round", "back", "shift-tab", "enter"],
)  # fmt: skip
async def test_tabs(keys: Sequence[str], title: str) -> None:
    """Digits, Tab and Enter on the overview change the tab."""
    async with stage() as it:
        await it.press(*keys)
        assert it.lines[2].strip().startswith(title)


async def test_a_tab_that_is_not_there_is_said() -> None:
    """A digit without a tab is answered in words."""
    async with stage() as it:
        await it.press("9")
        assert "there is no tab 9" in it.text


async def test_the_first_kill_asks_and_the_next_does_not() -> None:
    """The question names target, namespace and context; y does it, and is remembered."""
    async with stage() as it:
        await it.press("1", "x")
        assert "Delete pod getip-5f6b8cd8c-47vpv?" in it.text
        assert "in namespace kubealive of context dev" in it.text
        assert not it.feed.asked
        await it.press("y")
        assert [act.verb for act in it.feed.acts()] == [DeletePod()]
        await it.press("j", "x")
        assert len(it.feed.acts()) == 2


@pytest.mark.parametrize("key", ["n", "enter", "escape", "x", "space"])
async def test_no_is_the_default(key: str) -> None:
    """Any key but y leaves everything as it is, and the next time it asks again."""
    async with stage() as it:
        await it.press("1", "x", key)
        assert not it.feed.asked
        assert "not done" in it.text
        await it.press("x")
        assert "Delete pod" in it.text


async def test_a_kind_that_was_not_confirmed_asks_for_itself() -> None:
    """To have confirmed a kill confirms no scaling down."""
    async with stage() as it:
        await it.press("1", "x", "y", "S")
        assert "Scale down getip?" in it.text
        await it.press("y")
        assert [act.verb for act in it.feed.acts()] == [DeletePod(), Scale(3)]


async def test_a_refusal_is_one_sentence() -> None:
    """What the agent refuses is said on the screen, and the next key takes it away."""
    async with stage(refuse=RefusedError("pod getip is gone: choose another")) as it:
        await it.press("1", "l")
        assert "pod getip is gone: choose another" in it.text
        await it.press("j")
        assert "choose another" not in it.text


async def test_a_long_refusal_is_not_cut() -> None:
    """A sentence wider than the screen is shown whole, and the next key still does what it does."""
    sentence = (
        "pods is forbidden: quota kubealive allows 4 pods, 4 are used: scale down first, or ask for more quota"
    )
    async with stage(refuse=RefusedError(sentence)) as it:
        await it.press("1", "l")
        assert sentence in " ".join(it.text.split())
        await it.press("0")
        assert it.lines[2].strip().startswith("Poke")


async def test_a_notice_fades_with_agent_time() -> None:
    """Eight seconds of the agent's clock take a sentence away."""
    async with stage() as it:
        await it.press("1", "m")
        assert "mode: kept connections" in it.text
        await it.deliver(it.script.tick(7.0))
        assert "mode: kept connections" in it.text
        await it.deliver(it.script.tick(2.0))
        assert "mode: kept connections" not in it.text


async def test_read_only_sends_nothing_and_says_so() -> None:
    """Triggers are refused in words and not advertised; looking around goes on."""
    async with stage(change=read_only) as it:
        await it.press("1")
        assert "READ-ONLY" in it.lines[0]
        assert "x kill" not in it.lines[-1]
        for key in ("x", "l", "s", "exclamation_mark"):
            await it.press(key)
            assert "read-only:" in it.text
        assert not it.feed.asked


async def test_read_only_is_said_before_what_would_not_work_just_now() -> None:
    """On a pod that is going, too, the key is refused for what the session is."""
    async with stage(change=read_only) as it:
        await it.press("1")
        await it.deliver(it.script.loaded(), it.script.traffic())
        await it.press("j", "j")
        await it.deliver(it.script.terminating(2))
        await it.press("x")
        assert "read-only: kill changes the cluster" in it.text


async def test_an_older_agent_is_named() -> None:
    """A capability that the agent lacks is refused with its version and the next step."""
    async with stage() as it:
        assert LIVE.info is not None
        await it.deliver(replace(LIVE, info=replace(LIVE.info, capabilities=frozenset({"load_new"}))))
        await it.press("1", "x")
        assert "this agent (0.1.0) cannot delete the selected pod" in it.text
        assert not it.feed.asked


async def test_the_pointer_stays_with_its_pod() -> None:
    """A pod that goes keeps its row and the pointer while it is counted, then the nearest row has it."""
    async with stage() as it:
        await it.press("1")
        await it.deliver(it.script.loaded(), it.script.traffic())
        await it.press("j", "j")
        pod = it.pointed.split()[1]
        await it.deliver(it.script.terminating(2), it.script.gone(2))
        assert pod in it.pointed
        assert "gone" in it.pointed


async def test_the_pointer_moves_to_the_nearest_row() -> None:
    """When the row of the pointer vanishes, the one in its place has it."""
    async with stage() as it:
        await it.press("1", "G")
        await it.deliver(it.script.gone(3))
        assert it.pointed
        await it.press("g")
        assert it.lines.index(it.pointed) == 4


async def test_filter_keeps_rows_and_tells_so() -> None:
    """Typed words keep matching rows; Enter keeps the filter, Esc clears it."""
    async with stage() as it:
        await it.press("1", "slash", *"x8962")
        assert it.lines[-1].strip() == "/x8962"
        await it.press("enter")
        assert "47vpv" not in it.text
        assert "only what contains x8962" in it.text
        await it.press("escape")
        assert "47vpv" in it.text


async def test_keys_typed_into_the_filter_trigger_nothing() -> None:
    """Letters are text there, a paste is text too."""
    async with stage() as it:
        await it.press("1", "slash", "x", "l", "q")
        assert not it.feed.asked
        assert it.lines[-1].strip() == "/xlq"


async def test_a_filter_that_matches_nothing_shows_nothing() -> None:
    """Table and timeline say so, rather than showing all or that nothing has happened."""
    async with stage() as it:
        await it.press("1", "slash", *"zzz", "enter")
        assert it.text.count("nothing matches zzz") == 2
        assert "47vpv" not in it.text
        assert "nothing has happened yet" not in it.text


async def test_nothing_is_triggered_out_of_sight() -> None:
    """A frozen display refuses what it would not show; stopping all still works."""
    async with stage() as it:
        await it.press("1", "space")
        for key in ("x", "l", "s"):
            await it.press(key)
            assert "the display is frozen: space lets it go on" in it.text
        assert not it.feed.asked
        await it.press("exclamation_mark")
        assert it.feed.asked == [StopAll()]
        await it.press("0", "space", "C")
        assert "the display is frozen: space lets it go on" in it.text


async def test_the_question_before_all_checks_is_a_sentence() -> None:
    """It has no object, and so no gap before its mark."""
    async with stage() as it:
        await it.press("C")
        assert "Run the checks, which kill pods and load the cluster?" in it.text


@pytest.mark.parametrize(
    ("session_id", "shown"),
    [("s1", "you (5m)  anna@classroom-7 (2m, read-only)"), ("s2", "you (2m, read-only)"), ("", "you (5m)")],
    ids=["mine", "another of mine", "not known"],
)
async def test_you_are_this_session(session_id: str, shown: str) -> None:
    """Of the viewers the one with this session's id is you; without an id the one of your name."""
    async with stage(change=lambda options: replace(options, session_id=session_id)) as it:
        assert shown in it.text


async def test_who_is_leaving_is_not_here() -> None:
    """The header counts those who stay; the overview says who is on the way out."""
    async with stage() as it:
        status = it.script.status()
        assert isinstance(status.body, Status)
        me, anna = status.body.viewers
        await it.deliver(
            replace(status, body=replace(status.body, viewers=(me, replace(anna, leaving_us=anna.since_us))))
        )
        assert "1 here" in it.lines[0]
        assert "leaving" in it.text


async def test_a_timeline_that_is_scrolled_says_what_is_above_it() -> None:
    """It does not begin with the newest line then; and past its end there is nothing to come back from."""
    async with stage() as it:
        await it.deliver(it.script.killed(), it.script.terminating())
        await it.press("1")
        assert "newest first" in it.text
        await it.press("J")
        assert "1 newer ↑; K goes back" in it.text
        await it.press(*"J" * 30)
        above = int(re.findall(r"(\d+) newer ↑", it.text)[0])
        await it.press(*"K" * above)
        assert "newest first" in it.text


async def test_a_sandboxs_kubectl_works_in_another_terminal() -> None:
    """There only the file that the session was given says where the cluster is."""
    async with stage(change=lambda options: replace(options, kubeconfig="/tmp/box/kubeconfig")) as it:  # noqa: S108
        await it.press("1", "x", "y", "y")
        assert it.text.count("kubectl --kubeconfig /tmp/box/kubeconfig --context dev") == 2


async def test_hints_name_a_namespace_that_is_not_the_default() -> None:
    """What is advised acts in the namespace that is looked at."""
    async with stage(live=False, change=lambda options: replace(options, namespace="lab")) as it:
        await it.deliver(LinkEvent(LinkState.NOT_INSTALLED))
        assert "kubealive up -n lab" in it.text
        assert "kubealive down -n lab" in it.text
        await it.deliver(LinkEvent(LinkState.FAILED, reason="no"))
        assert "kubealive doctor -n lab" in it.text


async def test_help_leaves_out_what_is_refused() -> None:
    """A read-only session is told of no key that it is refused."""
    async with stage(change=read_only, size=(80, 60)) as it:
        await it.press("1", "question_mark")
        assert "delete the selected pod" not in it.text
        assert "stop all load" not in it.text
        assert "Read-only" in it.text


async def test_freeze_stands_while_the_store_goes_on() -> None:
    """A frozen screen shows what it showed, says FROZEN, and shows the newest state when it goes on."""
    async with stage() as it:
        await it.press("1", "space")
        assert "FROZEN" in it.lines[0]
        before = it.lines[3:]
        await it.deliver(it.script.terminating(1), it.script.tick(3.0))
        assert it.lines[3:] == before
        await it.press("space")
        assert "Terminating" in it.text
        assert "FROZEN" not in it.text


async def test_a_link_that_failed_for_good_says_all_of_why() -> None:
    """The data that it left stays above a sentence that ends with the next step, until it has been read."""
    reason = f"agent 0.3.0 and this kubealive 0.1.0 are {'more ' * 8}apart; install kubealive 0.3 here"
    async with stage() as it:
        await it.press("1")
        before = it.lines[4:8]
        await it.deliver(LinkEvent(LinkState.FAILED, reason=reason))
        assert it.lines[4:8] == before
        assert "install kubealive 0.3 here" in " ".join(it.text.split())
        await it.press("j")
        assert "install kubealive" not in it.text
        await it.deliver(LinkEvent(LinkState.RECONNECTING), LinkEvent(LinkState.FAILED, reason=reason, attempt=2))
        assert "install kubealive" not in it.text
        await it.deliver(LinkEvent(LinkState.FAILED, reason=f"now {reason}"))
        assert "install kubealive" in it.text


async def test_a_lost_link_keeps_the_data_and_says_its_age() -> None:
    """Stale data stays, with the reason in the first line."""
    async with stage() as it:
        await it.press("1")
        await it.lose_link()
        assert "reconnecting (2)" in it.lines[0]
        assert "47vpv" in it.text


async def test_too_small_names_the_least_size() -> None:
    """Below 80x24 one page says so."""
    async with stage(size=(60, 20)) as it:
        assert "80" in it.text
        assert "24" in it.text


async def _lines(names: Sequence[str]) -> AsyncIterator[str]:
    yield f"created deployment/kubealive-agent for {list(names)}"


async def test_not_installed_offers_to_install() -> None:
    """The empty screen says what up would do, and U does it with its progress on the screen."""
    names: list[Sequence[str]] = []

    async def install(wanted: Sequence[str]) -> AsyncIterator[str]:
        names.append(wanted)
        async for text in _lines(wanted):
            yield text

    def change(options: UiOptions) -> UiOptions:
        return replace(options, install=install)

    async with stage(change=change, live=False) as it:
        await it.deliver(LinkEvent(LinkState.NOT_INSTALLED))
        assert "There is no kubealive in namespace kubealive of dev." in it.text
        assert "U installs it, as kubealive up does" in it.text
        await it.press("U")
        assert names == [[]]
        assert "installed" in it.text


async def test_no_right_is_said_as_it_came() -> None:
    """A link that failed for good shows its sentence and the next step."""
    sentence = "you may not create pods/portforward in namespace kubealive: an administrator of it can grant that"
    async with stage(live=False) as it:
        await it.deliver(LinkEvent(LinkState.FAILED, reason=sentence))
        assert sentence in " ".join(it.text.split())
        assert "kubealive doctor" in it.text


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("question_mark", "start or stop the measured traffic"),
        ("enter", "owner          replicaset getip-5f6b8cd8c"),
        ("e", "kube-proxy"),
        ("y", "kubectl --context dev -n kubealive get pods"),
        ("colon", "type to find a command"),
    ],
    ids=["help", "details", "explain", "kubectl", "palette"],
)
async def test_dialogs_open_and_close(key: str, words: str) -> None:
    """Each dialog fits 80x24, leaves header and tabs in sight, and closes with Esc."""
    async with stage() as it:
        await it.press("1")
        before = it.text
        await it.press(key)
        assert words in it.text
        assert len(it.lines) <= 24
        assert it.lines[:2] == before.splitlines()[:2]
        await it.press("escape")
        assert it.text == before


async def test_palette_runs_what_was_found() -> None:
    """Letters narrow the palette, Enter runs the marked command, with or without a key."""
    async with stage() as it:
        await it.press("1", "colon", *"scale to 2", "enter")
        await it.press("y")
        assert [act.verb for act in it.feed.acts()] == [Scale(2)]


async def test_kubectl_text_follows_the_last_action() -> None:
    """After a kill, y shows the delete command, and c puts it on the clipboard."""
    async with stage() as it:
        await it.press("1", "x", "y", "y")
        assert "delete pod getip-5f6b8cd8c-47vpv" in it.text
        await it.press("c")
        assert it.app.clipboard.startswith("kubectl --context dev -n kubealive delete pod getip-5f6b8cd8c-47vpv")


async def test_save_tells_the_path(tmp_path: Path) -> None:
    """w writes the last run and says where; without a run it says that there is none."""
    async with stage(size=(160, 50), change=saving_to(tmp_path)) as it:
        await it.press("1", "w")
        assert "there is no run to save yet" in it.text
        await it.deliver(it.script.killed(), it.script.terminating())
        await it.press("w")
        assert str(tmp_path / "balance.txt") in it.text
        assert (tmp_path / "balance.txt").read_text(encoding="utf-8").startswith("KILL")


async def test_stop_all_never_asks() -> None:
    """The way out of trouble is one key, on every tab."""
    async with stage() as it:
        await it.press("1", "exclamation_mark")
        assert it.feed.asked == [StopAll()]


async def test_quit_stops_our_load_first() -> None:
    """A load that this session started is stopped before the screen is left; others are left alone."""
    async with stage() as it:
        await it.press("1", "l")
        await it.deliver(it.script.loaded())
        await it.press("q")
        assert [type(request) for request in it.feed.asked] == [SetLoad, StopLoad]


async def test_quit_leaves_the_loads_of_others() -> None:
    """Somebody else's load goes on."""
    async with stage() as it:
        await it.deliver(it.script.loaded())
        await it.press("q")
        assert not it.feed.asked


async def test_interest_follows_tab_and_load() -> None:
    """The visible tab is sampled; one with a running load of ours stays so when the tab changes."""
    async with stage() as it:
        await it.press("1")
        assert it.feed.interests[-1].experiments == {"balance"}
        await it.press("l")
        await it.deliver(it.script.loaded())
        await it.press("0")
        assert it.feed.interests[-1].experiments == {"balance"}


async def test_interest_ends_with_the_tab() -> None:
    """Without a load, leaving the tab ends its sampling."""
    async with stage() as it:
        await it.press("1", "0")
        assert it.feed.interests[-1].experiments == frozenset()


async def test_a_feed_that_dies_ends_the_program() -> None:
    """A broken feed is no screen that stands still: the app ends with its error."""

    class Broken(ScriptedFeed):
        async def run(self, deliver: object) -> None:
            raise RuntimeError("feed")

    async with stage(change=lambda options: replace(options, feed=Broken()), live=False) as it:
        await it.pilot.pause()
        assert isinstance(it.app.failure, RuntimeError)


async def test_quit_leaves_a_load_that_took_the_place_of_ours() -> None:
    """A load that somebody started after ours is theirs, and runs on when we leave."""
    async with stage() as it:
        await it.press("1", "l")
        theirs = replace(running(50.0, actor="other@there"), uid="load-2")
        await it.deliver(it.script.batch(changed(Kind.LOAD, theirs)))
        await it.press("q")
        assert not any(isinstance(request, StopLoad) for request in it.feed.asked)
