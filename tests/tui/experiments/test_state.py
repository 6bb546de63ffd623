"""The StatefulSet's tab: seats, values, keys, what is asked, stopwatches, remarks, words, the check."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kubealive_tui.experiments import NotNow, Scene, Settings
from kubealive_tui.experiments.state import RESTLESS_MS, lab
from kubealive_tui.experiments.state._seats import ASKING, ONCE_BACK, Fate, nest, seat, seats, value_of
from kubealive_tui.model import (
    Act,
    Action,
    Aspect,
    Call,
    CallResult,
    CallSample,
    Change,
    Claim,
    DnsAnswer,
    DnsSample,
    Ending,
    FactBody,
    Kind,
    Node,
    Outcome,
    Phase,
    Pod,
    PodTransition,
    Run,
    Sentence,
    Service,
    Size,
    Table,
    Workload,
    WorkloadTransition,
    plain,
)
from kubealive_tui.store import Store
from tests.tui.experiments.drives import Still
from tests.tui.signals import START, at, connected, fact, frame, snapshot

ME = "me@here"
HOST = "phoenix-1.phoenix"
VIP = "10.96.0.7"


def pod(name: str, uid: str, ip: str, *, ready: bool = True, claims: tuple[str, ...] = ("data",)) -> Pod:
    """A pod of the set, or of the Deployment where the name has no number of the set."""
    of_set = name.startswith("phoenix")
    app = "phoenix" if of_set else "nest"
    return Pod(
        uid,
        name,
        "state",
        "set" if of_set else "rs",
        ready=ready,
        status="Running",
        ip=ip,
        node="node-1",
        created_us=START,
        labels={"app.kubernetes.io/name": app},
        claims=claims if of_set else (),
    )


def changed(found: Pod) -> Change:
    return Change(Kind.POD, found.uid, found)


def cluster(*, replicas: int = 3, claims: bool = True) -> list[Change]:
    """Three numbered pods with their claims, and the Deployment's one."""
    held = ("data",) if claims else ()
    pods = [pod(f"phoenix-{n}", f"u{n}", f"10.0.0.{n}", claims=held) for n in range(3)]
    names = [f"data-phoenix-{n}" for n in range(3)] if claims else []
    return [
        Change(Kind.STATEFUL_SET, "set", Workload("set", Kind.STATEFUL_SET, "phoenix", "state", desired=replicas)),
        Change(Kind.DEPLOYMENT, "dep", Workload("dep", Kind.DEPLOYMENT, "nest", "state", desired=1)),
        Change(Kind.SERVICE, "svc", Service("svc", "nest", "state", cluster_ip=VIP)),
        *(changed(each) for each in (*pods, pod("nest-5f6b8cd8c-aaaaa", "n1", "10.0.0.9"))),
        *(Change(Kind.CLAIM, name, Claim(name, name, "state", "Bound")) for name in names),
    ]


def scene(
    *changes: Change, selected: str = "phoenix-1", settings: Settings | None = None, width: int = 80
) -> Scene:
    store = Store({lab.name: lab.stopwatches})
    store.apply(connected())
    store.apply(snapshot(*(changes or cluster())))
    return Scene(store, lab, settings or lab.settings(), selected, Size(width, 24), me=ME)


def tell(there: Scene, *told: tuple[float, FactBody], action_id: str = "") -> None:
    """Facts at their seconds, in one frame at the last of them."""
    begin = there.store.sequence + 1
    facts = [fact(begin + n, s, body, action_id=action_id, experiment="state") for n, (s, body) in enumerate(told)]
    there.store.apply(frame(begin + len(told), max(s for s, _ in told), *facts))


def answer(ip: str = "10.0.0.1", *, host: str = HOST, ttl: int = 20, rcode: str = "NOERROR") -> DnsAnswer:
    return DnsAnswer(
        f"{host}.kubealive.svc.cluster.local.", "A", rcode, (ip,) if ip else (), ttl, 30, 900, walk=host, step=1
    )


