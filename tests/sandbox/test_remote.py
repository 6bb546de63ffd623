"""Programs of clients in the pods of a whole sandbox: where they find themselves, and what ends them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import psutil
import pytest

from kubealive_sandbox.api import Object
from kubealive_sandbox.kubelet import _doors
from kubealive_sandbox.sandbox import Sandbox, open_sandbox
from tests.sandbox.objects import NAMESPACE, pod
from tests.sandbox.whole import IMAGES, WITHIN_S, first_container, until

SAYS = """
import json, os, socket, sys
told = [os.environ[name] for name in ("HOSTNAME", "MOOD", "VERSION")]
server = socket.create_server(("", 18123))
socket.create_connection(server.getsockname())
here = server.accept()[1]
print(json.dumps([*told, here[0], open("/conf/a").read()]))
print("trouble", file=sys.stderr)
sys.exit(3)
"""
# A child of its own says its number; both would run for ever.
LINGERS = "import os, time; os.fork(); os.write(1, b'%d\\n' % os.getpid()); time.sleep(600)"
READS = "import sys; print(sys.stdin.read().upper())"


async def running(sandbox: Sandbox, **container: Any) -> Object:
    """A pod that runs, with a mount and a variable."""
    sandbox.api.create("ConfigMap", {"metadata": {"name": "c", "namespace": NAMESPACE}, "data": {"a": "1"}})
    made = pod(volumes=[{"name": "conf", "configMap": {"name": "c"}}], terminationGracePeriodSeconds=1)
    made["spec"]["containers"][0] |= {
        "volumeMounts": [{"name": "conf", "mountPath": "/conf"}],
        "env": [{"name": "MOOD", "value": "calm"}],
        **container,
    }
    sandbox.api.create("Pod", made)
    await until(lambda: first_container(sandbox, "web-1").get("state", {}).get("running"))
    found = sandbox.api.find("Pod", NAMESPACE, "web-1")
    assert found is not None
    return found


class Client:
    """One WebSocket to a program; `said` is by channel."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.said: dict[int, bytes] = {}

    async def hear(self) -> bool:
        """Take one message; False at the end."""
        message = await self.socket.receive(WITHIN_S)
        if message.type is not aiohttp.WSMsgType.BINARY:
            return False
        self.said[message.data[0]] = self.said.get(message.data[0], b"") + message.data[1:]
        return True

    async def status(self) -> Any:
        """The Status at the end."""
        while await self.hear():
            pass
        return json.loads(self.said[3])


@asynccontextmanager
async def client(sandbox: Sandbox, sub: str, *command: str) -> AsyncIterator[Client]:
    query = urlencode(
        [("command", word) for word in command] + [(f"std{name}", "1") for name in ("in", "out", "err")]
    )
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{sandbox.url}/api/v1/namespaces/{NAMESPACE}/pods/web-1/{sub}?{query}",
            protocols=("v5.channel.k8s.io",),
        ) as socket,
    ):
        yield Client(socket)


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(
    "python",
    [
        pytest.param(["python3"], id="python3"),
        pytest.param(["/opt/kubealive/bin/python", "-u"], id="the agent's"),
        pytest.param(["python3", "-S", "-s", "-P"], id="without site"),
        pytest.param(["python3", "-I"], id="isolated"),
    ],
)
async def test_a_command_finds_itself_in_its_pod(sandbox: Sandbox, python: list[str]) -> None:
    """Variables, address and mounts are the container's; both streams come apart, and the exit code at the end."""
    found = await running(sandbox)
    async with client(sandbox, "exec", *python, "-c", SAYS) as seen:
        status = await seen.status()

    assert json.loads(seen.said[1]) == ["web-1", "calm", "v1", found["status"]["podIP"], "1"]
    assert seen.said[2] == b"trouble\n"
    assert status["details"] == {"causes": [{"reason": "ExitCode", "message": "3"}]}


async def test_a_command_reads_what_its_client_sends(sandbox: Sandbox) -> None:
    """More than any buffer holds, until the client says that there is no more."""
    await running(sandbox)
    async with client(sandbox, "exec", "python3", "-c", READS) as seen:
        for _ in range(64):
            await seen.socket.send_bytes(b"\x00" + b"a" * (32 << 10))
        await seen.socket.send_bytes(b"\xff\x00")
        status = await seen.status()

    assert (status["status"], seen.said[1]) == ("Success", b"A" * (2 << 20) + b"\n")


async def lingering(seen: Client) -> list[int]:
    """The numbers of the processes that would run for ever."""
    while seen.said.get(1, b"").count(b"\n") < 2:
        assert await seen.hear()
    return [int(word) for word in seen.said[1].split()]


