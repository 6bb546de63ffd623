"""Each experiment's check on a real cluster, as its user runs it: exit code, verdict, reports, what it leaves.

Those that take longest run beside outside observers, in the files of their experiments.
"""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from kubealive_tui.experiments import discover
from tests.e2e.harness import NAMESPACE, Specs, kubealive, specs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

OBSERVED = {"heal", "scale", "update"}


@pytest.mark.parametrize("experiment", [lab.name for lab in discover() if lab.name not in OBSERVED])
def test_it_passes(experiment: str, tmp_path: Path, installed: Specs) -> None:
    """`kubealive check NAME` exits 0, passed by JSON and by JUnit alike, and leaves all as `up` makes it."""
    junit = tmp_path / "junit.xml"
    done = kubealive("check", experiment, "-n", NAMESPACE, "--json", "--junit", str(junit))

    assert done.returncode == 0, done.stdout + done.stderr
    verdict = json.loads(done.stdout)["experiments"][experiment]
    assert verdict["verdict"] == "passed", verdict
    assert verdict["findings"]
    (case,) = ET.parse(junit).getroot().iter("testcase")  # noqa: S314 - the program's own file
    assert not list(case.iter("failure"))
    assert specs()[experiment] == installed[experiment]
