"""kubealive on the cluster of KUBECONFIG, in a namespace of its own that is gone afterwards."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench._objects import EXPERIMENT
from bench._options import Options
from bench._peers import Absent, peer
from bench._process import BenchError, Finished, await_port, environment, free_port, run_to_end, running, until
from bench._terminal import kubealive

__all__ = ["AGENT_LABEL", "NO_CLUSTER", "Installed", "installed"]

NO_CLUSTER = "KUBECONFIG names no cluster"
AGENT_LABEL = "app.kubernetes.io/name=kubealive-agent"
_GRPC_PORT = 50051
_UP_S, _DOWN_S, _CALL_S = 180.0, 120.0, 30.0
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True, slots=True)
class Installed:
    """An install with the first experiment, and kubectl to look at it from outside."""

    kubeconfig: Path
    namespace: str

    def kubectl(self, *arguments: str, stdin: str = "") -> Finished:
        """Run kubectl on it. Raises BenchError, also when there is no kubectl."""
        return run_to_end(self.command(*arguments), within=_CALL_S, env=self._env, stdin=stdin)

    def command(self, *arguments: str) -> list[str]:
        """The kubectl command for something that runs on."""
        return [peer("kubectl"), "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *arguments]

    def kubealive(self, *arguments: str) -> list[str]:
        """The kubealive command for this install."""
        return kubealive(*arguments, "--kubeconfig", str(self.kubeconfig), "-n", self.namespace)

    @contextlib.contextmanager
    def agent_port(self) -> Iterator[int]:
        """A loopback port that leads to the agent."""
        port = free_port()
        command = self.command("port-forward", "deployment/kubealive-agent", f"{port}:{_GRPC_PORT}")
        with running(command, env=self._env):
            await_port(port, what="the port-forward")
            yield port

    @contextlib.contextmanager
    def pod(self, name: str, *command: str) -> Iterator[None]:
        """A pod of the agent's image that runs a Python command, once it has printed something."""
        image = json.loads(self.kubectl("get", "deployment", "kubealive-agent", "-o", "json").stdout)
        container: dict[str, Any] = {
            "name": name,
            "image": image["spec"]["template"]["spec"]["containers"][0]["image"],
            "command": ["python3", *command],
            "securityContext": {**_RESTRICTED, "runAsUser": 10001},
        }
        spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
        try:
            self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=25s")
            until(lambda: bool(self.kubectl("logs", name).stdout), what=f"the first line of pod {name}")
            yield
        finally:
            self.kubectl("delete", "pod", name, "--wait=false")

    @property
    def _env(self) -> dict[str, str]:
        return environment(KUBECONFIG=str(self.kubeconfig))


@contextlib.contextmanager
def installed(options: Options) -> Iterator[Installed]:
    """Install, and take down again whatever happens. Raises Absent without a cluster or kubectl."""
    if options.kubeconfig is None:
        raise Absent(NO_CLUSTER)
    peer("kubectl")
    found = Installed(options.kubeconfig, options.namespace)
    try:
        run_to_end(found.kubealive("up", EXPERIMENT), within=_UP_S, env=environment())
        yield found
    finally:
        with contextlib.suppress(BenchError):
            run_to_end(found.kubealive("down", "--yes"), within=_DOWN_S, env=environment())
