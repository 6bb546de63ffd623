"""A whole sandbox, with real processes for pods: they run, serve, fail, heal, and leave nothing."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from kubealive_sandbox.api import Object
from kubealive_sandbox.network import MANY, ONE
from kubealive_sandbox.sandbox import Sandbox, open_sandbox
from tests.sandbox.objects import NAMESPACE, deployment, pod, service, template
from tests.sandbox.whole import IMAGES, WITHIN_S, first_container, until


def probed(**spec: Any) -> Object:
    """A Deployment whose pods have a readiness probe."""
    made = template(terminationGracePeriodSeconds=1, **spec)
    container = made["spec"]["containers"][0]
    container["readinessProbe"] = {
        "httpGet": {"path": "/", "port": "http"},
        "periodSeconds": 1,
        "failureThreshold": 1,
    }
    container["resources"] = {"limits": {"memory": "100Mi"}}
    return deployment(template=made, replicas=2)


def ready(sandbox: Sandbox, count: int) -> list[Object] | None:
    """The pods of that Deployment, once so many are ready and none other is there."""
    found = sandbox.api.select("Pod", NAMESPACE)
    good = [
        p for p in found if p["status"].get("containerStatuses") and p["status"]["containerStatuses"][0]["ready"]
    ]
    return found if len(good) == len(found) == count else None


async def fetch(sandbox: Sandbox, host: str, port: int, path: str = "/") -> str:
    reader, writer = await asyncio.open_connection(*sandbox.places.real(host, port))
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    reply = await reader.read()
    writer.close()
    return reply.partition(b"\r\n\r\n")[2].decode()


async def answer(sandbox: Sandbox, host: str, port: int) -> str:
    """What is answered there, once something is."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        with contextlib.suppress(OSError):
            if said := await fetch(sandbox, host, port):
                return said
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_service_reaches_every_pod(sandbox: Sandbox) -> None:
    """Pods become ready, and connections to the Service's address are spread over them."""
    sandbox.api.create("Deployment", probed())
    made = sandbox.api.create("Service", {**service(), "spec": {**service()["spec"], "clusterIP": ""}})
    await until(lambda: ready(sandbox, 2))
    await until(lambda: sandbox.api.select("EndpointSlice"))
    answers = {(await answer(sandbox, made["spec"]["clusterIP"], 80)).split()[0] for _ in range(40)}

    assert len(answers) == 2


async def test_a_killed_process_is_restarted_and_then_waits(sandbox: Sandbox) -> None:
    """The first restart is at once, the second has to wait, with the exit code told."""
    sandbox.api.create("Deployment", probed())
    one, _ = await until(lambda: ready(sandbox, 2))
    name, address = one["metadata"]["name"], one["status"]["podIP"]
    await fetch(sandbox, address, 8080, "/exit")
    await until(lambda: first_container(sandbox, name)["restartCount"] == 1 and ready(sandbox, 2))
    await fetch(sandbox, address, 8080, "/exit")
    await until(lambda: first_container(sandbox, name)["state"].get("waiting"))
    status = first_container(sandbox, name)

    assert status["lastState"]["terminated"]["exitCode"] == 7
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=web pod=")


async def test_a_program_that_outgrows_its_limit_is_killed(sandbox: Sandbox) -> None:
    """As the kernel would: OOMKilled, 137."""
    sandbox.api.create("Deployment", probed())
    one, _ = await until(lambda: ready(sandbox, 2))
    name = one["metadata"]["name"]
    await fetch(sandbox, one["status"]["podIP"], 8080, "/eat")
    await until(lambda: first_container(sandbox, name)["lastState"])
    ended = first_container(sandbox, name)["lastState"]["terminated"]

    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


async def test_a_deleted_pod_is_replaced(sandbox: Sandbox) -> None:
    """It ends within its grace, and another one takes its place."""
    sandbox.api.create("Deployment", probed())
    one, two = await until(lambda: ready(sandbox, 2))
    sandbox.api.delete("Pod", NAMESPACE, one["metadata"]["name"])
    await until(lambda: sandbox.api.find("Pod", NAMESPACE, one["metadata"]["name"]) is None)
    names = {each["metadata"]["name"] for each in await until(lambda: ready(sandbox, 2))}

    assert two["metadata"]["name"] in names
    assert one["metadata"]["name"] not in names


