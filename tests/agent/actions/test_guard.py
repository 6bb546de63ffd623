"""The guard as a table: what may happen, and with which reason everything else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubealive.v1.agent_pb2 import (
    ActRequest,
    Call,
    Cure,
    DeletePod,
    Fault,
    Hang,
    LabelPod,
    Pause,
    ProbeFault,
    Refusal,
    Restart,
    Rollout,
    Scale,
    TrafficPolicy,
    Undo,
)
from kubealive_agent._errors import RefusalError
from kubealive_agent.actions import RULES, FaultPort, Guard, _guard
from kubealive_workloads import _fault_port
from tests.agent.actions.bench import every_step
from tests.agent.fakes import FakeKube, Lab

if TYPE_CHECKING:
    from google.protobuf.message import Message

ALWAYS, NEXT = ProbeFault.FAILS_ALWAYS, ProbeFault.FAILS_NEXT


def request(
    uid: str = "uid-a", experiment: str = "balance", request_id: str = "r1", **verb: Message
) -> ActRequest:
    made = ActRequest(request_id=request_id, experiment=experiment, uid=uid)
    for name, value in (verb or {"delete_pod": DeletePod()}).items():
        field = getattr(made, name)
        field.SetInParent()
        field.CopyFrom(value)
    return made


def rollout(**given: Any) -> ActRequest:
    return request(uid="uid-deploy", rollout=Rollout(**given))


def label(key: str, value: str = "x") -> ActRequest:
    return request(label_pod=LabelPod(key=key, value=value))


def call(**values: str | int) -> ActRequest:
    return request(call=Call(**{"host": "getip", "port": 80, **values}))  # type: ignore[arg-type]


INVALID, NOT_OURS = Refusal.REASON_INVALID, Refusal.REASON_NOT_OURS
BAD_VALUES: dict[str, tuple[ActRequest, Refusal.Reason.ValueType, str]] = {
    "the experiment's label": (label("kubealive.dev/experiment"), NOT_OURS, "kubealive.dev/experiment"),
    "part-of": (label("app.kubernetes.io/part-of"), NOT_OURS, "choose another"),
    "Kubernetes' own": (label("kubernetes.io/metadata.name"), NOT_OURS, "choose another"),
    "a domain under it": (label("node.k8s.io/x"), NOT_OURS, "choose another"),
    "the owner's hash": (label("pod-template-hash"), NOT_OURS, "pod-template-hash"),
    "no key": (label(""), INVALID, "no key of a label"),
    "a key with a space": (label("a b"), INVALID, "'a b'"),
    "an empty prefix": (label("/mood"), INVALID, "'/mood'"),
    "a long prefix": (label("a" * 254 + "/mood"), INVALID, "no key of a label"),
    "a value with a space": (label("mood", "very calm"), INVALID, "'very calm' is no value"),
    "a long value": (label("mood", "x" * 64), INVALID, "up to 63"),
    "no policy": (request(uid="uid-service", traffic_policy=TrafficPolicy()), INVALID, "Cluster or Local"),
    "policy of a pod": (
        request(traffic_policy=TrafficPolicy(external_traffic_policy="Local")), INVALID, "for Services",
    ),
    "port 0": (call(port=0), INVALID, "choose 1 to 65535"),
    "a method": (call(method="DELETE"), INVALID, "'DELETE'"),
    "a relative path": (call(path="store"), INVALID, "'store' is no path"),
    "a path with a line end": (call(path="/a\r\nHost: x"), INVALID, "is no path"),
    "a GET with a body": (call(body="x"), INVALID, "only a POST"),
    "a huge body": (call(method="POST", body="x" * (_guard.MAX_BODY_BYTES + 1)), INVALID, "a body of"),
}  # fmt: skip


@pytest.fixture
def guard() -> Guard:
    return Guard(Lab().world, own_pod="kubealive-agent-1", version="0.1.0", namespace="lab")


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        (request(delete_pod=DeletePod()), "getip-a"),
        (request(delete_pod=DeletePod(grace_seconds=0)), "getip-a"),
        (request(uid="uid-deploy", scale=Scale(replicas=0)), "getip"),
        (request(uid="uid-deploy", scale=Scale(replicas=20)), "getip"),
        (request(fault=Fault(readiness=ProbeFault(fails=ALWAYS))), "getip-a"),
        (request(fault=Fault(liveness=ProbeFault(fails=NEXT, count=3))), "getip-a"),
        (request(fault=Fault(exit_code=255)), "getip-a"),
        (request(fault=Fault(hang=Hang())), "getip-a"),
        (request(fault=Fault(cure=Cure())), "getip-a"),
        (request(label_pod=LabelPod(key="mood", value="calm")), "getip-a"),
        (request(label_pod=LabelPod(key="example.com/mood", value="")), "getip-a"),
        (request(label_pod=LabelPod(key="mood")), "getip-a"),
        (request(uid="uid-service", traffic_policy=TrafficPolicy(external_traffic_policy="Local")), "getip"),
        (request(call=Call(host="getip", port=80)), "getip-a"),
        (request(uid="uid-service", call=Call(host="getip", port=80, method="POST", body="x")), "getip"),
        (request(uid="uid-deploy", rollout=Rollout(image="x:v2")), "getip"),
        (request(uid="uid-deploy", rollout=Rollout(max_surge="100%", max_unavailable="0")), "getip"),
        (request(uid="uid-deploy", rollout=Rollout(strategy="Recreate", drain=False)), "getip"),
        (request(uid="uid-deploy", pause=Pause(paused=True)), "getip"),
        (request(uid="uid-deploy", undo=Undo()), "getip"),
        (request(uid="uid-deploy", restart=Restart()), "getip"),
    ],
    ids=[
        "delete",
        "force",
        "to none",
        "to most",
        "readiness",
        "next probes",
        "exit",
        "hang",
        "cure",
        "label",
        "empty label",
        "label off",
        "policy",
        "call",
        "call with a body",
        "image",
        "all at once",
        "recreate",
        "pause",
        "undo",
        "restart",
    ],
)
def test_what_may_happen(guard: Guard, allowed: ActRequest, name: str) -> None:
    """An action on an object of the experiment, with values within bounds, passes and names its object."""
    assert guard.check(allowed).name == name


@pytest.mark.parametrize(
    ("refused", "reason", "words"),
    [
        *BAD_VALUES.values(),
        (request(uid="uid-gone"), Refusal.REASON_GONE, "'uid-gone' any more"),
        (request(uid=""), Refusal.REASON_GONE, "no object"),
        (request(uid="uid-other"), Refusal.REASON_NOT_OURS, "kubealive.dev/experiment=balance"),
        (request(experiment="heal"), Refusal.REASON_NOT_OURS, "getip-a has balance"),
        (request(uid="uid-agent"), Refusal.REASON_NOT_OURS, "is the agent itself"),
        (request(uid="uid-node"), Refusal.REASON_NOT_OURS, "node-1"),
        (request(experiment=""), Refusal.REASON_INVALID, "no experiment"),
        (ActRequest(request_id="r"), Refusal.REASON_INVALID, "delete_pod, fault, label_pod"),
        (request(request_id=""), Refusal.REASON_INVALID, "not 0"),
        (request(request_id="x" * 200), Refusal.REASON_INVALID, "not 200"),
        (request(uid="uid-deploy"), Refusal.REASON_INVALID, "delete_pod is for pods; getip is a deployment"),
        (request(scale=Scale(replicas=1)), Refusal.REASON_INVALID, "Deployments and StatefulSets"),
        (request(uid="uid-deploy", scale=Scale(replicas=21)), Refusal.REASON_INVALID, "choose 0 to 20"),
        (request(delete_pod=DeletePod(grace_seconds=9999)), Refusal.REASON_INVALID, "grace of 9999 s"),
        (request(fault=Fault()), Refusal.REASON_INVALID, "says no kind"),
        (request(fault=Fault(exit_code=256)), Refusal.REASON_INVALID, "exit code 256"),
        (request(fault=Fault(error_percent=101)), Refusal.REASON_INVALID, "101 % of errors"),
        (request(fault=Fault(eat_mib_per_second=0)), Refusal.REASON_INVALID, "0 MiB a second"),
        (request(fault=Fault(delay_milliseconds=10_001)), Refusal.REASON_INVALID, "10001 ms"),
        (request(fault=Fault(liveness=ProbeFault())), Refusal.REASON_INVALID, "liveness fault"),
        (request(fault=Fault(readiness=ProbeFault(fails=NEXT))), Refusal.REASON_INVALID, "readiness probes"),
        (request(restart=Restart()), Refusal.REASON_INVALID, "restart is for Deployments; getip-a is a pod"),
        (rollout(), Refusal.REASON_INVALID, "changes nothing"),
        (rollout(image="localhost/x/workload"), Refusal.REASON_INVALID, "no tag"),
        (rollout(image="x:bad tag"), Refusal.REASON_INVALID, "no tag that can exist"),
        (rollout(image="x@sha256:00"), Refusal.REASON_INVALID, "REPOSITORY:TAG"),
        (rollout(strategy="OnDelete"), Refusal.REASON_INVALID, "RollingUpdate or Recreate"),
        (rollout(strategy="Recreate", max_surge="1"), Refusal.REASON_INVALID, "Recreate has no surge"),
        (rollout(max_surge="101%"), Refusal.REASON_INVALID, "'101%' is no number of pods"),
        (rollout(max_unavailable="-1"), Refusal.REASON_INVALID, "choose 0 to 99"),
        (rollout(max_surge="0", max_unavailable="0%"), Refusal.REASON_INVALID, "both 0"),
    ],
    ids=[
        *BAD_VALUES,
        "gone", "no uid", "no label", "another experiment", "the agent", "a node", "no experiment", "no verb",
        "no request id", "long request id", "delete of a Deployment", "scale of a pod", "too many replicas",
        "long grace", "empty fault", "exit code", "errors", "eat nothing", "long delay", "probe without how long",
        "next zero probes", "restart of a pod", "empty rollout", "no tag", "bad tag", "digest", "strategy",
        "surge of recreate", "large surge", "negative", "no progress possible",
    ],
)  # fmt: skip
def test_what_is_refused(guard: Guard, refused: ActRequest, reason: Refusal.Reason.ValueType, words: str) -> None:
    """Everything else is refused with its reason and a sentence that names the thing."""
    with pytest.raises(RefusalError) as caught:
        guard.check(refused)

    assert caught.value.reason == reason
    assert words in caught.value.message


def test_the_bounds_of_faults_are_those_of_the_workloads() -> None:
    """What the guard offers to choose from, the fault port takes."""
    ours = (_guard.MAX_DELAY_MS, _guard.MAX_EAT_MIB, _guard.MAX_PROBES)

    assert ours == (_fault_port.MAX_DELAY_MS, _fault_port.MAX_EAT_MIB_PER_SECOND, _fault_port.MAX_PROBE_COUNT)


def test_verbs_of_newer_agents(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb that this agent lacks is refused as unsupported, with its version and what to do."""
    monkeypatch.delitem(RULES, "undo")
    asked = ActRequest(request_id="r", experiment="balance", uid="uid-a", undo=Undo())
    with pytest.raises(RefusalError) as caught:
        guard.check(asked)

    assert caught.value.reason == Refusal.REASON_UNSUPPORTED
    assert "this agent (version 0.1.0) cannot" in caught.value.message
    assert "`kubealive up -n lab`" in caught.value.message


def test_every_verb_is_supported() -> None:
    """The contract's verbs and this table of two halves agree."""
    verbs = {field.name for field in ActRequest.DESCRIPTOR.oneofs_by_name["verb"].fields}

    assert set(RULES) == verbs


def test_what_the_guard_lets_through_can_be_carried_out() -> None:
    """Each verb with a rule has somebody who makes its step, and no other verb has."""
    faults = FaultPort(port=1, token=lambda: "", namespace="lab")

    assert every_step(Lab().world, FakeKube(), faults).keys() == RULES.keys()
