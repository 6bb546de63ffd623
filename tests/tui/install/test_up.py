import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubealive_tui.errors import InstallError
from kubealive_tui.install import (
    ApiError,
    NotReadyError,
    Pods,
    PreflightError,
    Step,
    StepKind,
    Wanted,
    reset,
    up,
)

from .fakes import FakeClock, FakeCluster
from .samples import waiting

NAMESPACE = "/api/v1/namespaces/kubealive"
SECRET = f"{NAMESPACE}/secrets/kubealive-faults"
GETIP = "/apis/apps/v1/namespaces/kubealive/deployments/getip"
AGENT = "/apis/apps/v1/namespaces/kubealive/deployments/kubealive-agent"
CLUSTER_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/kubealive-agent:kubealive"
OURS = {"app.kubernetes.io/part-of": "kubealive"}
RESTARTED = "kubectl.kubernetes.io/restartedAt"


async def bring_up(cluster: FakeCluster, wanted: Wanted | None = None) -> list[Step]:
    clock = FakeClock(cluster.run_controllers)
    return [step async for step in up(cluster, wanted or Wanted(), clock=clock)]


async def collect(running: AsyncIterator[Step], steps: list[Step]) -> None:
    """Keep what was told before an error as well."""
    async for step in running:
        steps.append(step)


def kinds(steps: list[Step]) -> dict[str, StepKind]:
    return {step.subject: step.kind for step in steps}


def annotations(body: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = body["metadata"].get("annotations") or {}
    return found


def template_annotations(cluster: FakeCluster, path: str) -> dict[str, str]:
    return annotations({"metadata": cluster.objects[path]["spec"]["template"]["metadata"]})


async def test_empty_cluster() -> None:
    """Everything is created, waited for, and the namespace is marked as made here."""
    cluster = FakeCluster()
    steps = await bring_up(cluster)
    assert kinds(steps)["deployment/getip"] is StepKind.READY
    assert kinds(steps)["deployment/kubealive-agent"] is StepKind.READY
    assert annotations(cluster.objects[NAMESPACE]) == {"kubealive.dev/created-by": "up"}
    assert CLUSTER_ROLE in cluster.objects


async def test_second_time_changes_nothing() -> None:
    """A repeated `up` leaves every object, and the fault token, as it is."""
    cluster = FakeCluster()
    await bring_up(cluster)
    before = {path: body["metadata"]["resourceVersion"] for path, body in cluster.objects.items()}
    steps = await bring_up(cluster)
    assert {path: body["metadata"]["resourceVersion"] for path, body in cluster.objects.items()} == before
    assert not {StepKind.CREATED, StepKind.CHANGED, StepKind.RESTARTED} & {step.kind for step in steps}
    assert annotations(cluster.objects[NAMESPACE]) == {"kubealive.dev/created-by": "up"}


async def test_tokens_of_two_installs_differ() -> None:
    """The fault token is random, and long enough never to be guessed."""
    clusters = FakeCluster(), FakeCluster()
    for cluster in clusters:
        await bring_up(cluster)
    tokens = {cluster.objects[SECRET]["stringData"]["token"] for cluster in clusters}
    assert len(tokens) == 2
    assert all(re.fullmatch(r"[0-9a-f]{64}", token) for token in tokens)


async def test_token_made_late_reaches_running_pods() -> None:
    """Pods that started without a token, as after `kubectl apply -k`, are replaced once there is one."""
    cluster = FakeCluster()
    await bring_up(cluster)
    del cluster.objects[SECRET]
    await bring_up(cluster)
    assert RESTARTED in template_annotations(cluster, GETIP)


async def test_namespace_of_somebody_else_keeps_its_labels() -> None:
    """A namespace that was there is used as it is, and not marked as ours to delete."""
    cluster = FakeCluster()
    cluster.add(NAMESPACE, {"kind": "Namespace"}, labels={"team": "blue"})
    steps = await bring_up(cluster)
    assert kinds(steps)["namespace/kubealive"] is StepKind.KEPT
    assert cluster.objects[NAMESPACE]["metadata"]["labels"] == {"team": "blue"}
    assert not annotations(cluster.objects[NAMESPACE])


async def test_foreign_object_of_the_same_name_is_never_overwritten() -> None:
    """Somebody's own `getip` stops the install before anything was changed."""
    cluster = FakeCluster()
    cluster.add(NAMESPACE, labels={"team": "blue"})
    cluster.add(GETIP, {"spec": {"replicas": 1}})
    before = dict(cluster.objects)
    with pytest.raises(PreflightError, match=r"deployment/getip in namespace kubealive is not kubealive's"):
        await bring_up(cluster)
    assert cluster.objects == before


async def test_own_object_is_forced_back() -> None:
    """What somebody edited on one of our objects is put back."""
    cluster = FakeCluster()
    await bring_up(cluster)
    cluster.objects[GETIP]["spec"]["replicas"] = 1
    steps = await bring_up(cluster)
    assert cluster.objects[GETIP]["spec"]["replicas"] == 4
    assert StepKind.CHANGED in {step.kind for step in steps if step.subject == "deployment/getip"}


async def test_missing_right_is_found_before_anything_is_changed() -> None:
    """The sentence names verb, resource and namespace, and who can help."""
    cluster = FakeCluster()
    cluster.denied = {("create", "deployments")}
    refused = r"may not create deployments\.apps in namespace kubealive; .*`kubectl auth can-i create deployments"
    with pytest.raises(PreflightError, match=refused) as caught:
        await bring_up(cluster)
    assert caught.value.exit_code == 2
    assert not cluster.objects


async def test_without_cluster_wide_rights_the_install_goes_on() -> None:
    """Somebody who owns one namespace gets everything but the nodes, and is told so."""
    cluster = FakeCluster()
    cluster.failing["PATCH", CLUSTER_ROLE] = ApiError(403, "Forbidden", "cannot create clusterroles")
    cluster.failing["GET", CLUSTER_ROLE] = ApiError(403, "Forbidden", "cannot get clusterroles")
    steps = await bring_up(cluster)
    (kept,) = [step for step in steps if step.kind is StepKind.KEPT]
    assert "cannot create clusterroles" in kept.text
    assert kinds(steps)["deployment/kubealive-agent"] is StepKind.READY


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (403, "Forbidden", "whoever administers the cluster"),
        (409, "Conflict", "--namespace"),
        (422, "Invalid", "`kubealive down` and `kubealive up`"),
    ],
    ids=["admission", "conflict", "immutable field"],
)
async def test_refused_object_is_named_with_a_next_step(status: int, reason: str, words: str) -> None:
    """An object that the cluster will not have is named in one sentence."""
    cluster = FakeCluster()
    cluster.failing["PATCH", GETIP] = ApiError(status, reason, "the words of the API server")
    with pytest.raises(InstallError, match=r"deployment/getip .* the words of the API server") as caught:
        await bring_up(cluster)
    assert words in str(caught.value)


