"""Deployment → Service on a real cluster: a call by name beside kubectl and a pod's resolver."""

import json

import pytest

from kubealive_tui.experiments._names import is_now
from kubealive_tui.experiments.service._view import app_of, calls_since, frontend, hop_of
from kubealive_tui.model import CallResult, Outcome
from kubealive_tui.store import Store
from tests.e2e.harness import NAMESPACE, kubectl, pods, viewer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("installed")]

# kube-proxy follows a change of policy or backends within 1.1 s: a call before that is of the time before.
SETTLED_US = 2_000_000
LOOK_UP = "import socket; print(sorted({a[4][0] for a in socket.getaddrinfo('backend', 80, socket.AF_INET)}))"


def of_now(store: Store) -> list[CallResult] | None:
    """The newest call of each ready node's port, once all are of now: the journal tells of earlier ones too."""
    latest = [store.answers("service").call(node.name) for node in store.nodes() if node.state == "Ready"]
    since = max([calls_since(store), *(p.created_us for u in store.pods("service") if (p := store.pod(u)))])
    fresh = [one.body for one in latest if one and is_now(one, store.now_us) and one.at_us > since + SETTLED_US]
    return fresh if len(fresh) == len(latest) > 0 else None


async def test_a_call_by_name_is_what_others_see() -> None:
    """Records, address, pod and node are those of kubectl and of the pod's own resolver; ready nodes answer."""
    async with viewer("service") as seen:

        def whole() -> bool | None:
            return sum(app_of(pod) == "backend" for pod in seen.ready_pods()) == 3 or None

        await seen.until("three backends", whole, within=60)
        pod = await seen.until("a frontend", lambda: frontend(seen.store), within=30)
        hop = await seen.until(
            "a call", lambda: (found := hop_of(seen.store, pod)) and (found if found.ok else None), within=20
        )
        calls = await seen.until("every ready node", lambda: of_now(seen.store), within=20)

    service = json.loads(kubectl("-n", NAMESPACE, "get", "service", "backend", "-o", "json"))["spec"]
    said = kubectl("-n", NAMESPACE, "exec", pod.name, "--", "python3", "-c", LOOK_UP)
    backends = {p["metadata"]["name"]: p["spec"]["nodeName"] for p in pods("service")}
    assert hop.a is not None
    assert [record[2] for record in hop.srv.records] == [80]
    assert list(hop.a.records) == [service["clusterIP"]]
    assert said.strip() == str([service["clusterIP"]])
    assert backends[hop.pod] == hop.node
    assert calls
    assert {call.port for call in calls} == {service["ports"][0]["nodePort"]}
    assert all(call.outcome is Outcome.OK and backends[call.pod_name] == call.node for call in calls)
