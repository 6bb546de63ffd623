"""Projections of real objects, as recorded from a cluster of Kubernetes 1.34."""

import json
from typing import Any

import msgspec
import pytest

from kubealive.v1 import facts_pb2, state_pb2
from kubealive_agent.kube import RESOURCES
from kubealive_agent.kube import _raw as raw
from kubealive_agent.kube._project_pod import project_pod
from tests.agent.kube.fakes import load

CASES: dict[str, Any] = {each["case"]: each["pod"] for each in load("pod_status.json")}
OBJECTS: dict[str, Any] = load("objects.json")


def project(name: str, resource: str, **changes: Any) -> Any:
    """Project a recorded object; `changes` replace parts of it, by dotted path with __ for the dot."""
    table = next(each for each in RESOURCES if each.name == resource)
    thing = json.loads(json.dumps(OBJECTS[name]))
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = thing
        for parent in parents:
            part = part[parent]
        part[last] = value
    return table.project(msgspec.convert(thing, table.type))


def project_case(name: str) -> state_pb2.Pod:
    """Project a pod of the recorded STATUS table."""
    return project_pod(msgspec.convert(CASES[name], raw.Pod))


def test_a_pod_keeps_the_ports_it_takes_of_its_node() -> None:
    """Of all containers; a port that stays inside the pod is none."""
    ports = [{"containerPort": 1}, {"containerPort": 2, "hostPort": 8080}]
    pod = project("pod", "pods", spec__containers=[{"name": "a", "ports": ports}, {"name": "b"}])

    assert list(pod.host_ports) == [8080]


def test_pod() -> None:
    """A pod keeps its identity, place, owner and volumes."""
    pod = project("pod", "pods")
    assert (pod.name, pod.experiment, pod.status, pod.ready) == ("db-0", "fixtures", "Running", True)
    assert (pod.owner_name, pod.owner_kind) == ("db", state_pb2.KIND_STATEFUL_SET)
    assert (pod.hostname, pod.subdomain, list(pod.claims)) == ("db-0", "db", ["data-db-0"])
    assert (pod.image, pod.grace_seconds) == ("localhost/python-base:1", 1)
    assert not pod.HasField("deletion_us")
    assert not pod.HasField("cpu_request_millis")
    (container,) = pod.containers
    assert (container.name, container.state, container.ready) == ("app", state_pb2.Container.STATE_RUNNING, True)
    assert container.started_us % 1_000_000 == 0


def resources(cpu: str | None, memory: str | None) -> dict[str, Any]:
    given = {
        "requests": {"cpu": cpu, "memory": "16Mi"} if cpu else {},
        "limits": {"memory": memory, "cpu": "1"} if memory else {},
    }
    return {"name": "c", "image": "i", "resources": given}


@pytest.mark.parametrize(
    ("containers", "cpu", "memory"),
    [
        ([resources("250m", "64Mi")], 250, 64 << 20),
        ([resources("250m", "64Mi"), resources("1", "1Gi")], 1250, (64 << 20) + (1 << 30)),
        ([resources("250m", "64Mi"), resources(None, None)], None, None),
        ([], None, None),
    ],
    ids=["one", "sum", "one-without", "none"],
)
def test_requests_of_a_pod(containers: list[dict[str, Any]], cpu: int | None, memory: int | None) -> None:
    """Requests and limits add up, and are unknown as soon as one container has none."""
    pod = project("pod", "pods", spec__containers=containers)
    assert (pod.cpu_request_millis if pod.HasField("cpu_request_millis") else None) == cpu
    assert (pod.memory_limit_bytes if pod.HasField("memory_limit_bytes") else None) == memory
    least, most = len(containers) * (16 << 20), len(containers) * 1000
    assert (pod.memory_request_bytes if pod.HasField("memory_request_bytes") else None) == (cpu and least)
    assert (pod.cpu_limit_millis if pod.HasField("cpu_limit_millis") else None) == (memory and most)


