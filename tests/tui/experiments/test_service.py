"""The Service's tab: a call hop by hop, the nodes' ports, keys, stopwatches, explanations, the check."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest

from kubealive_tui.experiments import NotNow, VerdictWord
from kubealive_tui.experiments.service import lab
from kubealive_tui.experiments.service._check import _local
from kubealive_tui.experiments.service._hops import hop_in
from kubealive_tui.model import (
    Act,
    Action,
    Aspect,
    Bins,
    Change,
    DeletePod,
    Ending,
    EndpointTransition,
    Kind,
    Load,
    LoadMode,
    NodeSample,
    Outcome,
    Phase,
    PodSample,
    PodTransition,
    Port,
    Rail,
    Reading,
    Request,
    Scale,
    Sentence,
    Table,
    Target,
    TrafficPolicy,
    plain,
)
from kubealive_tui.store import Store
from tests.tui.experiments.hops import (
    FRONT,
    HOST,
    VIP,
    answer,
    backends,
    called,
    deployments,
    fact,
    hop,
    node,
    page,
    pod,
    scene,
    service,
    slices,
    store_of,
    unanswered,
)
from tests.tui.signals import at, connected, frame

T = TypeVar("T")
TIMEOUT = Outcome.CONNECT_TIMEOUT
BACK = backends()


def table(store: Store, index: int, **given: Any) -> dict[str, list[str]]:
    """Table `index` of the tab as words by its rows' keys."""
    view = list(lab.views(scene(store, **given)))[index]
    assert isinstance(view, Table)
    rows = {key: view.row(key).cells for key in view.keys}
    return {key: [plain(cell) for cell in cells if isinstance(cell, tuple)] for key, cells in rows.items()}


def heading(store: Store, index: int) -> str:
    view = list(lab.views(scene(store)))[index]
    assert isinstance(view, Table)
    assert view.heading is not None
    return f"{plain(view.heading.title)} | {plain(view.heading.figures)}"


# ---- by name


def test_a_call_hop_by_hop() -> None:
    """From the frontend by both records and the Service's address to the pod and its node."""
    store = store_of(hop(page(BACK[1])))

    assert heading(store, 1) == "BY NAME from …aaa-front on node-2 | SERVICE_NAME backend"
    assert table(store, 1) == {
        "srv": ["SRV", f"80 {HOST}", "TTL 12", "0.80 ms", "● agrees"],
        "a": ["A", f"{VIP}, 3 ready", "TTL 12", "0.80 ms", "● agrees"],
        "backend": ["backend", "…d8c-back2 on node-2  200", "", "1.9 ms", "● answered"],
    }


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        pytest.param(page(srv=answer("SRV", rcode="NXDOMAIN"), hosts=[]), "srv", ["NXDOMAIN", "wrong"],
                     id="no name"),
        pytest.param(page(srv=answer("SRV", []), hosts=[]), "srv", ["NOERROR", "wrong"], id="no record"),
        pytest.param(page(srv=answer("SRV", rcode="SERVFAIL"), hosts=[]), "srv", ["SERVFAIL", "no answer"],
                     id="failing server"),
        pytest.param(page(srv=answer("SRV", rcode="TIMEOUT"), hosts=[]), "srv", ["TIMEOUT", "no answer"],
                     id="silent server"),
        pytest.param('{"service": "backend", "error": "/etc/resolv.conf names no DNS server"}', "srv",
                     ["names no DNS server"], id="no server"),
        pytest.param(page(BACK[0], srv=answer("SRV", [[0, 100, 81, HOST]])), "srv", ["81 backend", "wrong"],
                     id="another port"),
        pytest.param(page(BACK[0], host={"a": answer("A", ["10.9.9.9"])}), "a", ["10.9.9.9", "wrong"],
                     id="another address"),
        pytest.param(page(host={"a": answer("A", rcode="SERVFAIL"), "error": "no address: SERVFAIL"}), "a",
                     ["SERVFAIL", "no answer"], id="no address"),
        pytest.param(unanswered(), "backend", ["connection refused", "no answer"], id="refused"),
        pytest.param(unanswered("connect timeout"), "backend", ["connect timeout", "no answer"], id="timeout"),
        pytest.param(page(host={"statusCode": 503}), "backend", ["status 503", "no answer"], id="status"),
        pytest.param(page(pod(9)), "backend", ["…d8c-back9", "none of its pods"], id="a stranger"),
        pytest.param(page(pod(1, node="node-3")), "backend", ["node node-3"], id="another node than the API's"),
    ],
)  # fmt: skip
def test_a_call_that_is_not_as_it_should_be(text: str, row: str, words: list[str]) -> None:
    """Each hop says what came and what that is worth."""
    said = " ".join(table(store_of(hop(text)), 1)[row])

    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("facts", "words"),
    [([], "not asked yet"), ([hop(None, "connect timeout")], "connect timeout"), ([hop("?")], "no page of calls")],
    ids=["not yet", "silent", "another program"],
)
def test_a_frontend_that_tells_nothing(facts: list[Any], words: str) -> None:
    """Nothing is shown of a call that is not known."""
    view = list(lab.views(scene(store_of(*facts))))[1]

    assert isinstance(view, Table)
    assert not view.keys
    assert words in plain(view.empty)