def said(
    uid: str = "u1", body: str = "ember\n", *, name: str = "", host: str = HOST, status: int = 200, error: str = ""
) -> CallResult:
    outcome = {200: Outcome.OK, 404: Outcome.HTTP_4XX, 0: Outcome.UNASKED}.get(status, Outcome.HTTP_5XX)
    who = name or ("phoenix-1" if uid else "")
    return CallResult(host, "10.0.0.1", 8080, outcome, status, uid, who, "node-1", body, 900, error)


def press(key: str, there: Scene) -> Sequence[object]:
    (command,) = [c for c in lab.commands if c.key == key]
    return list(command.run(there))


def remark(there: Scene) -> str:
    (words,) = [view.text for view in lab.views(there) if isinstance(view, Sentence)]
    return plain(words)


def cells(there: Scene, key: str) -> list[str]:
    """The row of this key, in words."""
    tables = [view for view in lab.views(there) if isinstance(view, Table)]
    row = next(table.row(key) for table in tables if key in table.keys)
    return [plain(cell) for cell in row.cells if isinstance(cell, tuple)]


# ---- seats and values


def test_a_seat_outlives_its_pod() -> None:
    """Rows are numbers: of pods that are wanted, that are there, and of claims that wait for one."""
    there = scene(*cluster(replicas=4), Change(Kind.CLAIM, "c", Claim("c", "data-phoenix-4", "state", "Bound")))
    found = seats(there.store)
    assert [(s.name, s.called, s.uid, s.wanted) for s in found[2:]] == [
        ("phoenix-2", "phoenix-2.phoenix", "u2", True),
        ("phoenix-3", "phoenix-3.phoenix", "", True),
        ("phoenix-4", "phoenix-4.phoenix", "", False),
    ]
    assert there.pod().uid == "u1"
    with pytest.raises(NotNow, match="no pod now"):
        replace(there, selected="phoenix-3").pod()


def test_the_deployment_has_one_seat() -> None:
    """Its newest pod that stays is the one that counts, and its name is the Service's."""
    leaving = replace(pod("nest-5f6b8cd8c-bbbbb", "n2", "10.0.0.8"), deletion_us=START, created_us=START + 5)
    there = scene(*cluster(), changed(leaving))
    place = nest(there.store)
    assert place is not None
    assert (place.called, place.uid, place.address) == ("nest", "n1", VIP)


@pytest.mark.parametrize(
    ("told", "fate", "text"),
    [
        pytest.param([], Fate.UNKNOWN, "", id="never asked"),
        pytest.param([said()], Fate.HELD, "ember", id="read"),
        pytest.param([said(status=404)], Fate.NONE, "", id="nothing stored"),
        pytest.param([said("u0"), said(status=404)], Fate.LOST, "ember", id="lost with the pod before"),
        pytest.param([said("u0"), said("", "", status=0)], Fate.UNKNOWN, "ember", id="not read back yet"),
        pytest.param([said("u0"), said(body="ash\n")], Fate.HELD, "ash", id="another value"),
        pytest.param([said(status=500)], Fate.UNKNOWN, "", id="cannot be read"),
    ],
)
def test_what_became_of_a_value(told: list[CallResult], fate: Fate, text: str) -> None:
    """A value is what the seat's own pod says; what pods before it said tells whether it was lost."""
    there = scene()
    if told:
        tell(there, *((1.0 + n, body) for n, body in enumerate(told)))
    place = seat(there.store, "phoenix-1")
    assert place is not None
    found = value_of(there.store, place)
    assert (found.fate, found.text) == (fate, text)


# ---- keys


def test_v_writes_through_the_pods_own_name() -> None:
    """The value goes to the name of the selected number, and to the Service's for the Deployment."""
    (request,) = press("v", replace(scene(), given="ember"))
    assert request == Act("state", "u1", "phoenix-1", Call(HOST, 8080, "/store", "POST", "ember"))
    (other,) = press("v", replace(scene(selected="nest"), given="ash"))
    assert isinstance(other, Act)
    assert isinstance(other.verb, Call)
    assert other.verb.host == "nest"


