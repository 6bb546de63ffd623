"""Labels, traffic policies and calls by name: what is sent, what comes of it, and what is refused on the way."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from kubealive.v1.agent_pb2 import ActRequest, Call, LabelPod, Refusal, TrafficPolicy
from kubealive.v1.facts_pb2 import OUTCOME_DNS, OUTCOME_OK, OUTCOME_REFUSED, Action
from kubealive.v1.state_pb2 import KIND_SERVICE, Service
from tests.agent.actions.bench import PODS, Bench, FaultServer

if TYPE_CHECKING:
    from google.protobuf.message import Message

HOST = "phoenix-1.phoenix"
FULL = f"{HOST}.lab.svc.cluster.local."


@pytest.fixture
def bench() -> Bench:
    return Bench()


def act(uid: str = "uid-a", *, dry_run: bool = False, **verb: Message) -> ActRequest:
    made = ActRequest(request_id="r", session_id="s", experiment="balance", uid=uid, dry_run=dry_run)
    for name, value in verb.items():
        getattr(made, name).CopyFrom(value)
    return made


@pytest.mark.parametrize(
    ("label", "value"),
    [
        (LabelPod(key="mood", value="calm"), "calm"),
        (LabelPod(key="mood", value=""), ""),
        (LabelPod(key="mood"), None),
    ],
    ids=["set", "empty", "removed"],
)
async def test_a_label_is_one_merge_patch_of_one_pod(bench: Bench, label: LabelPod, value: str | None) -> None:
    """Strictly validated and with the UID that was shown; null removes."""
    await bench.actions.act(act(label_pod=label))

    method, path, query, body = bench.kube.calls[0]
    assert (method, path, query["fieldValidation"]) == ("PATCH", f"{PODS}/getip-a", "Strict")
    assert json.loads(body) == {"metadata": {"uid": "uid-a", "labels": {"mood": value}}}
    assert bench.lab.facts("action")[0].action.parameters.get("value") == value


async def test_a_label_that_a_service_selects_by_stays(bench: Bench) -> None:
    """The pod would leave its Service: refused with the Service's name, and nothing is sent."""
    response = await bench.actions.act(act(label_pod=LabelPod(key="app", value="other")))

    assert response.refusal.reason == Refusal.REASON_NOT_OURS
    assert "getip finds its pods by the label app" in response.refusal.message
    assert not bench.kube.calls


async def test_a_traffic_policy_is_one_field_of_one_service(bench: Bench) -> None:
    """The experiment's own NodePort, by UID."""
    bench.lab.world.apply(
        KIND_SERVICE, "uid-port", Service(name="backend", experiment="balance", type="NodePort"), found=True
    )
    await bench.actions.act(act("uid-port", traffic_policy=TrafficPolicy(external_traffic_policy="Local")))

    method, path, query, body = bench.kube.calls[0]
    assert (method, path) == ("PATCH", "/api/v1/namespaces/lab/services/backend")
    assert query["fieldValidation"] == "Strict"
    assert json.loads(body) == {"metadata": {"uid": "uid-port"}, "spec": {"externalTrafficPolicy": "Local"}}


async def test_a_service_without_a_node_port_has_no_policy(bench: Bench) -> None:
    """Kubernetes would refuse it in its own words; ours name the Service and its type."""
    response = await bench.actions.act(
        act("uid-service", traffic_policy=TrafficPolicy(external_traffic_policy="Local"))
    )

    assert "Service getip is a ClusterIP" in response.refusal.message
    assert not bench.kube.calls


async def test_a_call_by_name_is_a_fact_of_its_action(bench: Bench) -> None:
    """Requested, called, accepted; the result carries the action's id and the name as it was asked."""
    server = FaultServer()
    server.answer = b"HTTP/1.1 200 OK\r\nX-Pod-Name: phoenix-1\r\nContent-Length: 5\r\n\r\nember"
    bench.names.known[FULL] = ["127.0.0.1"]
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        call = Call(host=HOST, port=port, method="POST", path="/store", body="ember")
        response = await bench.actions.act(act(call=call))

    fact = bench.lab.facts("call")[0]
    assert (fact.experiment, fact.action_id) == ("balance", response.action_id)
    assert (fact.call.name, fact.call.outcome, fact.call.body) == (HOST, OUTCOME_OK, "ember")
    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_ACCEPTED]
    assert server.requests[0].endswith(b"\r\n\r\nember")


@pytest.mark.parametrize(
    ("known", "outcome"), [([], OUTCOME_DNS), (["127.0.0.1"], OUTCOME_REFUSED)], ids=["no address", "refused"]
)
async def test_a_call_that_fails_has_happened(bench: Bench, known: list[str], outcome: int) -> None:
    """What came of it is the outcome, and the action is no refusal."""
    if known:
        bench.names.known[FULL] = known
    response = await bench.actions.act(act(call=Call(host=HOST, port=1)))

    assert response.action_id
    assert bench.lab.facts("call")[0].call.outcome == outcome


async def test_a_name_that_leads_elsewhere_is_not_called(bench: Bench) -> None:
    """An old answer may be another's address by now: refused with the address."""
    bench.names.known[FULL] = ["10.9.9.9"]
    response = await bench.actions.act(act(call=Call(host=HOST, port=1)))

    assert response.refusal.reason == Refusal.REASON_NOT_OURS
    assert f"{HOST} leads to 10.9.9.9" in response.refusal.message
    assert not bench.lab.facts("call")


async def test_a_name_of_the_world_is_not_asked_for(bench: Bench) -> None:
    """It is refused before it becomes an action."""
    response = await bench.actions.act(act(call=Call(host="example.com.", port=80)))

    assert "only those are asked for" in response.refusal.message
    assert not bench.phases()


async def test_a_dry_call_only_says_what_it_would_do(bench: Bench) -> None:
    """The first name of the search list stands for it."""
    response = await bench.actions.act(act(dry_run=True, call=Call(host=HOST, port=80, path="/x")))

    assert response.dry_run == f"GET http://{FULL}:80/x"
