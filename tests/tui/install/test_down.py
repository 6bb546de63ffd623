from collections.abc import Sequence

import pytest

from kubealive_tui.errors import UsageError
from kubealive_tui.install import ApiError, NotReadyError, PreflightError, Step, StepKind, Wanted, down, up

from .fakes import FakeClock, FakeCluster

NAMESPACE = "/api/v1/namespaces/kubealive"
CONFIG = f"{NAMESPACE}/configmaps/mine"
GETIP = "/apis/apps/v1/namespaces/kubealive/deployments/getip"
CLUSTER_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/kubealive-agent:kubealive"
OURS = {"app.kubernetes.io/part-of": "kubealive"}


async def installed() -> FakeCluster:
    cluster = FakeCluster()
    clock = FakeClock(cluster.run_controllers)
    async for _ in up(cluster, Wanted(), clock=clock):
        pass
    cluster.add(f"{NAMESPACE}/serviceaccounts/default")
    cluster.add(f"{NAMESPACE}/configmaps/kube-root-ca.crt")
    return cluster


async def take_down(
    cluster: FakeCluster, names: Sequence[str] | None = None, *, told: list[Step] | None = None
) -> list[Step]:
    """Take it down; the steps, which are in `told` as well where it fails."""
    steps = [] if told is None else told
    async for step in down(cluster, namespace="kubealive", names=names, clock=FakeClock(cluster.run_controllers)):
        steps.append(step)
    return steps


async def test_whole_install() -> None:
    """Nothing is left of an install that nobody else has put anything into."""
    cluster = await installed()
    other = cluster.add("/api/v1/namespaces/other/configmaps/x", labels=OURS)
    steps = await take_down(cluster)
    assert cluster.objects == {"/api/v1/namespaces/other/configmaps/x": other}
    assert "namespace/kubealive" in {step.subject for step in steps if step.kind is StepKind.REMOVED}


async def test_second_time_finds_nothing() -> None:
    """A repeated `down` succeeds and has nothing to tell."""
    cluster = await installed()
    await take_down(cluster)
    assert await take_down(cluster) == []


async def test_foreign_object_keeps_the_namespace() -> None:
    """What somebody else put there stays, is named, and all of ours goes."""
    cluster = await installed()
    cluster.add(CONFIG)
    steps = await take_down(cluster)
    assert {path for path in cluster.objects if "/namespaces/" in path} == {
        NAMESPACE,
        CONFIG,
        f"{NAMESPACE}/serviceaccounts/default",
        f"{NAMESPACE}/configmaps/kube-root-ca.crt",
    }
    (kept,) = [step for step in steps if step.kind is StepKind.KEPT]
    assert "configmap/mine" in kept.text
    assert "kubectl delete namespace kubealive" in kept.advice


async def test_namespace_of_somebody_else_stays() -> None:
    """Only a namespace that `up` made is deleted, however empty it is."""
    cluster = FakeCluster()
    cluster.add(NAMESPACE, labels={"team": "blue"})
    async for _ in up(cluster, Wanted(), clock=FakeClock(cluster.run_controllers)):
        pass
    await take_down(cluster)
    assert set(cluster.objects) == {NAMESPACE}


async def test_kind_that_cannot_be_looked_at_keeps_the_namespace() -> None:
    """What cannot be seen may be somebody's; that it stays is no success, and all else goes."""
    cluster, steps = await installed(), list[Step]()
    cluster.failing["GET", f"{NAMESPACE}/configmaps"] = ApiError(403, "Forbidden", "cannot list configmaps")
    with pytest.raises(NotReadyError, match="still there: namespace/kubealive; `kubealive down`") as caught:
        await take_down(cluster, told=steps)
    (trouble,) = [step for step in steps if step.kind is StepKind.TROUBLE]
    assert "cannot list configmaps" in trouble.text
    assert caught.value.exit_code == 1
    assert CLUSTER_ROLE not in cluster.objects
    assert NAMESPACE in cluster.objects
    assert GETIP not in cluster.objects


