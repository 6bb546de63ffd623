"""Deployment to Service on a real cluster: the check, and a call by name beside kubectl and a pod's resolver."""

import json

import pytest

from kubealive_tui.experiments.service._view import app_of, frontend, hop_of
from kubealive_tui.model import Outcome
from tests.e2e.harness import NAMESPACE, kubealive, kubectl, pods, viewer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("installed")]

LOOK_UP = "import socket; print(sorted({a[4][0] for a in socket.getaddrinfo('backend', 80, socket.AF_INET)}))"


def test_the_check_passes() -> None:
    """`kubealive check service --json` exits 0 with a passed verdict, and leaves everything as it was."""
    done = kubealive("check", "service", "-n", NAMESPACE, "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    verdict = json.loads(done.stdout)["experiments"]["service"]
    assert verdict["verdict"] == "passed", verdict
    policy = kubectl("-n", NAMESPACE, "get", "service", "backend", "-o", "jsonpath={.spec.externalTrafficPolicy}")
    replicas = kubectl("-n", NAMESPACE, "get", "deployment", "backend", "-o", "jsonpath={.spec.replicas}")
    assert (policy, replicas) == ("Cluster", "3")


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
        answers = seen.store.answers("service")
        await seen.until("every node", lambda: len(answers.calls()) == len(seen.store.nodes()) or None, within=20)
        ready = {node.name for node in seen.store.nodes() if node.state == "Ready"}
        calls = [latest.body for name, latest in answers.calls().items() if name in ready]

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