@pytest.mark.parametrize(
    ("given", "size"),
    [("", 0), ("x" * 257, 257), ("é" * 200, 400)],
    ids=["none", "too long", "bytes, not letters"],
)
def test_v_needs_a_value_of_a_size_that_is_taken(given: str, size: int) -> None:
    """Nothing is cut to fit: what the workload would refuse is refused where it was typed."""
    with pytest.raises(NotNow, match=f"1 to 256 bytes, and this one has {size}"):
        press("v", replace(scene(), given=given))


def test_m_chooses_how_names_are_asked() -> None:
    """The choice lives with the tab and says what it does."""
    settings, words = press("m", scene())
    assert isinstance(settings, Settings)
    assert (settings.choices[ASKING], "once a killed pod is back" in str(words)) == (ONCE_BACK, True)
    again, _ = press("m", scene(settings=settings))
    assert isinstance(again, Settings)
    assert again.choices[ASKING] != ONCE_BACK


def quiet() -> Settings:
    return lab.settings().choose(ASKING, ONCE_BACK)


def hosts(there: Scene) -> dict[str, int]:
    """Names that are called, with their periods."""
    return {s.what.host: s.period_ms for s in lab.samples(there) if isinstance(s.what, CallSample)}


def test_every_seat_is_called_by_its_name() -> None:
    """Always is always: what is wanted and not there is asked for as well, and what leads elsewhere more often."""
    there = scene(*cluster(replicas=4))
    tell(there, (1.0, said()))
    assert set(hosts(there)) == {f"phoenix-{n}.phoenix" for n in range(4)} | {"nest"}
    assert (hosts(there)[HOST], hosts(there)["phoenix-3.phoenix"]) == (1_000, RESTLESS_MS)
    names = {(s.what.name, s.what.type) for s in lab.samples(there) if isinstance(s.what, DnsSample)}
    assert {(HOST, "AAAA"), ("_http._tcp.phoenix", "SRV")} <= names


def test_a_quiet_tab_asks_once_the_pod_is_back() -> None:
    """Asked only once it is back, a name is left alone until the killed pod's successor is ready."""
    there = scene(settings=quiet())
    assert hosts(there) == {}
    tell(there, (1.0, kill()), action_id="a1")
    assert hosts(there) == {}
    back = replace(pod("phoenix-1", "u9", "10.0.0.99"), created_us=at(2.0))
    there.store.apply(frame(50, 3.0, changes=(Change(Kind.POD, "u1", None), changed(back))))
    assert set(hosts(there)) == {HOST}


def test_a_quiet_tab_reads_back_what_was_written() -> None:
    """Writing asks for the name anyway, so that reading the value back spoils nothing."""
    there = scene(settings=quiet())
    tell(there, (1.0, said(body="stored, and on disk\n")), action_id="a1")
    assert set(hosts(there)) == {HOST}
    there.store.apply(frame(60, 6.0))
    assert hosts(there) == {}


# ---- stopwatches


def kill(name: str = "phoenix-1", uid: str = "u1") -> Action:
    return Action("r1", ME, "delete_pod", Phase.REQUESTED, Kind.POD, name, uid)


def moved(
    name: str, uid: str, *aspects: Aspect, ip: str = "", ready: bool = False, deleting: bool = False
) -> FactBody:
    owner = "set" if name.startswith("phoenix") else "rs"
    return PodTransition(uid, name, frozenset(aspects), "node-1", owner, "Running", ready, deleting, ip=ip)


def the_run(there: Scene) -> Run:
    run = there.store.ledger("state").runs.last
    assert run is not None
    return run


def rebirth(there: Scene, *between: tuple[float, FactBody]) -> Run:
    """A kill of phoenix-1, of which these facts were told as well."""
    told = [
        (1.1, moved("phoenix-1", "u1", Aspect.DELETING, ip="10.0.0.1", deleting=True)),
        (1.5, moved("phoenix-2", "u7", Aspect.CREATED)),
        (2.0, moved("phoenix-1", "u1", Aspect.DELETED, ip="10.0.0.1")),
        (2.1, moved("phoenix-1", "u9", Aspect.CREATED)),
        (3.0, moved("phoenix-1", "u9", Aspect.READY, ip="10.0.0.99", ready=True)),
        *between,
    ]
    tell(there, (1.0, kill()), action_id="a1")
    tell(there, *sorted(told, key=lambda each: each[0]))
    there.store.apply(frame(900, 100.0))
    return the_run(there)


