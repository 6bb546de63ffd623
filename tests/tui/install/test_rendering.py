import dataclasses
import shutil
from pathlib import Path

import pytest

from kubealive_tui.errors import UsageError
from kubealive_tui.install import Manifest, ManifestError, Wanted, _manifests, experiments, render


def by_ref(wanted: Wanted) -> dict[str, Manifest]:
    return {manifest.ref: manifest for manifest in render(wanted)}


def test_default_is_what_the_files_say() -> None:
    """Without a choice the objects are those of the repository, in the namespace of the kustomization."""
    objects = by_ref(Wanted())
    assert objects["deployment/getip"].body["metadata"]["namespace"] == "kubealive"
    assert "clusterrole/kubealive-agent:kubealive" in objects
    assert objects["rolebinding/kubealive-agent"].body["subjects"][0]["namespace"] == "kubealive"


def test_order_lets_each_object_find_what_it_needs() -> None:
    """The namespace comes first, workloads come late, and last what scales them."""
    kinds = [manifest.kind.name for manifest in render(Wanted())]
    assert kinds[0] == "Namespace"
    assert kinds.index("ServiceAccount") < kinds.index("Deployment")
    assert kinds.index("Service") < kinds.index("Deployment")
    last = kinds.index("HorizontalPodAutoscaler")
    assert set(kinds[kinds.index("Deployment") : last]) <= {"Deployment", "StatefulSet", "DaemonSet"}
    assert set(kinds[last:]) == {"HorizontalPodAutoscaler"}


def test_namespace_reaches_every_place_that_names_it() -> None:
    """A second install shares no object with the first."""
    first = {manifest.path for manifest in render(Wanted())}
    second = render(Wanted(namespace="class-7"))
    assert first.isdisjoint(manifest.path for manifest in second)
    objects = by_ref(Wanted(namespace="class-7"))
    binding = objects["clusterrolebinding/kubealive-agent:class-7"].body
    assert binding["roleRef"]["name"] == "kubealive-agent:class-7"
    assert binding["subjects"][0]["namespace"] == "class-7"
    assert objects["namespace/class-7"].body["metadata"]["name"] == "class-7"


@pytest.mark.parametrize(
    ("registry", "tag", "agent", "workload"),
    [
        ("localhost/kubealive", "0.9.0", "localhost/kubealive/agent:0.9.0", "localhost/kubealive/workload:v1"),
        ("reg.example:5000/x", "1", "reg.example:5000/x/agent:1", "reg.example:5000/x/workload:v1"),
        ("reg.example/x/", "1", "reg.example/x/agent:1", "reg.example/x/workload:v1"),
    ],
    ids=["tag", "registry with a port", "slash at the end"],
)
def test_images(registry: str, tag: str, agent: str, workload: str) -> None:
    """The registry is chosen for all images, the tag for the agent's only."""
    objects = by_ref(Wanted(registry=registry, tag=tag))
    images = {
        ref: objects[ref].body["spec"]["template"]["spec"]["containers"][0]["image"]
        for ref in ("deployment/kubealive-agent", "deployment/getip")
    }
    assert images == {"deployment/kubealive-agent": agent, "deployment/getip": workload}


def test_no_experiment_leaves_the_agent() -> None:
    """An empty choice is the agent alone, and None is everything."""
    assert {manifest.experiment for manifest in render(Wanted(experiments=()))} == {""}
    assert {manifest.experiment for manifest in render(Wanted())} == {"", *experiments()}


def test_unknown_experiment_is_named_with_the_known_ones() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(UsageError, match=r"no experiment 'balanse'; there are: balance"):
        render(Wanted(experiments=("balanse",)))


@pytest.mark.parametrize(
    ("namespace", "words"),
    [
        ("Kube", "cannot exist"),
        ("", "cannot exist"),
        ("a" * 64, "cannot exist"),
        ("-a", "cannot exist"),
        ("default", "the cluster's own"),
        ("kube-system", "the cluster's own"),
    ],
    ids=["capitals", "empty", "too long", "dash first", "default", "kube-system"],
)
def test_namespace_that_cannot_be(namespace: str, words: str) -> None:
    """A namespace that is none, or not one to experiment in, is refused before anything is asked."""
    with pytest.raises(UsageError, match=words):
        Wanted(namespace=namespace)


def test_rendering_leaves_the_next_one_alone() -> None:
    """What one rendering gave can be changed without the next one seeing it."""
    wanted = Wanted()
    render(wanted)[0].body["metadata"]["name"] = "spoiled"
    assert render(dataclasses.replace(wanted))[0].body["metadata"]["name"] == "kubealive"


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay the manifests out as the wheel carries them."""
    monkeypatch.setattr(_manifests, "files", lambda package: tmp_path)
    return Path(shutil.copytree(Path(__file__).parents[3] / "manifests", tmp_path / "_manifests"))


def test_wheel_carries_the_manifests(packaged: Path) -> None:
    """Outside a checkout the copy in the wheel is read."""
    (packaged / "balance/service.yaml").write_text((packaged / "agent/serviceaccount.yaml").read_text())
    assert "service/getip" not in by_ref(Wanted())


def test_kustomization_that_asks_for_more_is_refused(packaged: Path) -> None:
    """A feature that `up` would leave out is an error, and not a difference between the two ways to install."""
    with (packaged / "balance/kustomization.yaml").open("a") as kustomization:
        kustomization.write("namePrefix: x-\n")
    with pytest.raises(ManifestError, match=r"balance/kustomization\.yaml uses namePrefix"):
        render(Wanted())


def test_kind_outside_the_table_is_refused(packaged: Path) -> None:
    """A kind that has no path here is named with those that have one."""
    (packaged / "balance/service.yaml").write_text("{kind: Gateway, apiVersion: v9, metadata: {name: x}}")
    with pytest.raises(ManifestError, match=r"a Gateway of v9; known are Namespace \(v1\)"):
        render(Wanted())


@pytest.mark.parametrize(
    ("names", "level"),
    [
        pytest.param(None, "privileged", id="everything"),
        pytest.param(("balance", "state"), "restricted", id="without the hostPort"),
        pytest.param(("daemon",), "privileged", id="the hostPort alone"),
    ],
)
def test_namespace_enforces_what_the_experiments_meet(names: tuple[str, ...] | None, level: str) -> None:
    """Only the experiment that takes a port of its node asks for more than `restricted` admits."""
    namespace = by_ref(Wanted(experiments=names))["namespace/kubealive"].body
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == level


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_cannot_be_is_refused(port: int) -> None:
    """The sentence names the port and the ones that can be."""
    with pytest.raises(UsageError, match=f"port {port} cannot be: use 1 to 65535"):
        Wanted(host_port=port)
