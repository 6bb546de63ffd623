"""A namespace without a cluster: the API server of `_apiserver`, and the real agent reading it."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench._objects import NAMESPACE
from bench._process import BenchError, await_port, environment, free_port, python, running, until

__all__ = ["Api", "agent", "api_server"]


@dataclass(frozen=True, slots=True)
class Api:
    """A running API server and what it can be told."""

    process: psutil.Popen
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def change(self, index: int, status: str, restarts: int = 0) -> float:
        """Change a pod's STATUS and restarts; the monotonic second in which that was written to the watches."""
        self._say(f"change {index} {status} {restarts}")
        return float(self.process.stdout.readline())

    def churn(self, rate: float) -> None:
        """Change so many pods a second from now on."""
        self._say(f"churn {rate:g}")

    def _say(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def api_server(*, pods: int, pod_port: int = 8080) -> Iterator[Api]:
    """An API server with one experiment of so many pods, all of them answering at 127.0.0.1:`pod_port`."""
    port = free_port()
    command = python("bench._apiserver", "--port", str(port), "--pods", str(pods), "--pod-port", str(pod_port))
    with running(command, env=environment()) as process:
        await_port(port, what="the API server")
        yield Api(process, port)


@contextlib.contextmanager
def agent(api: Api) -> Iterator[tuple[psutil.Popen, int]]:
    """The agent as its image runs it, once it has listed everything, and its gRPC port."""
    grpc, health = free_port(), free_port()
    flags = ["--api", api.url, "--namespace", NAMESPACE, "--grpc", f"127.0.0.1:{grpc}"]
    with tempfile.TemporaryDirectory(prefix="bench-agent-") as folder:
        log = Path(folder) / "log"
        command = python("kubealive_agent", *flags, "--health", f"127.0.0.1:{health}")
        with running(command, env=environment(), log=log) as process:
            try:
                until(lambda: b"all kinds are listed" in log.read_bytes(), what="the agent's first lists")
            except BenchError as exc:
                raise BenchError(f"{exc}; it said: {log.read_text(encoding='utf-8')[-500:]}") from exc
            yield process, grpc
