"""The objects of an install, read from the same YAML that `kubectl apply -k` reads.

Rendering changes what an installation may choose (namespace, registry, the agent's tag) and nothing else;
a kustomization that asks for more than a namespace and a list of files is refused, so that the two ways of
installing cannot drift apart unnoticed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from kubealive import __version__
from kubealive_tui.errors import UsageError
from kubealive_tui.hints import DEFAULT_NAMESPACE

from ._errors import ManifestError
from ._kinds import AGENT, EXPERIMENT_LABEL, WORKLOADS, Kind, kind_of, labels_of, place

AGENT_FOLDER = "agent"
LOCAL_REGISTRY = "localhost/kubealive"
_FORBIDDEN_NAMESPACES = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
POLICY_LABEL = "pod-security.kubernetes.io/enforce"
# `restricted`, as the namespace's file says, and `baseline` refuse every pod that takes a port of its node.
_OPEN_POLICY = "privileged"
_KUSTOMIZATION_KEYS = {"apiVersion", "kind", "namespace", "resources"}
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the user wants installed: where, which experiments (None: all), and from which images.

    `host_port` is the port of the nodes that an experiment takes; None keeps the installed one, or its file's.
    """

    namespace: str = DEFAULT_NAMESPACE
    experiments: tuple[str, ...] | None = None
    registry: str = LOCAL_REGISTRY
    tag: str = __version__
    host_port: int | None = None

    def __post_init__(self) -> None:
        check_namespace(self.namespace)
        if self.host_port is not None and not 0 < self.host_port < 65536:
            raise UsageError(f"port {self.host_port} cannot be: use 1 to 65535")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object, ready to be applied. `experiment` is empty for the agent's own objects."""

    kind: Kind
    namespace: str
    name: str
    experiment: str
    body: dict[str, Any]

    @property
    def path(self) -> str:
        """The object's path in the API."""
        return self.kind.path(self.namespace, self.name)

    @property
    def ref(self) -> str:
        """The object as kubectl calls it, `deployment/getip`."""
        return f"{self.kind.name.lower()}/{self.name}"


def check_namespace(namespace: str) -> None:
    """Raise UsageError for a name that no namespace can have, or that is not one for experiments."""
    if not _DNS_LABEL.fullmatch(namespace):
        raise UsageError(
            f"namespace {namespace!r} cannot exist: use at most 63 of a-z, 0-9 and '-', "
            "beginning and ending with a letter or digit"
        )
    if namespace in _FORBIDDEN_NAMESPACES:
        raise UsageError(
            f"namespace {namespace} is the cluster's own: give the experiments one of theirs, "
            f"such as --namespace {DEFAULT_NAMESPACE}"
        )


def check_experiments(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise UsageError for a name that is not among the known ones."""
    for name in names:
        if name not in known:
            raise UsageError(f"there is no experiment {name!r}; there are: {', '.join(known)}")


def experiments() -> tuple[str, ...]:
    """Return the names of all experiments that have manifests: each folder beside the agent's is one."""
    folders = (entry for entry in _root().iterdir() if (entry / "kustomization.yaml").is_file())
    return tuple(sorted(entry.name for entry in folders if entry.name != AGENT_FOLDER))


def render(wanted: Wanted) -> tuple[Manifest, ...]:
    """Return the objects of the agent and of the experiments wanted, in the order of applying.

    Raises UsageError for an experiment that does not exist.
    """
    known = experiments()
    asked = known if wanted.experiments is None else wanted.experiments
    check_experiments(asked, known)
    chosen = [AGENT_FOLDER, *(name for name in known if name in asked)]
    manifests = [_manifest(body, wanted) for folder in chosen for body in _bodies(folder)]
    if any(True for manifest in manifests for _ in host_ports(manifest.body)):
        manifests = [with_policy(m, _OPEN_POLICY) if m.kind.name == "Namespace" else m for m in manifests]
    return tuple(sorted(manifests, key=lambda manifest: place(manifest.kind)))


def host_ports(body: Mapping[str, Any]) -> Iterator[int]:
    """Ports of the nodes that a workload's pods take."""
    for container in _containers(body):
        yield from (port["hostPort"] for port in container.get("ports", ()) if "hostPort" in port)


def with_host_port(manifest: Manifest, port: int) -> Manifest:
    """The workload with this port of the nodes in the place of its own."""
    body = deepcopy(manifest.body)
    for container in _containers(body):
        for each in container.get("ports", ()):
            if "hostPort" in each:
                each["hostPort"] = port
    return replace(manifest, body=body)


def with_policy(namespace: Manifest, level: str) -> Manifest:
    """The namespace with this level of Pod Security enforced."""
    body = deepcopy(namespace.body)
    body["metadata"]["labels"][POLICY_LABEL] = level
    return replace(namespace, body=body)


def workload_kinds(manifests: Sequence[Manifest]) -> tuple[Kind, ...]:
    """Return the kinds among the manifests that make pods."""
    return tuple(kind for kind in WORKLOADS if any(manifest.kind == kind for manifest in manifests))


def cluster_name(namespace: str) -> str:
    """Return the name that the install's cluster-wide objects carry, so that installs do not share one."""
    return f"{AGENT}:{namespace}"


def _root() -> Traversable:
    packaged = files("kubealive_tui") / "_manifests"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).parents[3] / "manifests"
    if checkout.is_dir():
        return checkout
    raise ManifestError(f"the manifests are missing from {packaged}: install kubealive anew")


def _resources(folder: Traversable) -> Sequence[str]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    unknown = sorted(kustomization.keys() - _KUSTOMIZATION_KEYS)
    if unknown:
        raise ManifestError(
            f"{folder.name}/kustomization.yaml uses {', '.join(unknown)}, which `kubealive up` does not apply"
        )
    resources: list[str] = kustomization["resources"]
    return resources


def _bodies(folder: str) -> Iterator[dict[str, Any]]:
    place = _root() / folder
    for name in _resources(place):
        yield yaml.safe_load((place / name).read_text(encoding="utf-8"))


def _manifest(body: dict[str, Any], wanted: Wanted) -> Manifest:
    body, kind = deepcopy(body), kind_of(body)
    metadata = body["metadata"]
    if kind.name == "Namespace":
        metadata["name"] = wanted.namespace
    elif kind.namespaced:
        metadata["namespace"] = wanted.namespace
    else:
        metadata["name"] = cluster_name(wanted.namespace)
    for subject in body.get("subjects", ()):
        subject["namespace"] = wanted.namespace
    if kind.name == "ClusterRoleBinding":
        body["roleRef"]["name"] = cluster_name(wanted.namespace)
    for container in _containers(body):
        container["image"] = _image(container["image"], wanted)
    experiment = labels_of(body).get(EXPERIMENT_LABEL, "")
    return Manifest(kind, wanted.namespace, metadata["name"], experiment, body)


def _containers(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    pod = body.get("spec", {}).get("template", {}).get("spec", {})
    yield from pod.get("initContainers", ())
    yield from pod.get("containers", ())


def _image(image: str, wanted: Wanted) -> str:
    """Only the agent's tag is chosen: a workload's tag is the version that its experiment shows."""
    name, _, tag = image.removeprefix(f"{LOCAL_REGISTRY}/").partition(":")
    return f"{wanted.registry.rstrip('/')}/{name}:{wanted.tag if name == AGENT_FOLDER else tag}"
