"""A tenth experiment: one file and one folder of manifests, and everything else finds it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kubealive_tui import experiments
from kubealive_tui.commands import Keymap, Place
from kubealive_tui.experiments import Experiment
from kubealive_tui.install import Wanted, render
from kubealive_tui.install import _manifests as manifests
from kubealive_tui.store import Store
from tests.tui.signals import snapshot
from tests.tui.ui.scripts import LIVE
from tests.tui.ui.stage import LABS, stage

LAB = '''
"""A tenth experiment, as somebody would write it."""

from collections.abc import Sequence

from kubealive_tui.experiments._api import Drive, Experiment, Http, Limit, Scene, Verdict
from kubealive_tui.experiments._blocks import load_view, pod_table, rail
from kubealive_tui.experiments._commands import kill, load, scale
from kubealive_tui.experiments._stopwatches import kill_stopwatch
from kubealive_tui.model import Line, View, line

THERE = Limit("pods there", "any")

lab = Experiment(
    "tenth",
    order=10,
    title="Tenth",
    long_title="A tenth experiment",
    lesson="Whatever comes next.",
    traffic=Http("tenth"),
    limits=(THERE,),
)
lab.use(*load, *kill, *scale)
lab.stopwatches += [kill_stopwatch]


@lab.view
def view(scene: Scene) -> Sequence[View]:
    return [pod_table(scene, extra=(), cells=lambda _: ()), load_view(scene), rail(scene, hint="x kills a pod")]


@lab.check
async def check(drive: Drive) -> Verdict:
    count = len(drive.store.pods("tenth"))
    return Verdict.of([THERE.found(str(count), kept=count > 0)])


@lab.explain
def explain(scene: Scene) -> Sequence[Line]:
    return [line("It works like the others.")]
'''

KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: kubealive
resources: [service.yaml]
"""

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: tenth
  labels: {app.kubernetes.io/part-of: kubealive, kubealive.dev/experiment: tenth}
spec:
  selector: {app.kubernetes.io/name: tenth}
  ports: [{name: http, port: 80, targetPort: http}]
"""


@pytest.fixture
def tenth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment]:
    """The file in a folder of the package, the manifests beside the agent's, and nothing else anywhere."""
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs/tenth.py").write_text(LAB)
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path / "labs")])
    root = tmp_path / "manifests"
    root.mkdir()
    (root / "agent").symlink_to(Path(__file__).parents[2] / "manifests/agent")
    (root / "tenth").mkdir()
    (root / "tenth/kustomization.yaml").write_text(KUSTOMIZATION)
    (root / "tenth/service.yaml").write_text(SERVICE)
    monkeypatch.setattr(manifests, "_root", lambda: root)
    yield next(lab for lab in experiments.discover() if lab.name == "tenth")
    del sys.modules["kubealive_tui.experiments.tenth"]
    del experiments.tenth  # type: ignore[attr-defined]  # an import leaves its module there


def test_it_is_the_last_tab(tenth: Experiment) -> None:
    """Tabs are in the order that the files say."""
    assert experiments.discover()[-1] is tenth


def test_its_keys_fit(tenth: Experiment) -> None:
    """It takes what the others share, and the key line knows them."""
    assert "kill" in [hint.label for hint in Keymap(Place.TAB, tenth).line(read_only=False)]


def test_its_objects_are_installed(tenth: Experiment) -> None:
    """`up` applies its folder, beside the agent's, and knows whose the objects are."""
    objects = render(Wanted(experiments=(tenth.name,)))

    assert [item.ref for item in objects if item.experiment == "tenth"] == ["service/tenth"]


async def test_its_tab_is_drawn(tenth: Experiment) -> None:
    """The generic pane draws it; a tab beyond nine is reached by Tab."""
    labs = (*LABS, tenth)
    async with stage(change=lambda options: replace(options, experiments=labs), live=False) as it:
        await it.deliver(LIVE, snapshot())
        await it.press("tab", "tab")
        assert "Tenth" in it.lines[1]
        assert "A tenth experiment" in it.text


def test_it_explains_itself(tenth: Experiment) -> None:
    """Its words are the ones shown by e."""
    assert tenth.explanation(experiments.Scene(Store(), tenth))
