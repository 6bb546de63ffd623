from typing import Any

import pytest

from kubealive_tui.cli._status import lines
from kubealive_tui.errors import UsageError
from kubealive_tui.install import Altered, Manifest, Wanted, status, up
from kubealive_tui.install._kinds import KINDS
from kubealive_tui.install._status import _sizes

from .fakes import FakeClock, FakeCluster
from .samples import waiting

AGENT = "/apis/apps/v1/namespaces/kubealive/deployments/kubealive-agent"
GETIP = "/apis/apps/v1/namespaces/kubealive/deployments/getip"


async def installed(wanted: Wanted | None = None) -> FakeCluster:
    cluster = FakeCluster()
    async for _ in up(cluster, wanted or Wanted(), clock=FakeClock(cluster.run_controllers)):
        pass
    return cluster


async def test_all_ready() -> None:
    """An install that is as it should be is ready, and says its agent's version."""
    found = await status(await installed(Wanted(tag="1.2.3")), namespace="kubealive")
    assert found.ready
    assert found.agent_version == "1.2.3"


async def test_not_installed() -> None:
    """Nothing there is not ready and not installed."""
    found = await status(FakeCluster(), namespace="kubealive")
    assert (found.installed, found.ready, found.agent_version) == (False, False, "")


async def test_trouble_is_told_with_its_experiment() -> None:
    """A pod in trouble stands under the experiment that it belongs to."""
    cluster = await installed()
    cluster.objects[GETIP]["status"]["availableReplicas"] = 3
    cluster.add("/api/v1/namespaces/kubealive/pods/getip-a", waiting("ErrImagePull"))
    found = await status(cluster, namespace="kubealive")
    (balance,) = [part for part in found.experiments if part.name == "balance"]
    assert not found.ready
    assert found.agent.ready
    assert [trouble.subject for trouble in balance.troubles] == ["pod/getip-a"]


async def test_a_workload_that_was_scaled_is_ready_and_told() -> None:
    """Somebody gave it another number of pods, and all of them are there."""
    cluster = await installed()
    cluster.objects[GETIP]["spec"]["replicas"] = 2
    cluster.objects[GETIP]["status"] |= {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}

    found = await status(cluster, namespace="kubealive")

    assert found.ready
    assert {part.name: part.altered for part in found.experiments if part.altered} == {
        "balance": (Altered(ref="deployment/getip", words="scaled to 2, installed with 4"),)
    }
    assert "  deployment/getip: scaled to 2, installed with 4; `kubealive reset balance` puts it back" in lines(
        found
    )


async def test_an_agent_that_was_taken_away_is_not_ready() -> None:
    """Without its one pod nothing can be reached, and another image in it is told as well."""
    cluster = await installed()
    agent = cluster.objects[AGENT]
    agent["spec"]["replicas"] = 0
    agent["status"] |= {"replicas": 0, "updatedReplicas": 0, "availableReplicas": 0}
    agent["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:1"

    found = await status(cluster, namespace="kubealive")

    assert not found.ready
    assert [line for line in lines(found) if "agent" in line] == [
        "agent 1          not ready     deployment/kubealive-agent 0/0",
        "  deployment/kubealive-agent: scaled to 0, installed with 1; `kubealive reset` puts it back",
        (
            "  deployment/kubealive-agent: image busybox:1, installed with localhost/kubealive/agent:0.1.0; "
            "`kubealive reset` puts it back"
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "spec", "sizes"),
    [
        pytest.param("Deployment", {"replicas": 3}, {"deployment/app": 3}, id="says it"),
        pytest.param("DaemonSet", {}, {}, id="a pod a node"),
        pytest.param("Deployment", {}, {}, id="leaves it open"),
    ],
)
@pytest.mark.parametrize("autoscaled", [False, True], ids=["by hand", "autoscaled"])
def test_sizes_that_an_install_gives(
    kind: str, spec: dict[str, Any], sizes: dict[str, int], *, autoscaled: bool
) -> None:
    """Only a number that nobody but `up` decides can have been changed by somebody."""
    manifests = [Manifest(KINDS[kind], "n", "app", "x", {"spec": spec})]
    if autoscaled:
        target = {"scaleTargetRef": {"kind": kind, "name": "app"}}
        manifests.append(Manifest(KINDS["HorizontalPodAutoscaler"], "n", "app", "x", {"spec": target}))

    assert _sizes(manifests) == ({} if autoscaled else sizes)


async def test_a_node_that_does_not_answer_is_told() -> None:
    """A pod that its node left behind is a trouble, whatever its own status says."""
    cluster = await installed()
    cluster.objects[GETIP]["status"]["availableReplicas"] = 3
    cluster.add("/api/v1/nodes/node-1", {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
    cluster.add("/api/v1/namespaces/kubealive/pods/getip-a", waiting("ContainerCreating"))
    found = await status(cluster, namespace="kubealive")

    (balance,) = [part for part in found.experiments if part.name == "balance"]
    assert ["node-1 does not answer" in trouble.text for trouble in balance.troubles] == [True]


async def test_experiment_left_out_counts_only_when_asked_for() -> None:
    """Somebody who installed the agent alone has a ready install, without the balance that was asked about."""
    cluster = await installed(Wanted(experiments=()))
    assert (await status(cluster, namespace="kubealive")).ready
    assert not (await status(cluster, namespace="kubealive", names=["balance"])).ready


async def test_unknown_experiment() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(UsageError, match="there are: balance"):
        await status(await installed(), namespace="kubealive", names=["balanse"])