@pytest.mark.parametrize("text", ["", "[]", "3", '{"service": 1, "srv": 2}', '{"service": "x", "hosts": [{}]}'])
def test_what_is_no_page(text: str) -> None:
    """Whatever a pod answers, it is read or not, and raises nothing."""
    assert hop_in(text) is None


def test_who_answered_is_marked_among_the_pods() -> None:
    """The frontend asks, the backend of the newest call answered, and each counts its calls of late."""
    facts = [hop(page(BACK[1])), called(1, BACK[0]), called(2, BACK[0]), called(3, BACK[2])]
    rows = table(store_of(*facts), 0)

    assert {key: cells[-2:] for key, cells in rows.items()} == {
        "b1": ["2", ""], "b2": ["0", "answered"], "b3": ["1", ""], "f1": ["", "asks"],
    }  # fmt: skip


# ---- by node


def test_the_port_of_every_node() -> None:
    """Who answered, from which node, and how the last calls spread."""
    store = store_of(called(1, BACK[0]), called(1, BACK[2]), called(1, BACK[0]), called(2, outcome=TIMEOUT))

    assert heading(store, 2) == "NODE PORT 30080 of every node, from the agent | externalTrafficPolicy Cluster"
    assert table(store, 2) == {
        "node-1": ["node-1", "…d8c-back1 on node-1", "0.90 ms", "last 3: node-1 ×2 node-3 ×1"],
        "node-2": ["node-2", "connect timeout", "–", "last 1: failed ×1"],
        "node-3": ["node-3", "not asked yet", "", ""],
    }


def test_under_local_the_agents_own_node_and_empty_ones_are_marked() -> None:
    """The agent's node balances over all, and one without a backend drops what comes."""
    store = store_of(called(1, BACK[1]), called(2, BACK[1]), called(3, outcome=TIMEOUT), count=2,
                     given=service("Local"))  # fmt: skip

    assert [row[3] for row in table(store, 2).values()] == [
        "own 1: node-2 ×1",
        "last 1: node-2 ×1",
        "no backend, 1: failed ×1",
    ]


def test_calls_before_a_change_of_policy_are_not_counted() -> None:
    """How calls spread is counted anew from when the nodes have followed the key."""
    store = store_of(called(1, BACK[0]))
    changed = Action("r1", "me@here", "traffic_policy", Phase.REQUESTED, Kind.SERVICE, "backend", "s1")
    news = [fact(8, 3, changed, "a1"), fact(9, 4, called(1, BACK[0])), fact(10, 6, called(1, BACK[2]))]
    store.apply(frame(10, 6, *news))

    assert table(store, 2)["node-1"][3] == "last 1: node-3 ×1"


def test_calls_of_an_earlier_look_are_not_shown_as_of_now() -> None:
    """The journal still tells a viewer that comes anew of calls that others had made: they say nothing of now."""
    store = store_of(hop(page(BACK[1])), called(1, BACK[0]), called(2, outcome=TIMEOUT))
    store.apply(frame(90, 300.0))

    by_name = list(lab.views(scene(store)))[1]
    assert isinstance(by_name, Table)
    assert (by_name.keys, plain(by_name.empty)) == ((), "last asked 4m ago")
    assert table(store, 2)["node-1"] == ["node-1", "last asked 4m ago", "", ""]
    assert {key: cells[-2:] for key, cells in table(store, 0).items()} == {
        "b1": ["0", ""], "b2": ["0", ""], "b3": ["0", ""], "f1": ["", "asks"],
    }  # fmt: skip
    assert "newest call ended badly" not in " ".join(plain(words) for words in lab.explanation(scene(store)))


