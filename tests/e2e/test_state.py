"""The StatefulSet on a real cluster: a kill beside kubectl and the cluster's own resolver."""

import asyncio
import json
import time

import pytest

from kubealive_tui.model import Act, Call, CallResult, DeletePod, Ending
from tests.e2e.caller import caller
from tests.e2e.harness import KUBECTL, NAMESPACE, Viewer, kubectl, viewer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("installed")]

HOST = "phoenix-1.phoenix"
CLOSE_S = 0.3
# Of several DNS servers each keeps an answer of its own, and whoever asks is sent to one of them at random.
RESOLVER_S = 3.0
# So long an old answer is to be given after a kill, for the agent to meet it, which asks each second.
KEPT_S = 2.0


async def stored(seen: Viewer, value: str) -> CallResult:
    """Write a value through the pod's own name, and wait for the pod's word on it."""
    (uid,) = [p.uid for uid in seen.store.pods("state") if (p := seen.store.pod(uid)) and p.name == "phoenix-1"]
    action = await seen.ask(Act("state", uid, "phoenix-1", Call(HOST, 8080, "/store", "POST", value)))

    def answered() -> CallResult | None:
        facts = seen.store.ledger("state").timeline
        return next((f.body for f in facts if f.action_id == action and isinstance(f.body, CallResult)), None)

    result = await seen.until("the value to be stored", answered, within=10)
    assert result.pod_uid == uid
    return result


def kept(seen: Viewer) -> float:
    """For how many seconds yet the name's address may be given out of a cache, as far as is known."""
    latest = seen.store.answers("state").dns(HOST, "A")
    return (latest.until_us - seen.store.now_us) / 1e6 if latest else 0.0


async def test_a_kill_keeps_name_and_value() -> None:
    """The pod is back when kubectl says so; its name leads to its new address, and the value is on its disk."""
    async with viewer("state") as seen:
        await seen.whole(pods=4)
        value = f"e2e {time.time_ns()}"
        assert (await stored(seen, value)).http_status == 200
        (victim,) = [pod for pod in seen.ready_pods() if pod.name == "phoenix-1"]
        watch = await asyncio.create_subprocess_exec(
            KUBECTL, "-n", NAMESPACE, "get", "pod", "phoenix-1", "-w", "--no-headers", "-o",
            "custom-columns=U:.metadata.uid,R:.status.conditions[?(@.type=='Ready')].status",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        lines: list[tuple[float, list[str]]] = []

        async def read() -> None:
            assert watch.stdout is not None
            async for line in watch.stdout:
                lines.append((time.time(), line.decode().split()))

        reader = asyncio.create_task(read())
        async with caller("deployment/nest", HOST, 8080, "/retrieve") as calls:
            await seen.until("DNS to have asked anew", lambda: kept(seen) >= KEPT_S, within=60)
            action = await seen.ask(Act("state", victim.uid, victim.name, DeletePod()))
            run = await seen.run_of(action, within=100)
        watch.terminate()
        await asyncio.gather(reader, watch.wait())

    assert run.ending is Ending.COMPLETE
    began = run.began_us / 1e6
    ready = min(at for at, words in lines if words[0] != victim.uid and words[1] == "True")
    assert run.seconds("pod back") == pytest.approx(ready - began, abs=CLOSE_S)
    assert run.seconds("value read back") is not None
    old = [call.sent - began for call in calls if call.address == victim.ip]
    new = [call for call in calls if call.address and call.address != victim.ip]
    assert run.seconds("last old answer") == pytest.approx(max(old), abs=RESOLVER_S)
    assert run.seconds("new address") == pytest.approx(new[0].sent - began, abs=RESOLVER_S)
    answered = [call for call in new if call.uid]
    assert run.seconds("by name") == pytest.approx(answered[0].ended - began, abs=RESOLVER_S)
    assert {call.body.strip() for call in answered} == {value}
    pod = json.loads(kubectl("-n", NAMESPACE, "get", "pod", "phoenix-1", "-o", "json"))
    assert pod["metadata"]["uid"] != victim.uid
    asked = "import socket; print(socket.gethostbyname('phoenix-1.phoenix'), open('/data/value').read())"
    said = kubectl("-n", NAMESPACE, "exec", "phoenix-1", "--", "python3", "-c", asked).split(maxsplit=1)
    # By then the server that kept the old answer has let it go: the run ends after its last old answer.
    assert said[0] == pod["status"]["podIP"]
    assert said[1].strip() == value


async def test_a_volume_that_cannot_be_written_is_said() -> None:
    """Where the disk refuses, the answer says so, nothing is reported stored, and the value before stays."""
    async with viewer("state") as seen:
        await seen.whole(pods=4)
        assert (await stored(seen, "before")).http_status == 200
        inside = ("-n", NAMESPACE, "exec", "phoenix-1", "--", "python3", "-c")
        kubectl(*inside, "import os; os.mkdir('/data/value.new')")
        try:
            result = await stored(seen, "after")
        finally:
            kubectl(*inside, "import os; os.rmdir('/data/value.new')")

    assert (result.http_status, "nothing was stored" in result.body) == (500, True)
    assert kubectl(*inside, "print(open('/data/value').read())").strip() == "before"
