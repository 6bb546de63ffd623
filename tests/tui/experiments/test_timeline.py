"""Facts in words."""

import pytest

from kubealive_tui.experiments import entry_of, timeline
from kubealive_tui.model import (
    Action,
    AgentNote,
    Aspect,
    Condition,
    ConditionTransition,
    DnsAnswer,
    EdgeKind,
    EpochMark,
    FactBody,
    Kind,
    KubeEvent,
    LossMark,
    Outcome,
    Phase,
    PodTransition,
    Termination,
    Unknown,
    plain,
)
from kubealive_tui.store import CLUSTER, Store
from tests.tui.signals import deletion, edge, entry, fact, frame, moved, replies, snapshot

NAME = "getip-5f6b8cd8c-aaap1"
RESTART = PodTransition(
    "p1", NAME, frozenset({Aspect.RESTARTS}), restarts=3, last_termination=Termination("OOMKilled", 137)
)
NOT_READY = ConditionTransition(
    Kind.NODE, "n3", "node-3", Condition("Ready", "Unknown", message="kubelet stopped posting status")
)


ROLLED = {
    "from_image": "x/workload:v1",
    "image": "x/workload:v2",
    "strategy": "RollingUpdate",
    "max_surge": "1",
    "max_unavailable": "0",
}


def did(verb: str, **parameters: str) -> Action:
    """I did something to a pod."""
    return Action("r1", "me@here", verb, Phase.REQUESTED, Kind.POD, NAME, "p1", parameters)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(deletion(), "you: delete pod …d8c-aaap1, grace 30 s", id="my kill"),
        pytest.param(
            deletion(phase=Phase.UNANSWERED), "you: no answer: whether it happened is not known", id="no answer"
        ),
        pytest.param(
            did("label_pod", key="mood", value="calm"), "you: label mood=calm on …d8c-aaap1", id="my label"
        ),
        pytest.param(
            did("fault", fault="exit", code="3"), "you: crash …d8c-aaap1 with exit code 3", id="my crash"
        ),
        pytest.param(
            did("fault", fault="eat", mib_per_second="256", ready_pods="1"),
            "you: eat memory in …d8c-aaap1, 256 MiB/s",
            id="my oom",
        ),
        pytest.param(
            did("fault", fault="errors", percent="100"),
            "you: fail 100 % of the replies of …d8c-aaap1",
            id="my errors",
        ),
        pytest.param(
            did("fault", fault="hang", ready_pods="3"),
            "you: hang …d8c-aaap1: no answer, no ear for SIGTERM",
            id="my hang",
        ),
        pytest.param(did("fault", fault="delay"), "you: delay the replies of …d8c-aaap1 by ? ms", id="my delay"),
        pytest.param(did("fault", fault="cure"), "you: cure …d8c-aaap1", id="my cure"),
        pytest.param(did("fault", fault="melt"), "you: melt in …d8c-aaap1", id="a newer fault"),
        pytest.param(did("dance", ready_pods="3"), "you: dance …d8c-aaap1", id="a newer verb"),
        pytest.param(did("label_pod", key="mood"), "you: label mood taken off …d8c-aaap1", id="my label off"),
        pytest.param(
            did("traffic_policy", external_traffic_policy="Local"),
            f"you: externalTrafficPolicy Local for {NAME}",
            id="my policy",
        ),
        pytest.param(
            did("call", method="POST", host="phoenix-1.phoenix", path="/store"),
            "you: POST phoenix-1.phoenix/store",
            id="my call",
        ),
        pytest.param(
            did("rollout", **ROLLED, drain="off"),
            f"you: update {NAME}, v1 → v2, surge 1, unavailable 0, drain off",
            id="my update",
        ),
        pytest.param(
            did("undo", **ROLLED, revision="3"), f"you: undo {NAME}, v1 → v2, as in revision 3", id="my undo"
        ),
        pytest.param(
            did("restart", **ROLLED), f"you: restart {NAME}, v2, surge 1, unavailable 0", id="my restart"
        ),
        pytest.param(did("pause", paused="true"), f"you: pause {NAME}", id="my pause"),
        pytest.param(did("pause", paused="false"), f"you: resume {NAME}", id="my resume"),
        pytest.param(moved("p1", Aspect.DELETING, deleting=True), "pod: …d8c-aaap1 terminating", id="terminating"),
        pytest.param(moved("p1", Aspect.READY, ready=True), "pod: …d8c-aaap1 ready on node-1", id="ready"),
        pytest.param(moved("p1", Aspect.DELETED), "pod: …d8c-aaap1 gone", id="gone"),
        pytest.param(RESTART, "pod: …d8c-aaap1 restarted (3): OOMKilled, exit 137 (SIGKILL)", id="restarted"),
        pytest.param(entry("p1"), "endpoint: …d8c-aaap1 not ready, still serving, terminating", id="leaving"),
        pytest.param(entry("p1", removed=True), "endpoint: …d8c-aaap1 left the Service getip", id="left"),
        pytest.param(edge(EdgeKind.BEGIN, 0, failed=1), "client: first failure: connection refused", id="outage"),
        pytest.param(
            edge(EdgeKind.END, 0, failed=2), "client: ok again: 2 lost (2 connection refused)", id="ok again"
        ),
        pytest.param(NOT_READY, "node: node-3 NotReady: kubelet stopped posting status", id="node"),
        pytest.param(
            KubeEvent("e", "Warning", "Unhealthy", "probe failed", "Pod", NAME),
            "event: Unhealthy …d8c-aaap1: probe failed",
            id="event",
        ),
        pytest.param(AgentNote("the watch of pods broke"), "agent: the watch of pods broke", id="note"),
        pytest.param(
            LossMark(3, 9), "agent: 7 facts were lost on the way: what crosses this is incomplete", id="loss"
        ),
        pytest.param(
            EpochMark(8), "agent: another agent took over: runs and loads before it have ended", id="epoch"
        ),
        pytest.param(
            Unknown(40), "agent: newer agent: a fact this version does not know (40)", id="a newer agent's fact"
        ),
    ],
)
def test_a_fact_in_words(body: FactBody, words: str) -> None:
    """Each kind of fact says who speaks and what happened."""
    entry_ = entry_of(fact(1, 0, body), me="me@here")

    assert entry_ is not None
    assert f"{entry_.source}: {plain(entry_.text)}" == words


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(replies(0, ("p1", Outcome.OK, 5)), id="traffic"),
        pytest.param(deletion(phase=Phase.ACCEPTED), id="accepted"),
        pytest.param(PodTransition("p1", NAME, frozenset({Aspect.CREATED}), found=True), id="found at start"),
    ],
)
def test_what_is_no_news(body: FactBody) -> None:
    """Traffic has its chart, and what the agent found at its start did not happen now."""
    assert entry_of(fact(1, 0, body), me="me@here") is None


