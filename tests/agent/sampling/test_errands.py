"""What each kind of sample asks, whom it may ask, and what becomes of the answers."""

from __future__ import annotations

import pytest

from kubealive.v1.agent_pb2 import CallSample, DnsSample, NodeSample, PodSample, Sample
from kubealive.v1.facts_pb2 import (
    OUTCOME_DNS,
    OUTCOME_OK,
    OUTCOME_REFUSED,
    OUTCOME_UNASKED,
    Fact,
)
from kubealive.v1.state_pb2 import KIND_NODE, KIND_POD, KIND_SERVICE, Container, Node, Pod, Port, Service
from kubealive_agent.names import read_resolv_conf
from kubealive_agent.sampling import Errands, Recorder
from kubealive_agent.sampling._dns import Reply
from tests.agent.fakes import Lab
from tests.agent.sampling.fakes import FakeAsker, found, http, http_server

RESOLV_CONF = (
    "search lab.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.0.0.10\noptions ndots:5\n"
)
WEB = "web.lab.svc.cluster.local."
RUNS = [Container(state=Container.STATE_RUNNING)]


class Bench:
    """The agent's side of samples over the small experiment `balance`."""

    def __init__(self, replies: dict[tuple[str, str], Reply] | None = None) -> None:
        self.lab = Lab()
        self.asker = FakeAsker(replies)
        self.errands = Errands(
            world=self.lab.world,
            recorder=Recorder(self.lab.journal, self.lab.clock),
            asker=self.asker,
            resolution=read_resolv_conf(RESOLV_CONF, namespace="lab"),
        )

    async def ask(self, sample: Sample) -> None:
        for errand in self.errands.of(sample).values():
            await errand()

    def facts(self, which: str) -> list[Fact]:
        return [fact for fact in self.lab.facts(which) if fact.experiment == "balance"]

    def notes(self) -> list[str]:
        return [fact.note.message for fact in self.facts("note")]


def dns(name: str, kind: str = "A") -> Sample:
    return Sample(experiment="balance", dns=DnsSample(name=name, type=kind))


async def test_a_walk_is_a_fact_a_step() -> None:
    """Each step says the question it was, where it stands in the walk, and what the walk is for."""
    bench = Bench({("web.lab.svc.cluster.local.", "A"): found("10.0.0.1")})
    await bench.ask(dns("web.lab"))

    steps = [(fact.dns.step, fact.dns.name, fact.dns.rcode, fact.dns.walk) for fact in bench.facts("dns")]
    assert steps == [
        (1, "web.lab.lab.svc.cluster.local.", "NXDOMAIN", "web.lab"),
        (2, "web.lab.svc.cluster.local.", "NOERROR", "web.lab"),
    ]
    assert [fact.dns.HasField("soa_minimum_seconds") for fact in bench.facts("dns")] == [True, False]


async def test_an_absolute_name_is_no_walk() -> None:
    """One question, no place in a walk."""
    bench = Bench({(WEB, "A"): found("10.0.0.1")})
    await bench.ask(dns(WEB))

    answer = bench.facts("dns")[0].dns
    assert (answer.name, answer.walk, answer.step, list(answer.answers)) == (WEB, "", 0, ["10.0.0.1"])


async def test_a_walk_ends_where_nobody_answers() -> None:
    """As for the C library: silence ends it, a server's failure does not; what lies outside is not asked."""
    silent = Bench({(WEB, "A"): Reply("TIMEOUT")})
    failing = Bench({(WEB, "A"): Reply("SERVFAIL")})
    for bench in (silent, failing):
        await bench.ask(dns("web"))

    assert [fact.dns.rcode for fact in silent.facts("dns")] == ["TIMEOUT"]
    assert [fact.dns.rcode for fact in failing.facts("dns")] == ["SERVFAIL", "NXDOMAIN", "NXDOMAIN", "UNASKED"]
    assert ("web.", "A") not in failing.asker.asked


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        (dns("example.org."), "no name of the cluster's domain"),
        (dns("web", "TXT"), "not for 'TXT'"),
        (Sample(experiment="balance"), "says nothing of what to ask"),
        (Sample(experiment="balance", pod=PodSample(path="probes")), "'probes' is no path"),
        (Sample(experiment="balance", pod=PodSample(path="/x y")), "is no path"),
        (Sample(experiment="balance", node=NodeSample(port=22)), "port 22 of the nodes is not asked"),
        (Sample(experiment="", node=NodeSample(port=30080)), "no Service of experiment (none)"),
        (
            Sample(experiment="balance", call=CallSample(host="example.org.", port=80)),
            "no name of the cluster's domain",
        ),
        (Sample(experiment="balance", call=CallSample(host="web", port=0)), "0 is no port"),
    ],
)
async def test_what_may_not_be_sampled_is_left_out_with_a_note(sample: Sample, why: str) -> None:
    """Nothing is sent, and one sentence says why."""
    bench = Bench()
    for _ in range(2):
        await bench.ask(sample)

    assert not bench.asker.asked
    assert [why in fact.note.message for fact in bench.lab.facts("note")] == [True]