def test_a_rebirth_is_timed_by_name() -> None:
    """The heir is the pod of the same name; old and new answers, the first call and the value have their times."""
    run = rebirth(
        scene(),
        (3.2, answer(ttl=5)),
        (7.0, answer("10.0.0.99")),
        (7.0, said("u9", "")),
        (7.5, said("u9")),
    )
    assert run.ending is Ending.COMPLETE
    found = {m.label: round(run.seconds(m.label) or -1, 1) for m in run.milestones}
    assert found == {
        "terminating": 0.1,
        "pod back": 2.0,
        "last old answer": 2.2,
        "its TTL over": 7.2,
        "new address": 6.0,
        "by name": 6.0,
        "value read back": 6.0,
    }


def test_an_answer_from_before_the_kill_is_no_milestone() -> None:
    """The last of several equal answers is told late, with its own time; it says nothing of the run."""
    there = scene()
    rebirth(there, (3.4, answer("10.0.0.99")), (3.5, said("u9")))
    assert the_run(there).seconds("last old answer") is None

    other = scene()
    tell(other, (1.0, kill()), action_id="a1")
    tell(other, (1.1, moved("phoenix-1", "u1", Aspect.DELETING, ip="10.0.0.1", deleting=True)))
    tell(other, (0.5, answer()))
    other.store.apply(frame(901, 3.0))
    assert the_run(other).seconds("last old answer") is None


@pytest.mark.parametrize(
    ("between", "words"),
    [
        pytest.param([], "* was 10.0.0.1; nobody asked before the pod was back", id="not asked"),
        pytest.param(
            [answer("", rcode="NXDOMAIN")], "* was NXDOMAIN, asked while no pod had the name", id="denied"
        ),
        pytest.param([answer("", rcode="TIMEOUT")], "* was TIMEOUT", id="no answer"),
    ],
)
def test_what_a_name_led_to_meanwhile_is_said(between: list[FactBody], words: str) -> None:
    """That nobody asked is said only where nobody did."""
    there = scene()
    tell(there, (0.5, answer()))
    rebirth(there, *((2.5, each) for each in between), (3.4, answer("10.0.0.99")), (3.5, said("u9")))
    back = changed(pod("phoenix-1", "u9", "10.0.0.99"))
    there.store.apply(frame(901, 100.0, changes=(Change(Kind.POD, "u1", None), back)))
    assert remark(there).startswith(words)
    assert ("nobody asked" in remark(there)) == (not between)


def test_two_servers_may_each_keep_an_answer() -> None:
    """An old answer that comes after the first new one counts, since both were given."""
    run = rebirth(
        scene(), (4.0, answer("10.0.0.99")), (4.1, said("u9")), (5.0, answer(ttl=2)), (5.2, answer("10.0.0.99"))
    )
    assert (run.seconds("new address"), run.seconds("last old answer")) == (3.0, 4.0)


def test_the_last_old_answer_is_not_known_before_another_one() -> None:
    """As long as the old address is given, the last time is yet to come: no mark, and no sentence on it."""
    there = scene()
    tell(
        there,
        (1.0, kill()),
        (1.1, moved("phoenix-1", "u1", Aspect.DELETING, deleting=True)),
        (1.5, answer(ttl=20)),
        (2.0, moved("phoenix-1", "u9", Aspect.CREATED)),
        (2.1, moved("phoenix-1", "u9", Aspect.READY, ready=True)),
        (2.5, answer(ttl=19)),
        action_id="a1",
    )
    assert the_run(there).seconds("last old answer") is None
    words = " ".join(map(plain, lab.explanation(there)))
    assert "has not led to the new address yet" in words
    assert "answered until" not in words


