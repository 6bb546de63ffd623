"""What a Deployment rolls out: one strict patch each, with what was before told in the action's parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubealive.v1.agent_pb2 import ActRequest, Pause, Refusal, Restart, Rollout, Undo
from kubealive.v1.facts_pb2 import Action
from kubealive.v1.state_pb2 import KIND_DEPLOYMENT, KIND_REPLICA_SET, Workload
from kubealive_agent.actions._drain import drain_of, drain_patch
from tests.agent.actions.bench import Bench

DEPLOYMENT = "/apis/apps/v1/namespaces/lab/deployments/getip"
REPLICA_SETS = "/apis/apps/v1/namespaces/lab/replicasets"
IMAGE = "localhost:5000/x/workload"


def deployment(**changes: Any) -> Workload:
    given: dict[str, Any] = {
        "kind": KIND_DEPLOYMENT, "name": "getip", "experiment": "balance", "desired": 4, "revision": 3,
        "image": f"{IMAGE}:v1", "container": "app", "strategy": "RollingUpdate", "max_surge": "1",
        "max_unavailable": "0", "environment": {"DRAIN": "on"}, "pre_stop_seconds": 5, "readiness_probe": True,
    }  # fmt: skip
    return Workload(**(given | changes))


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.lab.world.apply(KIND_DEPLOYMENT, "uid-deploy", deployment(), found=True)
    for revision, tag in ((1, "v4"), (2, "v5"), (3, "v1")):
        set_ = Workload(
            kind=KIND_REPLICA_SET,
            name=f"getip-{revision}",
            owner_uid="uid-deploy",
            revision=revision,
            image=f"{IMAGE}:{tag}",
        )
        made.lab.world.apply(KIND_REPLICA_SET, f"uid-rs{revision}", set_, found=True)
    return made


def ask(request_id: str = "r1", **verb: Any) -> ActRequest:
    return ActRequest(request_id=request_id, session_id="s", experiment="balance", uid="uid-deploy", **verb)


def sent(bench: Bench) -> Any:
    """The body of the last request."""
    return json.loads(bench.kube.calls[-1][3])


async def test_a_rollout_is_one_strict_patch(bench: Bench) -> None:
    """Image, strategy and drain go in one request that names the UID; the rest of the container stays."""
    rollout = Rollout(image=f"{IMAGE}:v2", max_surge="0", max_unavailable="1", drain=False)
    response = await bench.actions.act(ask(rollout=rollout))

    assert response.action_id, response.refusal
    ((method, path, query, _),) = bench.kube.calls
    assert (method, path, query["fieldValidation"]) == ("PATCH", DEPLOYMENT, "Strict")
    container = {
        "name": "app",
        "image": f"{IMAGE}:v2",
        "readinessProbe": None,
        "lifecycle": None,
        "env": [{"name": "DRAIN", "value": "off"}],
    }
    assert sent(bench) == {
        "metadata": {"uid": "uid-deploy"},
        "spec": {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {"spec": {"containers": [container]}},
        },
    }


async def test_a_rollout_tells_what_was_before(bench: Bench) -> None:
    """The action's parameters hold the settings that are now and those that the leaving pods were made by."""
    await bench.actions.act(ask(rollout=Rollout(image=f"{IMAGE}:v2", drain=False)))

    parameters = dict(bench.lab.facts("action")[0].action.parameters)
    assert parameters == {
        "image": f"{IMAGE}:v2", "strategy": "RollingUpdate", "max_surge": "1", "max_unavailable": "0",
        "drain": "off", "from_image": f"{IMAGE}:v1", "from_drain": "on", "from_revision": "3", "replicas": "4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "asked", "strategy"),
    [
        ({}, Rollout(strategy="Recreate"), {"type": "Recreate", "rollingUpdate": None}),
        (
            {"strategy": "Recreate", "max_surge": "", "max_unavailable": ""},
            Rollout(strategy="RollingUpdate", max_surge="100%", max_unavailable="0"),
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}},
        ),
        (
            {"strategy": "Recreate", "max_surge": "", "max_unavailable": ""},
            Rollout(strategy="RollingUpdate"),
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        ),
    ],
    ids=["to recreate", "all at once", "numbers left out"],
)
async def test_the_strategy_is_written_whole(
    bench: Bench, before: dict[str, str], asked: Rollout, strategy: dict[str, object]
) -> None:
    """Recreate takes the numbers of the rolling one away, and a rolling one always has both."""
    bench.lab.world.apply(KIND_DEPLOYMENT, "uid-deploy", deployment(**before), found=True)
    response = await bench.actions.act(ask(rollout=asked))

    assert response.action_id, response.refusal
    assert sent(bench)["spec"] == {"strategy": strategy}


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ({"rollout": Rollout(image="docker.io/evil/miner:v2")}, f"not of getip's repository {IMAGE}"),
        ({"rollout": Rollout(image=f"{IMAGE}:v1")}, "is that already"),
        ({"rollout": Rollout(image=f"{IMAGE}:v1", drain=True, max_surge="1")}, "choose another version"),
        ({"undo": Undo(revision=9)}, "cannot go to revision 9; there are 1, 2"),
        ({"undo": Undo(revision=3)}, "(that is the current one)"),
        ({"pause": Pause(paused=False)}, "is not paused already"),
    ],
    ids=[
        "another repository",
        "same image",
        "same settings",
        "no such revision",
        "current revision",
        "not paused",
    ],
)
async def test_what_the_deployment_itself_refuses(bench: Bench, verb: dict[str, Any], words: str) -> None:
    """What would change nothing, or something else than a version, is a sentence and no request."""
    response = await bench.actions.act(ask(**verb))

    assert response.refusal.reason == Refusal.REASON_INVALID
    assert words in response.refusal.message
    assert not bench.kube.calls


