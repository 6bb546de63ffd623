"""The DaemonSet's tab: a map of nodes, what is asked, the stopwatch, remarks, words, the check."""

import json
from dataclasses import replace

import pytest

from kubealive_tui.experiments import NotNow, Scene
from kubealive_tui.experiments.daemon import lab
from kubealive_tui.experiments.daemon._spots import hosts_told, node_port, spots
from kubealive_tui.model import (
    Act,
    Action,
    Aspect,
    CallResult,
    Change,
    Condition,
    DnsAnswer,
    DnsSample,
    Ending,
    FactBody,
    Frame,
    Kind,
    KubeEvent,
    Node,
    NodeSample,
    Outcome,
    Phase,
    Pod,
    PodSample,
    PodTransition,
    Reading,
    Run,
    Sentence,
    Size,
    Table,
    Workload,
    plain,
)
from kubealive_tui.store import Store
from tests.tui.experiments.drives import Still
from tests.tui.signals import START, connected, fact, frame, snapshot

ME = "me@here"
REFUSED = 'pods "knowingnoded-x" is forbidden: violates PodSecurity "baseline:latest": hostPort (port 8080)'


def node(n: int, *, state: str = "Ready", cordoned: bool = False) -> Change:
    status, words = {"Ready": ("True", ""), "NotReady": ("False", "container runtime is down")}.get(
        state, ("Unknown", "")
    )
    ready = Condition("Ready", status, message=words, changed_us=START)
    found = Node(f"nu{n}", f"node-{n}", state, cordoned, f"192.0.2.{n}", conditions=(ready,))
    return Change(Kind.NODE, found.uid, found)


def pod(n: int, *, ready: bool = True, uid: str = "", ip: str = "", **more: object) -> Pod:
    """The DaemonSet's pod on node n."""
    given = {"status": "Running" if ready else "Pending", "node": f"node-{n}", "created_us": START, **more}
    found = Pod(
        uid or f"u{n}", f"knowingnoded-{uid or f'u{n}':a>5}", "daemon", "ds", ready=ready, ip=ip or f"10.0.0.{n}"
    )
    labels = {"app.kubernetes.io/name": "knowingnoded"}
    return replace(found, labels=labels, host_ports=(8080,), **given)  # type: ignore[arg-type]


def changed(found: Pod) -> Change:
    return Change(Kind.POD, found.uid, found)


def owner(*, desired: int = 3, current: int = 3) -> Change:
    found = Workload("ds", Kind.DAEMON_SET, "knowingnoded", "daemon", desired=desired, current=current)
    return Change(Kind.DAEMON_SET, "ds", found)


def frontend() -> Change:
    return changed(Pod("f1", "frontend-daemon-x", "daemon", labels={"app.kubernetes.io/name": "frontend-daemon"}))


def cluster() -> list[Change]:
    """Three nodes, a pod on each, and the frontend."""
    return [owner(), frontend(), *(node(n) for n in (1, 2, 3)), *(changed(pod(n)) for n in (1, 2, 3))]


def scene(*changes: Change, selected: str = "node-1", width: int = 80) -> Scene:
    store = Store({lab.name: lab.stopwatches})
    store.apply(connected())
    store.apply(snapshot(*(changes or cluster())))
    return Scene(store, lab, lab.settings(), selected, Size(width, 24), me=ME)


def tell(there: Scene, *told: tuple[float, FactBody], action_id: str = "") -> None:
    begin = there.store.sequence + 1
    facts = [
        fact(begin + n, s, body, action_id=action_id, experiment="daemon") for n, (s, body) in enumerate(told)
    ]
    there.store.apply(frame(begin + len(told), max(s for s, _ in told), *facts))


def a(*ips: str, ttl: int = 20, rcode: str = "NOERROR") -> DnsAnswer:
    name = "knowingnoded.kubealive.svc.cluster.local."
    return DnsAnswer(name, "A", rcode, ips, ttl, 30, 900, walk="knowingnoded", step=1)


