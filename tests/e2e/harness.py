"""What the end-to-end tests stand on: kubectl, a viewer without a screen, an outside observer, a frozen link."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from kubealive_tui.experiments import Experiment, Scene, discover
from kubealive_tui.feed import LiveFeed
from kubealive_tui.link import LinkOptions, open_link
from kubealive_tui.model import Interest, LinkEvent, Pod, Request, Run, SetLoad, Signal, Target
from kubealive_tui.store import Store

T = TypeVar("T")
# Of each experiment, what is wanted of each object.
Specs = dict[str, dict[str, Any]]

# Two checkouts that share a cluster name another namespace, and another registry as `kubealive up` takes it.
# Workers side by side have a namespace each, and a port of the nodes each.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
NAMESPACE = "-".join(filter(None, (os.environ.get("KUBEALIVE_E2E_NAMESPACE", "kubealive-e2e"), WORKER)))
HOST_PORT = int(os.environ.get("KUBEALIVE_HOST_PORT", "8080")) + int(WORKER.removeprefix("gw") or 0)
OUTSIDE = f"{NAMESPACE}-observer"
IMAGE = f"{os.environ.get('KUBEALIVE_REGISTRY', 'localhost/kubealive')}/workload:v1"
KUBECTL = os.environ.get("KUBECTL") or shutil.which("kubectl") or "kubectl"
ROOT = Path(__file__).parents[2]
KUBEALIVE = str(Path(sys.executable).with_name("kubealive"))


def kubectl(*words: str, check: bool = True) -> str:
    """Run kubectl and return what it printed."""
    done = subprocess.run([KUBECTL, *words], check=False, capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
    return done.stdout


def kubealive(*words: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run the program as its user does."""
    return subprocess.run([KUBEALIVE, *words], check=False, capture_output=True, text=True, timeout=timeout)


async def checked(experiment: str, *, within: float) -> dict[str, Any]:
    """What `kubealive check NAME --json` says of the experiment, while others look on."""
    process = await asyncio.create_subprocess_exec(
        KUBEALIVE, "check", experiment, "-n", NAMESPACE, "--json", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), within)
    verdict: dict[str, Any] = json.loads(out)["experiments"][experiment]
    assert (process.returncode == 0) == (verdict["verdict"] == "passed")
    return verdict


