"""The DaemonSet on a real cluster: a kill beside kubectl, a port that is taken, a node that is lost."""

import json
from collections.abc import Callable

import pytest

from kubealive_tui.experiments.daemon._spots import node_port, spots
from kubealive_tui.model import Act, DeletePod, Ending
from tests.e2e.caller import caller
from tests.e2e.harness import HOST_PORT, NAMESPACE, Viewer, kubealive, kubectl, viewer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.usefixtures("installed")]

# Both ask several times a second, and a connect that meets nobody takes up to a second.
CLOSE_S = 1.3
ELSEWHERE = "kubealive-e2e-port"


def by_node() -> dict[str, tuple[str, str]]:
    """Name and address of the DaemonSet's pod on each node, as kubectl has them."""
    selector = "app.kubernetes.io/name=knowingnoded"
    found = json.loads(kubectl("-n", NAMESPACE, "get", "pods", "-l", selector, "-o", "json"))["items"]
    return {p["spec"]["nodeName"]: (p["metadata"]["name"], p["status"]["podIP"]) for p in found}


async def served(seen: Viewer, *, within: float) -> None:
    """Wait until every node has a pod that serves and answers at the node's port itself."""

    def look() -> bool | None:
        answers = seen.store.answers("daemon")
        calls = [(place, answers.call(place.name)) for place in spots(seen.store)]
        fresh = [call is not None and call.body.pod_uid == place.uid and place.serving for place, call in calls]
        return (bool(fresh) and all(fresh)) or None

    await seen.until("every node to answer at its port", look, within=within)


async def test_a_killed_pods_node_answers_again() -> None:
    """The map agrees with kubectl, and a client inside the cluster meets the new pod at the node's own port."""
    async with viewer("daemon") as seen:
        await served(seen, within=60)
        victim = next(place for place in spots(seen.store) if place.pod)
        assert victim.pod is not None
        assert victim.node is not None
        port = node_port(seen.store) or 0
        async with caller("deployment/frontend-daemon", victim.node.internal_ip, port, "/backend") as calls:
            action = await seen.ask(Act("daemon", victim.pod.uid, victim.pod.name, DeletePod()))
            run = await seen.run_of(action, within=100)
        shown = {place.name: (place.pod.name, place.pod.ip) for place in spots(seen.store) if place.pod}

    began = run.began_us / 1e6
    heir = next(call for call in calls if call.uid not in {"", victim.pod.uid})
    old = max(call.sent for call in calls if call.uid == victim.pod.uid)
    again = run.seconds("port answers again")
    assert again == pytest.approx(heir.ended - began, abs=CLOSE_S)
    assert old < heir.sent
    assert (run.ending, run.incomplete) == (Ending.COMPLETE, "")
    theirs = by_node()
    assert shown == theirs
    asks = (
        "import socket, sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), *sorted({a[4][0] "
    )
    asks += "for a in socket.getaddrinfo('knowingnoded', 80, socket.AF_INET)}))"
    url = f"http://{victim.node.internal_ip}:{port}/backend"
    said = kubectl("-n", NAMESPACE, "exec", "deployment/frontend-daemon", "--", "python3", "-c", asks, url)
    answer, addresses = said.splitlines()
    assert json.loads(answer) == {"pod": theirs[victim.name][0], "node": victim.name}
    assert sorted(addresses.split()) == sorted(address for _, address in theirs.values())


def test_a_port_that_is_taken_is_refused() -> None:
    """A second install does not take the first one's port: it says where it answers, and makes all else."""
    try:
        up = kubealive("up", "-n", ELSEWHERE, "--host-port", str(HOST_PORT), "daemon")
        assert up.returncode == 1, up.stdout + up.stderr
        assert "something answers already at port" in up.stderr
        assert kubectl("-n", ELSEWHERE, "get", "daemonsets", "-o", "name") == ""
        assert "deployment.apps/frontend-daemon" in kubectl("-n", ELSEWHERE, "get", "deployments", "-o", "name")
        assert "kubealive-look" not in kubectl("-n", ELSEWHERE, "get", "pods", "-o", "name")
    finally:
        # `down` keeps a namespace of which it cannot list every kind, as while the metrics API is away.
        kubectl("wait", "--for=condition=Available", "apiservice", "--all", "--timeout=120s")
        down = kubealive("down", "-n", ELSEWHERE, "--yes")
    assert down.returncode == 0, down.stdout + down.stderr


@pytest.mark.power
async def test_a_lost_node_is_seen_and_comes_back(machine: Callable[..., None]) -> None:
    """Without power the node's port falls silent and the node is away; with it, both are back."""
    async with viewer("daemon") as seen:
        await served(seen, within=60)
        names = [place.name for place in spots(seen.store)]
        agent = seen.store.info.downward.get("NODE_NAME", "") if seen.store.info else ""
        number = next(n for n, name in reversed(list(enumerate(names, 1))) if name != agent)
        name = names[number - 1]
        machine("node", "stop", str(number))
        try:
            await seen.until(
                "the port to fall silent",
                lambda: ((c := seen.store.answers("daemon").call(name)) and not c.body.http_status) or None,
                within=15,
            )
            await seen.until("the node to be away", lambda: _away(seen, name), within=60)
        finally:
            machine("node", "start", str(number))
        await seen.until("the node to be ready", lambda: _node_state(seen, name) == "Ready" or None, within=90)
        await served(seen, within=120)


def _node_state(seen: Viewer, name: str) -> str:
    return next((node.state for node in seen.store.nodes() if node.name == name), "absent")


def _away(seen: Viewer, name: str) -> bool | None:
    """Whether the node is said not to be ready, and its pod is not counted as serving."""
    place = next((each for each in spots(seen.store) if each.name == name), None)
    unready = _node_state(seen, name) != "Ready"
    return (place is not None and unready and not place.takes_pods and not place.serving) or None
