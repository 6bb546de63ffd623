"""The cluster of all end-to-end tests, and one install there, in a namespace of its own, gone when they end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubealive_tui.cli._embedded import IMAGES
from tests.e2e.harness import HOST_PORT, NAMESPACE, OUTSIDE, Specs, kubealive, kubectl, specs
from tests.e2e.workers import Apart, place

SANDBOX = "KUBEALIVE_E2E_SANDBOX"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=place)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Apart | None:
    """Share single tests, where each worker has a cluster of its own; else as the command line says."""
    return Apart(config, log) if os.environ.get(SANDBOX) else None


@pytest.fixture(scope="session", autouse=True)
def cluster() -> Iterator[None]:
    """That of KUBECONFIG; with KUBEALIVE_E2E_SANDBOX a sandbox, and one for each worker if there are several.

    It watches a pipe that this process holds, so that it ends with it, however that ends.
    """
    if not os.environ.get(SANDBOX):
        yield
        return
    words = [sys.executable, "-P", "-m", "kubealive_sandbox", "--until-eof", "--images", json.dumps(IMAGES)]
    with (
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert sandbox.stdin is not None
        assert sandbox.stdout is not None
        patch.setenv("KUBECONFIG", sandbox.stdout.readline().strip())
        yield
        sandbox.stdin.close()
        assert sandbox.wait(20) == 0


@pytest.fixture(scope="session")
def installed(cluster: None) -> Iterator[Specs]:
    """The whole laboratory, and what `kubealive up` wants of its objects; `down` must leave nothing."""
    up = kubealive("up", "-n", NAMESPACE, "--host-port", str(HOST_PORT))
    assert up.returncode == 0, up.stdout + up.stderr
    kubectl("create", "namespace", OUTSIDE, check=False)
    yield specs()
    if os.environ.get(SANDBOX):
        return  # it goes with all that is in it, and what `down` leaves is held by tests of its own
    kubectl("delete", "namespace", OUTSIDE, "--wait=false", check=False)
    # `down` keeps a namespace of which it cannot list every kind, as while the metrics API comes back after a cut.
    kubectl("wait", "--for=condition=Available", "apiservice", "--all", "--timeout=120s")
    down = kubealive("down", "-n", NAMESPACE, "--yes")
    assert down.returncode == 0, down.stdout + down.stderr
    assert kubectl("get", "namespace", NAMESPACE, "--ignore-not-found") == "", down.stdout
    assert f"kubealive-agent:{NAMESPACE}" not in kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")


@pytest.fixture
def machine() -> Callable[..., None]:
    """Power of the test cluster's machines; only that cluster can cut it."""
    script = os.environ.get("KUBEALIVE_TEST_CLUSTER")
    if not script:
        pytest.skip("only the test cluster's machines can be cut: KUBEALIVE_TEST_CLUSTER does not name its script")

    def run(*words: str) -> None:
        subprocess.run([script, *words], check=True, capture_output=True, text=True, timeout=120)

    return run
