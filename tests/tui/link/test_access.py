"""Which pod is dialled, and what is said where none can be."""

from typing import Any

import pytest

from kubealive_tui.errors import LinkError
from kubealive_tui.install import ApiError
from kubealive_tui.link import DeniedError, NotInstalledError
from kubealive_tui.link._access import find_agent
from tests.tui.link.fakes import pod


class Answers:
    """An API that answers each kind of path with one thing."""

    def __init__(
        self,
        pods: list[dict[str, Any]] | ApiError,
        deployment: dict[str, Any] | ApiError,
        node: dict[str, Any] | ApiError | None = None,
    ) -> None:
        self.pods, self.deployment, self.node = pods, deployment, node or MISSING

    async def request(self, method: str, path: str, **_: Any) -> Any:
        answer = {"items": self.pods} if isinstance(self.pods, list) else self.pods
        answer = self.deployment if "/deployments/" in path else answer
        answer = self.node if "/nodes/" in path else answer
        if isinstance(answer, ApiError):
            raise answer
        return answer


MISSING = ApiError(404, "NotFound", "not found")


def leaving(name: str) -> dict[str, Any]:
    found = pod(name, created="2026-03-01")
    found["metadata"]["deletionTimestamp"] = "2026-03-01T00:00:00Z"
    return found


async def test_the_newest_ready_pod_that_stays_is_dialled() -> None:
    """Not the one that is leaving, nor the one that is not ready, nor an older one."""
    pods = [
        pod("old"),
        pod("new", created="2026-02-01"),
        leaving("gone"),
        pod("later", ready=False, created="2026-04-01"),
    ]
    assert await find_agent(Answers(pods, MISSING), "n") == "new"


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    states = [{"state": {"waiting": {"reason": reason, "message": message}}}]
    return pod(ready=False, phase="Pending", containerStatuses=states)


def unschedulable() -> dict[str, Any]:
    found = pod(ready=False, phase="Pending")
    found["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "message": "0/3 nodes\nhave room"}
    ]
    return found


@pytest.mark.parametrize(
    ("pods", "deployment", "error", "sentence"),
    [
        ([], MISSING, NotInstalledError, "no agent in namespace n; install it with `kubealive up -n n`"),
        ([], ApiError(403, "Forbidden", "no"), NotInstalledError, "no agent in namespace n"),
        ([], {"spec": {"replicas": 0}}, NotInstalledError, "scaled to 0"),
        ([], {"spec": {"replicas": 1}}, LinkError, "is being replaced"),
        (
            [],
            {"status": {"conditions": [{"type": "ReplicaFailure", "message": "exceeded quota"}]}},
            LinkError,
            "cannot make its pod: exceeded quota",
        ),
        ([leaving("gone")], {"spec": {"replicas": 1}}, LinkError, "is being replaced"),
        ([waiting("ErrImageNeverPull", "gone")], MISSING, LinkError, r"ErrImageNeverPull \(gone\); put the image"),
        ([waiting("CrashLoopBackOff")], MISSING, LinkError, "CrashLoopBackOff; see `kubectl describe pod"),
        ([pod(ready=False)], MISSING, LinkError, "is coming up: not ready yet"),
        ([waiting("ContainerCreating")], MISSING, LinkError, "is coming up: ContainerCreating"),
        ([unschedulable()], MISSING, LinkError, r"Pending \(0/3 nodes have room\)"),
        (ApiError(403, "Forbidden", "pods is forbidden"), MISSING, DeniedError, "pods is forbidden"),
        (ApiError(401, "Unauthorized", "log in again"), MISSING, DeniedError, "log in again"),
        (ApiError(0, "TLS", "TLS failed"), MISSING, DeniedError, "TLS failed"),
        (ApiError(0, "Unreachable", "x cannot be reached"), MISSING, LinkError, "x cannot be reached"),
        ([], ApiError(500, "Internal", "broken"), LinkError, "broken"),
    ],
    ids=[
        "none", "no right to look", "scaled to 0", "between two", "quota", "leaving", "image", "crash", "starting",
        "creating", "unschedulable", "forbidden", "expired", "tls", "unreachable", "error",
    ],
)  # fmt: skip
async def test_why_there_is_no_agent_is_told(
    pods: Any, deployment: Any, error: type[LinkError], sentence: str
) -> None:
    """Each reason has its own sentence, and says by its type what helps against it."""
    with pytest.raises(LinkError, match=sentence) as caught:
        await find_agent(Answers(pods, deployment), "n")
    assert type(caught.value) is error


def placed(found: dict[str, Any]) -> dict[str, Any]:
    found["spec"] = {"nodeName": "node-3"}
    return found


def node(status: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": status}]}}


@pytest.mark.parametrize(
    ("found", "its_node", "sentence"),
    [
        (pod("a", ready=False), node("Unknown"), "agent pod a is on node-3, which does not answer"),
        (leaving("a"), node("Unknown"), "agent pod a cannot end, since its node node-3 does not answer"),
        (pod("a", ready=False), node("True"), "agent pod a is coming up"),
        (leaving("a"), node("True"), "is being replaced"),
        (pod("a", ready=False), ApiError(403, "Forbidden", "no"), "agent pod a is coming up"),
    ],
    ids=["lost", "lost while leaving", "node is well", "leaving a node that is well", "no right to look"],
)
async def test_a_lost_node_is_told(found: dict[str, Any], its_node: Any, sentence: str) -> None:
    """A pod on a node that does not answer neither comes up nor ends, whatever its own status says."""
    with pytest.raises(LinkError, match=sentence):
        await find_agent(Answers([placed(found)], {"spec": {"replicas": 1}}, its_node), "n")
