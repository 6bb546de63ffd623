"""The DNS tab: what is asked, its matrix, its keys, its walk, its words and its verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import pytest

from kubealive_tui.experiments import NotNow, Scene, Settings, VerdictWord
from kubealive_tui.experiments._dns import Form, Question
from kubealive_tui.experiments.dns import CELLS, lab
from kubealive_tui.experiments.dns._matrix import NAMES
from kubealive_tui.model import (
    Act,
    AgentNote,
    Aspect,
    Change,
    DeletePod,
    DnsAnswer,
    DnsSample,
    Ending,
    Heading,
    Kind,
    Rail,
    Request,
    Scale,
    Size,
    Table,
    WatchGap,
    plain,
)
from tests.tui.experiments.names import (
    OBJECTS,
    SERVER,
    SETS,
    ZONE,
    Cluster,
    endpoint,
    entered,
    entries,
    kill,
    moved,
    pod,
    workload,
)

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
SMALL = Size(80, 24)


def scene(cluster: Cluster, *, selected: str = "dns-web", kind: str = "A", size: Size = SMALL) -> Scene:
    return Scene(
        cluster.store,
        lab,
        lab.settings().choose("type", kind),
        selected,
        size,
        namespace="lab",
        me="me@here",
    )


def answered() -> Cluster:
    cluster = Cluster()
    cluster.seconds = 1
    cluster.answer_all()
    return cluster


def cells(seen: Scene, row: str) -> list[str]:
    """The words of a row of the first table, without the pointer."""
    table = lab.views(seen)[0]
    assert isinstance(table, Table)
    return [plain(cell) for cell in table.row(row).cells if isinstance(cell, tuple)]


def figures(seen: Scene, index: int = 0) -> str:
    view = lab.views(seen)[index]
    assert isinstance(view, Table)
    assert isinstance(view.heading, Heading)
    return plain(view.heading.figures)


# ---- what is asked


def test_every_cell_is_asked() -> None:
    """Seven names, three types, four spellings, as the namespace and the domain of the agent spell them."""
    wanted = {(s.what.name, s.what.type) for s in lab.samples(scene(Cluster())) if isinstance(s.what, DnsSample)}

    assert len(wanted) == CELLS == 84
    assert {("dns-web", "A"), ("dns-web.lab", "AAAA"), (f"_http._tcp.dns-each.{ZONE}", "SRV")} <= wanted
    assert ("dns-set-0.dns-set", "SRV") in wanted


def test_whole_names_are_asked_each_second() -> None:
    """They tell when a record changes; the other spellings mostly repeat them."""
    periods = {
        (s.what.name[-1] == ".", s.period_ms)
        for s in lab.samples(scene(Cluster()))
        if isinstance(s.what, DnsSample)
    }

    assert periods == {(True, 1_000), (False, 5_000)}


# ---- the matrix


@pytest.mark.parametrize(
    ("name", "kind", "cell"),
    [
        ("dns-web", "A", "● 1 A"),
        ("dns-each", "A", "● 3 A"),
        ("dns-set-0.dns-set", "A", "● 1 A"),
        ("dns-nobody", "A", "● NXDOMAIN"),
        ("dns-alias", "A", "● CNAME"),
        ("dns-web", "AAAA", "● NODATA"),
        ("dns-each", "SRV", "● 3 SRV"),
        ("dns-set", "SRV", "● 2 SRV"),
        ("dns-set-0.dns-set", "SRV", "– NODATA"),
    ],
)
def test_a_cell_says_what_came(name: str, kind: str, cell: str) -> None:
    """Its glyph is the verdict, its word the answer."""
    assert cells(scene(answered(), kind=kind), name)[2:6] == [cell] * 4


def test_the_heading_counts_the_verdicts_of_all_types() -> None:
    """Also of those that are not on screen."""
    assert figures(scene(answered())) == "of 84: 80 agree  0 stale  0 wrong  4 not specified"


def test_before_anything_was_asked() -> None:
    """An empty matrix says that it is open, and claims nothing."""
    assert cells(scene(Cluster()), "dns-web")[2:6] == ["○ –"] * 4
    assert "84 open" in figures(scene(Cluster()))


@pytest.mark.parametrize(
    ("rcode", "cell"),
    [
        ("SERVFAIL", "✕ SERVFAIL"),
        ("TIMEOUT", "✕ TIMEOUT"),
        ("UNREACHABLE", "✕ no route"),
        ("MALFORMED", "✕ not DNS"),
        ("NXDOMAIN", "✕ wrong"),
    ],
)
def test_trouble_is_called_what_it_is(rcode: str, cell: str) -> None:
    """A server that fails, silence, a network that turns back, and a denial that should not be."""
    cluster = answered()
    cluster.seconds = 2
    cluster.tell(DnsAnswer(f"dns-web.{ZONE}", "A", rcode))
    cluster.wait(5)

    table = lab.views(scene(cluster))[0]
    assert isinstance(table, Table)
    assert cells(scene(cluster), "dns-web")[5] == cell
    assert len(cell) <= table.columns[5].width


def test_a_late_cell_says_for_how_long() -> None:
    """The pod is another one, and DNS still has the old address."""
    cluster = answered()
    cluster.tell(changes=(entries("dns-set", endpoint("new", "10.0.1.9", hostname="dns-set-0")),))
    cluster.wait(12)
    seen = scene(cluster, selected="dns-set-0.dns-set")

    assert cells(seen, "dns-set-0.dns-set")[2:6] == ["◌ late 12s"] * 4
    assert "stale up to 12 s" in figures(seen)


def test_the_four_spellings_say_what_each_cost() -> None:
    """How many questions until the answer, its records, its TTL, and the time of all of them."""
    table = lab.views(scene(answered()))[1]
    assert isinstance(table, Table)
    rows = [[plain(cell) for cell in table.row(key).cells if isinstance(cell, tuple)] for key in table.keys]

    assert rows[0] == ["short", "once", "10.96.0.7", "30 s", "0.80", "● agrees"]
    assert [row[1] for row in rows] == ["once", "2 ×", "4 ×", "once"]
    assert [row[4] for row in rows] == ["0.80", "1.6", "3.2", "0.80"]


@pytest.mark.parametrize(
    ("height", "tables", "rails"), [(24, 1, 0), (36, 1, 1), (50, 3, 1)], ids=["80x24", "higher", "highest"]
)
def test_a_higher_screen_shows_more(height: int, tables: int, rails: int) -> None:
    """One type and no stopwatch where room is short, all three types where it is not."""
    views = lab.views(scene(answered(), size=Size(100, height)))

    assert sum(isinstance(view, Table) and view.selectable for view in views) == tables
    assert sum(isinstance(view, Rail) for view in views) == rails


def test_the_selected_row_of_any_type_is_spelled_out() -> None:
    """Where all types are shown, a row's key says of which it is."""
    seen = scene(answered(), selected="dns-set SRV", size=Size(100, 50))
    heading = next(v.heading for v in lab.views(seen) if isinstance(v, Table) and not v.selectable)

    assert heading is not None
    assert plain(heading.title) == "dns-set SRV"


