"""The manifests as they are in the repository, before any rendering."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import kubealive

ROOT = Path(__file__).parents[2] / "manifests"
FILES = sorted(p for p in ROOT.rglob("*.yaml") if p.name != "kustomization.yaml")
IDS = [str(p.relative_to(ROOT)) for p in FILES]
EXPERIMENTS = sorted(p.name for p in ROOT.iterdir() if p.is_dir() and p.name != "agent")
BODIES: dict[Path, dict[str, Any]] = {path: yaml.safe_load(path.read_text()) for path in FILES}
PODS = [path for path in FILES if "template" in BODIES[path].get("spec", {})]
POD_IDS = [str(p.relative_to(ROOT)) for p in PODS]
OPENING = [path for path in PODS if "hostPort" in path.read_text()]
RULES = [path for path in FILES if "rules" in BODIES[path]]
EXPERIMENT = "kubealive.dev/experiment"
POLICY = "pod-security.kubernetes.io/enforce"
PART_OF = "app.kubernetes.io/part-of"


def labels(body: dict[str, Any]) -> dict[str, str]:
    """Return an object's labels."""
    found: dict[str, str] = body["metadata"].get("labels", {})
    return found


def pod_template(path: Path) -> dict[str, Any]:
    """Return the pod template that a workload's file holds."""
    template: dict[str, Any] = BODIES[path]["spec"]["template"]
    return template