def test_only_the_calls_of_one_look_are_counted() -> None:
    """After a pause the spread begins anew: pods have come and gone meanwhile."""
    store = store_of(called(1, BACK[0]), called(1, BACK[1]))
    store.apply(frame(91, 200.0, fact(91, 200.0, called(1, BACK[2]))))

    assert table(store, 2)["node-1"] == ["node-1", "…d8c-back3 on node-3", "0.90 ms", "last 1: node-3 ×1"]


def test_a_node_that_is_not_ready_says_so() -> None:
    """Its port may answer nobody, and that is why."""
    store = store_of(called(3, outcome=TIMEOUT))
    store.apply(frame(9, 3, changes=(node(3, "NotReady"),)))

    assert table(store, 2)["node-3"][3] == "NotReady  last 1: failed ×1"


def test_answers_of_other_pods_are_no_news() -> None:
    """A name or port that leads to several pods is told when it fails or works again, not each time it turns."""
    calls = [called(1, BACK[n % 3]) for n in range(9)]
    store = store_of(*calls, called(1, outcome=TIMEOUT), called(1, BACK[0]))

    told = [f.body.outcome for f in store.ledger("service").timeline if hasattr(f.body, "outcome")]
    assert told == [Outcome.OK, Outcome.OK, Outcome.OK, TIMEOUT, Outcome.OK]


# ---- keys, samples, size


def press(key: str, store: Store, selected: str = "b1") -> list[object]:
    (command,) = [c for c in lab.commands if c.key == key]
    return list(command.run(scene(store, selected)))


@pytest.mark.parametrize(("now", "then"), [("Cluster", "Local"), ("Local", "Cluster")])
def test_m_changes_the_policy(now: str, then: str) -> None:
    """Of the experiment's own Service, by its UID."""
    asked = press("m", store_of(given=service(now)))

    assert asked == [Act("service", "s1", "backend", TrafficPolicy(then))]


def test_m_needs_a_service() -> None:
    """Without one the key says what to do."""
    store = store_of()
    store.apply(frame(9, 3, changes=(Change(Kind.SERVICE, "s1", None),)))

    with pytest.raises(NotNow, match="kubealive reset service makes it again"):
        press("m", store)


def test_s_scales_the_backend() -> None:
    """Not the frontend, which the pointer may be on."""
    (request,) = press("S", store_of(), "f1")

    assert isinstance(request, Act)
    assert (request.name, request.verb) == ("backend", Scale(2))


def test_a_kill_brings_its_own_traffic() -> None:
    """What clients lose is measured at the Service, at the path that names the pod."""
    request = press("x", store_of())[0]

    assert isinstance(request, Act)
    assert (request.uid, request.verb) == ("b1", DeletePod())
    assert request.observe is not None
    assert (request.observe.target.service, request.observe.target.path) == ("backend", "/backend")


def test_what_is_sampled() -> None:
    """The frontend's calls always, the nodes' ports once there is one."""
    bare = service(ports=())

    assert {s.what for s in lab.samples(scene(store_of()))} == {
        PodSample("/hostz", app="frontend", port=8080), NodeSample(30_080, "/backend"),
    }  # fmt: skip
    assert {s.what for s in lab.samples(scene(store_of(given=bare)))} == {
        PodSample("/hostz", app="frontend", port=8080)
    }


def test_a_tall_screen_shows_the_load_as_well() -> None:
    """Where there is room, the traffic that l starts has its chart."""
    views = lab.views(scene(store_of(), width=100, height=50))

    assert any(isinstance(view, Bins) for view in views)
    assert not any(isinstance(view, Bins) for view in lab.views(scene(store_of())))