async def test_old_cluster() -> None:
    """A cluster that would ignore a wrong field in silence is refused."""
    with pytest.raises(PreflightError, match=r"v1\.26\.3\+k3s1 is too old: kubealive needs 1\.27"):
        await bring_up(FakeCluster("v1.26.3+k3s1"))


async def test_namespace_on_its_way_out() -> None:
    """An install into a namespace that is being deleted would vanish with it."""
    cluster = FakeCluster()
    cluster.add(NAMESPACE, {"status": {"phase": "Terminating"}}, deletionTimestamp="2026-01-01T00:00:00Z")
    with pytest.raises(PreflightError, match="is being deleted since 2026"):
        await bring_up(cluster)


async def test_missing_image_ends_the_wait_early() -> None:
    """What waiting cannot heal is told at once, and given fifteen seconds instead of two minutes."""
    cluster = FakeCluster()
    body = waiting("ErrImagePull")
    cluster.add(f"{NAMESPACE}/pods/getip-a", body)
    clock = FakeClock()
    steps: list[Step] = []
    with pytest.raises(NotReadyError, match=r"workload:v1 is not on node-1.*make images load"):
        await collect(up(cluster, Wanted(), clock=clock), steps)
    assert clock.time == 15
    assert [step.subject for step in steps if step.kind is StepKind.TROUBLE] == ["pod/getip-a"]


async def test_wait_has_an_end() -> None:
    """Workloads that stay unready for no known reason end the wait in the time given."""
    clock = FakeClock()
    with pytest.raises(NotReadyError, match=r"not ready: deployment/kubealive-agent, deployment/getip after 7 s"):
        await collect(up(FakeCluster(), Wanted(experiments=("balance",)), clock=clock, seconds=7), [])
    assert clock.time == 7


async def test_api_server_that_goes_away_while_waiting_is_asked_again() -> None:
    """A lost answer in the middle of the wait is told and does not end it."""
    cluster = FakeCluster()
    pods = ("GET", f"{NAMESPACE}/pods")
    cluster.failing[pods] = ApiError(0, "Unreachable", "https://host cannot be reached")

    def return_later() -> None:
        if clock.time >= 3:
            cluster.failing.pop(pods, None)
            cluster.run_controllers()

    clock = FakeClock(return_later)
    steps = [step async for step in up(cluster, Wanted(), clock=clock)]
    assert kinds(steps)["API server"] is StepKind.TROUBLE
    assert kinds(steps)["deployment/getip"] is StepKind.READY