def pods(experiment: str = "balance", *, selector: str = "", namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """Pods of an experiment, or those that a selector finds, as the API has them."""
    selector = selector or f"kubealive.dev/experiment={experiment}"
    found = json.loads(kubectl("-n", namespace, "get", "pods", "-l", selector, "-o", "json"))
    return list(found["items"])


def specs() -> Specs:
    """What is wanted of the objects of each experiment, but for what every rollout changes: version, restart."""
    kinds = "deployments,statefulsets,daemonsets,services"
    found = json.loads(kubectl("-n", NAMESPACE, "get", kinds, "-l", "kubealive.dev/experiment", "-o", "json"))
    wanted: Specs = {}
    for each in found["items"]:
        meta, spec = each["metadata"], each["spec"]
        template = spec.get("template", {})
        template.get("metadata", {}).pop("annotations", None)
        for container in template.get("spec", {}).get("containers", ()):
            container["image"] = container["image"].rpartition(":")[0]
        wanted.setdefault(meta["labels"]["kubealive.dev/experiment"], {})[f"{each['kind']}/{meta['name']}"] = spec
    return wanted


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether the pod's Ready condition is true and it is not being deleted."""
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


async def eventually(what: str, look: Callable[[], T | None], *, within: float, each: float = 0.1) -> T:
    """Poll `look` until it gives something; fails after `within` seconds, naming `what`."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := look():
            return found
        await asyncio.sleep(each)
    raise AssertionError(f"not within {within} s: {what}")


@dataclass
class Viewer:
    """A client with a store and no screen, that looks at one experiment."""

    store: Store
    feed: LiveFeed
    lab: Experiment
    namespace: str = NAMESPACE
    links: list[tuple[float, LinkEvent]] = field(default_factory=list)
    _away: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def deliver(self, signal: Signal) -> None:
        """Take one signal, as the screen's pump does."""
        if isinstance(signal, LinkEvent):
            self.links.append((time.monotonic(), signal))
        self.store.apply(signal)
        self._look()
        self._news.set()

    def _look(self) -> None:
        """Have sampled what the experiment's tab would."""
        if self._away:
            return
        scene = Scene(self.store, self.lab, settings=self.lab.settings(), namespace=self.namespace)
        samples = self.lab.samples(scene) if self.store.synced else frozenset()
        self.feed.interest(Interest(frozenset({self.lab.name}), samples))

    def look_away(self) -> None:
        """Look at no experiment from here on; what comes is still taken."""
        self._away = True
        self.feed.interest(Interest())

    async def until(self, what: str, look: Callable[[], T | None], *, within: float) -> T:
        """Wait for news until `look` gives something; fails after `within` seconds, naming `what`."""
        deadline = time.monotonic() + within
        while True:
            if found := look():
                return found
            self._news.clear()
            left = deadline - time.monotonic()
            assert left > 0, f"not within {within} s: {what}; link: {self.store.link}"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)

    async def ask(self, request: Request) -> str:
        """Have something done."""
        return await self.feed.ask(request)

    def ready_pods(self) -> list[Pod]:
        """Pods of the experiment that serve."""
        found = [pod for uid in self.store.pods(self.lab.name) if (pod := self.store.pod(uid))]
        return [pod for pod in found if pod.ready and not pod.deleting]

    async def whole(self, *, pods: int = 4, within: float = 60) -> list[Pod]:
        """Wait until the experiment has just so many pods, and all of them serve."""

        def look() -> list[Pod] | None:
            ready = self.ready_pods()
            serving = [pod for pod in ready if (entry := self.store.endpoint(pod.uid)) and entry.ready]
            return serving if len(serving) == pods == len(self.store.pods(self.lab.name)) else None

        return await self.until(f"{pods} serving pods", look, within=within)

    async def loaded(self, rate: float = 100.0) -> None:
        """Start the experiment's steady load, and wait until it has been running for two seconds."""
        name, traffic = self.lab.name, self.lab.traffic
        assert traffic is not None
        before = self.store.traffic(name).load_id
        await self.ask(SetLoad(name, Target(service=traffic.service, path=traffic.path), rate=rate))

        def steady() -> bool | None:
            sums = self.store.traffic(name)
            return (sums.load_id != before and sums.ok > 2 * rate) or None

        await self.until("steady load", steady, within=20)

    async def run_of(self, action: str, *, within: float = 40) -> Run:
        """The ended run of an action."""
        runs = self.store.ledger(self.lab.name).runs
        return await self.until(
            "the run to end", lambda: next((r for r in runs.ended if r.action_id == action), None), within=within
        )


@contextlib.asynccontextmanager
async def viewer(
    experiment: str = "balance", *, actor: str = "me@e2e", kubeconfig: str = "", namespace: str = NAMESPACE
) -> AsyncIterator[Viewer]:
    """A viewer that is connected and synced, and looks at one experiment."""
    lab = next(lab for lab in discover() if lab.name == experiment)
    async with open_link(LinkOptions(namespace=namespace, kubeconfig=kubeconfig)) as link:
        store = Store({lab.name: lab.stopwatches for lab in discover()})
        seen = Viewer(store, LiveFeed(link, actor=actor), lab, namespace)
        seen.feed.interest(Interest(frozenset({experiment})))
        task = asyncio.create_task(seen.feed.run(seen.deliver))
        try:
            await seen.until("a synced store", lambda: store.synced and store.link.state.live, within=30)
            yield seen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


# Each request in a thread of its own: one that hangs must not keep the next from its time. It ends with its input.
# As long as ours it waits: for a connection less than a retransmission takes, for a reply two seconds. Its ports
# are below those that a kernel gives: a sandbox's proxy goes on from its address, and has one of these each time.
OBSERVER = """
import json, socket, sys, threading, time
host, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
address, began, speaks = (socket.gethostbyname(host), 80), time.time(), threading.Lock()
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()

def ask(planned, port):
    who, why, sent = "", "", time.time()
    try:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("", port))
            s.settimeout(0.9)
            s.connect(address)
            s.settimeout(2.0)
            s.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
            reply = b""
            while part := s.recv(65536):
                reply += part
        who = reply.partition(b"X-Pod-Name: ")[2].partition(b"\\r")[0].decode()
        why = "" if reply.startswith(b"HTTP/1.1 200") else "closed"
    except OSError as e:
        why = type(e).__name__
    with speaks:
        print(json.dumps([planned, time.time(), who, why, sent]), flush=True)

for n in range(round(rate * seconds)):
    planned = began + n / rate
    if over.wait(max(0, planned - time.time())):
        break
    threading.Thread(target=ask, args=(planned, 12000 + n % 20000)).start()
"""


