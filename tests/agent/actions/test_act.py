"""Actions from request to answer: facts in order, API requests, audit lines, observed traffic."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from kubealive.v1.agent_pb2 import ActRequest, Cure, Fault, Observe, ProbeFault, Refusal, Scale
from kubealive.v1.facts_pb2 import Action
from kubealive.v1.state_pb2 import KIND_POD, Container, Pod
from kubealive_agent._errors import RefusalError
from kubealive_agent.kube import ConflictError, ForbiddenError, InvalidError, NotFoundError
from tests.agent.actions.bench import PODS, Bench, FaultServer, delete, fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubealive_agent.kube import KubeError


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def fault_server() -> AsyncIterator[tuple[FaultServer, int]]:
    server = FaultServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        yield server, listening.sockets[0].getsockname()[1]


async def test_a_pod_is_deleted_by_its_uid(bench: Bench) -> None:
    """The request carries UID precondition and grace; facts and audit name actor, verb, target and uid."""
    response = await bench.actions.act(delete())

    method, path, _, body = bench.kube.calls[0]
    assert (method, path) == ("DELETE", f"{PODS}/getip-a")
    options = json.loads(body)
    assert (options["preconditions"], options["gracePeriodSeconds"]) == ({"uid": "uid-a"}, 0)
    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_ACCEPTED]
    fact = bench.lab.facts("action")[1]
    assert (fact.experiment, fact.action_id) == ("balance", response.action_id)
    assert (fact.action.actor, fact.action.verb) == ("s@host", "delete_pod")
    assert (fact.action.target_kind, fact.action.target_uid) == (KIND_POD, "uid-a")
    line = bench.audit()[0]
    assert {"actor": "s@host", "target": "getip-a", "uid": "uid-a", "result": "accepted"}.items() <= line.items()


async def test_an_action_on_a_pod_tells_how_many_shared_its_work(bench: Bench) -> None:
    """The ready pods of the same owner are counted, those on their way out and other owners' are not."""
    pods = {
        "uid-a": Pod(name="getip-a", experiment="balance", owner_uid="rs", ready=True),
        "uid-2": Pod(name="getip-2", experiment="balance", owner_uid="rs", ready=True),
        "uid-3": Pod(name="getip-3", experiment="balance", owner_uid="rs", ready=True, deletion_us=1),
        "uid-4": Pod(name="getip-4", experiment="balance", owner_uid="rs"),
        "uid-5": Pod(name="getip-5", experiment="balance", owner_uid="another", ready=True),
    }
    for uid, pod in pods.items():
        bench.lab.world.apply(KIND_POD, uid, pod, found=False)
    await bench.actions.act(delete())

    assert [fact.action.parameters["ready_pods"] for fact in bench.lab.facts("action")] == ["2", "2"]


async def test_scaling_goes_through_the_scale_subresource(bench: Bench) -> None:
    """A merge patch of the replicas, strictly validated, with the UID that was shown."""
    request = ActRequest(
        request_id="r", session_id="s", experiment="balance", uid="uid-deploy", scale=Scale(replicas=5)
    )
    await bench.actions.act(request)

    method, path, query, body = bench.kube.calls[0]
    assert (method, path) == ("PATCH", "/apis/apps/v1/namespaces/lab/deployments/getip/scale")
    assert query["fieldValidation"] == "Strict"
    assert json.loads(body) == {"metadata": {"uid": "uid-deploy"}, "spec": {"replicas": 5}}
    assert bench.lab.facts("action")[0].action.parameters["replicas"] == "5"


async def test_a_repeated_request_acts_once(bench: Bench) -> None:
    """The same request id is answered with the first's action."""
    first = await bench.actions.act(delete())
    second = await bench.actions.act(delete())
    third = await bench.actions.act(delete("r2"))

    assert first.action_id == second.action_id != third.action_id
    assert len(bench.kube.calls) == 2


async def test_a_dry_run_only_says_what_it_would_do(bench: Bench) -> None:
    """No request, no fact; and the real request of the same id is still carried out."""
    response = await bench.actions.act(delete(dry_run=True))

    assert response.dry_run.startswith(f"DELETE {PODS}/getip-a with")
    assert not bench.kube.calls
    assert not bench.phases()
    assert (await bench.actions.act(delete())).action_id


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (ForbiddenError(403, reason="Forbidden", message="RBAC"), Refusal.REASON_FORBIDDEN,
         "no right to delete pods in namespace lab"),
        (NotFoundError(404, reason="NotFound", message="x"), Refusal.REASON_GONE, "is gone"),
        (ConflictError(409, reason="Conflict", message="uid"), Refusal.REASON_GONE, "replaced by another"),
        (InvalidError(422, reason="Invalid", message="bad field"), Refusal.REASON_REJECTED, "bad field"),
    ],
    ids=["forbidden", "not found", "conflict", "invalid"],
)  # fmt: skip
async def test_what_kubernetes_refuses(
    bench: Bench, error: KubeError, reason: Refusal.Reason.ValueType, words: str
) -> None:
    """Each error of the API becomes one sentence, a REFUSED fact and an audit line."""
    bench.kube.error = error
    response = await bench.actions.act(delete())

    assert response.refusal.reason == reason
    assert words in response.refusal.message
    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_REFUSED]
    assert bench.audit()[0]["result"] == "refused"