async def put_back(cluster: FakeCluster, wanted: Wanted, pods: Pods = Pods.KEEP) -> list[Step]:
    clock = FakeClock(cluster.run_controllers)
    return [step async for step in reset(cluster, wanted, pods=pods, clock=clock)]


async def test_reset_keeps_registry_and_tag() -> None:
    """Images stay those of the install, wherever they came from."""
    cluster = FakeCluster()
    await bring_up(cluster, Wanted(registry="reg.example/x", tag="0.0.9"))
    cluster.objects[GETIP]["spec"]["replicas"] = 1
    steps = await put_back(cluster, Wanted())
    images = [
        cluster.objects[path]["spec"]["template"]["spec"]["containers"][0]["image"] for path in (AGENT, GETIP)
    ]
    assert images == ["reg.example/x/agent:0.0.9", "reg.example/x/workload:v1"]
    assert cluster.objects[GETIP]["spec"]["replicas"] == 4
    assert StepKind.RESTARTED not in {step.kind for step in steps}


def agents_image(cluster: FakeCluster, image: str = "") -> str:
    """The image that the agent has; another one first, as `kubectl set image` gives it."""
    container: dict[str, str] = cluster.objects[AGENT]["spec"]["template"]["spec"]["containers"][0]
    container["image"] = image or container["image"]
    return container["image"]


async def test_reset_brings_back_the_agents_image() -> None:
    """What somebody put in its place is no word on where the install's images are."""
    cluster = FakeCluster()
    await bring_up(cluster, Wanted(registry="reg.example/x", tag="0.0.9"))
    agents_image(cluster, "busybox:1")
    cluster.objects[AGENT]["spec"]["replicas"] = 0
    await put_back(cluster, Wanted())
    assert agents_image(cluster) == "reg.example/x/agent:0.0.9"
    assert cluster.objects[AGENT]["spec"]["replicas"] == 1
    assert cluster.objects[GETIP]["spec"]["template"]["spec"]["containers"][0]["image"].startswith(
        "reg.example/x/"
    )


async def test_reset_goes_by_the_image_of_an_agent_that_up_did_not_install() -> None:
    """`kubectl apply -k` writes down no more than the image itself."""
    cluster = FakeCluster()
    await bring_up(cluster, Wanted(registry="reg.example/x"))
    del cluster.objects[AGENT]["metadata"]["annotations"]
    agents_image(cluster, "reg.example/y/agent:0.0.8")
    await put_back(cluster, Wanted())
    assert agents_image(cluster) == "reg.example/y/agent:0.0.8"
    agents_image(cluster, "reg.example/y/agent:later")
    await put_back(cluster, Wanted())
    assert agents_image(cluster) == "reg.example/y/agent:0.0.8"


async def test_reset_takes_no_strange_image_for_the_installs() -> None:
    """Where nobody wrote down what it was, nothing is changed, and the sentence says who can tell."""
    cluster = FakeCluster()
    await bring_up(cluster)
    del cluster.objects[AGENT]["metadata"]["annotations"]
    agents_image(cluster, "busybox:1")
    before = {path: body["metadata"]["resourceVersion"] for path, body in cluster.objects.items()}
    with pytest.raises(PreflightError, match=r"has image busybox:1.*`kubealive up --registry PREFIX`"):
        await put_back(cluster, Wanted())
    assert {path: body["metadata"]["resourceVersion"] for path, body in cluster.objects.items()} == before


async def test_reset_installs_nothing_new() -> None:
    """Without names it is about what is installed."""
    cluster = FakeCluster()
    await bring_up(cluster, Wanted(experiments=()))
    await put_back(cluster, Wanted())
    assert GETIP not in cluster.objects


async def test_reset_replaces_pods_when_asked() -> None:
    """A rolling restart ends the faults in the experiments' programs; the agent's pod stays."""
    cluster = FakeCluster()
    await bring_up(cluster)
    await put_back(cluster, Wanted(), Pods.REPLACE)
    assert RESTARTED in template_annotations(cluster, GETIP)
    assert not template_annotations(cluster, AGENT)


async def test_reset_of_nothing() -> None:
    """Where nothing is installed the next step is `up`."""
    with pytest.raises(PreflightError, match=r"not installed in namespace kubealive.*`kubealive up`"):
        await put_back(FakeCluster(), Wanted())
