"""The peers that kubealive is measured against, as the distribution ships them. Nothing is ever installed here."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench._process import (
    CLIENT_CORE,
    SERVER_CORE,
    BenchError,
    await_port,
    free_port,
    on_core,
    run_to_end,
    running,
)

__all__ = ["NGINX_PODS", "Absent", "Rate", "hey", "nginx", "peer", "versions", "wrk"]

_HOW = {
    "wrk": "apt-get install wrk",
    "hey": "apt-get install hey",
    "nginx": "apt-get install nginx-light",
    "kubectl": "https://kubernetes.io/docs/tasks/tools, or name one with KUBECTL",
}
_VERSION = {"wrk": "-v", "nginx": "-v", "kubectl": "version --client"}

NGINX_PODS = 4
"""Names that nginx gives itself by the client's port, so that a client has something to attribute."""

_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; server_tokens off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  split_clients $remote_port $pod {{ 25% getip-1; 25% getip-2; 25% getip-3; * getip-4; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      default_type text/plain; return 200 "10.1.2.3\\n";
      add_header X-Pod-Name $pod; add_header X-Pod-Uid "$pod-uid";
      add_header X-Node-Name node-1; add_header X-Version v1;
    }}
  }}
}}
"""


class Absent(BenchError):  # noqa: N818 - an absent peer is no error of the bench
    """A peer is not installed; the sentence says how to get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a load generator did: replies, over how long, and what it cost the generator."""

    requests: int
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Replies a second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """The generator's own CPU microseconds a reply."""
        return self.cpu_s / self.requests * 1e6


def peer(name: str) -> str:
    """The path of a peer's program. Raises Absent."""
    path = (os.environ.get("KUBECTL") if name == "kubectl" else None) or shutil.which(name)
    if not path:
        raise Absent(f"{name} is not installed ({_HOW[name]})")
    return path


def versions() -> dict[str, str]:
    """What each peer calls its own version; `absent` for those that are not there, `unknown` for hey."""
    found = {}
    for name in _HOW:
        try:
            path = peer(name)
        except Absent:
            found[name] = "absent"
            continue
        said = ""
        if name in _VERSION:
            done = subprocess.run([path, *_VERSION[name].split()], capture_output=True, text=True, check=False)
            said = done.stdout + done.stderr
        number = re.search(r"v?\d+\.\d+[\w.+-]*", said)
        found[name] = number[0] if number else "unknown"
    return found


@contextlib.contextmanager
def nginx() -> Iterator[tuple[psutil.Popen, int]]:
    """One nginx in one process on the server's core, answering as `getip` does, and its port. Raises Absent."""
    program, port = peer("nginx"), free_port()
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as folder:
        config = Path(folder) / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, port=port), encoding="utf-8")
        command = on_core(SERVER_CORE, [program, "-p", folder, "-e", "stderr", "-c", str(config)])
        with running(command) as process:
            await_port(port, what="nginx")
            yield process, port


def wrk(port: int, *, connections: int, seconds: int, kept: bool) -> Rate:
    """Run wrk in one thread on the client's core, closed loop. Raises Absent."""
    headers = [] if kept else ["-H", "Connection: close"]
    command = [peer("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", *headers, f"http://127.0.0.1:{port}/"]
    done = run_to_end(on_core(CLIENT_CORE, command), within=seconds + 20)
    found = re.search(r"(\d+) requests in ([\d.]+)s", done.stdout)
    if not found:
        raise BenchError(f"wrk did not say how much it did: {done.stdout[-300:]}")
    return Rate(requests=int(found[1]), seconds=float(found[2]), cpu_s=done.cpu_s)


def hey(port: int, *, connections: int, seconds: int) -> Rate:
    """Run hey on the client's core with a new connection a request, closed loop. Raises Absent."""
    command = [peer("hey"), "-cpus", "1", "-z", f"{seconds}s", "-c", str(connections), "-disable-keepalive"]
    done = run_to_end(on_core(CLIENT_CORE, [*command, f"http://127.0.0.1:{port}/"]), within=seconds + 40)
    total = re.search(r"Total:\s+([\d.]+) secs", done.stdout)
    counts = re.findall(r"\[200\]\s+(\d+) responses", done.stdout)
    if not total or not counts:
        raise BenchError(f"hey did not say how much it did: {done.stdout[-300:]}")
    return Rate(requests=int(counts[0]), seconds=float(total[1]), cpu_s=done.cpu_s)
