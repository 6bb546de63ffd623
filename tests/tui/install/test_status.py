import pytest

from kubealive_tui.errors import UsageError
from kubealive_tui.install import Wanted, status, up

from .fakes import FakeClock, FakeCluster
from .samples import waiting

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


async def test_experiment_left_out_counts_only_when_asked_for() -> None:
    """Somebody who installed the agent alone has a ready install, without the balance that was asked about."""
    cluster = await installed(Wanted(experiments=()))
    assert (await status(cluster, namespace="kubealive")).ready
    assert not (await status(cluster, namespace="kubealive", names=["balance"])).ready


async def test_unknown_experiment() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(UsageError, match="there are: balance"):
        await status(await installed(), namespace="kubealive", names=["balanse"])