def test_somebody_elses_action_carries_their_name() -> None:
    """Only my own actions are "you"."""
    entry_ = entry_of(fact(1, 0, deletion()), me="other@there")

    assert entry_ is not None
    assert entry_.source == "me"


def test_the_timeline_merges_and_coalesces() -> None:
    """Newest first, the cluster's lines between the tab's, equal neighbours as one with a count."""
    store = Store()
    store.apply(snapshot())
    store.apply(
        frame(
            5,
            9,
            fact(1, 1.0, moved("p1", Aspect.READY, ready=True)),
            fact(2, 2.0, NOT_READY, experiment=CLUSTER),
            fact(3, 3.0, AgentNote("again")),
            fact(4, 4.0, AgentNote("again")),
        )
    )

    found = timeline(store, "balance", me="me@here", most=10)
    assert [(e.source, e.count) for e in found] == [("agent", 2), ("node", 1), ("pod", 1)]


def test_the_filter_looks_at_source_and_words() -> None:
    """A filter keeps the lines that contain it, whatever the case."""
    store = Store()
    store.apply(snapshot())
    store.apply(frame(5, 9, fact(1, 1.0, moved("p1", Aspect.READY)), fact(2, 2.0, AgentNote("Pod watch broke"))))

    assert len(timeline(store, "balance", me="x", most=10, matches="POD")) == 2
    assert len(timeline(store, "balance", me="x", most=10, matches="agent")) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (DnsAnswer("web.lab.svc.cluster.local.", "A", "NOERROR", ("10.0.0.1",), changed=True), "web A: 10.0.0.1"),
        (DnsAnswer("web.lab.svc.cluster.local.", "AAAA", "NOERROR", changed=True, walk="web"), "web AAAA: NODATA"),
        (
            DnsAnswer("set-0.set.lab.svc.cluster.local.", "A", "NXDOMAIN", changed=True, walk="set-0.set.lab"),
            "set-0.set A: NXDOMAIN",
        ),
        (
            DnsAnswer("web.x.svc.y.svc.y.", "A", "SERVFAIL", changed=True, walk="web.x.svc.y"),
            "web.x.svc.y.svc.y. A: SERVFAIL",
        ),
        (
            DnsAnswer("web.cluster.local.", "A", "TIMEOUT", changed=True, walk="web"),
            "web.cluster.local. A: TIMEOUT",
        ),
    ],
    ids=["found", "no such record", "spelled with its namespace", "another name", "outside of the Services"],
)
def test_a_changed_answer_is_told_by_the_name_that_it_is_of(answer: DnsAnswer, words: str) -> None:
    """Spellings that lead to one name read the same, and a step that asks for another name says which."""
    told = entry_of(fact(1, 0, answer), me="me@here")

    assert told is not None
    assert (told.source, plain(told.text)) == ("dns", words)


def test_an_answer_that_repeats_is_no_news() -> None:
    """Also of a question that was never asked before: nothing has changed."""
    assert entry_of(fact(1, 0, DnsAnswer("web.", "A", "NOERROR", ("10.0.0.1",))), me="me@here") is None