def srv(*labels: str) -> DnsAnswer:
    name = "_http._tcp.knowingnoded"
    zone = "knowingnoded.kubealive.svc.cluster.local."
    said = tuple(f"0 33 8080 {label}.{zone}" for label in labels)
    return DnsAnswer(f"_http._tcp.{zone}", "SRV", "NOERROR", said, 20, 30, 900, walk=name, step=1)


def all_named() -> list[tuple[float, FactBody]]:
    return [(1.0, a("10.0.0.1", "10.0.0.2", "10.0.0.3")), (1.0, srv("10-0-0-1", "10-0-0-2", "10-0-0-3"))]


def call(n: int, uid: str = "", *, outcome: Outcome = Outcome.OK, name: str = "") -> CallResult:
    who = (uid or f"u{n}", name or "knowingnoded-x") if outcome is Outcome.OK else ("", "")
    status = 200 if outcome is Outcome.OK else 0
    return CallResult(f"node-{n}", f"192.0.2.{n}", 8080, outcome, status, *who, f"node-{n}", "", 900)


def hostz(*nodes: str) -> Reading:
    hosts: list[dict[str, object]] = [
        {"name": f"10-0-0-{n}.knowingnoded", "statusCode": 200, "body": {"node": where}}
        if where.startswith("node-")
        else {"name": f"10-0-0-{n}.knowingnoded", "error": where}
        for n, where in enumerate(nodes, 1)
    ]
    return Reading(Kind.POD, "f1", "frontend-daemon-x", "/hostz", json.dumps({"hosts": hosts}))


def remarks(there: Scene) -> list[str]:
    return [plain(view.text) for view in lab.views(there) if isinstance(view, Sentence)]


def cells(there: Scene, key: str) -> list[str]:
    table = next(view for view in lab.views(there) if isinstance(view, Table))
    return [plain(cell) for cell in table.row(key).cells if isinstance(cell, tuple)]


# ---- the map


def test_a_row_is_a_node_with_all_that_is_known_of_it() -> None:
    """Node, pod, who answers at its port, and both records of the pod, in one row."""
    there = scene()
    tell(there, *all_named(), (1.2, call(1)))
    assert cells(there, "node-1")[:7] == [
        "node-1", "● Ready", "…aaau1", "● Running", "ok 0.90 ms", "10.0.0.1", "10-0-0-1",
    ]  # fmt: skip


def test_before_anything_is_asked_nothing_is_claimed() -> None:
    """Without answers every measured cell is a dash."""
    assert cells(scene(), "node-1")[4:7] == ["–", "–", "–"]


@pytest.mark.parametrize(
    ("changes", "state", "pod_words"),
    [
        pytest.param([node(2, state="NotReady")], "✕ NotReady", "● Running", id="not ready"),
        pytest.param([node(2, state="Unknown")], "✕ NotReady", "● Running", id="silent"),
        pytest.param([node(2, cordoned=True)], "○ cordoned", "● Running", id="cordoned"),
        pytest.param([Change(Kind.POD, "u2", None)], "● Ready", "awaited", id="without its pod"),
        pytest.param(
            [Change(Kind.POD, "u2", None), node(2, state="NotReady")], "✕ NotReady", "–", id="gone with its pod"
        ),
    ],
)
def test_a_node_says_how_it_is(changes: list[Change], state: str, pod_words: str) -> None:
    """A node that is away, cordoned or without a pod is told from one that serves."""
    there = scene()
    there.store.apply(frame(20, 1.0, changes=tuple(changes)))
    assert (cells(there, "node-2")[1], cells(there, "node-2")[3]) == (state, pod_words)


def test_without_the_right_to_nodes_the_pods_tell_of_them() -> None:
    """Where the agent may not read nodes, the map has those that pods are on, and says that no more is known."""
    there = scene(owner(), changed(pod(1)))
    assert [place.name for place in spots(there.store)] == ["node-1"]
    assert cells(there, "node-1")[1] == "– unknown"


