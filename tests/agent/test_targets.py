"""Load targets: only what belongs to the experiment has an address."""

from __future__ import annotations

import pytest

from kubealive.v1.agent_pb2 import Refusal
from kubealive.v1.state_pb2 import KIND_POD, KIND_SERVICE, LoadTarget, Service
from kubealive_agent._errors import RefusalError
from kubealive_agent.targets import Address, describe, owned, resolve
from tests.agent.fakes import Lab


def ask(target: LoadTarget, experiment: str = "balance") -> Address:
    return resolve(target, Lab().world, experiment=experiment, namespace="lab", domain="cluster.local")


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (LoadTarget(service="getip"), ("getip.lab.svc.cluster.local.", 80, "/")),
        (LoadTarget(service="getip", port=81, path="/x?y"), ("getip.lab.svc.cluster.local.", 81, "/x?y")),
        (LoadTarget(pod_uid="uid-a"), ("127.0.0.1", 8080, "/")),
        (LoadTarget(pod_uid="uid-b", port=9000), ("127.0.0.2", 9000, "/")),
        (LoadTarget(node="node-1"), ("10.0.0.1", 30080, "/")),
        (LoadTarget(node="node-1", port=30080), ("10.0.0.1", 30080, "/")),
    ],
    ids=["service", "its second port", "pod by its slice", "pod by port", "node", "node port"],
)
def test_targets_of_the_experiment(target: LoadTarget, address: tuple[str, int, str]) -> None:
    """Services by absolute name, pods and nodes by address, ports as declared."""
    assert ask(target) == address


@pytest.mark.parametrize(
    ("target", "experiment", "reason", "words"),
    [
        (LoadTarget(), "balance", Refusal.REASON_INVALID, "no target"),
        (LoadTarget(service="nowhere"), "balance", Refusal.REASON_GONE, "`kubealive reset balance -n lab`"),
        (LoadTarget(service="foreign"), "balance", Refusal.REASON_NOT_OURS, "Service foreign"),
        (LoadTarget(service="foreign"), "", Refusal.REASON_NOT_OURS, "(none)"),
        (LoadTarget(service="getip"), "heal", Refusal.REASON_NOT_OURS, "heal"),
        (LoadTarget(service="elsewhere"), "balance", Refusal.REASON_NOT_OURS, "another host"),
        (LoadTarget(service="by-hand"), "balance", Refusal.REASON_NOT_OURS, "selects no pods"),
        (LoadTarget(service="getip", port=22), "balance", Refusal.REASON_INVALID, "it declares 80, 81"),
        (LoadTarget(pod_uid="uid-other"), "balance", Refusal.REASON_NOT_OURS, "pod other"),
        (LoadTarget(pod_uid="gone"), "balance", Refusal.REASON_GONE, "'gone'"),
        (LoadTarget(pod_uid="uid-new"), "balance", Refusal.REASON_REJECTED, "no address yet"),
        (LoadTarget(pod_uid="uid-ended", port=80), "balance", Refusal.REASON_REJECTED, "another pod's by now"),
        (LoadTarget(pod_uid="uid-b"), "balance", Refusal.REASON_INVALID, "name the port"),
        (LoadTarget(node="node-9"), "balance", Refusal.REASON_GONE, "node-9"),
        (LoadTarget(node="node-1", port=10250), "balance", Refusal.REASON_INVALID, "it opened 30080"),
        (LoadTarget(node="node-1"), "heal", Refusal.REASON_INVALID, "no NodePort Service"),
    ],
    ids=[
        "none", "no such Service", "foreign Service", "no experiment", "another experiment",
        "ExternalName", "no selector", "no such port",
        "foreign pod", "gone pod", "pod without address", "pod that has ended",
        "pod without port", "no such node", "the kubelet's port",
        "node without ports",
    ],
)  # fmt: skip
def test_targets_that_are_refused(
    target: LoadTarget, experiment: str, reason: Refusal.Reason.ValueType, words: str
) -> None:
    """Everything else in the cluster is out of reach of the load engine."""
    with pytest.raises(RefusalError) as caught:
        ask(target, experiment)

    assert caught.value.reason == reason
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("target", "words"),
    [(LoadTarget(service="getip"), "service getip/"), (LoadTarget(pod_uid="u", port=1, path="/x"), "pod u:1/x")],
    ids=["service", "pod"],
)
def test_a_target_in_words(target: LoadTarget, words: str) -> None:
    """Facts name the target as a person would."""
    assert describe(target) == words


@pytest.mark.parametrize(
    ("address", "experiment", "ours"),
    [
        ("127.0.0.2", "balance", True),
        ("10.96.0.7", "balance", True),
        ("127.0.0.9", "balance", False),
        ("127.0.0.2", "heal", False),
        ("127.0.0.2", "", False),
        ("10.96.0.8", "balance", False),
        ("10.0.0.1", "balance", False),
        ("", "balance", False),
    ],
    ids=["pod", "Service", "foreign pod", "other experiment", "none", "no selector", "node", "nothing"],
)
def test_addresses_of_the_experiment(address: str, experiment: str, *, ours: bool) -> None:
    """Only running pods and Services with a selector of the experiment itself."""
    lab = Lab()
    selector = {"app": "getip"}
    for uid, service in {
        "uid-vip": Service(name="vip", experiment="balance", selector=selector, cluster_ip="10.96.0.7"),
        "uid-vip-2": Service(name="vip-2", experiment="balance", cluster_ip="10.96.0.8"),
    }.items():
        lab.world.apply(KIND_SERVICE, uid, service, found=True)

    assert owned(address, lab.world, experiment=experiment) is ours


def test_an_ended_pods_address_is_nobodys() -> None:
    """It keeps its address in the API while the network may have given it to another."""
    lab = Lab()
    lab.world.apply(KIND_POD, "uid-a", None, found=False)

    assert not owned("127.0.0.1", lab.world, experiment="balance")
