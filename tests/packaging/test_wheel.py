"""The wheel, as a user would get it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the wheel holds."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_it_holds_the_five_packages_and_nothing_else(names: set[str]) -> None:
    """No generic top-level name that could overwrite somebody else's package."""
    top = {name.partition("/")[0] for name in names}
    packages = {"kubealive", "kubealive_agent", "kubealive_sandbox", "kubealive_tui", "kubealive_workloads"}

    assert {name for name in top if not name.endswith(".dist-info")} == packages


def test_it_carries_the_manifests_and_the_contract(names: set[str]) -> None:
    """`up` works from an installed wheel, and types reach whoever imports it."""
    assert "kubealive_tui/_manifests/agent/deployment.yaml" in names
    assert "kubealive_tui/_manifests/balance/service.yaml" in names
    assert "kubealive/v1/agent_pb2.pyi" in names
    assert {f"{package}/py.typed" for package in ("kubealive", "kubealive_tui")} <= names