def test_a_small_screen_says_what_load_runs() -> None:
    """`l` is seen to have done something at 80x24 as well; without a load its line is left out."""
    store = store_of()
    quiet = [plain(view.text) for view in lab.views(scene(store)) if isinstance(view, Sentence)]
    load = Load("l1", "service", Target(service="backend"), LoadMode.NEW, 50.0)
    store.apply(frame(60, 3, changes=(Change(Kind.LOAD, "l1", load),)))
    said = [plain(view.text) for view in lab.views(scene(store)) if isinstance(view, Sentence)]

    assert (quiet, said) == ([], ["▶ 50/s new connections"])


# ---- the stopwatch of emptying


def test_emptying_is_timed_until_nobody_answers() -> None:
    """The last entry that goes, and the first call by name without an answer."""
    store = store_of(hop(page(BACK[0])))
    trigger = Action("r1", "me@here", "scale", Phase.REQUESTED, Kind.DEPLOYMENT, "backend", "backend",
                     {"replicas": "0"})  # fmt: skip
    left = EndpointTransition("backend", "b1", "backend-b1", removed=True)
    facts = [
        fact(50, 3.0, trigger, "a1"),
        fact(51, 3.4, left),
        fact(52, 3.6, left),
        fact(53, 4.0, hop(unanswered())),
    ]
    store.apply(frame(53, 4.0, *facts, changes=(slices(),)))
    store.apply(frame(54, 8.0))
    run = store.ledger("service").runs.last
    (rail,) = [view for view in lab.views(scene(store)) if isinstance(view, Rail)]

    assert run is not None
    assert (run.title, run.ending) == ("SCALE backend TO 0", Ending.COMPLETE)
    assert [m.at_us for m in run.milestones] == [at(3.6), at(4.0)]
    assert plain(rail.figure) == "no answer after 1.00 s"


def test_a_killed_frontend_is_timed_without_a_service() -> None:
    """No Service leads to it: its run ends when its successor calls again."""
    store = store_of(hop(page(BACK[0])))
    trigger = Action("r1", "me@here", "delete_pod", Phase.REQUESTED, Kind.POD, FRONT, "f1")

    def turn(of: str, *aspects: Aspect, ready: bool = False, deleting: bool = False) -> PodTransition:
        return PodTransition(of, of, frozenset(aspects), "node-2", "rs-frontend", "Running", ready, deleting)

    facts = [
        fact(50, 3.0, trigger, "a1"),
        fact(51, 3.1, turn("f1", Aspect.DELETING, deleting=True)),
        fact(52, 3.2, turn("f2", Aspect.CREATED)),
        fact(53, 3.5, turn("f1", Aspect.DELETED)),
        fact(54, 3.9, turn("f2", Aspect.READY, ready=True)),
        fact(55, 4.2, Reading(Kind.POD, "f2", "f2", "/hostz", page(BACK[0]))),
    ]
    store.apply(frame(55, 4.2, *facts))
    store.apply(frame(56, 8.0))
    run = store.ledger("service").runs.last

    assert run is not None
    assert run.ending is Ending.COMPLETE
    assert run.seconds("calls again") == pytest.approx(1.2)


# ---- explanations


@pytest.mark.parametrize(
    ("store", "words"),
    [
        pytest.param(store_of(hop(page(BACK[0]))), "has no SRV record", id="names"),
        pytest.param(store_of(hop(unanswered()), count=0), "DNS knows the Service, not its pods", id="no pods"),
        pytest.param(store_of(hop(page(srv=answer("SRV", rcode="NXDOMAIN"), hosts=[]))), "does not exist",
                     id="no name"),
        pytest.param(store_of(hop(page(srv=answer("SRV", []), hosts=[]))), "a port without a name",
                     id="no record"),
        pytest.param(store_of(hop(page(srv=answer("SRV", rcode="TIMEOUT"), hosts=[]))), "no DNS server answered",
                     id="silent DNS"),
        pytest.param(store_of(hop(page(srv=answer("SRV", rcode="SERVFAIL"), hosts=[]))), "has failed itself",
                     id="failing DNS"),
        pytest.param(store_of(hop(page(BACK[0], host={"a": answer("A", ["10.9.9.9"])}))), f"the API has {VIP}",
                     id="another address"),
        pytest.param(store_of(hop(page(srv=answer("SRV", rcode="NXDOMAIN"), hosts=[])),
                              given=service(ports=(Port("", 80, node_port=30_080),))),
                     "none is due (DNS specification, 2.3.2: no port has this name)", id="no named port"),
        pytest.param(store_of(hop(page(srv=answer("SRV", rcode="NXDOMAIN"), hosts=[]))),
                     "ended badly: the name led nowhere", id="led nowhere"),
        pytest.param(store_of(hop(page(pod(9)))), "none of its pods", id="a stranger"),
        pytest.param(store_of(hop(None, "connect timeout")), "tells of no call: connect timeout", id="silent"),
        pytest.param(store_of(), "not asked yet", id="not asked"),
        pytest.param(store_of(), "Every node listens on the node port", id="Cluster"),
        pytest.param(store_of(given=service("Local")), "The agent asks from a pod on node-1", id="Local"),
        pytest.param(store_of(), "Try: S until no backend is left", id="what next"),
        pytest.param(store_of(count=0), "Try: s, and see the same name", id="what next without pods"),
    ],
)  # fmt: skip
def test_explanations(store: Store, words: str) -> None:
    """Each state has its sentence."""
    assert words in " ".join(map(plain, lab.explanation(scene(store))))