# ---- keys


def run(seen: Scene, key: str) -> list[object]:
    command = next(command for command in lab.commands if command.key == key)
    return list(command.run(seen))


def test_the_type_goes_round() -> None:
    """A, AAAA, SRV, and A again; nothing is asked of the cluster."""
    seen, types = scene(Cluster()), []
    for _ in range(3):
        (after,) = run(seen, "m")
        assert isinstance(after, Settings)
        types.append(after.choices["type"])
        seen = scene(Cluster(), kind=types[-1])

    assert types == ["AAAA", "SRV", "A"]


@pytest.mark.parametrize(
    ("selected", "uid"),
    [("dns-web", "each-0"), ("dns-each SRV", "each-0"), ("dns-set", "set-0"), ("dns-set-0.dns-set AAAA", "set-0")],
)
def test_a_kill_meets_the_pod_behind_the_name(selected: str, uid: str) -> None:
    """Of a Service the first one, of an ordinal its own."""
    (act,) = run(scene(Cluster(), selected=selected), "x")

    assert isinstance(act, Act)
    assert (act.uid, act.verb) == (uid, DeletePod())


@pytest.mark.parametrize("selected", ["dns-nobody", "dns-alias"])
def test_names_without_pods_cannot_be_killed(selected: str) -> None:
    """There is nothing behind them."""
    with pytest.raises(NotNow, match="no pod"):
        run(scene(Cluster(), selected=selected), "x")


def test_scaling_is_of_the_stateful_set() -> None:
    """One replica fewer takes away a name."""
    (act,) = run(scene(Cluster()), "S")

    assert isinstance(act, Act)
    assert (act.name, act.verb) == ("dns-set", Scale(1))


# ---- the walk and the words


def test_the_walk_is_told_query_by_query() -> None:
    """Why in this order, what each said, from whom, how long a denial is kept, and what a dot would have saved."""
    told = "\n".join(plain(text) for text in lab.details(scene(answered())))

    assert "3 dots" not in told
    assert "4 dots, fewer than ndots:5: first with each domain of the search list" in told
    assert "a dot at its end: asked as it is" in told
    assert f"1 dns-web.lab.{ZONE}" in told
    assert f"NXDOMAIN from {SERVER} in 0.80 ms; kept 30 s (SOA minimum), 30 s left" in told
    assert "4 queries in 3.2 ms; with a dot at its end it would be one" in told
    assert "Kubernetes DNS specification, 2.3.1" in told


