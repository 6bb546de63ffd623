"""Deployments, ReplicaSets, EndpointSlices, scheduling and garbage, as clients of the API."""

from typing import Any

import pytest

from kubealive_sandbox.api import Api, ApiError
from kubealive_sandbox.controllers import (
    deployments,
    endpoint_slices,
    enforce_pod_security,
    garbage_collector,
    namespaces,
    replica_sets,
    scheduler,
)
from tests.sandbox.controllers.stage import settle
from tests.sandbox.objects import NAMESPACE, deployment, new_api, node, pod, run_as, service

ROLLOUT = (deployments, replica_sets, garbage_collector)


def ready_all(api: Api) -> None:
    """Have every pod run and be ready."""
    for at, each in enumerate(api.select("Pod")):
        if not each["status"].get("podIP"):
            run_as(api, each["metadata"]["name"], ip=f"127.77.129.{at + 2}")


def revisions(api: Api) -> dict[str, int]:
    """Replicas wanted by revision."""
    found = api.select("ReplicaSet")
    return {
        each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: each["spec"]["replicas"]
        for each in found
    }


async def roll(api: Api, image: str) -> None:
    """Change the image and let everything become ready."""
    container = {"name": "web", "image": image}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    api.patch("Deployment", NAMESPACE, "web", change, how="strategic")
    for _ in range(8):
        await settle(api, *ROLLOUT)
        ready_all(api)
    await settle(api, *ROLLOUT)


@pytest.fixture
async def rolled_out() -> Api:
    """A Deployment whose four pods are ready."""
    api = new_api()
    api.create("Deployment", deployment())
    await settle(api, *ROLLOUT)
    ready_all(api)
    await settle(api, *ROLLOUT)
    return api


def conditions(obj: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["reason"]) for each in obj["status"]["conditions"]}


async def test_a_deployment_makes_its_pods(rolled_out: Api) -> None:
    """A ReplicaSet of the template, its pods, and conditions that say so."""
    (found,) = rolled_out.select("Deployment")

    assert found["status"]["readyReplicas"] == 4
    assert conditions(found) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }


async def test_an_undo_uses_the_old_replica_set_again(rolled_out: Api) -> None:
    """The same template is the same ReplicaSet, with the highest revision."""
    await roll(rolled_out, "workload:v2")
    first = revisions(rolled_out)
    await roll(rolled_out, "workload:v1")

    assert first == {"1": 0, "2": 4}
    assert revisions(rolled_out) == {"2": 0, "3": 4}


async def test_the_cause_of_a_change_is_told_afterwards(rolled_out: Api) -> None:
    """What is annotated on the Deployment is handed on to the ReplicaSet that is the newest by then."""
    await roll(rolled_out, "workload:v2")
    change = {"metadata": {"annotations": {"kubernetes.io/change-cause": "two"}}}
    rolled_out.patch("Deployment", NAMESPACE, "web", change)
    await settle(rolled_out, *ROLLOUT)
    causes = {
        each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: each["metadata"]["annotations"].get(
            "kubernetes.io/change-cause"
        )
        for each in rolled_out.select("ReplicaSet")
    }

    assert causes == {"1": None, "2": "two"}


async def test_a_broken_version_stops_the_rollout(rolled_out: Api) -> None:
    """New pods that never are ready leave three old ones at least, and past the deadline that is said."""
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "workload:no"}]}}}}
    rolled_out.patch("Deployment", NAMESPACE, "web", change, how="strategic")
    await settle(rolled_out, *ROLLOUT)
    rolled_out.now.pass_by(601)  # type: ignore[attr-defined]
    await settle(rolled_out, *ROLLOUT)
    (found,) = rolled_out.select("Deployment")

    assert revisions(rolled_out) == {"1": 3, "2": 2}
    assert conditions(found)["Progressing"] == ("False", "ProgressDeadlineExceeded")


async def test_recreate_waits_for_the_old_pods(rolled_out: Api) -> None:
    """No new pod while an old one has not ended."""
    rolled_out.patch(
        "Deployment", NAMESPACE, "web", {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}
    )
    for each in rolled_out.select("Pod"):
        rolled_out.update("Pod", {**each, "spec": {**each["spec"], "nodeName": "node-1"}})
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "workload:v2"}]}}}}
    rolled_out.patch("Deployment", NAMESPACE, "web", change, how="strategic")
    await settle(rolled_out, *ROLLOUT)
    before = revisions(rolled_out)
    for each in rolled_out.select("Pod"):
        rolled_out.delete("Pod", NAMESPACE, each["metadata"]["name"], {"gracePeriodSeconds": 0})
    await settle(rolled_out, *ROLLOUT)

    assert before == {"1": 0, "2": 0}
    assert revisions(rolled_out) == {"1": 0, "2": 4}