@pytest.mark.parametrize(
    ("policy", "reasons"),
    [
        pytest.param("IfNotPresent", {"ErrImagePull", "ImagePullBackOff"}, id="looked for"),
        pytest.param("Never", {"ErrImageNeverPull"}, id="not looked for"),
    ],
)
async def test_an_image_that_nobody_knows(sandbox: Sandbox, policy: str, reasons: set[str]) -> None:
    """The pod waits, and says for what."""
    made = pod()
    made["spec"]["containers"][0] |= {"image": "workload:v9", "imagePullPolicy": policy}
    sandbox.api.create("Pod", made)
    waiting = await until(
        lambda: first_container(sandbox, "web-1").get("state", {}).get("waiting", {}).get("message")
    )

    assert "workload:v9" in waiting
    assert first_container(sandbox, "web-1")["state"]["waiting"]["reason"] in reasons


def script(name: str, code: str, **spec: Any) -> Object:
    """A pod that runs some Python and ends."""
    made = pod(name, restartPolicy="Never", **spec)
    made["spec"]["containers"][0] |= {"image": "python:3", "command": ["python3", "-c", code]}
    return made


async def logs(sandbox: Sandbox, name: str) -> str:
    """What a pod said, once it has ended."""
    await until(lambda: first_container(sandbox, name).get("state", {}).get("terminated"))
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOGS, f"{sandbox.url}/api/v1/namespaces/{NAMESPACE}/pods/{name}/log",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return (await done.communicate())[0].decode().strip()


LOGS = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"