def test_a_pod_without_a_value_ends_the_run() -> None:
    """Nothing stored is no reason to wait for its return."""
    run = rebirth(scene(), (4.0, answer("10.0.0.99")), (4.1, said("u9", status=404)))
    assert (run.ending, run.seconds("value read back")) == (Ending.COMPLETE, None)


def test_the_deployments_pod_comes_back_under_another_name() -> None:
    """Its successor is of the same owner; DNS says nothing new, since the Service's address stays."""
    there = scene()
    tell(
        there,
        (1.0, kill("nest-5f6b8cd8c-aaaaa", "n1")),
        (1.1, moved("nest-5f6b8cd8c-aaaaa", "n1", Aspect.DELETING, deleting=True)),
        (1.2, moved("nest-5f6b8cd8c-ccccc", "n9", Aspect.CREATED)),
        (2.0, moved("nest-5f6b8cd8c-ccccc", "n9", Aspect.READY, ready=True)),
        (2.5, said("n9", status=404, name="nest-5f6b8cd8c-ccccc", host="nest")),
        action_id="a1",
    )
    there.store.apply(frame(900, 50.0))
    run = the_run(there)
    assert [m.label for m in run.milestones] == ["terminating", "pod back", "by name", "value read back"]
    assert (run.ending, run.seconds("by name")) == (Ending.COMPLETE, 1.5)


def scale(replicas: int) -> Action:
    return Action(
        "r1", ME, "scale", Phase.REQUESTED, Kind.STATEFUL_SET, "phoenix", "set", {"replicas": str(replicas)}
    )


def numbers(desired: int, current: int) -> WorkloadTransition:
    return WorkloadTransition(Kind.STATEFUL_SET, "set", "phoenix", desired=desired, current=current)


def test_scaling_up_goes_number_by_number() -> None:
    """Each number is made, gets ready, and is called by its name: in that order, with its time."""
    there = scene()
    tell(
        there,
        (1.0, scale(5)),
        (1.1, numbers(5, 3)),
        (1.2, moved("phoenix-3", "u3", Aspect.CREATED)),
        (3.0, moved("phoenix-3", "u3", Aspect.READY, ready=True)),
        (3.1, moved("phoenix-4", "u4", Aspect.CREATED)),
        action_id="a1",
    )
    run = the_run(there)
    came = [m.label for m in run.milestones if m.at_us is not None]
    awaited = [m.label for m in run.milestones if m.at_us is None]
    assert came == ["3 made", "3 ready", "4 made"]
    assert awaited == ["3 by name", "4 ready", "4 by name"]


def test_scaling_down_takes_the_highest_first() -> None:
    """Downwards each number leaves and is gone before the next."""
    there = scene()
    tell(
        there,
        (1.0, scale(1)),
        (1.1, numbers(1, 3)),
        (1.2, moved("phoenix-2", "u2", Aspect.DELETING, deleting=True)),
        (2.0, moved("phoenix-2", "u2", Aspect.DELETED)),
        (2.1, moved("phoenix-1", "u1", Aspect.DELETING, deleting=True)),
        (3.0, moved("phoenix-1", "u1", Aspect.DELETED)),
        action_id="a1",
    )
    there.store.apply(frame(900, 20.0))
    run = the_run(there)
    assert [m.label for m in run.milestones] == ["2 leaving", "2 gone", "1 leaving", "1 gone"]
    assert run.ending is Ending.COMPLETE


# ---- what is shown


def test_a_row_says_where_its_name_leads() -> None:
    """Address, what is left of its TTL, who answered how fast, volume and value, in one row."""
    there = scene()
    tell(there, (1.0, answer(ttl=20)), (1.5, said()))
    there.store.apply(frame(90, 3.2))
    assert cells(there, "phoenix-1") == [
        "phoenix-1", "node-1", "● Running", "10.0.0.1", "17", "ok 0.90 ms", "bound", "u1", "3s", '"ember"',
    ]  # fmt: skip