async def test_a_command_ends_with_its_client(sandbox: Sandbox) -> None:
    """Nothing that it has started stays."""
    await running(sandbox)
    async with client(sandbox, "exec", "python3", "-c", LINGERS) as seen:
        pids = await lingering(seen)
        assert alive(pids) == pids

    await until(lambda: not alive(pids))


async def test_a_command_ends_with_its_container(sandbox: Sandbox) -> None:
    """It is killed when the pod goes, and its client is told."""
    await running(sandbox)
    async with client(sandbox, "exec", "python3", "-c", LINGERS) as seen:
        pids = await lingering(seen)
        sandbox.api.delete("Pod", NAMESPACE, "web-1")
        status = await seen.status()

    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "137"}]
    await until(lambda: not alive(pids))


async def test_a_command_ends_with_the_sandbox() -> None:
    """And so it is with all that runs here."""
    async with open_sandbox(IMAGES) as sandbox:
        sandbox.api.create("Namespace", {"metadata": {"name": NAMESPACE}})
        await running(sandbox)
        async with client(sandbox, "exec", "python3", "-c", LINGERS) as seen:
            pids = await lingering(seen)
            ending = asyncio.create_task(seen.status())
            await asyncio.sleep(0)
    ending.cancel()

    await until(lambda: not alive(pids))


@pytest.mark.parametrize(
    ("image", "word", "message"),
    [
        pytest.param(
            "workload:v9", "python3",
            'unable to upgrade connection: container not found ("web")', id="does not run",
        ),
        pytest.param(
            "workload:v1", "nope",
            'unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
            id="nothing",
        ),
        pytest.param(
            "workload:v1", "sh",
            'the sandbox runs python3 alone in a pod: "sh" would see this machine and not the pod', id="no Python",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_run_is_said(sandbox: Sandbox, image: str, word: str, message: str) -> None:
    """In the node's own words, or in the sandbox's for what only a real node does."""
    made = pod()
    made["spec"]["containers"][0]["image"] = image
    sandbox.api.create("Pod", made)
    await until(
        lambda: first_container(sandbox, "web-1").get("state", {}).keys() - {"waiting"} or image[-1] == "9"
    )
    async with client(sandbox, "exec", word) as seen:
        status = await seen.status()

    assert status["code"] == 500
    assert status["message"].startswith("Internal error occurred: ")
    assert status["message"].endswith(message)


async def test_a_container_takes_only_so_many(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than there is room for is refused."""
    monkeypatch.setattr(_doors, "MOST_COMMANDS", 1)
    await running(sandbox)
    async with client(sandbox, "exec", "python3", "-c", LINGERS) as first:
        await lingering(first)
        async with client(sandbox, "exec", "python3") as second:
            status = await second.status()

    assert status["message"].endswith("1 commands run in the container already")


async def test_a_container_reads_what_its_client_sends(sandbox: Sandbox) -> None:
    """As `kubectl run -i` has it: everything since the start, and an end of input that ends the program."""
    await running(
        sandbox, image="python:3", command=["python3", "-c", f"print('began', flush=True); {READS}"],
        stdin=True, stdinOnce=True,
    )  # fmt: skip
    async with client(sandbox, "attach") as seen:
        await seen.socket.send_bytes(b"\x00hello")
        await seen.socket.send_bytes(b"\xff\x00")
        status = await seen.status()

    assert (status["status"], seen.said[1]) == ("Success", b"began\nHELLO\n")


async def test_a_program_that_is_not_there(sandbox: Sandbox) -> None:
    """Its container has ended before it began, and is begun again as any other that fails."""
    made = pod()
    made["spec"]["containers"][0]["command"] = ["nope"]
    sandbox.api.create("Pod", made)
    ended = await until(lambda: first_container(sandbox, "web-1").get("lastState", {}).get("terminated"))

    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert ended["message"].endswith('exec: "nope": executable file not found in $PATH: unknown')


async def test_an_end_is_an_end_though_others_hold_the_output(sandbox: Sandbox) -> None:
    """A program that leaves a child behind has ended all the same, and so does the child."""
    code = "import os, time; os.fork() or time.sleep(600)"
    made = pod(restartPolicy="Never")
    made["spec"]["containers"][0] |= {"image": "python:3", "command": ["python3", "-c", code]}
    sandbox.api.create("Pod", made)
    ended = await until(lambda: first_container(sandbox, "web-1").get("state", {}).get("terminated"))

    assert ended["exitCode"] == 0
