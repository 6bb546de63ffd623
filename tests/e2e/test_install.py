"""The life of an install on a real cluster, in a namespace of its own, and the two ways of rendering compared."""

import argparse
import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.aio import client, config

from kubealive_tui.cli import _down, _reset, _status, _up
from kubealive_tui.install import Api, Wanted, render
from kubealive_tui.link._rest import RestApi

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
NAMESPACE = "kubealive-install-test"
KUBECTL = os.environ.get("KUBECTL") or shutil.which("kubectl") or ""
GETIP = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/getip"
# A Deployment and a set with volumes; the suite's own install is of all.
UP = ("up", "balance", "state")

# What `up --namespace` does, said to kustomize.
OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {namespace}
resources: [{base}]
patches:
  - target: {{kind: ClusterRole}}
    options: {{allowNameChange: true}}
    patch: |-
      - {{op: replace, path: /metadata/name, value: "kubealive-agent:{namespace}"}}
  - target: {{kind: ClusterRoleBinding}}
    options: {{allowNameChange: true}}
    patch: |-
      - {{op: replace, path: /metadata/name, value: "kubealive-agent:{namespace}"}}
  - target: {{group: rbac.authorization.k8s.io, kind: .*Binding}}
    patch: |-
      - {{op: replace, path: /subjects/0/namespace, value: {namespace}}}
images:
  - {{name: localhost/kubealive/agent, newName: reg.example/x/agent, newTag: "9"}}
  - {{name: localhost/kubealive/workload, newName: reg.example/x/workload}}
"""


def kubectl(*words: str) -> str:
    """Run kubectl and return what it printed."""
    if not KUBECTL:
        pytest.skip("kubectl is neither in PATH nor named by KUBECTL")
    return subprocess.run([KUBECTL, *words], check=True, capture_output=True, text=True).stdout


def by_identity(bodies: Iterator[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return objects by kind and name."""
    return {(body["kind"], body["metadata"]["name"]): body for body in bodies}


def rendered(wanted: Wanted) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what `up` would apply."""
    return by_identity(manifest.body for manifest in render(wanted))


def test_rendering_equals_kustomize() -> None:
    """`kubectl apply -k manifests` and `up` apply the same objects."""
    theirs = by_identity(yaml.safe_load_all(kubectl("kustomize", str(ROOT / "manifests"))))
    assert rendered(Wanted()) == theirs


def test_rendering_elsewhere_equals_an_overlay(tmp_path: Path) -> None:
    """Another namespace and registry are an overlay of a few lines for those who use kustomize."""
    base = os.path.relpath(ROOT / "manifests", tmp_path)
    overlay = OVERLAY.format(namespace="class-7", base=base)
    (tmp_path / "kustomization.yaml").write_text(overlay, encoding="utf-8")
    theirs = by_identity(yaml.safe_load_all(kubectl("kustomize", str(tmp_path))))
    assert rendered(Wanted(namespace="class-7", registry="reg.example/x", tag="9")) == theirs


class Terminal:
    """The cluster of KUBECONFIG, and a list for what is printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextlib.asynccontextmanager
    async def api(self, args: argparse.Namespace) -> AsyncIterator[Api]:
        """Open the current context."""
        configuration = client.Configuration()
        load: Any = config.load_kube_config  # untyped in the client
        # The client itself remembers what KUBECONFIG was when it was imported.
        await load(config_file=os.environ.get("KUBECONFIG"), client_configuration=configuration)
        configuration.disable_strict_ssl_verification = True  # as clusters of older tools need it
        async with client.ApiClient(configuration) as connected:
            yield RestApi(connected)

    def context(self, args: argparse.Namespace) -> str:
        """Name the context."""
        return "the test's"

    def say(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)

    complain = say

    async def confirm(self, question: str) -> bool | None:
        """Nobody is there."""
        return None

    async def run(self, *words: str) -> int:
        """Run a command as a user would, in the test's namespace; `lines` is what it printed."""
        parser = argparse.ArgumentParser()
        subparsers = parser.add_subparsers()
        for command in (_up, _down, _reset, _status):
            command.register(subparsers)
        args = parser.parse_args([*words, "--namespace", NAMESPACE])
        self.lines = []
        code: int = await args.run(args, self)
        return code

    @property
    def text(self) -> str:
        """What the last command printed."""
        return "\n".join(self.lines)

    async def get(self, path: str) -> Any:
        """Ask the API server."""
        async with self.api(argparse.Namespace()) as api:
            return await api.request("GET", path)


@pytest.fixture
async def terminal() -> AsyncIterator[Terminal]:
    """Give a cluster without the install before, and without it after."""
    terminal = Terminal()
    assert await terminal.run("down", "--yes") == 0, terminal.text
    yield terminal
    assert await terminal.run("down", "--yes") == 0, terminal.text


async def test_life_of_an_install(terminal: Terminal) -> None:
    """Up, again, status, reset and down do what they say, and nothing is left."""
    assert await terminal.run(*UP) == 0, terminal.text
    assert await terminal.run(*UP) == 0, terminal.text
    assert not [line for line in terminal.lines if line.startswith(("created", "changed", "restarted"))]
    assert await terminal.run("status") == 0, terminal.text

    kubectl("-n", NAMESPACE, "scale", "deployment/getip", "--replicas=1")
    assert await terminal.run("reset", "--pods") == 0, terminal.text
    assert (await terminal.get(GETIP))["status"]["availableReplicas"] == 4

    assert await terminal.run("down", "--yes") == 0, terminal.text
    kinds = "namespaces,clusterroles,clusterrolebindings"
    left = kubectl("get", kinds, "-l", "app.kubernetes.io/part-of=kubealive", "-o", "name").split()
    assert not [name for name in left if NAMESPACE in name]
    assert await terminal.run("status") == 1


async def test_what_others_put_there_stays(terminal: Terminal) -> None:
    """A namespace with somebody's ConfigMap outlives the install, and the reason names it."""
    assert await terminal.run(*UP) == 0, terminal.text
    kubectl("-n", NAMESPACE, "create", "configmap", "mine")
    assert await terminal.run("down", "--yes") == 0, terminal.text
    assert "configmap/mine" in terminal.text
    assert kubectl("-n", NAMESPACE, "get", "configmap", "mine", "-o", "name").strip() == "configmap/mine"
    assert not kubectl("-n", NAMESPACE, "get", "pods,services,secrets,deployments", "-o", "name").strip()
    kubectl("-n", NAMESPACE, "delete", "configmap", "mine")


async def test_missing_image_is_explained(terminal: Terminal) -> None:
    """An image that no node has ends `up` with its name, its node and the next step."""
    assert await terminal.run("up", "balance", "--tag", "0.0.0-missing") == 1
    assert "image localhost/kubealive/agent:0.0.0-missing is not on node" in terminal.text
    assert "make images load" in terminal.text
    assert await terminal.run("status") == 1


async def test_quota_is_explained(terminal: Terminal) -> None:
    """A namespace of somebody else's, with a quota that is too small, is named as the reason and kept."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("-n", NAMESPACE, "create", "quota", "small", "--hard=pods=2")
        # The time after which a quota ends `up` by itself is that of a missing image.
        assert await terminal.run("up", "balance", "--timeout", "3") == 1
        assert "exceeded quota: small" in terminal.text
        assert await terminal.run("down", "--yes") == 0, terminal.text
        assert "was not made by `kubealive up`, so it stays" in terminal.text
    finally:
        kubectl("delete", "namespace", NAMESPACE)