def test_a_step_that_leaves_the_cluster_is_said_to_be_unasked() -> None:
    """A client would go on there; the agent does not."""
    cluster = Cluster()
    cluster.tell(DnsAnswer("dns-web.", "A", "UNASKED", walk="dns-web", step=4))
    told = "\n".join(plain(text) for text in lab.details(scene(cluster)))

    assert "not asked: it is outside of the cluster's domain" in told


def words(cluster: Cluster) -> str:
    return "\n".join(plain(text) for text in lab.explanation(scene(cluster)))


@pytest.mark.parametrize(
    ("rcode", "sentence"),
    [
        ("TIMEOUT", "TIMEOUT, no DNS server answered in time"),
        ("UNREACHABLE", "no ready pod behind it"),
        ("SERVFAIL", "the DNS server has failed itself"),
        ("MALFORMED", "MALFORMED, what came back is no DNS message"),
        ("REFUSED", "the DNS server answers REFUSED"),
        ("NXDOMAIN", "promised is 10.96.0.7 (section 2.3.1)"),
    ],
)
def test_trouble_is_explained(rcode: str, sentence: str) -> None:
    """Each kind in its own words."""
    cluster = answered()
    cluster.tell(DnsAnswer(f"dns-web.{ZONE}", "A", rcode))
    cluster.wait(5)

    assert sentence in words(cluster)


def test_what_is_late_is_explained() -> None:
    """Since when, and how much longer at most."""
    cluster = answered()
    cluster.tell(changes=(entries("dns-set", endpoint("new", "10.0.1.9", hostname="dns-set-0")),))
    cluster.wait(12)

    assert "was right until 12 s ago" in words(cluster)
    assert "kept for 18 s more" in words(cluster)


def test_a_set_without_pods_is_explained() -> None:
    """Its name has no addresses; what to try then."""
    cluster = Cluster()
    cluster.tell(changes=(workload(Kind.STATEFUL_SET, "dns-set", 0), entries("dns-set")))

    assert "has no pods, so its name has no addresses" in words(cluster)
    assert "Try: s" in words(cluster)


def test_the_last_run_is_explained() -> None:
    """How long an answer led astray; and where none did after the pod stood there, nobody is said to be misled."""
    kept = answered()
    killed(kept)
    kept.wait(4)
    assert "Until 15.0 s an answer still had the old address" in words(kept)

    denied = answered()
    killed(denied, between=DnsAnswer(f"dns-set-0.dns-set.{ZONE}", "A", "NXDOMAIN"))
    denied.wait(4)
    assert "After that nobody was given the old address any more" in words(denied)


def test_the_full_name_with_enough_dots_is_not_said_to_cost_most() -> None:
    """The rule goes by ndots: an SRV name has six dots and is asked as it stands."""
    assert "One with as many is asked as it stands first" in words(answered())


# ---- the stopwatch


OLD_ANSWER = DnsAnswer(f"dns-set-0.dns-set.{ZONE}", "A", "NOERROR", (SETS[0],))


def killed(cluster: Cluster, *, between: DnsAnswer = OLD_ANSWER) -> None:
    """A pod killed 9 s on: in the slice again 2 s later, in DNS after 20 s, this answer at 15 s."""
    began = cluster.seconds + 9
    cluster.seconds = began
    cluster.tell(kill(), action_id="a1")
    cluster.tell(moved("set-0", SETS[0], Aspect.DELETING, deleting=True))
    cluster.tell(entered("set-0", SETS[0], ready=False), changes=(entries("dns-set"),))
    cluster.seconds = began + 2
    cluster.tell(moved("new", "10.0.1.9", Aspect.CREATED))
    back = entries(
        "dns-set",
        endpoint("new", "10.0.1.9", hostname="dns-set-0"),
        endpoint("set-1", SETS[1], hostname="dns-set-1"),
    )
    again = pod("dns-set", "new", "dns-set-0", "10.0.1.9")
    cluster.tell(entered("new", "10.0.1.9", ready=True), changes=(back, Change(Kind.POD, "set-0", None), again))
    cluster.seconds = began + 15
    cluster.tell(between)
    cluster.seconds = began + 20
    cluster.answer_all()


def test_a_kill_is_timed_until_dns_follows() -> None:
    """From the key to the first answer with the successor's address; the last old answer is a milestone."""
    cluster = answered()
    killed(cluster)
    cluster.wait(4)

    last = cluster.store.ledger("dns").runs.last
    assert last is not None
    assert last.ending is Ending.COMPLETE
    assert [
        (label, last.seconds(label))
        for label in ("left the slice", "successor in it", "last old answer", "DNS follows")
    ] == [
        ("left the slice", 0.0),
        ("successor in it", 2.0),
        ("last old answer", 15.0),
        ("DNS follows", 20.0),
    ]
    assert "in the EndpointSlice after 2.0 s, and in DNS after 20.0 s" in words(cluster)
    rail = next(view for view in lab.views(scene(cluster, size=Size(100, 50))) if isinstance(view, Rail))
    assert plain(rail.figure) == "DNS late 18.0 s"