def test_a_reply_that_names_no_pod_is_no_answer_of_this_one() -> None:
    """Nobody knows who it was, so the name is not said to have led to its pod."""
    there = scene()
    tell(there, (1.0, answer()), (1.0, said("")))
    assert cells(there, "phoenix-1")[5] == "✕ unnamed"


def test_what_is_not_known_is_a_dash() -> None:
    """Before the first answer, and once a call is old, nothing is claimed."""
    assert cells(scene(), "phoenix-1")[3:] == ["–", "–", "–", "bound", "u1", "0s", "unread"]
    there = scene()
    tell(there, (1.0, said()))
    there.store.apply(frame(90, 9.0))
    assert cells(there, "phoenix-1")[5] == "–"


def renewed(there: Scene) -> None:
    """phoenix-1 has been replaced."""
    back = pod("phoenix-1", "u9", "10.0.0.99")
    there.store.apply(frame(40, 1.0, changes=(Change(Kind.POD, "u1", None), changed(back))))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param([], "called as phoenix-1.phoenix, always", id="nothing to remark"),
        pytest.param(
            [(1.0, answer(ttl=9))],
            "phoenix-1 is 10.0.0.99, DNS still answers 10.0.0.1, for 9 s more",
            id="an old address",
        ),
        pytest.param(
            [(1.0, answer("", rcode="TIMEOUT"))],
            "phoenix-1.phoenix: DNS gives no answer (TIMEOUT), which is no word on the pod",
            id="a server that is silent",
        ),
        pytest.param(
            [(1.0, answer("", rcode="NXDOMAIN", ttl=25))],
            "phoenix-1 is 10.0.0.99, DNS still answers NXDOMAIN, for 25 s more",
            id="a denial that is kept",
        ),
        pytest.param(
            [(1.0, answer("10.0.0.99")), (1.0, said("u2", name="phoenix-2"))],
            "phoenix-1.phoenix leads to 10.0.0.1, and there phoenix-2 answers: another pod has that address now",
            id="a stranger",
        ),
        pytest.param(
            [(1.0, answer("10.0.0.99")), (1.0, said(""))],
            "phoenix-1.phoenix is answered, and the reply names no pod",
            id="nobody",
        ),
        pytest.param(
            [
                (1.0, answer("10.0.0.99")),
                (1.0, said("u9", '{"error": "the volume at /data is gone"}', status=500)),
            ],
            "phoenix-1 answers 500: the volume at /data is gone",
            id="a pod that fails",
        ),
        pytest.param(
            [(1.0, answer("10.0.0.1")), (1.1, answer("10.0.0.99"))],
            "* was 10.0.0.1",
            id="an address that has changed",
        ),
    ],
)
def test_the_one_thing_to_know(told: list[tuple[float, FactBody]], words: str) -> None:
    """One line says what is wrong with the selected seat, or how it is called."""
    there = scene()
    renewed(there)
    if told:
        tell(there, *told)
    assert remark(there).startswith(words)


@pytest.mark.parametrize("told", [said("u2", name="phoenix-2"), said("u9", "full", status=507)])
def test_what_was_answered_long_ago_is_not_said_of_now(told: CallResult) -> None:
    """A viewer that comes later is told by the journal what others were answered."""
    there = scene()
    renewed(there)
    tell(there, (1.0, answer("10.0.0.99")), (1.0, told))
    there.store.apply(frame(90, 60.0))
    assert remark(there).startswith("called as phoenix-1.phoenix")


@pytest.mark.parametrize(
    ("status", "why", "advice"),
    [(507, "the volume at /data is full", "A claim's size is fixed"), (500, "the volume is read-only", "on disk")],
)
def test_a_write_that_was_refused_is_spoken_of(status: int, why: str, advice: str) -> None:
    """The reason stands on the tab for a while, whatever the pod answers to reading meanwhile."""
    there = scene()
    renewed(there)
    tell(there, (1.0, answer("10.0.0.99")))
    tell(there, (1.1, said("u9", f'{{"error": "{why}"}}', status=status)), action_id="a1")
    tell(there, (2.0, said("u9")))
    assert remark(there) == f"phoenix-1 answered {status}: {why}"
    assert advice in " ".join(map(plain, lab.explanation(there)))

    tell(there, (3.0, said("u9", "stored")), action_id="a2")
    assert "answered" not in remark(there)