@pytest.mark.parametrize(
    ("request_", "words"),
    [(delete(session_id="ghost"), "not connected"), (delete(session_id="reader"), "read-only")],
    ids=["unknown session", "read-only session"],
)
async def test_sessions_that_may_not_act(bench: Bench, request_: ActRequest, words: str) -> None:
    """Only a connected session that may write acts; that another one tried is audited."""
    response = await bench.actions.act(request_)

    assert words in response.refusal.message
    assert not bench.kube.calls
    assert words in bench.audit()[0]["message"]


async def test_the_guard_refuses_with_an_audit_line_and_no_fact(bench: Bench) -> None:
    """What never had a chance is audited, and is no event of the experiment."""
    request = delete()
    request.uid = "uid-other"
    response = await bench.actions.act(request)

    assert response.refusal.reason == Refusal.REASON_NOT_OURS
    assert bench.audit()[0]["result"] == "refused"
    assert not bench.phases()


@pytest.mark.parametrize(("lead_ms", "tail_ms", "slept", "tail"), [(0, 0, 1.0, 60_000), (200, 5000, 0.2, 5000)])
async def test_observed_traffic_begins_before_and_ends_after(
    bench: Bench, lead_ms: int, tail_ms: int, slept: float, tail: int
) -> None:
    """The traffic has its lead before the action is requested, and its tail after it was accepted."""
    request = delete()
    request.observe.CopyFrom(Observe(lead_ms=lead_ms, tail_ms=tail_ms, rate=10))
    response = await bench.actions.act(request)

    assert bench.traffic.began == [response.action_id]
    assert bench.slept == [slept]
    assert bench.traffic.ended == [("l1", tail)]


@pytest.mark.parametrize(
    ("running_us", "slept"),
    [(0, [1.0]), (400_000, [0.6]), (1_000_000, []), (9_000_000, [])],
    ids=["new", "just begun", "long enough", "long since"],
)
async def test_a_lead_is_waited_for_once(bench: Bench, running_us: int, slept: list[float]) -> None:
    """Traffic that runs since an action before has had its lead, or a part of it."""
    bench.traffic.running_us = running_us
    request = delete()
    request.observe.CopyFrom(Observe(rate=10))
    await bench.actions.act(request)

    assert bench.slept == slept


async def test_running_traffic_needs_no_lead(bench: Bench) -> None:
    """Where the experiment has traffic of its own, the action goes ahead at once and leaves it alone."""
    bench.traffic.own_traffic = True
    request = delete()
    request.observe.CopyFrom(Observe(rate=10))
    await bench.actions.act(request)

    assert not bench.slept
    assert not bench.traffic.ended


async def test_observed_traffic_ends_with_a_refusal(bench: Bench) -> None:
    """Nothing happened, so there is nothing more to measure."""
    bench.kube.error = NotFoundError(404, reason="NotFound", message="x")
    request = delete()
    request.observe.CopyFrom(Observe(rate=10))
    await bench.actions.act(request)

    assert bench.traffic.ended == [("l1", 0)]


async def test_traffic_that_cannot_be_had_refuses_the_action(bench: Bench) -> None:
    """An action that was to be measured and cannot be is not done blind; the attempt is audited."""
    bench.traffic.refusal = RefusalError(Refusal.REASON_NOT_OURS, "Service other is not ours")
    request = delete()
    request.observe.CopyFrom(Observe(rate=10))
    response = await bench.actions.act(request)

    assert response.refusal.reason == Refusal.REASON_NOT_OURS
    assert not bench.kube.calls
    assert (bench.audit()[0]["result"], bench.audit()[0]["message"]) == ("refused", "Service other is not ours")


async def test_observed_traffic_ends_when_the_action_breaks(bench: Bench) -> None:
    """A fault of our own leaves no load behind."""

    async def break_down(_: float) -> None:
        raise RuntimeError("broken")

    bench.actions._sleep = break_down
    request = delete()
    request.observe.CopyFrom(Observe(rate=10))
    with pytest.raises(RuntimeError, match="broken"):
        await bench.actions.act(request)

    assert bench.traffic.ended == [("l1", 0)]


async def test_a_pod_that_goes_during_the_lead_is_not_acted_on(bench: Bench) -> None:
    """The guard looks again after the lead."""

    async def vanish(_: float) -> None:
        bench.lab.world.apply(KIND_POD, "uid-a", None, found=False)

    bench.actions._sleep = vanish
    request = delete()
    request.observe.CopyFrom(Observe(rate=10))
    response = await bench.actions.act(request)

    assert response.refusal.reason == Refusal.REASON_GONE
    assert not bench.kube.calls