@pytest.mark.parametrize("verb", [{"undo": Undo()}, {"restart": Restart()}], ids=["undo", "restart"])
async def test_a_paused_deployment_is_resumed_first(bench: Bench, verb: dict[str, Any]) -> None:
    """Nothing would happen until somebody resumes it, so that is said instead."""
    bench.lab.world.apply(KIND_DEPLOYMENT, "uid-deploy", deployment(paused=True), found=True)
    response = await bench.actions.act(ask(**verb))

    assert "paused" in response.refusal.message
    assert "resume it first" in response.refusal.message


async def test_pause_and_resume(bench: Bench) -> None:
    """One field, by UID."""
    await bench.actions.act(ask(pause=Pause(paused=True)))

    assert sent(bench) == {"metadata": {"uid": "uid-deploy"}, "spec": {"paused": True}}
    assert bench.lab.facts("action")[0].action.parameters["paused"] == "true"


async def test_restart_changes_an_annotation_only(bench: Bench) -> None:
    """kubectl's own annotation, to the microsecond, so that a second restart within a second is one too."""
    await bench.actions.act(ask(restart=Restart()))
    first = sent(bench)["spec"]
    bench.lab.clock.advance(0.1)
    await bench.actions.act(ask("r2", restart=Restart()))

    assert first["template"]["metadata"]["annotations"].keys() == {"kubectl.kubernetes.io/restartedAt"}
    assert first != sent(bench)["spec"]
    assert bench.lab.facts("action")[0].action.parameters["from_image"] == f"{IMAGE}:v1"


def replica_set(uid: str) -> bytes:
    labels = {"app": "getip", "pod-template-hash": "abc"}
    spec = {"template": {"metadata": {"labels": labels}, "spec": {"anything": [1, {"else": None}]}}}
    return json.dumps({"kind": "ReplicaSet", "metadata": {"uid": uid}, "spec": spec}).encode()


@pytest.mark.parametrize(("revision", "chosen"), [(0, 2), (1, 1)], ids=["the one before", "an earlier one"])
async def test_undo_takes_the_whole_template(bench: Bench, revision: int, chosen: int) -> None:
    """The ReplicaSet is read when it is needed, and all of its template but the hash is written back."""
    bench.kube.answer = replica_set(f"uid-rs{chosen}")
    response = await bench.actions.act(ask(undo=Undo(revision=revision)))

    assert response.action_id, response.refusal
    (read, written) = bench.kube.calls
    assert read[:2] == ("GET", f"{REPLICA_SETS}/getip-{chosen}")
    assert written[:2] == ("PATCH", DEPLOYMENT)
    template = {"metadata": {"labels": {"app": "getip"}}, "spec": {"anything": [1, {"else": None}]}}
    assert json.loads(written[3]) == [
        {"op": "replace", "path": "/metadata/uid", "value": "uid-deploy"},
        {"op": "replace", "path": "/spec/template", "value": template},
    ]
    given = bench.lab.facts("action")[0].action.parameters
    assert (given["revision"], given["from_revision"]) == (str(chosen), "3")


async def test_undo_of_a_set_that_was_replaced(bench: Bench) -> None:
    """A ReplicaSet of the same name with another UID is not what was chosen."""
    bench.kube.answer = replica_set("uid-else")
    response = await bench.actions.act(ask(undo=Undo()))

    assert response.refusal.reason == Refusal.REASON_GONE
    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_REFUSED]


async def test_undo_without_an_earlier_revision(bench: Bench) -> None:
    """A fresh Deployment has nothing to go back to, and says so."""
    for revision in (1, 2):
        bench.lab.world.apply(KIND_REPLICA_SET, f"uid-rs{revision}", None, found=False)
    response = await bench.actions.act(ask(undo=Undo()))

    assert "has no earlier revision than 3" in response.refusal.message
    assert not bench.kube.calls


async def test_a_dry_run_of_undo_reads_nothing(bench: Bench) -> None:
    """It says what would be read and written."""
    request = ask(undo=Undo())
    request.dry_run = True
    response = await bench.actions.act(request)

    assert (
        response.dry_run
        == f"GET {REPLICA_SETS}/getip-2, then PATCH {DEPLOYMENT} with its template as /spec/template"
    )
    assert not bench.kube.calls


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "on"),
        ({"environment": {}}, "on"),
        ({"readiness_probe": False}, "partly"),
        ({"pre_stop_seconds": None}, "partly"),
        ({"pre_stop_seconds": None, "readiness_probe": False, "environment": {"DRAIN": "off"}}, "off"),
    ],
    ids=["all", "by default", "no probe", "no preStop", "none"],
)
def test_drain_is_three_settings(changes: dict[str, Any], word: str) -> None:
    """Only all three together are drain; some of them are named as such."""
    assert drain_of(deployment(**changes)) == word


def test_drain_is_what_the_manifest_holds() -> None:
    """Turning it off and on again leads back to the same template, hence to the same ReplicaSet."""
    manifest = Path(__file__).parents[3] / "manifests/update/deployment.yaml"
    (container,) = yaml.safe_load(manifest.read_text())["spec"]["template"]["spec"]["containers"]
    written: Any = drain_patch(on=True)

    assert container["readinessProbe"] == written["readinessProbe"]
    assert container["lifecycle"] == written["lifecycle"]
    assert [each for each in container["env"] if each["name"] == "DRAIN"] == written["env"]