def test_of_two_pods_on_a_node_the_one_that_stays_counts() -> None:
    """While one leaves and its successor comes, the row is the successor's."""
    leaving = replace(pod(1), deletion_us=START)
    there = scene(*cluster(), changed(leaving), changed(pod(1, uid="u9", ip="10.0.0.9", created_us=START + 9)))
    assert there.pod().uid == "u9"
    with pytest.raises(NotNow, match="no pod now"):
        replace(there, selected="node-7").pod()


def test_a_missing_record_is_marked() -> None:
    """A ready pod that DNS does not name is missing there, and said so with how long that may last."""
    there = scene()
    tell(there, (1.0, a("10.0.0.1", "10.0.0.3", ttl=12)), (1.0, srv("10-0-0-1", "10-0-0-3")))
    assert cells(there, "node-2")[5:7] == ["missing", "missing"]
    assert remarks(there)[0] == "DNS does not say 10.0.0.2 of node-2 yet, for 12 s more"


def test_a_stale_record_is_marked_in_the_row_of_its_node() -> None:
    """The address of a pod that is gone stays with the node that it was on."""
    there = scene()
    new = pod(2, uid="u9", ip="10.0.0.99")
    there.store.apply(frame(20, 0.5, changes=(Change(Kind.POD, "u2", None), changed(new))))
    tell(there, *all_named())
    assert cells(there, "node-2")[5:7] == ["◌ 10.0.0.2", "missing"]
    assert remarks(there)[0].startswith("DNS still answers 10.0.0.2, no ready pod's, for 20 s more")


def test_a_pod_that_leaves_and_is_still_named_is_marked() -> None:
    """A pod that does not serve any more and is in DNS has a mark at its address."""
    there = scene(*cluster(), changed(pod(2, ready=False)))
    tell(there, *all_named())
    assert cells(there, "node-2")[5] == "10.0.0.2!"


@pytest.mark.parametrize("rcode", ["TIMEOUT", "SERVFAIL"])
def test_silence_of_dns_is_no_word_on_the_records(rcode: str) -> None:
    """No record is called missing where no server has answered; why not is said instead."""
    there = scene()
    tell(there, (1.0, a(rcode=rcode)), (1.0, srv("10-0-0-1", "10-0-0-2", "10-0-0-3")))
    assert cells(there, "node-1")[5:7] == ["–", "–"]
    assert remarks(there)[0].startswith(f"DNS gives no answer ({rcode})")
    assert "That is no word on the pods" in " ".join(map(plain, lab.explanation(there)))


# ---- what is asked, and x


def test_everything_in_the_row_is_asked_for() -> None:
    """The Service's records, every node at the port that the pods take, and the frontend's own account."""
    samples = lab.samples(scene())
    kinds = {type(sample.what) for sample in samples}
    assert kinds == {DnsSample, NodeSample, PodSample}
    assert NodeSample(8080) in {sample.what for sample in samples}
    assert not any(isinstance(sample.what, NodeSample) for sample in lab.samples(scene(owner(), node(1))))
    assert node_port(scene(owner()).store) is None


def test_many_nodes_are_asked_less_often() -> None:
    """Each answer is a fact, so that a hundred nodes are asked each ten seconds."""
    there = scene(owner(), changed(pod(1)), *(node(n) for n in range(1, 101)))
    (period,) = [s.period_ms for s in lab.samples(there) if isinstance(s.what, NodeSample)]
    assert period == 10_000


def test_x_kills_the_pod_of_the_selected_node() -> None:
    """The row is a node; what is deleted is its pod, by UID."""
    (command,) = [c for c in lab.commands if c.key == "x"]
    (request,) = command.run(scene(selected="node-2"))
    assert isinstance(request, Act)
    assert request.uid == "u2"


# ---- the stopwatch


def kill() -> Action:
    return Action("r1", ME, "delete_pod", Phase.REQUESTED, Kind.POD, "knowingnoded-aaau2", "u2")