async def test_each_running_pod_is_asked_and_no_other() -> None:
    """Pods of the experiment in which something runs; not the foreign one, not the one that has ended."""
    bench = Bench()
    sample = Sample(experiment="balance", pod=PodSample(path="/probes", port=9))

    assert set(bench.errands.of(sample)) == {"uid-a", "uid-b"}


async def test_pods_can_be_chosen_by_app() -> None:
    """Two Deployments of one experiment are asked for different things."""
    bench = Bench()
    pod = Pod(
        name="x", experiment="balance", ip="127.0.0.3", containers=RUNS, labels={"app.kubernetes.io/name": "x"}
    )
    bench.lab.world.apply(KIND_POD, "uid-x", pod, found=True)

    sample = Sample(experiment="balance", pod=PodSample(app="x", path="/", port=9))
    assert set(bench.errands.of(sample)) == {"uid-x"}


async def test_port_0_is_the_port_that_the_service_sends_to() -> None:
    """Only the pod that is in a slice has one; the other waits for it."""
    bench = Bench()

    assert set(bench.errands.of(Sample(experiment="balance", pod=PodSample(path="/")))) == {"uid-a"}


@pytest.mark.parametrize(
    ("reply", "text", "error"),
    [
        (http(b"ok"), "ok", ""),
        (http(b"x" * 9000), "x" * 4096, ""),
        (http(status="503 Service Unavailable"), "", "status 503"),
        (http(status="302 Found"), "", "status 302"),
        (http(uid="uid-b"), "", "127.0.0.1 answers as pod getip-a, which is another"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "", "closed"),
        (b"SSH-2.0\r\n\r\n", "", "closed"),
        (b"", "", "closed"),
    ],
    ids=["ok", "long", "failing", "elsewhere", "another pod", "nameless", "cut", "not HTTP", "nothing"],
)
async def test_a_pods_answer_is_a_reading_or_says_why_not(reply: bytes, text: str, error: str) -> None:
    """A value only when the pod itself gave it, whole and with success."""
    bench = Bench()
    async with http_server(reply) as port:
        sample = Sample(experiment="balance", pod=PodSample(path="/probes", port=port))
        await bench.errands.of(sample)["uid-a"]()

    reading = bench.facts("reading")[0].reading
    assert (reading.subject, reading.name, reading.text, reading.error) == ("getip-a", "/probes", text, error)


async def test_nodes_are_asked_at_a_node_port() -> None:
    """The experiment's NodePort is open on every node; the result is named by the node."""
    bench = Bench()
    async with http_server(http()) as port:
        service = Service(name="np", experiment="balance", ports=[Port(port=80, node_port=port)])
        bench.lab.world.apply(KIND_SERVICE, "uid-np", service, found=True)
        bench.lab.world.apply(KIND_NODE, "uid-node", Node(name="node-1", internal_ip="127.0.0.1"), found=True)
        await bench.ask(Sample(experiment="balance", node=NodeSample(port=port)))

    result = bench.facts("call")[0].call
    assert (result.name, result.address, result.outcome, result.http_status) == (
        "node-1",
        "127.0.0.1",
        OUTCOME_OK,
        200,
    )
    assert (result.pod_uid, result.pod_name, result.node, result.body) == ("uid-a", "getip-a", "node-1", "hi")


