"""StatefulSets in their order, DaemonSets on their nodes."""

from typing import Any

import pytest

from kubealive_sandbox.api import Api
from kubealive_sandbox.controllers import claims, daemon_sets, endpoint_slices, stateful_sets
from tests.sandbox.controllers.stage import settle
from tests.sandbox.objects import NAMESPACE, new_api, node, run_as, template

SELECTOR = {"selector": {"matchLabels": {"app": "web"}}}


def stateful_set(**spec: Any) -> dict[str, Any]:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": SIZE}}
    whole = {
        "replicas": 3,
        "serviceName": "web",
        "template": template(),
        **SELECTOR,
        "volumeClaimTemplates": [claim],
    }
    return {"metadata": {"name": "web", "namespace": NAMESPACE}, "spec": {**whole, **spec}}


SIZE = {"requests": {"storage": "1Mi"}}


def names(api: Api) -> list[str]:
    return [pod["metadata"]["name"] for pod in api.select("Pod", NAMESPACE)]


async def serve_next(api: Api) -> None:
    """Let the newest pod become ready, and the controller act on it."""
    for at, pod in enumerate(api.select("Pod", NAMESPACE)):
        if not pod["status"].get("podIP"):
            run_as(api, pod["metadata"]["name"], ip=f"127.77.129.{at}")
    await settle(api, stateful_sets)


async def complete(**spec: Any) -> Api:
    api = new_api()
    api.create("StatefulSet", stateful_set(**spec))
    await settle(api, stateful_sets)
    for _ in range(3):
        await serve_next(api)
    return api


async def test_pods_come_one_after_another() -> None:
    """The next one only when all before it are ready."""
    api = new_api()
    api.create("StatefulSet", stateful_set())
    await settle(api, stateful_sets)
    seen = [names(api)]
    for _ in range(2):
        await serve_next(api)
        seen.append(names(api))

    assert seen == [["web-0"], ["web-0", "web-1"], ["web-0", "web-1", "web-2"]]


async def test_all_at_once_if_so_asked() -> None:
    """Parallel waits for nobody."""
    api = new_api()
    api.create("StatefulSet", stateful_set(podManagementPolicy="Parallel"))
    await settle(api, stateful_sets)

    assert names(api) == ["web-0", "web-1", "web-2"]


async def test_a_pod_has_its_name_in_dns_and_its_claim() -> None:
    """Hostname, subdomain, labels, and a volume of its own that is bound."""
    api = await complete()
    await settle(api, claims, endpoint_slices)
    pod = api.find("Pod", NAMESPACE, "web-1")
    claim = api.find("PersistentVolumeClaim", NAMESPACE, "data-web-1")

    assert pod is not None
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-1", "web")
    assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "1"
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-1"}}]
    assert claim is not None
    assert (claim["status"]["phase"], claim["status"]["capacity"]) == ("Bound", {"storage": "1Mi"})


async def test_the_last_goes_first_and_leaves_its_claim() -> None:
    """Scaling down takes one at a time, and what it stored stays for its successor."""
    api = await complete()
    api.patch("StatefulSet", NAMESPACE, "web", {"spec": {"replicas": 1}})
    await settle(api, stateful_sets)

    assert names(api) == ["web-0"]
    assert len(api.select("PersistentVolumeClaim")) == 3


async def test_an_update_goes_from_the_last_to_the_first() -> None:
    """One at a time, each only when the one before is ready again."""
    api = await complete()
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "workload:v2"}]}}}}
    api.patch("StatefulSet", NAMESPACE, "web", change, how="strategic")
    seen = []
    for _ in range(3):
        await settle(api, stateful_sets)
        seen.append([pod["spec"]["containers"][0]["image"][-2:] for pod in api.select("Pod")])
        await serve_next(api)

    assert seen == [["v1", "v1", "v2"], ["v1", "v2", "v2"], ["v2", "v2", "v2"]]


async def test_a_partition_keeps_those_below_it() -> None:
    """Only ordinals from the partition on are updated."""
    api = await complete()
    change = {
        "updateStrategy": {"rollingUpdate": {"partition": 2}},
        "template": {"spec": {"containers": [{"name": "web", "image": "workload:v2"}]}},
    }
    api.patch("StatefulSet", NAMESPACE, "web", {"spec": change}, how="strategic")
    for _ in range(3):
        await settle(api, stateful_sets)
        await serve_next(api)

    assert [pod["spec"]["containers"][0]["image"][-2:] for pod in api.select("Pod")] == ["v1", "v1", "v2"]


@pytest.fixture
async def daemons() -> Api:
    """A DaemonSet on three nodes of which one is cordoned."""
    api = new_api()
    for number in (1, 2, 3):
        api.create("Node", node(f"node-{number}", unschedulable=number == 3))
    body = {"metadata": {"name": "web", "namespace": NAMESPACE}, "spec": {**SELECTOR, "template": template()}}
    api.create("DaemonSet", body)
    await settle(api, daemon_sets)
    return api


def wanted_nodes(api: Api) -> list[str]:
    found = []
    for pod in api.select("Pod"):
        required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        found += required["nodeSelectorTerms"][0]["matchFields"][0]["values"]
    return sorted(found)


async def test_every_node_has_its_pod(daemons: Api) -> None:
    """A cordoned one as well."""
    (found,) = daemons.select("DaemonSet")

    assert wanted_nodes(daemons) == ["node-1", "node-2", "node-3"]
    assert found["status"]["desiredNumberScheduled"] == 3


async def test_a_new_node_gets_one(daemons: Api) -> None:
    """As soon as it is there."""
    daemons.create("Node", node("node-4"))
    await settle(daemons, daemon_sets)

    assert wanted_nodes(daemons)[-1] == "node-4"


async def test_nodes_are_updated_one_at_a_time(daemons: Api) -> None:
    """A second pod goes only when the first node's new one is ready."""
    for at, pod in enumerate(daemons.select("Pod")):
        run_as(daemons, pod["metadata"]["name"], ip=f"127.77.129.{at}")
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "workload:v2"}]}}}}
    daemons.patch("DaemonSet", NAMESPACE, "web", change, how="strategic")
    await settle(daemons, daemon_sets)
    images = [pod["spec"]["containers"][0]["image"][-2:] for pod in daemons.select("Pod")]

    assert sorted(images) == ["v1", "v1", "v2"]
