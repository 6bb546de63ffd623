"""A port of the nodes is taken only where nothing answers, and asks of the namespace what it needs."""

from typing import Any

import pytest

from kubealive_tui.install import ApiError, NotReadyError, Step, StepKind, Wanted, up

from .fakes import FakeClock, FakeCluster
from .test_up import NAMESPACE, bring_up, collect

DAEMON = "/apis/apps/v1/namespaces/kubealive/daemonsets/knowingnoded"
FRONTEND = "/apis/apps/v1/namespaces/kubealive/deployments/frontend-daemon"
PODS = f"{NAMESPACE}/pods"
NODES = "/api/v1/nodes"
ENFORCE = "pod-security.kubernetes.io/enforce"
WANTED = Wanted(experiments=("daemon",))


def looks(cluster: FakeCluster) -> list[dict[str, Any]]:
    """The pods that were made to look, as they were asked for."""
    return [body for path, body in cluster.bodies if path == PODS and body is not None]


def port_of(cluster: FakeCluster) -> int:
    (container,) = cluster.objects[DAEMON]["spec"]["template"]["spec"]["containers"]
    return int(next(port["hostPort"] for port in container["ports"] if "hostPort" in port))


def policy(cluster: FakeCluster) -> str:
    return str(cluster.objects[NAMESPACE]["metadata"]["labels"][ENFORCE])


async def fails(cluster: FakeCluster, wanted: Wanted = WANTED) -> tuple[list[Step], str]:
    """What `up` told, and the sentence that it ended with."""
    steps: list[Step] = []
    clock = FakeClock(cluster.run_controllers)
    with pytest.raises(NotReadyError) as caught:
        await collect(up(cluster, wanted, clock=clock), steps)
    return steps, str(caught.value)


async def test_a_free_port_is_taken_after_every_node_was_asked() -> None:
    """One short-lived pod asks all nodes at the port, and is gone before anything takes it."""
    cluster = FakeCluster()
    steps = await bring_up(cluster, WANTED)
    (pod,) = looks(cluster)
    assert pod["spec"]["containers"][0]["args"] == [f"node-{n}=10.0.0.{n}=8080" for n in range(1, 4)]
    assert not [path for path in cluster.objects if path.startswith(PODS)]
    assert port_of(cluster) == 8080
    asked = next(
        step for step in steps if step.kind is StepKind.CHECKED and step.subject == "daemonset/knowingnoded"
    )
    assert asked.text == "port 8080 is free: nothing answers there on 3 nodes"


async def test_a_port_that_answers_is_left_alone() -> None:
    """The DaemonSet is not made, the rest is, and the sentence says where, and how to take another port."""
    cluster = FakeCluster()
    cluster.answering = ("node-2", "node-3")
    steps, words = await fails(cluster)
    assert DAEMON not in cluster.objects
    assert FRONTEND in cluster.objects
    assert "something answers already at port 8080 of node-2, node-3" in words
    (trouble,) = [step for step in steps if step.kind is StepKind.TROUBLE]
    assert trouble.advice == "`kubealive up daemon --host-port PORT` takes another port"


async def test_another_port_is_asked_for_and_taken() -> None:
    """The port chosen is the one that the nodes are asked at and that the pods take."""
    cluster = FakeCluster()
    await bring_up(cluster, Wanted(experiments=("daemon",), host_port=9090))
    assert looks(cluster)[0]["spec"]["containers"][0]["args"][0] == "node-1=10.0.0.1=9090"
    assert port_of(cluster) == 9090


async def test_an_installed_port_is_kept_and_not_asked_again() -> None:
    """Its own pods answer there; asking would find them."""
    cluster = FakeCluster()
    await bring_up(cluster, Wanted(experiments=("daemon",), host_port=9090))
    cluster.answering = ("node-1",)
    steps = await bring_up(cluster, WANTED)
    assert len(looks(cluster)) == 1
    assert port_of(cluster) == 9090
    assert StepKind.CHANGED not in {step.kind for step in steps}


async def test_a_refused_change_keeps_the_installed_port() -> None:
    """Where the other port is taken, the pods stay at the one they have."""
    cluster = FakeCluster()
    await bring_up(cluster, WANTED)
    cluster.answering = ("node-1",)
    await fails(cluster, Wanted(experiments=("daemon",), host_port=9090))
    assert port_of(cluster) == 8080


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        pytest.param(("GET", NODES), "nodes is forbidden", id="nodes may not be listed"),
        pytest.param(("POST", PODS), "nodes is forbidden", id="the pod may not be made"),
    ],
)
async def test_what_cannot_be_asked_is_not_taken(failing: tuple[str, str], words: str) -> None:
    """Not knowing is no leave: the port is left alone, and the reason said."""
    cluster = FakeCluster()
    cluster.failing[failing] = ApiError(403, "Forbidden", "nodes is forbidden")
    steps, sentence = await fails(cluster)
    assert "is not known" in sentence
    assert words in sentence
    assert DAEMON not in cluster.objects
    assert steps


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(
            {
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ErrImageNeverPull"}}, "image": "localhost/x:1"}
                ]
            },
            "image localhost/x:1 is not on",
            id="without its image",
        ),
        pytest.param({}, "did not end within 60 s", id="that never ends"),
        pytest.param(
            {"containerStatuses": [{"state": {"terminated": {"exitCode": 1, "message": "Traceback: oh"}}}]},
            "ended with exit code 1: Traceback: oh",
            id="that breaks",
        ),
        pytest.param(
            {"containerStatuses": [{"state": {"terminated": {"exitCode": 9}}}]},
            "something answers already at port 8080 of some node",
            id="that found something and cannot say where",
        ),
    ],
)
async def test_a_look_that_fails_takes_nothing(status: dict[str, Any], words: str) -> None:
    """A pod that cannot look leaves the port unknown, and is cleared away all the same."""

    class Stuck(FakeCluster):
        def _post(self, path: str, query: Any, body: Any) -> Any:
            made = super()._post(path, query, body)
            if body.get("kind") == "Pod":
                made["status"] = status
            return made

    cluster = Stuck()
    _, sentence = await fails(cluster)
    assert words in sentence
    assert DAEMON not in cluster.objects
    assert not [path for path in cluster.objects if path.startswith(PODS)]


async def test_the_namespace_goes_on_admitting_what_is_installed() -> None:
    """An `up` of something else does not tighten the policy under the hostPort; without it, it does."""
    cluster = FakeCluster()
    await bring_up(cluster, WANTED)
    assert policy(cluster) == "privileged"
    await bring_up(cluster, Wanted(experiments=("balance",)))
    assert policy(cluster) == "privileged"
    del cluster.objects[DAEMON]
    await bring_up(cluster, Wanted(experiments=("balance",)))
    assert policy(cluster) == "restricted"