def moved(uid: str, *aspects: Aspect, ip: str = "", ready: bool = False, deleting: bool = False) -> FactBody:
    return PodTransition(
        uid, f"knowingnoded-{uid}", frozenset(aspects), "node-2", "ds", "", ready, deleting, ip=ip
    )


def the_run(there: Scene) -> Run:
    run = there.store.ledger("daemon").runs.last
    assert run is not None
    return run


def replaced(*between: tuple[float, FactBody]) -> Run:
    """A kill on node-2, of which these facts were told as well."""
    there = scene()
    told = [
        (1.0, kill()),
        (1.1, moved("u2", Aspect.DELETING, ip="10.0.0.2", deleting=True)),
        (1.5, moved("u2", Aspect.DELETED, ip="10.0.0.2")),
        (1.6, moved("u9", Aspect.CREATED)),
        (3.0, moved("u9", Aspect.READY, ip="10.0.0.99", ready=True)),
        *between,
    ]
    tell(there, *sorted(told, key=lambda each: each[0]), action_id="a1")
    there.store.apply(frame(900, 80.0))
    return the_run(there)


def test_a_kill_is_timed_to_the_ports_answer() -> None:
    """Gone from DNS, replaced, in DNS again, and the port answering again: each by its own time."""
    run = replaced(
        (2.9, call(2, "u9")),
        (4.0, a("10.0.0.1", "10.0.0.2", "10.0.0.3")),
        (9.0, a("10.0.0.1", "10.0.0.99", "10.0.0.3")),
    )
    found = {m.label: round(run.seconds(m.label) or -1, 1) for m in run.milestones}
    assert found == {
        "terminating": 0.1,
        "gone from DNS": 8.0,
        "in DNS again": 8.0,
        "replaced": 2.0,
        "port answers again": 1.9,
    }
    assert run.ending is Ending.COMPLETE


def test_an_address_that_comes_back_was_not_gone() -> None:
    """Two DNS servers may differ in what they keep: gone is after the last answer that had it."""
    run = replaced(
        (2.9, call(2, "u9")),
        (4.0, a("10.0.0.1", "10.0.0.99")),
        (6.0, a("10.0.0.1", "10.0.0.2")),
        (8.0, a("10.0.0.1", "10.0.0.99")),
    )
    assert (run.seconds("in DNS again"), run.seconds("gone from DNS")) == (3.0, 7.0)


def test_another_nodes_answer_is_not_the_killed_ones() -> None:
    """Only the node of the killed pod tells that its port answers again, and only by the new pod."""
    run = replaced((2.9, call(1, "u9")), (3.5, call(2, "u2")), (4.0, a("10.0.0.99")))
    assert (run.ending, run.seconds("port answers again")) == (Ending.OPEN, None)


# ---- remarks and words


def refused(there: Scene) -> None:
    there.store.apply(
        frame(20, 0.5, changes=(owner(current=0), *(Change(Kind.POD, f"u{n}", None) for n in (1, 2, 3))))
    )
    tell(
        there,
        (
            1.0,
            KubeEvent("e1", "Warning", "FailedCreate", f"Error creating: {REFUSED}", "DaemonSet", "knowingnoded"),
        ),
    )


def test_a_policy_that_forbids_the_port_is_said() -> None:
    """Pod Security's own words are on the tab, what to do about it in `explain`, and the rest goes on."""
    there = scene()
    refused(there)
    assert remarks(there)[0].startswith('its pods are refused: violates PodSecurity "baseline:latest": hostPort')
    assert "enforce=privileged" in " ".join(map(plain, lab.explanation(there)))
    tell(there, (2.0, a(rcode="NXDOMAIN")))
    assert len(lab.views(there)) == 5


def test_without_a_daemon_set_no_pod_is_awaited() -> None:
    """A node that takes pods waits for none where nobody makes any."""
    there = scene(node(1), frontend())
    assert cells(there, "node-1")[2:4] == ["–", "–"]