async def test_one_experiment() -> None:
    """The agent, the namespace and the cluster-wide objects stay when only experiments are named."""
    cluster = await installed()
    before = set(cluster.objects)
    await take_down(cluster, ["balance"])
    gone = {path.rpartition("/")[0].rpartition("/")[2] for path in before - set(cluster.objects)}
    assert gone == {"deployments", "services"}
    assert CLUSTER_ROLE in cluster.objects


async def test_unknown_experiment() -> None:
    """A wrong name is answered with the right ones, and removes nothing."""
    cluster = await installed()
    before = set(cluster.objects)
    with pytest.raises(UsageError, match="there are: balance"):
        await take_down(cluster, ["balanse"])
    assert set(cluster.objects) == before


async def test_missing_right_is_found_first() -> None:
    """Without the right to delete, nothing is removed half."""
    cluster = await installed()
    before = set(cluster.objects)
    cluster.denied = {("delete", "namespaces")}
    with pytest.raises(PreflightError, match="may not delete namespaces in the whole cluster"):
        await take_down(cluster)
    assert set(cluster.objects) == before


async def test_cluster_wide_object_of_somebody_else_stays() -> None:
    """A ClusterRole of the same name without our label is not ours."""
    cluster = await installed()
    cluster.objects[CLUSTER_ROLE]["metadata"]["labels"] = {}
    await take_down(cluster)
    assert set(cluster.objects) == {CLUSTER_ROLE}


async def test_object_made_anew_in_the_meantime_stays() -> None:
    """Deleting is bound to the object that was looked at."""
    cluster = await installed()
    cluster.add(CONFIG)
    anew = {**cluster.objects[GETIP], "metadata": {"name": "getip", "uid": "new"}}
    cluster.failing["DELETE", GETIP] = ApiError(409, "Conflict", "the UID differs")
    clock = FakeClock(lambda: cluster.objects.update({GETIP: anew}))
    async for _ in down(cluster, namespace="kubealive", clock=clock):
        pass
    assert cluster.objects[GETIP]["metadata"]["uid"] == "new"


async def test_what_does_not_go_is_named() -> None:
    """A namespace that hangs ends the wait with the cluster's reason."""
    cluster = await installed()
    condition = {"status": "True", "message": "Some content has finalizers"}

    def hang() -> None:
        cluster.objects[NAMESPACE]["status"]["conditions"] = [condition]

    with pytest.raises(NotReadyError, match=r"still there: namespace kubealive \(Some content has finalizers\)"):
        async for _ in down(cluster, namespace="kubealive", clock=FakeClock(hang), seconds=5):
            pass


@pytest.mark.parametrize("names", [None, ["balance"]], ids=["all", "one"])
async def test_who_may_not_look_is_not_told_that_nothing_is_there(names: Sequence[str] | None) -> None:
    """Without the right to list what `up` makes nothing is said of it, and nothing is touched."""
    cluster = await installed()
    before = dict(cluster.objects)
    cluster.denied |= {("list", "deployments"), ("get", "namespaces")}
    cluster.failing["GET", NAMESPACE] = ApiError(403, "Forbidden", "cannot get namespaces")
    with pytest.raises(PreflightError, match=r"may not list deployments.apps in namespace kubealive") as raised:
        await take_down(cluster, names)
    assert raised.value.exit_code == 2
    assert cluster.objects == before


async def test_a_namespace_that_may_not_be_read_is_not_said_to_be_anybodys() -> None:
    """What is ours goes; of the namespace it is said that it could not be looked at."""
    cluster = await installed()
    cluster.failing["GET", NAMESPACE] = ApiError(403, "Forbidden", "cannot get namespaces")
    steps = await take_down(cluster)
    (kept,) = [step for step in steps if step.kind is StepKind.KEPT]
    assert "you may not look at it" in kept.text
    assert GETIP not in cluster.objects