def test_explanation_of_a_kill() -> None:
    """The name did not change, and that is the point."""
    store = store_of(hop(page(BACK[0])))
    trigger = Action("r1", "me@here", "delete_pod", Phase.REQUESTED, Kind.POD, "backend-b1", "b1")
    store.apply(frame(50, 3.0, fact(50, 3.0, trigger, "a1")))

    assert "clients need not ask DNS again" in " ".join(map(plain, lab.explanation(scene(store))))


def test_explanation_of_a_killed_frontend() -> None:
    """No Service leads to it, so no slice changed with it; the backends heard nothing of it."""
    killed = Action("r1", "me@here", "delete_pod", Phase.REQUESTED, Kind.POD, FRONT, "f1")
    store = store_of()
    store.apply(frame(50, 3, fact(50, 3, killed, "a1")))
    words = " ".join(plain(line) for line in lab.explanation(scene(store)))

    assert "No Service leads to the frontend" in words
    assert "clients need not ask DNS again" not in words


def test_explanation_of_a_node_that_is_not_ready() -> None:
    """Its own port is the only one that suffers."""
    store = store_of(called(3, outcome=TIMEOUT))
    store.apply(frame(9, 3, changes=(node(3, "NotReady"),)))

    assert "node-3 is not ready: the node's own port" in " ".join(map(plain, lab.explanation(scene(store))))


def test_explanation_without_a_frontend() -> None:
    """What is missing is named, with the next step."""
    store = store_of()
    store.apply(frame(9, 3, changes=(Change(Kind.POD, "f1", None),)))

    assert "kubealive reset service makes it again" in " ".join(map(plain, lab.explanation(scene(store))))


# ---- the check


@dataclass
class Played:
    """A drive whose cluster answers each second; `faults` changes how."""

    store: Store
    faults: set[str] = field(default_factory=set)
    asked: list[Request] = field(default_factory=list)
    sequence: int = 100
    seconds: float = 3.0
    policy: str = "Cluster"
    turn: int = 0

    async def ask(self, request: Request) -> str:
        self.asked.append(request)
        assert isinstance(request, Act)
        match request.verb:
            case TrafficPolicy(external_traffic_policy=policy):
                self.policy = policy
                action = Action("r", "me@here", "traffic_policy", Phase.REQUESTED, Kind.SERVICE, "backend", "s1")
                self.tell(action, changes=(Change(Kind.SERVICE, "s1", service(policy)),))
            case Scale(replicas=count):
                pods = backends(count)
                gone = [Change(Kind.POD, f"b{n}", None) for n in range(count + 1, 4)]
                here = [Change(Kind.POD, each.uid, each) for each in pods]
                self.tell(changes=(*deployments(count), slices(*pods), *gone, *here))
        return f"a{len(self.asked)}"

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T | None:
        found, until = look(), self.seconds + within
        while found is None and self.seconds < until:
            self.second()
            found = look()
        return found

    def second(self) -> None:
        """One call by name and one of every node."""
        self.turn += 1
        ready = [p for p in BACK if self.store.pod(p.uid)]
        by = ready[self.turn % len(ready)] if ready else None
        text = page(by) if by or "answers" in self.faults else unanswered()
        for fault, said in (("no name", page(srv=answer("SRV", []), hosts=[])), ("stranger", page(pod(9)))):
            text = said if fault in self.faults else text
        nodes = () if "silent" in self.faults else (1, 2, 3)
        self.tell(hop(text), *(called(n, self.answering(n, ready)) if ready else called(n, outcome=TIMEOUT)
                               for n in nodes))  # fmt: skip

    def answering(self, number: int, ready: list[Any]) -> Any:
        if "node" in self.faults and number == 3:
            return pod(9)
        own = self.policy == "Local" and number != 1 and "any" not in self.faults
        return BACK[number - 1] if own else ready[self.turn % len(ready)]

    def tell(self, *bodies: Any, changes: tuple[Change, ...] = ()) -> None:
        self.seconds += 1.0
        facts = [fact(self.sequence + n, self.seconds, body) for n, body in enumerate(bodies, 1)]
        self.sequence += len(facts) + 1
        self.store.apply(frame(self.sequence, self.seconds, *facts, changes=changes))