@pytest.mark.parametrize(
    ("kind", "line", "body"),
    [
        (Fault(liveness=ProbeFault(fails=ProbeFault.FAILS_ALWAYS)), "liveness", {"fail": "always"}),
        (Fault(readiness=ProbeFault(fails=ProbeFault.FAILS_NEVER)), "readiness", {"fail": "never"}),
        (Fault(readiness=ProbeFault(fails=ProbeFault.FAILS_NEXT, count=3)), "readiness",
         {"fail": "next", "count": 3}),
        (Fault(exit_code=7), "exit", {"code": 7}),
        (Fault(eat_mib_per_second=64), "eat", {"mib_per_second": 64}),
        (Fault(delay_milliseconds=5), "delay", {"milliseconds": 5}),
        (Fault(error_percent=50), "errors", {"percent": 50}),
        (Fault(cure=Cure()), "cure", {}),
    ],
    ids=["liveness", "ready", "next", "exit", "eat", "delay", "errors", "cure"],
)  # fmt: skip
async def test_faults_go_to_the_pods_fault_port(
    fault_server: tuple[FaultServer, int], kind: Fault, line: str, body: dict[str, object]
) -> None:
    """Each fault is one POST with token and UID, in the words of the workloads' port."""
    server, port = fault_server
    bench = Bench(fault_port=port)
    response = await bench.actions.act(fault(kind))

    assert response.action_id
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST /faults/{line} HTTP/1.1\r\n".encode())
    assert b"Authorization: Bearer secret\r\n" in head
    assert b"X-Pod-Uid: uid-a\r\n" in head
    assert json.loads(sent) == body


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", Refusal.REASON_REJECTED, "does not know the agent's fault token"),
        (b"HTTP/1.1 409 Conflict\r\n\r\n", Refusal.REASON_GONE, "another pod answers at the address"),
        (b"HTTP/1.1 422 Bad\r\n\r\ncount is missing", Refusal.REASON_INVALID, "count is missing"),
        (b"HTTP/1.1 500 Oops\r\n\r\n", Refusal.REASON_REJECTED, "status 500"),
    ],
    ids=["token", "another pod", "value", "error"],
)
async def test_what_the_fault_port_refuses(
    fault_server: tuple[FaultServer, int], answer: bytes, reason: Refusal.Reason.ValueType, words: str
) -> None:
    """Each answer of the fault port that is not a success becomes one sentence."""
    server, port = fault_server
    server.answer = answer
    response = await Bench(fault_port=port).actions.act(fault(Fault(exit_code=1)))

    assert response.refusal.reason == reason
    assert words in response.refusal.message


@pytest.mark.parametrize(
    ("token", "uid", "words"),
    [
        ("", "uid-a", "`kubealive reset -n lab` makes the Secret"),
        ("t", "uid-new", "no address yet"),
        ("t", "uid-ended", "another pod's by now"),
        ("t", "uid-a", "takes no orders"),
    ],
    ids=["no token", "no address", "nothing runs", "port closed"],
)
async def test_faults_that_cannot_be_sent(token: str, uid: str, words: str) -> None:
    """A missing token, a pod without an address of its own and a closed port are told apart."""
    response = await Bench(token=token).actions.act(fault(Fault(exit_code=1), uid))

    assert words in response.refusal.message


async def test_memory_is_eaten_only_where_a_limit_ends_it(fault_server: tuple[FaultServer, int]) -> None:
    """Without a limit the node would run out before the pod does; the refusal says what to give."""
    server, port = fault_server
    bench = Bench(fault_port=port)
    unlimited = Pod(
        name="getip-a", experiment="balance", ip="127.0.0.1", containers=[Container(state=Container.STATE_RUNNING)]
    )
    bench.lab.world.apply(KIND_POD, "uid-a", unlimited, found=False)
    response = await bench.actions.act(fault(Fault(eat_mib_per_second=64)))

    assert response.refusal.reason == Refusal.REASON_REJECTED
    assert "no memory limit" in response.refusal.message
    assert not server.requests


async def test_stop_all_stops_load_and_cures_every_pod(fault_server: tuple[FaultServer, int]) -> None:
    """All pods with an address are asked at the same time, and those that do not answer are named."""
    server, port = fault_server
    bench = Bench(fault_port=port)
    response = await bench.actions.stop_all("s")

    assert response.loads_stopped == 2
    assert response.pods_cured == 1
    assert list(response.not_cured) == ["getip-b"]
    assert len(server.requests) == 1
    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_ACCEPTED]
    requested, accepted = (fact.action.parameters for fact in bench.lab.facts("action"))
    assert requested["loads"] == "balance,scale"
    assert accepted["loads_stopped"] == "2"


async def test_stop_all_without_a_token_stops_load_only() -> None:
    """Without a token no workload can have a fault, and nobody is asked. Strangers may stop too."""
    response = await Bench(token="").actions.stop_all("ghost")

    assert (response.loads_stopped, response.pods_cured, list(response.not_cured)) == (2, 0, [])