def containers(path: Path) -> list[dict[str, Any]]:
    """Return all containers of a workload's pods."""
    spec = pod_template(path)["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_file_holds_one_object_named_by_kind(path: Path) -> None:
    """A reader finds an object by its file's name."""
    assert len(list(yaml.safe_load_all(path.read_text()))) == 1
    kind = BODIES[path]["kind"].lower()
    assert path.stem == kind or path.stem.startswith(f"{kind}-")


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_namespace_is_left_to_rendering(path: Path) -> None:
    """No file fixes its namespace, so that one install a student is possible."""
    assert "namespace" not in BODIES[path]["metadata"]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_object_carries_the_product_label(path: Path) -> None:
    """`down` finds by label what it may delete."""
    assert labels(BODIES[path])[PART_OF] == "kubealive"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_experiment_label_names_the_folder(path: Path) -> None:
    """An experiment's objects say which one, and the agent's say none, so that no action reaches the agent."""
    expected = None if path.parent.name == "agent" else path.parent.name
    assert labels(BODIES[path]).get(EXPERIMENT) == expected


@pytest.mark.parametrize("folder", [ROOT, *sorted(p for p in ROOT.iterdir() if p.is_dir())], ids=lambda p: p.name)
def test_kustomization_lists_everything_beside_it(folder: Path) -> None:
    """A file that kustomize does not know would be installed by nobody."""
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    there = {p.name for p in folder.iterdir()} - {"kustomization.yaml"}
    assert set(listed) == there
    assert len(listed) == len(there)


@pytest.mark.parametrize("path", PODS, ids=POD_IDS)
def test_pod_template_carries_the_labels_of_its_owner(path: Path) -> None:
    """Pods are found by the same labels as the object that makes them."""
    assert labels(pod_template(path)) == labels(BODIES[path])


@pytest.mark.parametrize("path", PODS, ids=POD_IDS)
def test_pod_meets_pod_security_restricted(path: Path) -> None:
    """Each pod is admitted where the namespace enforces `restricted`."""
    spec = pod_template(path)["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    for container in containers(path):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert path in OPENING or not any("hostPort" in port for port in container["ports"])


def test_one_workload_takes_a_port_of_its_node() -> None:
    """That is what its experiment shows; no other needs more than `restricted` admits."""
    assert [str(path.relative_to(ROOT)) for path in OPENING] == ["daemon/daemonset.yaml"]


def test_everything_at_once_relaxes_the_namespace() -> None:
    """The namespace's own file says `restricted`; the root, which installs the hostPort too, says otherwise."""
    (patch,) = yaml.safe_load((ROOT / "kustomization.yaml").read_text())["patches"]
    assert patch["target"] == {"kind": "Namespace"}
    assert yaml.safe_load(patch["patch"]) == [
        {"op": "replace", "path": f"/metadata/labels/{POLICY.replace('/', '~1')}", "value": "privileged"}
    ]
    assert labels(BODIES[ROOT / "agent/namespace.yaml"])[POLICY] == "restricted"


@pytest.mark.parametrize("path", PODS, ids=POD_IDS)
def test_pod_takes_no_more_than_it_needs(path: Path) -> None:
    """No pod is told of other Services, and only the agent gets a token for the Kubernetes API."""
    spec = pod_template(path)["spec"]
    assert spec["enableServiceLinks"] is False
    assert spec["automountServiceAccountToken"] is (path.parent.name == "agent")
    for container in containers(path):
        assert container["imagePullPolicy"] == "IfNotPresent"
        assert "memory" in container["resources"]["limits"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("path", PODS, ids=POD_IDS)
def test_pod_is_probed_on_a_named_port(path: Path) -> None:
    """Readiness and liveness are asked, on ports that the container declares."""
    for container in containers(path):
        names = {port["name"] for port in container["ports"]}
        for probe in ("readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] in names


def selectors() -> list[tuple[str, dict[str, str]]]:
    """Return every selector of pods, with the file that holds it."""
    found = []
    for path, body in BODIES.items():
        spec = body.get("spec", {})
        match body["kind"]:
            case "Service" if spec.get("type") != "ExternalName":
                selector = spec["selector"]
            case "NetworkPolicy":
                selector = spec["podSelector"]["matchLabels"]
            case "Deployment" | "StatefulSet" | "DaemonSet":
                selector = spec["selector"]["matchLabels"]
            case _:
                continue
        found.append((str(path.relative_to(ROOT)), selector))
    return found


@pytest.mark.parametrize("selector", [s for _, s in selectors()], ids=[name for name, _ in selectors()])
def test_selector_finds_exactly_one_kind_of_pod(selector: dict[str, str]) -> None:
    """No selector dangles, and none reaches the pods of another workload."""
    found = [path for path in PODS if selector.items() <= labels(pod_template(path)).items()]
    assert len(found) == 1


def test_service_ports_are_named_by_their_pods() -> None:
    """Each Service sends to a port that its pods declare."""
    for body in BODIES.values():
        if body["kind"] != "Service" or body["spec"].get("type") == "ExternalName":
            continue
        pod = next(p for p in PODS if body["spec"]["selector"].items() <= labels(pod_template(p)).items())
        names = {port["name"] for container in containers(pod) for port in container["ports"]}
        assert {port["targetPort"] for port in body["spec"]["ports"]} <= names


@pytest.mark.parametrize("path", RULES, ids=[p.stem for p in RULES])
def test_each_rule_says_what_it_is_for(path: Path) -> None:
    """Whoever grants the rights reads a reason above each of them."""
    lines = path.read_text().splitlines()
    rules = [n for n, line in enumerate(lines) if re.match(r"  - apiGroups", line)]
    assert len(rules) == len(BODIES[path]["rules"])
    assert all(lines[n - 1].lstrip().startswith("# ") for n in rules)


def test_rights_are_those_that_are_used() -> None:
    """The agent lists and watches, deletes and patches; only undo fetches an object by its name."""
    verbs = {verb for path in RULES for rule in BODIES[path]["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch", "delete", "patch"}
    gets = [
        r for path in RULES for rule in BODIES[path]["rules"] if "get" in rule["verbs"] for r in rule["resources"]
    ]
    assert gets == ["replicasets"]


def test_agent_leaves_a_silent_node_soon() -> None:
    """There is one agent: five minutes, the default, would be five minutes without any view of the cluster."""
    tolerations = pod_template(ROOT / "agent/deployment.yaml")["spec"]["tolerations"]
    waits = {each["key"]: (each["effect"], each["tolerationSeconds"]) for each in tolerations}
    assert waits == dict.fromkeys(
        ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"), ("NoExecute", 10)
    )


def test_rights_change_nothing_but_what_a_key_changes() -> None:
    """Pods are deleted and labelled, workloads scaled, Services given a policy; Secrets are not even read."""
    writes = set()
    for path in RULES:
        for rule in BODIES[path]["rules"]:
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert "secrets" not in rule["resources"]
            writes |= {(r, v) for r in rule["resources"] for v in set(rule["verbs"]) - {"get", "list", "watch"}}
    assert writes == {
        ("pods", "delete"),
        ("pods", "patch"),
        ("services", "patch"),
        ("deployments", "patch"),
        ("deployments/scale", "patch"),
        ("statefulsets/scale", "patch"),
    }


def test_cluster_wide_objects_carry_the_namespace() -> None:
    """Two installs in one cluster do not share a ClusterRole."""
    for kind in ("clusterrole", "clusterrolebinding"):
        assert BODIES[ROOT / f"agent/{kind}.yaml"]["metadata"]["name"] == "kubealive-agent:kubealive"


def test_agent_image_is_of_this_version() -> None:
    """A release that forgot to move the agent's tag would install the older agent."""
    (container,) = containers(ROOT / "agent/deployment.yaml")
    assert container["image"] == f"localhost/kubealive/agent:{kubealive.__version__}"


def test_fault_token_is_in_no_file() -> None:
    """A token in a file would be the same in every install."""
    assert not [path for path in FILES if BODIES[path]["kind"] == "Secret"]