async def test_the_check_passes_where_all_is_well() -> None:
    """Every finding within its limit; policy and replicas are as they were."""
    drive = Played(store_of())
    verdict = await lab.verdict(drive)

    assert verdict.word is VerdictWord.PASSED, verdict.reasons
    assert [finding.name for finding in verdict.findings] == [limit.finding for limit in lab.limits]
    verbs = [asked.verb for asked in drive.asked if isinstance(asked, Act)]
    assert verbs == [TrafficPolicy("Local"), TrafficPolicy("Cluster"), Scale(0), Scale(3)]


async def test_a_lone_backend_beside_the_agent_says_nothing_of_other_nodes() -> None:
    """Where no other node has a backend nothing is found of such, instead of something being passed."""
    store, link = store_of(count=1), connected()
    assert link.info is not None
    store.apply(replace(link, info=replace(link.info, node_name="node-1")))
    assert await _local(Played(store)) == []


async def test_the_check_does_not_take_calls_from_before_it() -> None:
    """What others were answered is no word on now: a port that has fallen silent since is not passed."""
    drive = Played(store_of(*(called(n, BACK[0]) for n in (1, 2, 3))), {"silent"})
    verdict = await lab.verdict(drive)

    assert any("the port of every ready node: 0 of 3; node-1 not asked" in r for r in verdict.reasons)


async def test_the_check_leaves_the_policy_as_it_was() -> None:
    """It looks at both, whichever was set."""
    drive = Played(store_of(given=service("Local")), policy="Local")
    verdict = await lab.verdict(drive)

    assert verdict.word is VerdictWord.PASSED, verdict.reasons
    policies = [a.verb for a in drive.asked if isinstance(a, Act) and isinstance(a.verb, TrafficPolicy)]
    assert policies == [TrafficPolicy("Cluster"), TrafficPolicy("Local"), TrafficPolicy("Local")]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no name", "records of the backend's name: SRV wrong, NOERROR"),
        ("stranger", "none of its pods"),
        ("node", "the port of every ready node: 2 of 3; node-3: backend-5f6b8cd8c-back9 answered"),
        ("any", "of other nodes than the agent's: not within 30 s"),
        ("answers", "calls without a backend: still answered"),
    ],
)
async def test_the_check_fails_where_something_is_wrong(fault: str, words: str) -> None:
    """Each fault has its finding, and what was changed is changed back all the same."""
    drive = Played(store_of(), {fault})
    verdict = await lab.verdict(drive)

    assert verdict.word is VerdictWord.FAILED
    assert any(words in reason for reason in verdict.reasons), verdict.reasons
    verbs = [asked.verb for asked in drive.asked if isinstance(asked, Act)]
    assert (verbs[1], verbs[-1]) == (TrafficPolicy("Cluster"), Scale(3))


async def test_the_check_needs_ready_pods() -> None:
    """Without them nothing else is looked at."""
    store = store_of()
    store.apply(frame(9, 3, changes=(Change(Kind.POD, "b1", pod(1, ready=False)),)))
    verdict = await lab.verdict(Played(store))

    assert [f.name for f in verdict.findings] == ["pods ready"]
    assert FRONT