def test_a_pod_that_says_another_name_is_told_from_an_address_that_moved() -> None:
    """At the pod's own address nobody else can be; then it is the pod's word that is wrong."""
    there = scene()
    renewed(there)
    tell(there, (1.0, answer("10.0.0.99")), (1.0, replace(said("x", name="phoenix-9"), address="10.0.0.99")))
    assert remark(there) == "phoenix-1.phoenix leads to its pod, which answers as phoenix-9: it says so itself"
    words = " ".join(map(plain, lab.explanation(there)))
    assert "answers as phoenix-9. What a pod is told of itself" in words
    assert "the old address was given to another" not in words


def test_another_seats_trouble_is_said_where_the_selected_one_has_none() -> None:
    """What is wrong elsewhere is named, so that it is seen without moving the pointer."""
    there = scene(selected="phoenix-0")
    renewed(there)
    tell(there, (1.0, answer()))
    assert remark(there).startswith("phoenix-1 is 10.0.0.99, DNS still answers 10.0.0.1")


def test_an_answer_that_is_not_asked_for_is_no_claim() -> None:
    """A quiet tab does not say what DNS would answer; it says how long an answer is kept."""
    there = scene(settings=quiet())
    tell(there, (1.0, answer(ttl=25)))
    there.store.apply(frame(91, 15.0))
    renewed(there)
    assert remark(there) == "phoenix-1.phoenix is not asked (m); the last answer is still kept for 11 s"
    there.store.apply(frame(92, 40.0))
    assert "no server keeps an answer: x now" in remark(there)


def test_no_volumes_is_said_with_its_cost() -> None:
    """Without a StorageClass the tab works, and says what is lost."""
    there = scene(*cluster(claims=False))
    assert cells(there, "phoenix-1")[6] == "emptyDir"
    assert "a value goes with its pod" in remark(there)
    assert "goes with the pod. With volumes it would stay" in " ".join(map(plain, lab.explanation(there)))


def test_a_pod_of_a_lost_node_is_waited_for() -> None:
    """A set makes no second pod of a name while it cannot know that the first is gone."""
    there = scene()
    lost = Node("nu1", "node-1", "Unknown")
    there.store.apply(frame(40, 1.0, changes=(Change(Kind.NODE, "nu1", lost),)))
    assert remark(there) == "node-1 is NotReady: phoenix-1 waits for it, and no other is made"
    assert "A name must not be two pods at once" in " ".join(map(plain, lab.explanation(there)))


def test_a_claim_that_waits_is_named() -> None:
    """A volume that nobody makes keeps the pod waiting, and both are said."""
    waiting = [
        Change(Kind.CLAIM, "data-phoenix-1", Claim("data-phoenix-1", "data-phoenix-1", "state", "Pending")),
        changed(pod("phoenix-1", "u1", "", ready=False)),
    ]
    there = scene(*cluster(), *waiting)
    assert remark(there) == "data-phoenix-1 waits for a volume; phoenix-1 waits for it"
    assert "no StorageClass serves it" in " ".join(map(plain, lab.explanation(there)))


def test_the_set_that_is_not_there_is_said() -> None:
    """With the set deleted under it, the tab names what brings it back."""
    there = scene(*(change for change in cluster() if change.kind is Kind.SERVICE))
    assert "kubealive reset state" in remark(there)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param(
            [(1.0, answer("", rcode="SERVFAIL"))], "SERVFAIL, the DNS server has failed itself", id="SERVFAIL"
        ),
        pytest.param([(1.0, answer("", rcode="TIMEOUT"))], "TIMEOUT, no DNS server answered", id="no answer"),
        pytest.param([(1.0, answer("", rcode="REFUSED"))], "the DNS server answers REFUSED", id="a refusal"),
        pytest.param([(1.0, answer("", rcode="NXDOMAIN"))], "the denial is kept as long", id="a denial"),
        pytest.param([(1.0, answer())], "keeps an answer for its TTL", id="an old address"),
        pytest.param([(1.0, said("u2", name="phoenix-2"))], "phoenix-2 answers to its name", id="a stranger"),
        pytest.param([(1.0, said(""))], "a reply that names no pod: it may be another's", id="nobody"),
    ],
)
def test_explain_speaks_of_what_is_amiss(told: list[tuple[float, FactBody]], words: str) -> None:
    """Each trouble on screen has its paragraph."""
    there = scene()
    renewed(there)
    tell(there, *told)
    assert words in " ".join(map(plain, lab.explanation(there)))