@dataclass(frozen=True)
class Seen:
    """One request of the outside observer: when it was planned, sent and ended, who answered, why it failed."""

    planned: float
    ended: float
    pod: str
    error: str
    sent: float


@contextlib.asynccontextmanager
async def observer(
    service: str = "getip", *, rate: float, seconds: float, node: str = ""
) -> AsyncIterator[list[Seen]]:
    """A second client, in a pod of its own namespace, that sends new connections to the same Service.

    It does so until the context ends, and for so many seconds at most.
    On the agent's `node` it meets the same kube-proxy; another node's may be up to a second ahead or behind.
    """
    host = f"{service}.{NAMESPACE}.svc.cluster.local"
    name = f"observer-{time.monotonic_ns()}"
    pod = ("--rm", "-i", "--quiet", "--restart=Never", f"--image={IMAGE}", "--image-pull-policy=IfNotPresent")
    place = ("--overrides", json.dumps({"apiVersion": "v1", "spec": {"nodeName": node}})) if node else ()
    runs = ("--command", "--", "python3", "-u", "-c", OBSERVER, host, str(rate), str(seconds))
    words = ("-n", OUTSIDE, "run", name, *pod, *place, *runs)
    async with program("the observer's first request", *words, take=lambda found: Seen(*found)) as seen:
        yield seen


@contextlib.asynccontextmanager
async def program(what: str, *words: str, take: Callable[[list[Any]], T]) -> AsyncIterator[list[T]]:
    """What a program that kubectl runs in the cluster prints, a JSON list a line; its input ends with the context.

    `what` names its first line, which is waited for.
    """
    process = await asyncio.create_subprocess_exec(
        KUBECTL, *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    taken: list[T] = []

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if line.startswith(b"["):
                taken.append(take(json.loads(line)))

    reader = asyncio.create_task(read())
    try:
        await eventually(what, lambda: taken or None, within=30)
        yield taken
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(reader, 30)
    finally:
        reader.cancel()
        if process.returncode is None:
            process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def kubectl_watch(kind: str, columns: str) -> AsyncIterator[list[tuple[float, list[str]]]]:
    """What `kubectl get -w` prints meanwhile: each line's time and its words; `columns` as kubectl takes them."""
    process = await asyncio.create_subprocess_exec(
        KUBECTL, "-n", NAMESPACE, "get", kind, "-w", "--no-headers", "-o", f"custom-columns={columns}",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    lines: list[tuple[float, list[str]]] = []

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            lines.append((time.time(), line.decode().split()))

    reader = asyncio.create_task(read())
    try:
        await eventually(f"the first of the {kind}", lambda: lines or None, within=10)
        yield lines
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.gather(reader, process.wait())


class FrozenProxy:
    """A TCP proxy to the API server that can stop carrying bytes without closing: packets that are dropped."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, *(w.wait_closed() for w in self._writers), return_exceptions=True)

    def freeze(self) -> None:
        """Carry nothing more."""
        self._open.clear()

    def thaw(self) -> None:
        """Carry again."""
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._there)
        self._writers += (writer, there_writer)
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._open.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


def kubeconfig_through(proxy: FrozenProxy, folder: Path) -> str:
    """A kubeconfig that reaches the same cluster through the proxy."""
    config = json.loads(kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    for cluster in config["clusters"]:
        there = urlsplit(cluster["cluster"]["server"])
        cluster["cluster"]["server"] = f"{there.scheme}://127.0.0.1:{proxy.port}{there.path}"
        if there.scheme == "https":
            cluster["cluster"]["tls-server-name"] = "kubernetes"
    path = folder / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return str(path)


def api_address() -> tuple[str, int]:
    """Host and port of the API server that the kubeconfig names."""
    server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    there = urlsplit(server)
    return str(there.hostname), there.port or 443
