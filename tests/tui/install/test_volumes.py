"""Where a StatefulSet keeps its data is decided before it is created, by what the cluster has."""

from typing import Any

import pytest

from kubealive_tui.install import ApiError, StepKind, Wanted

from .fakes import FakeCluster
from .test_up import bring_up, kinds

PHOENIX = "/apis/apps/v1/namespaces/kubealive/statefulsets/phoenix"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
STATE = Wanted(experiments=("state",))


def spec(cluster: FakeCluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.objects[PHOENIX]["spec"]
    return found


def has_claims(cluster: FakeCluster) -> bool:
    return "volumeClaimTemplates" in spec(cluster)


async def test_a_default_class_gives_each_pod_a_volume() -> None:
    """With one the set is made as its file says, and nothing has to be told."""
    cluster = FakeCluster()
    steps = await bring_up(cluster, STATE)
    assert has_claims(cluster)
    assert StepKind.KEPT not in {step.kind for step in steps}


@pytest.mark.parametrize(
    "classes",
    [
        pytest.param([], id="none"),
        pytest.param([{"metadata": {"name": "slow"}}], id="none that is the default"),
        pytest.param(
            [{"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "false"}}}],
            id="said not to be",
        ),
    ],
)
async def test_without_a_class_data_is_kept_in_the_pods(classes: list[dict[str, Any]]) -> None:
    """A claim would wait for ever, so the set gets directories of its pods, and what that costs is said."""
    cluster = FakeCluster()
    cluster.given[CLASSES] = classes
    steps = await bring_up(cluster, STATE)
    assert not has_claims(cluster)
    assert spec(cluster)["template"]["spec"]["volumes"] == [{"name": "data", "emptyDir": {"sizeLimit": "16Mi"}}]
    assert kinds(steps)["statefulset/phoenix"] is StepKind.READY
    (told,) = [step for step in steps if step.kind is StepKind.KEPT]
    assert "goes with the pod" in told.text
    assert "kubealive down state" in told.advice


async def test_a_set_keeps_what_it_was_made_with() -> None:
    """Kubernetes lets nobody change it, so a class that came or went since changes nothing."""
    cluster = FakeCluster()
    given = cluster.given[CLASSES]
    cluster.given[CLASSES] = []
    await bring_up(cluster, STATE)
    cluster.given[CLASSES] = given
    steps = await bring_up(cluster, STATE)
    assert not has_claims(cluster)
    assert "keeps it" in next(step.text for step in steps if step.kind is StepKind.KEPT)

    other = FakeCluster()
    await bring_up(other, STATE)
    other.given[CLASSES] = []
    await bring_up(other, STATE)
    assert has_claims(other)


async def test_who_may_not_list_classes_is_taken_to_have_one() -> None:
    """Nearly every cluster has a default; a claim that waits would say so itself."""
    cluster = FakeCluster()
    cluster.failing["GET", CLASSES] = ApiError(403, "Forbidden", "no")
    await bring_up(cluster, STATE)
    assert has_claims(cluster)


async def test_classes_are_not_asked_for_without_need() -> None:
    """An install without a StatefulSet asks nothing about storage."""
    cluster = FakeCluster()
    await bring_up(cluster, Wanted(experiments=("balance",)))
    assert ("GET", CLASSES) not in cluster.requests