def test_explain_tells_the_last_run() -> None:
    """After a kill: how long the old answer was given, and why the value is there again; or that it is lost."""
    there = scene()
    rebirth(there, (3.2, answer(ttl=5)), (7.0, answer("10.0.0.99")), (7.1, said("u9")))
    words = " ".join(map(plain, lab.explanation(there)))
    assert "answered until 2.2 s after the kill" in words
    assert "mounted the same claim" in words

    lost = scene()
    tell(lost, (1.0, said("n0", host="nest")), (2.0, said("n1", status=404, host="nest")))
    assert "the value went with the pod" in " ".join(map(plain, lab.explanation(lost)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [(None, "it was denied, or not asked for"), (quiet(), "not asked for here while the pod was away")],
    ids=["always", "once back"],
)
def test_explain_claims_no_silence_where_it_asked(settings: Settings | None, words: str) -> None:
    """Where names are asked all the time, a name without an old answer was denied; nobody was silent."""
    there = scene(settings=settings)
    rebirth(there, (7.0, answer("10.0.0.99")), (7.1, said("u9")))
    assert words in " ".join(map(plain, lab.explanation(there)))


def test_a_pods_own_name_begins_with_the_sets() -> None:
    """What is read can be typed: phoenix-0.phoenix, not 0.phoenix."""
    assert "a name of its own, phoenix-NUMBER.phoenix" in " ".join(map(plain, lab.explanation(scene())))


def test_what_to_try_follows_how_names_are_asked() -> None:
    """m is advised where names are asked always; where they are not, to wait for the answer that is kept."""
    there = scene()
    tell(there, (1.0, said("u0", host="phoenix-0.phoenix")), (1.1, kill()), action_id="a1")
    tell(there, (1.2, said("u0", host="phoenix-0.phoenix")))
    assert "Try: m, and x once no server keeps an answer" in " ".join(map(plain, lab.explanation(there)))

    words = " ".join(map(plain, lab.explanation(replace(there, settings=quiet()))))
    assert "Try: wait until no server keeps an answer" in words


# ---- the check


async def test_the_check_fails_on_names_that_lead_elsewhere() -> None:
    """An old address and a stranger are broken limits, and nothing is killed over them."""
    there = scene()
    told = [(1.0, answer(f"10.0.0.{n}", host=f"phoenix-{n}.phoenix")) for n in range(3)]
    tell(there, *told, (1.0, answer("10.0.0.77")), (1.0, said("u2", name="phoenix-2")))
    drive = Still(there.store)
    verdict = await lab.verdict(drive)
    broken = {finding.name: finding.value for finding in verdict.findings if not finding.kept}
    assert "A of phoenix-1" in broken["names complete, A and SRV"]
    assert "phoenix-1 by phoenix-2" in broken["pods called by their names"]
    assert not drive.asked


async def test_the_check_is_skipped_without_volumes() -> None:
    """Where no value can survive, that is no failure of the cluster, and no success either."""
    verdict = await lab.verdict(Still(scene(*cluster(claims=False)).store))
    assert (verdict.word.value, "default StorageClass" in verdict.reasons[0]) == ("skipped", True)


async def test_the_check_names_who_is_not_ready() -> None:
    """A set that is short of a pod says which."""
    verdict = await lab.verdict(Still(scene(*cluster(replicas=4)).store))
    assert verdict.findings[0].value == "not phoenix-3"