def test_an_old_refusal_is_no_news_once_there_are_pods() -> None:
    """The Event stays for an hour; what counts is whether pods are lacking."""
    there = scene()
    tell(there, (1.0, KubeEvent("e1", "Warning", "FailedCreate", REFUSED, "DaemonSet", "knowingnoded")))
    assert "refused" not in remarks(there)[0]


def test_a_daemon_set_that_was_left_out_is_said() -> None:
    """Where something answers at the port `up` takes nothing, and the tab says how to take another."""
    there = scene(frontend(), node(1))
    assert "left out where its port is taken" in remarks(there)[0]
    assert "--host-port PORT" in " ".join(map(plain, lab.explanation(there)))


@pytest.mark.parametrize(
    ("changes", "told", "words", "why"),
    [
        pytest.param(
            [node(3, state="Unknown")],
            [(30.0, call(3, outcome=Outcome.CONNECT_TIMEOUT))],
            "node-3 is NotReady for 30s: nobody can ask its pod, which waits for it",
            "its kubelet has fallen silent",
            id="a node that is away",
        ),
        pytest.param(
            [node(3, state="NotReady")],
            [(30.0, call(3, "u3"))],
            "node-3 is NotReady for 30s: yet its pod answers at the node's port",
            "its kubelet speaks, and says that the node is not ready: container runtime is down.",
            id="a node whose kubelet says so",
        ),
        pytest.param(
            [changed(pod(3, ready=False, message="0/3 nodes are available: 1 node(s) didn't have free ports"))],
            [(1.0, call(1))],
            "node-3: 0/3 nodes are available: 1 node(s) didn't have free ports",
            "another pod has that port of the node already",
            id="a port that another pod holds",
        ),
        pytest.param(
            [],
            [(1.0, call(2, "stranger", name="somebody-else"))],
            "node-2:8080 is answered by somebody-else, which is not its pod",
            "keeps one pod on each node",
            id="a stranger at the port",
        ),
        pytest.param(
            [],
            [(1.0, replace(call(2), pod_uid="", pod_name="", node=""))],
            "node-2:8080 is answered, and the reply names no pod",
            "keeps one pod on each node",
            id="nobody at the port",
        ),
        pytest.param(
            [node(2, cordoned=True)],
            [(1.0, call(1))],
            "from outside, 192.0.2.1:8080 leads to node-1's own pod and no other",
            "it is cordoned",
            id="a cordoned node",
        ),
        pytest.param(
            [],
            [(1.0, call(2, outcome=Outcome.REFUSED))],
            "from outside, 192.0.2.1:8080",
            "its pod is ready, but the node's port does not lead to it",
            id="a plugin without hostPort",
        ),
        pytest.param(
            [],
            [(1.0, call(2, outcome=Outcome.CONNECT_TIMEOUT))],
            "from outside, 192.0.2.1:8080",
            "the node may be cut off, which Kubernetes notices after 50 s",
            id="a node that was just cut off",
        ),
    ],
)
def test_what_is_amiss_is_said_and_explained(
    changes: list[Change], told: list[tuple[float, FactBody]], words: str, why: str
) -> None:
    """Each trouble has its line on the tab and its paragraph."""
    there = scene()
    if changes:
        there.store.apply(frame(20, 0.5, changes=tuple(changes)))
    tell(there, *told)
    assert remarks(there)[0].startswith(words)
    assert why in " ".join(map(plain, lab.explanation(there)))