async def test_a_host_port_leads_to_the_pod(sandbox: Sandbox) -> None:
    """Each node answers at its own address with its own pod, and a second DaemonSet finds the port taken."""
    made = template()
    made["spec"]["containers"][0]["ports"][0]["hostPort"] = 8080
    selector = {"selector": {"matchLabels": {"app": "web"}}}
    for name in ("first", "second"):
        sandbox.api.create(
            "DaemonSet",
            {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": {**selector, "template": made}},
        )
        await until(lambda: len(sandbox.api.select("Pod", NAMESPACE)) >= 3)
    nodes = sandbox.api.select("Node")
    answers = [
        (await answer(sandbox, each["status"]["addresses"][0]["address"], 8080)).split()[0] for each in nodes
    ]
    waiting = [pod for pod in sandbox.api.select("Pod", NAMESPACE) if pod["status"]["phase"] == "Pending"]

    assert sorted(answers) == sorted(
        p["metadata"]["name"] for p in sandbox.api.select("Pod", fields="status.phase=Running")
    )
    assert len(waiting) == 3
    assert "didn't have free ports" in waiting[0]["status"]["conditions"][0]["message"]


async def test_a_pod_has_names_and_an_address_of_its_own(sandbox: Sandbox) -> None:
    """A program inside resolves Services by their short names, and is seen to come from its pod's address."""
    sandbox.api.create("Deployment", probed())
    sandbox.api.create("Service", {**service(), "spec": {**service()["spec"], "clusterIP": "None"}})
    await until(lambda: ready(sandbox, 2))
    code = "import urllib.request; print(urllib.request.urlopen('http://web:8080').read().decode())"
    sandbox.api.create("Pod", script("caller", code, labels={"app": "caller"}))
    said = await logs(sandbox, "caller")
    caller = sandbox.api.find("Pod", NAMESPACE, "caller")

    assert caller is not None
    assert said.split()[1:] == ["v1", caller["status"]["podIP"]]


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
async def test_a_program_sees_the_port_that_it_asked_for(sandbox: Sandbox, family: str) -> None:
    """Wherever it really listens on this machine."""
    code = f"import socket; s = socket.socket(socket.{family}); s.bind(('', 8080)); print(s.getsockname()[:2])"
    sandbox.api.create("Pod", script("server", code))
    said = await logs(sandbox, "server")
    found = sandbox.api.find("Pod", NAMESPACE, "server")

    assert found is not None
    mapped = "::ffff:" if family == "AF_INET6" else ""
    assert said == str((mapped + found["status"]["podIP"], 8080))


async def test_answers_come_from_where_they_were_asked_for(sandbox: Sandbox) -> None:
    """A resolver of another library, which takes answers of nobody else, finds its server by /etc/resolv.conf."""
    sandbox.api.create("Service", service())
    code = "import dns.resolver; print(dns.resolver.resolve('web', 'A', search=True)[0], end='')"
    sandbox.api.create("Pod", script("caller", code))

    assert await logs(sandbox, "caller") == service()["spec"]["clusterIP"]


async def test_files_come_from_volumes(sandbox: Sandbox) -> None:
    """A program inside finds its mounts where its manifest says, and its resolver's configuration."""
    sandbox.api.create("ConfigMap", {"metadata": {"name": "c", "namespace": NAMESPACE}, "data": {"a": "1"}})
    made = script("reader", "print(open('/conf/a').read(), open('/etc/resolv.conf').read().split()[1])")
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": "conf", "mountPath": "/conf"}]
    made["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "c"}}]
    sandbox.api.create("Pod", made)

    assert await logs(sandbox, "reader") == f"1 {NAMESPACE}.svc.cluster.local"


@pytest.mark.parametrize("scheme", [MANY, ONE])
async def test_two_sandboxes_do_not_disturb_each_other(sandbox: Sandbox, scheme: str) -> None:
    """Each has places of its own: in both, the same Service leads to the sandbox's own pods."""
    async with open_sandbox(IMAGES, scheme=scheme) as other:
        other.api.create("Namespace", {"metadata": {"name": NAMESPACE}})
        for each in (sandbox, other):
            each.api.create("Deployment", probed())
            each.api.create("Service", {**service(), "spec": {**service()["spec"], "clusterIP": ""}})
        for each in (sandbox, other):
            pods = await until(partial(ready, each, 2))
            made = each.api.find("Service", NAMESPACE, "web") or {}
            answers = {(await answer(each, made["spec"]["clusterIP"], 80)).split()[0] for _ in range(20)}

            assert answers <= {pod["metadata"]["name"] for pod in pods}


# ---------------------------------------------------------------- how it ends


@contextmanager
def program(*options: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A sandbox as a program of its own; gives it and the folder in which it lives."""
    images = {"workload": {"argv": [sys.executable, "-c", "import time; time.sleep(600)"]}}
    words = [sys.executable, "-m", "kubealive_sandbox", "--until-eof", "--images", json.dumps(images), *options]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, Path(process.stdout.readline().strip()).parent
        finally:
            process.kill()


def start_pod(folder: Path) -> None:
    url = json.loads((folder / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"]
    made = pod()
    made["metadata"]["namespace"] = "default"
    code = (
        "import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], sys.argv[2].encode(), method='POST'))"
    )
    path = f"{url}/api/v1/namespaces/default/pods"
    subprocess.run([sys.executable, "-c", code, path, json.dumps(made)], check=True, timeout=10)


def offspring(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The reaper and the pod."""
    deadline = time.monotonic() + WITHIN_S
    while len(found := psutil.Process(process.pid).children(recursive=True)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def reaper_of(process: subprocess.Popen[str]) -> psutil.Process:
    children = psutil.Process(process.pid).children()
    return next(each for each in children if any(word.endswith("_reap.py") for word in each.cmdline()))


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda process: process.stdin.close(), id="its owner is gone"),
        pytest.param(lambda process: process.send_signal(signal.SIGINT), id="Ctrl-C"),
        pytest.param(lambda process: process.send_signal(signal.SIGTERM), id="SIGTERM"),
        pytest.param(lambda process: process.kill(), id="SIGKILL"),
    ],
)
@pytest.mark.parametrize("scheme", [MANY, ONE])
def test_it_leaves_nothing(end: Callable[[Any], None], scheme: str) -> None:
    """However it ends: no process, no file."""
    with program("--addresses", scheme) as (process, folder):
        start_pod(folder)
        children = offspring(process)
        end(process)
        process.wait(WITHIN_S)
        _, alive = psutil.wait_procs(children, timeout=WITHIN_S)

    assert not alive
    assert not folder.exists()


@pytest.mark.parametrize("scheme", [MANY, ONE])
def test_it_leaves_nothing_even_without_its_reaper(scheme: str) -> None:
    """The pods' processes notice by themselves, and clear up."""
    with program("--addresses", scheme) as (process, folder):
        start_pod(folder)
        children = offspring(process)
        for each in (reaper_of(process), psutil.Process(process.pid)):
            os.kill(each.pid, signal.SIGKILL)
        process.wait(WITHIN_S)
        _, alive = psutil.wait_procs(children, timeout=WITHIN_S)

    assert not alive
    assert not folder.exists()


@pytest.mark.parametrize("scheme", [MANY, ONE])
def test_what_nobody_could_remove_the_next_one_does(scheme: str) -> None:
    """Where all was killed at once, no process is left, and a folder until the next sandbox starts."""
    with program("--addresses", scheme) as (process, folder):
        start_pod(folder)
        children = offspring(process)
        for each in (*children, psutil.Process(process.pid)):
            os.kill(each.pid, signal.SIGKILL)
        process.wait(WITHIN_S)
        _, alive = psutil.wait_procs(children, timeout=WITHIN_S)
    assert not alive
    with program():
        assert not folder.exists()


def test_its_port_taken_is_worked_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A range whose first port is somebody's is left to him."""
    from kubealive_sandbox.network import _addresses  # noqa: PLC0415 - patched here

    with socket.socket() as taken:
        taken.bind(("127.250.0.1", _addresses.API_PORT))
        taken.listen()
        monkeypatch.setattr(_addresses, "SECOND_BYTES", range(249, 251))
        claimed = _addresses.Addresses.claim(tmp_path)
        claimed.listener.close()

    assert claimed.network == "127.249."
