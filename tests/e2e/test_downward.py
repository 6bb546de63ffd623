"""The Downward API on a real cluster: the stopwatch beside observers of label and file."""

import asyncio
import json
import time

import pytest

from kubealive_tui.experiments.downward._runs import FILE
from kubealive_tui.experiments.downward._told import MOOD, Told, told_by
from kubealive_tui.model import Act, Ending, LabelPod
from tests.e2e.harness import KUBECTL, NAMESPACE, kubectl, kubectl_watch, viewer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("installed")]

# The observers' own grain: a line of kubectl or of an exec, 50 ms of polling, 200 ms of sampling, a busy machine.
CLOSE_S = 0.6

FOLLOW = """
import sys, time
print("looking", flush=True)
until = time.monotonic() + 120
while time.monotonic() < until and f'mood="{sys.argv[1]}"' not in open("/etc/podinfo/labels").read():
    time.sleep(0.05)
print("followed", flush=True)
"""


async def test_a_file_follows_as_observers_of_the_api_and_of_the_file_see_it() -> None:
    """Label and file have the times that kubectl and a program beside the file have; the variable stays."""
    async with viewer("downward") as seen:
        await seen.until("the pods", lambda: len(seen.ready_pods()) == 4 or None, within=60)
        pod = next(each for each in seen.ready_pods() if each.labels.get(MOOD) == "calm")
        await seen.until("what it is told", lambda: told_by(seen.store, pod.uid), within=20)
        exec_ = (KUBECTL, "-n", NAMESPACE, "exec", pod.name, "--", "python3", "-u", "-c", FOLLOW, "stormy")
        follower = await asyncio.create_subprocess_exec(*exec_, stdout=asyncio.subprocess.PIPE)
        assert follower.stdout is not None
        await follower.stdout.readline()
        async with kubectl_watch("pods", "N:.metadata.name,M:.metadata.labels.mood") as lines:
            await asyncio.sleep(0.5)
            action = await seen.ask(Act("downward", pod.uid, pod.name, LabelPod(MOOD, "stormy")))
            await asyncio.wait_for(follower.stdout.readline(), 130)
            followed = time.time()
            run = await seen.run_of(action, within=130)
        told = told_by(seen.store, pod.uid)
        await seen.ask(Act("downward", pod.uid, pod.name, LabelPod(MOOD, "calm")))
        await follower.wait()

    began = run.began_us / 1e6
    labelled = min(at for at, words in lines if words == [pod.name, "stormy"])
    assert run.ending is Ending.COMPLETE
    assert run.seconds("label in the API") == pytest.approx(labelled - began, abs=CLOSE_S)
    assert run.seconds(FILE) == pytest.approx(followed - began, abs=CLOSE_S)
    assert told is not None
    assert told.env["POD_MOOD"] == "calm"


async def test_each_value_is_what_kubectl_says() -> None:
    """The pod's own page holds what the API has, read by another client."""
    async with viewer("downward") as seen:
        await seen.until("the pods", lambda: len(seen.ready_pods()) == 4 or None, within=60)
        pod = next(each for each in seen.ready_pods() if each.labels.get(MOOD))

        def settled() -> Told | None:
            now, page = seen.store.pod(pod.uid), told_by(seen.store, pod.uid)
            return page if now and page and page.files.get("labels") == now.labels else None

        told = await seen.until("a file that has followed", settled, within=120)

    found = json.loads(kubectl("-n", NAMESPACE, "get", "pod", pod.name, "-o", "json"))
    meta, spec, status = found["metadata"], found["spec"], found["status"]
    wanted = {
        "POD_NAME": meta["name"], "POD_UID": meta["uid"], "POD_NAMESPACE": NAMESPACE, "POD_IP": status["podIP"],
        "NODE_NAME": spec["nodeName"], "NODE_IP": status["hostIP"], "SERVICE_ACCOUNT": spec["serviceAccountName"],
        "CPU_REQUEST": "10", "CPU_LIMIT": "250", "MEMORY_REQUEST": str(16 << 20), "MEMORY_LIMIT": str(64 << 20),
    }  # fmt: skip
    assert wanted.items() <= told.env.items()
    assert told.files["labels"] == meta["labels"]