async def test_a_pod_that_is_relabelled_is_let_go_and_replaced(rolled_out: Api) -> None:
    """It is nobody's then, and there are five."""
    name = rolled_out.select("Pod")[0]["metadata"]["name"]
    rolled_out.patch("Pod", NAMESPACE, name, {"metadata": {"labels": {"app": "mine"}}})
    await settle(rolled_out, *ROLLOUT)
    freed = rolled_out.find("Pod", NAMESPACE, name)

    assert freed is not None
    assert "ownerReferences" not in freed["metadata"]
    assert len(rolled_out.select("Pod", labels="app=web")) == 4


async def test_scaling_down_takes_pods_that_do_not_serve_first(rolled_out: Api) -> None:
    """A pod that is not ready goes before one that is."""
    name = rolled_out.select("Pod")[2]["metadata"]["name"]
    run_as(rolled_out, name, ip="127.77.129.9", ready=False)
    rolled_out.patch("Deployment", NAMESPACE, "web", {"spec": {"replicas": 3}})
    await settle(rolled_out, *ROLLOUT)

    assert name not in {each["metadata"]["name"] for each in rolled_out.select("Pod")}


async def test_what_an_owner_leaves_is_collected(rolled_out: Api) -> None:
    """With the Deployment go its ReplicaSets and their pods."""
    rolled_out.delete("Deployment", NAMESPACE, "web")
    await settle(rolled_out, *ROLLOUT)

    assert not rolled_out.select("ReplicaSet")
    assert not rolled_out.select("Pod")


async def test_orphans_stay(rolled_out: Api) -> None:
    """`--cascade=orphan` leaves the ReplicaSet and its pods to nobody."""
    rolled_out.delete("Deployment", NAMESPACE, "web", {"propagationPolicy": "Orphan"})
    await settle(rolled_out, *ROLLOUT)
    (left,) = rolled_out.select("ReplicaSet")

    assert not left["metadata"].get("ownerReferences")
    assert not rolled_out.select("Deployment")


async def test_a_namespace_goes_with_all_that_is_in_it(rolled_out: Api) -> None:
    """And not before."""
    rolled_out.delete("Namespace", "", NAMESPACE)
    await settle(rolled_out, namespaces, *ROLLOUT)
    await settle(rolled_out, namespaces, *ROLLOUT)

    assert rolled_out.find("Namespace", "", NAMESPACE) is None
    assert not rolled_out.select("Pod")


async def test_an_endpoint_says_ready_serving_and_terminating() -> None:
    """One that leaves still serves, one that is not ready does neither, one without an address is absent."""
    api = new_api()
    api.create("Service", service())
    for name in ("ready", "unready", "leaving", "starting"):
        api.create("Pod", pod(name, node="node-1"))
    for at, name in enumerate(("ready", "unready", "leaving")):
        run_as(api, name, ip=f"127.77.129.{at}", ready=name != "unready")
    api.delete("Pod", NAMESPACE, "leaving")
    await settle(api, endpoint_slices)
    (found,) = api.select("EndpointSlice")

    assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert {each["targetRef"]["name"]: tuple(each["conditions"].values()) for each in found["endpoints"]} == {
        "ready": (True, True, False),
        "unready": (False, False, False),
        "leaving": (False, True, True),
    }


async def test_pods_are_spread() -> None:
    """Four pods of one owner on three nodes: no node has three, none has none."""
    api = new_api()
    for number in (1, 2, 3):
        api.create("Node", node(f"node-{number}"))
    api.create("Deployment", deployment())
    await settle(api, *ROLLOUT, scheduler)
    nodes = [each["spec"]["nodeName"] for each in api.select("Pod")]

    assert sorted(nodes.count(f"node-{number}") for number in (1, 2, 3)) == [1, 1, 2]


@pytest.mark.parametrize(
    ("nodes", "spec", "words"),
    [
        pytest.param([node("a", unschedulable=True)], {}, "1 node(s) were unschedulable", id="cordoned"),
        pytest.param(
            [node("a")], {"nodeSelector": {"disk": "ssd"}}, "didn't match Pod's node affinity", id="selector"
        ),
        pytest.param([], {}, "0/0 nodes are available", id="no node"),
    ],
)
async def test_the_scheduler_says_why_not(nodes: list[Any], spec: dict[str, Any], words: str) -> None:
    """In its condition, and in an Event."""
    api = new_api()
    for each in nodes:
        api.create("Node", each)
    api.create("Pod", pod(**spec))
    await settle(api, scheduler)
    (found,) = api.select("Pod")
    (event,) = api.select("Event")

    assert words in found["status"]["conditions"][0]["message"]
    assert (event["reason"], event["type"]) == ("FailedScheduling", "Warning")


def host_port_pod() -> dict[str, Any]:
    made = pod()
    made["spec"]["containers"][0]["ports"][0]["hostPort"] = 8080
    return made


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_pod_security_refuses_a_host_port(level: str) -> None:
    """A namespace that enforces a level lets no pod take a port of its node."""
    api = new_api()
    enforce_pod_security(api)
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}}
    api.patch("Namespace", "", NAMESPACE, labels)
    with pytest.raises(ApiError, match=f'violates PodSecurity "{level}:latest": hostPort') as refused:
        api.create("Pod", host_port_pod())

    assert refused.value.code == 403