async def test_a_host_port_is_asked_only_where_a_pod_of_the_experiment_has_it() -> None:
    """On another node that port may be anybody's: it is not asked, and that is the result."""
    bench = Bench()
    pod = Pod(name="ds", experiment="balance", node="node-1", host_ports=[9], ip="127.0.0.1", containers=RUNS)
    bench.lab.world.apply(KIND_POD, "uid-ds", pod, found=True)
    for name in ("node-1", "node-2"):
        node = Node(name=name, internal_ip="127.0.0.1")
        bench.lab.world.apply(KIND_NODE, f"uid-{name}", node, found=True)
    bench.lab.world.apply(KIND_NODE, "uid-node", None, found=False)
    await bench.ask(Sample(experiment="balance", node=NodeSample(port=9)))

    outcomes = {fact.call.name: (fact.call.outcome, fact.call.error) for fact in bench.facts("call")}
    assert outcomes == {
        "node-1": (OUTCOME_REFUSED, ""),
        "node-2": (OUTCOME_UNASKED, "no pod of experiment balance has port 9 of node-2"),
    }


async def test_a_call_resolves_and_calls() -> None:
    """The first address of the answer, with the name as Host; each call is a fact."""
    bench = Bench({(WEB, "A"): found("127.0.0.1")})
    async with http_server(http()) as port:
        for _ in range(2):
            await bench.ask(Sample(experiment="balance", call=CallSample(host="web", port=port)))

    calls = [fact.call for fact in bench.facts("call")]
    assert [(call.name, call.address, call.pod_name) for call in calls] == [("web", "127.0.0.1", "getip-a")] * 2
    assert len(bench.facts("dns")) == 1


@pytest.mark.parametrize(
    ("address", "port", "why"),
    [
        ("127.0.0.9", 80, "address of no Service and no running pod of experiment balance"),
        ("10.9.9.9", 80, "address of no Service and no running pod"),
        ("10.1.0.1", 80, "Service by-hand selects no pods"),
        ("10.1.0.2", 79, "Service web has no port 79; it declares 80"),
    ],
    ids=["foreign pod", "nobody", "endpoints by hand", "undeclared port"],
)
async def test_an_address_that_is_not_the_experiments_is_not_called(address: str, port: int, why: str) -> None:
    """DNS may name anything, a pod that is gone above all; the result says why nothing was sent."""
    bench = Bench({(WEB, "A"): found(address)})
    ports = [Port(port=80)]
    by_hand = Service(name="by-hand", experiment="balance", cluster_ip="10.1.0.1", ports=ports)
    bench.lab.world.apply(KIND_SERVICE, "uid-by-hand", by_hand, found=True)
    web = Service(name="web", experiment="balance", cluster_ip="10.1.0.2", ports=ports, selector={"a": "b"})
    bench.lab.world.apply(KIND_SERVICE, "uid-web", web, found=True)
    await bench.ask(Sample(experiment="balance", call=CallSample(host="web", port=port)))

    call = bench.facts("call")[0].call
    assert (call.outcome, call.address) == (OUTCOME_UNASKED, address)
    assert why in call.error


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ({}, "web.cluster.local.: NXDOMAIN"),
        ({(WEB, "A"): Reply("NOERROR"), (WEB, "AAAA"): Reply("NOERROR")}, f"{WEB} has no address"),
        ({(WEB, "A"): Reply("SERVFAIL"), (WEB, "AAAA"): Reply("SERVFAIL")}, f"{WEB}: SERVFAIL"),
        ({(WEB, "A"): Reply("TIMEOUT"), (WEB, "AAAA"): Reply("TIMEOUT")}, f"{WEB}: TIMEOUT"),
    ],
    ids=["no such name", "no endpoints", "server fails", "silence"],
)
async def test_a_call_says_what_dns_said(replies: dict[tuple[str, str], Reply], error: str) -> None:
    """Four ways to have no address, told apart as the C library tells them."""
    bench = Bench(replies)
    await bench.ask(Sample(experiment="balance", call=CallSample(host="web", port=80)))

    call = bench.facts("call")[0].call
    assert (call.outcome, call.error) == (OUTCOME_DNS, error)