@pytest.mark.parametrize(
    ("labels", "annotations", "kept", "left_out"),
    [
        ({"kubealive.dev/experiment": "downward"}, {"motto": "know thyself"}, {"motto": "know thyself"}, False),
        ({"kubealive.dev/experiment": "downward"}, None, {}, False),
        ({"kubealive.dev/experiment": "downward"}, {"page": "x" * 5000}, {}, True),
        ({}, {"motto": "know thyself"}, {}, False),
    ],
    ids=["told", "none", "too large", "no experiment's"],
)
def test_annotations_of_a_pod(
    labels: dict[str, str], annotations: dict[str, str] | None, kept: dict[str, str], *, left_out: bool
) -> None:
    """Those of an experiment's pod are told while they are small, and it is said when they are not."""
    pod = project("pod", "pods", metadata__labels=labels, metadata__annotations=annotations)
    assert (dict(pod.annotations), pod.annotations_left_out) == (kept, left_out)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("unschedulable: Pending", "didn't match Pod's node affinity"),
        ("image-pull: ImagePullBackOff", "Back-off pulling image"),
        ("crash-loop: CrashLoopBackOff", "back-off"),
        ("evicted: Evicted", "The node was low on resource: memory."),
        ("running: Running", ""),
    ],
)
def test_message_of_a_pod(case: str, words: str) -> None:
    """Why a pod does not run is said in the words of scheduler, kubelet or API."""
    message = project_case(case).message
    assert words in message
    assert bool(words) == bool(message)


def test_deleting_pod() -> None:
    """A pod that is being deleted says until when, and with which grace."""
    pod = project_case("terminating: Terminating")
    assert pod.deletion_us > pod.created_us
    assert pod.grace_seconds == 600


def test_cause_of_a_restart() -> None:
    """How the run before ended comes from the container's last state."""
    pod = project_case("restarted: Running")
    end = pod.containers[0].last_termination
    assert (end.reason, end.exit_code, pod.restarts) == ("Error", 7, 1)
    assert pod.last_restart_us == end.finished_us


def test_deployment() -> None:
    """A Deployment keeps numbers, strategy as written, plain environment and the declared preStop sleep."""
    web = project("deployment", "deployments")
    assert (web.kind, web.revision, web.strategy) == (state_pb2.KIND_DEPLOYMENT, 1, "RollingUpdate")
    assert (web.max_surge, web.max_unavailable, web.progress_deadline_seconds) == ("1", "0%", 600)
    assert (web.pre_stop_seconds, dict(web.environment)) == (5, {"VERSION": "1", "EMPTY": ""})
    assert (web.container, web.readiness_probe) == ("app", True)
    assert {condition.type for condition in web.conditions} == {"Progressing", "Available"}
    assert web.conditions[0].changed_us > 0


@pytest.mark.parametrize(
    ("name", "resource", "numbers"),
    [
        ("deployment", "deployments", (1, 1, 1, 1, 1)),
        ("replicaset", "replicasets", (1, 1, 0, 1, 1)),
        ("statefulset", "statefulsets", (1, 1, 1, 1, 1)),
        ("daemonset", "daemonsets", (3, 3, 3, 3, 3)),
    ],
)
def test_numbers_of_workloads(name: str, resource: str, numbers: tuple[int, ...]) -> None:
    """Desired, current, updated, ready and available have one meaning for all four."""
    one = project(name, resource)
    assert (one.desired, one.current, one.updated, one.ready, one.available) == numbers


def test_scaled_to_nothing() -> None:
    """Zero replicas are zero, while none given are one."""
    assert project("deployment", "deployments", spec__replicas=0).desired == 0
    assert project("deployment", "deployments", spec__replicas=None).desired == 1


def test_slice() -> None:
    """A slice names its Service, and its entries the pods."""
    each = project("slice", "endpointslices")
    assert (each.service, each.ports[0].port) == ("web", 8080)
    assert each.endpoints[0].pod_name.startswith("web-")
    assert each.endpoints[0].ready