GONE = PodTransition("x", "knowingnoded-x", frozenset({Aspect.DELETED}))


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(frame(90, 300.0), id="of an earlier look"),
        pytest.param(frame(90, 1.5, fact(90, 1.5, GONE, experiment="daemon")), id="of a pod that is gone"),
    ],
)
def test_an_old_answer_is_no_strangers(then: Frame) -> None:
    """Who answered at a port before is not said to answer there now."""
    there = scene()
    tell(there, (1.0, call(2, "x", name="knowingnoded-x")))
    there.store.apply(then)
    assert "is answered by" not in " ".join(remarks(there))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param([], "the frontend's /hostz has not been read", id="not read"),
        pytest.param(
            [(1.0, hostz("node-2", "node-1", "node-3"))],
            "the frontend's /hostz names 3 pods, answering: node-1, node-2, node-3",
            id="all answer",
        ),
        pytest.param(
            [(1.0, hostz("node-1", "connect timeout"))],
            "the frontend's /hostz names 2 pods, answering: node-1; 10-0-0-2 connect timeout",
            id="one does not",
        ),
        pytest.param([(1.0, hostz())], "the frontend's /hostz names 0 pods, answering: none", id="none"),
    ],
)
def test_what_a_program_is_told(told: list[tuple[float, FactBody]], words: str) -> None:
    """The frontend looks the Service up itself, and calls each name that it is given."""
    there = scene()
    if told:
        tell(there, *told)
    assert remarks(there)[1] == words


@pytest.mark.parametrize("page", ["", "no JSON", '{"hosts": 3}', '{"hosts": [3]}', "[]"])
def test_a_page_that_is_none_is_not_read(page: str) -> None:
    """What is no page of /hostz breaks nothing and claims nothing."""
    there = scene()
    tell(there, (1.0, Reading(Kind.POD, "f1", "frontend-daemon-x", "/hostz", page)))
    assert hosts_told(there.store) is None


def test_explain_tells_the_last_run() -> None:
    """After a kill the words say why the port was back before the name was."""
    there = scene()
    told = [
        (1.0, kill()),
        (1.1, moved("u2", Aspect.DELETING, ip="10.0.0.2", deleting=True)),
        (1.6, moved("u9", Aspect.CREATED)),
        (3.0, moved("u9", Aspect.READY, ip="10.0.0.99", ready=True)),
        (3.1, call(2, "u9")),
        (9.0, a("10.0.0.1", "10.0.0.99")),
    ]
    tell(there, *told, action_id="a1")
    there.store.apply(frame(900, 60.0))
    words = " ".join(map(plain, lab.explanation(there)))
    assert "answered again after 2.1 s, before DNS named the new pod (8.0 s)" in words


# ---- the check


async def test_the_check_names_what_is_wrong() -> None:
    """A port unanswered, a record too many and a host that is silent are broken limits; nothing is killed."""
    there = scene()
    tell(
        there,
        (1.0, a("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.7")),
        (1.0, srv("10-0-0-1")),
        (1.0, hostz("node-1")),
    )
    drive = Still(there.store)
    verdict = await lab.verdict(drive)
    broken = {finding.name: finding.value for finding in verdict.findings if not finding.kept}
    assert "node-2 by nobody" in broken["each node's port"]
    assert "too many ['10.0.0.7']" in broken["A and SRV records"]
    assert broken["names in the frontend's /hostz"] == "node-1"
    assert not drive.asked


async def test_a_node_that_is_away_needs_no_pod() -> None:
    """What cannot have a pod is not waited for; what can and has none is named."""
    there = scene(
        *cluster(), node(3, state="NotReady"), changed(pod(3, ready=False)), Change(Kind.POD, "u2", None)
    )
    verdict = await lab.verdict(Still(there.store))
    assert verdict.findings[0].value == "not on node-2"


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [pytest.param(True, "there is no DaemonSet", id="left out"), pytest.param(False, "refused", id="by policy")],
)
async def test_what_the_cluster_does_not_admit_is_skipped(*, left_out: bool, reason: str) -> None:
    """A taken port and a policy are no failures of the cluster, and no success either."""
    there = scene(frontend(), node(1)) if left_out else scene()
    if not left_out:
        refused(there)
    verdict = await lab.verdict(Still(there.store))
    assert (verdict.word.value, reason in verdict.reasons[0]) == ("skipped", True)