# ---- the check


# A minute, which is the longest that an unchanged answer goes untold, and a moment to come in.
LATE_S = 62.0


@dataclass
class Played:
    """A drive over a cluster that is played by the test; `faults` changes what it does."""

    cluster: Cluster
    faults: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)

    @property
    def store(self) -> object:
        return self.cluster.store

    async def ask(self, request: Request) -> str:
        self.requests.append(request)
        if "never follows" in self.faults:
            self.cluster.seconds = 10
            self.cluster.tell(kill(), action_id="a1")
        else:
            killed(self.cluster)
            if "gap" in self.faults:
                self.cluster.tell(AgentNote("the agent watches the cluster again", watch_gap=WatchGap.ENDED))
        return "a1"

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        """Time passes in steps; DNS answers all that it is asked, but for the faults."""
        for _ in range(12):
            if found := look():
                return found
            self.cluster.wait(within / 10)
            trouble = self.faults & {"dns-web is not answered", "dns-web is wrong"}
            if "silence" not in self.faults and not ("told late" in self.faults and self.cluster.seconds < LATE_S):
                self.cluster.answer_all(but=("dns-web",) if trouble else ())
            if "dns-web is wrong" in self.faults:
                self.cluster.tell(*(self.lie(form) for form in Form))
                for form in Form:
                    self.cluster.tell(*self.cluster.right(Question("dns-web", "AAAA", form)))
        return None

    def lie(self, form: Form) -> DnsAnswer:
        question = Question("dns-web", "A", form)
        name = f"dns-web.{ZONE}"
        walk = "" if form is Form.DOT else question.asked(self.cluster.store)
        return DnsAnswer(name, "A", "NOERROR", ("6.6.6.6",), 30, server=SERVER, walk=walk, step=1 if walk else 0)


@pytest.mark.parametrize(
    ("faults", "broken"),
    [
        (set(), set()),
        ({"silence"}, {"cells asked"}),
        ({"dns-web is not answered"}, {"cells asked"}),
        ({"dns-web is wrong"}, {"wrong cells"}),
        ({"never follows"}, {"name of a killed pod leads to its successor"}),
        ({"gap"}, {"facts of that run"}),
    ],
    ids=["all well", "silence", "one name is never answered", "one name lies", "caches never let go", "blind"],
)
async def test_the_check(faults: set[str], broken: set[str]) -> None:
    """Passes where every cell agrees and DNS follows a kill; fails with the finding that says why not."""
    verdict = await lab.verdict(Played(Cluster(), faults))  # type: ignore[arg-type]

    names = {finding.name for finding in verdict.findings if not finding.kept}
    assert names >= broken
    assert (verdict.word is VerdictWord.PASSED) == (not broken)
    if not faults:
        assert {finding.name for finding in verdict.findings} == {limit.finding for limit in lab.limits}


async def test_answers_that_stay_the_same_are_waited_for() -> None:
    """Where somebody has looked for long, the agent tells them anew within a minute, and not at once."""
    verdict = await lab.verdict(Played(Cluster(), {"told late"}))  # type: ignore[arg-type]

    assert verdict.word is VerdictWord.PASSED, verdict.reasons


async def test_a_kill_that_the_agent_half_saw_says_so() -> None:
    """What was measured keeps its limit; what is wrong is that facts are missing, and that is said."""
    verdict = await lab.verdict(Played(Cluster(), {"gap"}))  # type: ignore[arg-type]

    assert verdict.reasons == (
        "facts of that run: the agent could not watch the cluster for a while, wanted none missing",
    )
    assert verdict.blind == "the agent could not watch the cluster for a while"


async def test_the_check_needs_the_pods() -> None:
    """Without ready pods nothing is judged."""
    gone = [change for change in OBJECTS if change.kind is not Kind.STATEFUL_SET]
    verdict = await lab.verdict(Played(Cluster(*gone)))  # type: ignore[arg-type]

    assert [(finding.name, finding.kept) for finding in verdict.findings] == [("pods ready", False)]


def test_each_row_says_what_stands_behind_it() -> None:
    """All kinds of Service that there are names for, once each."""
    assert [name.kind for name in NAMES] == [
        "ClusterIP",
        "NodePort",
        "DaemonSet",
        "StatefulSet",
        "one ordinal",
        "no Service",
        "ExternalName",
    ]