@pytest.mark.parametrize(
    ("conditions", "meaning"),
    [
        ({}, (True, True, False)),
        ({"ready": None, "serving": None, "terminating": None}, (True, True, False)),
        ({"ready": False}, (False, False, False)),
        ({"ready": False, "serving": True, "terminating": True}, (False, True, True)),
    ],
    ids=["left-out", "null", "serving-follows-ready", "draining"],
)
def test_conditions_of_an_endpoint(conditions: dict[str, Any], meaning: tuple[bool, bool, bool]) -> None:
    """What is left out means what the API documents: ready, and serving as ready."""
    entry = {"addresses": ["10.0.0.1"], "conditions": conditions}
    (endpoint,) = project("slice", "endpointslices", endpoints=[entry]).endpoints
    assert (endpoint.ready, endpoint.serving, endpoint.terminating) == meaning


def test_slice_of_nothing() -> None:
    """Go writes empty endpoints and ports as null."""
    each = project("slice", "endpointslices", endpoints=None, ports=None)
    assert (len(each.endpoints), len(each.ports)) == (0, 0)


def test_services() -> None:
    """A Service keeps its ports with targets as written; a headless one says so."""
    web, db = project("service", "services"), project("headless", "services")
    assert (web.type, web.external_traffic_policy, dict(web.selector)) == ("NodePort", "Local", {"app": "web"})
    assert (web.ports[0].port, web.ports[0].target, web.ports[0].node_port >= 30000) == (80, "8080", True)
    assert (db.cluster_ip, db.publish_not_ready) == ("None", True)


def test_autoscaler() -> None:
    """An autoscaler keeps CPU utilisation, its target and the scale-down window."""
    web = project("horizontalpodautoscaler", "horizontalpodautoscalers")
    assert (web.target_name, web.min_replicas, web.max_replicas) == ("web", 1, 4)
    assert (web.target_utilization, web.scale_down_window_seconds) == (50, 60)
    assert web.HasField("current_utilization")


def test_autoscaler_without_a_metric() -> None:
    """No metric yet is unknown, not zero."""
    web = project("horizontalpodautoscaler", "horizontalpodautoscalers", status__currentMetrics=None)
    assert not web.HasField("current_utilization")


@pytest.mark.parametrize(
    ("status", "word"), [("True", "Ready"), ("False", "NotReady"), ("Unknown", "Unknown"), (None, "Unknown")]
)
def test_state_of_a_node(status: str | None, word: str) -> None:
    """A node is what its Ready condition says, and unknown without one."""
    given = [] if status is None else [{"type": "Ready", "status": status}]
    node = project("node", "nodes", status__conditions=given)
    assert (node.name, node.state) == ("node-1", word)
    assert node.internal_ip
    assert node.cpu_capacity_millis % 1000 == 0


def test_claim() -> None:
    """A bound claim says where and how large."""
    claim = project("persistentvolumeclaim", "persistentvolumeclaims")
    assert (claim.phase, claim.capacity_bytes) == ("Bound", 16 << 20)
    assert (bool(claim.storage_class), bool(claim.volume)) == (True, True)


@pytest.mark.parametrize(
    ("name", "reason", "component", "grain"),
    [
        ("event-scheduled", "Scheduled", "default-scheduler", 1),
        ("event-kubelet", "BackOff", "kubelet", 1_000_000),
    ],
)
def test_event(name: str, reason: str, component: str, grain: int) -> None:
    """Events of both ages of the API give time, component and object."""
    event: facts_pb2.KubeEvent = project(name, "events")
    assert (event.reason, event.component, event.object_kind) == (reason, component, "Pod")
    assert event.happened_us > 0
    assert event.happened_us % grain == 0
    assert event.object_uid
    assert event.count >= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"status__capacity": {"cpu": "many"}},
        {"status__capacity": {"memory": "-1"}},
    ],
    ids=["no-quantity", "negative"],
)
def test_odd_values_are_refused(changes: dict[str, Any]) -> None:
    """A value that the API does not allow raises ValueError, which the reflector counts."""
    with pytest.raises(ValueError, match=r"."):
        project("node", "nodes", **changes)
