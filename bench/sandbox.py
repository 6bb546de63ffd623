"""A laptop has a cluster before one wonders whether it will, and does not notice it afterwards.

From `kubealive tui --sandbox`, typed, to the pods that its API calls ready, and to its screen; then what all of
its processes together take while nobody does anything: the screen, the sandbox, the agent and every pod.
"""

import contextlib
import json
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench._figures import Figure, Finding
from bench._options import Options
from bench._process import BenchError, until
from bench._terminal import Terminal, kubealive, terminal

PODS = 4
PATIENCE_S = 40.0
LOOK_S = 0.05
# For what goes on after the start: autoscalers, caches, the first samples.
SETTLE_S = 10.0
IDLE_S = 30.0
_MB = 1 << 20


def run(options: Options) -> Iterator[Finding]:
    """Seconds of the start, medians of the rounds; CPU and memory of the last round's processes."""
    first: list[float] = []
    every: list[float] = []
    for each in range(options.rounds):
        with _started() as (screen, folder, began):
            first.append(_await_ready(screen, folder, "app.kubernetes.io%2Fname=getip", PODS) - began)
            every.append(screen.await_text("Running", within=PATIENCE_S) - began)
            if each == options.rounds - 1:
                idle, pss, count = _idle(screen)
    yield Figure(
        what="four pods ready", value=median(first), unit="s", most=3, beside=f"at most {max(first):.2f} s"
    )
    beside = f"at most {max(every):.2f} s"
    yield Figure(what="all ready and on the screen", value=median(every), unit="s", most=8, beside=beside)
    beside = f"{count} processes over {IDLE_S:g} s, the screen's too"
    yield Figure(what="idle", value=idle, unit="% of a core", most=3, beside=beside)
    yield Figure(
        what="memory (PSS; USS where there is none)", value=pss, unit="MB", most=400, beside=f"{count} processes"
    )


@contextlib.contextmanager
def _started() -> Iterator[tuple[Terminal, Path, float]]:
    """The laboratory in a terminal, the folder for its files, and when it was begun."""
    with tempfile.TemporaryDirectory(prefix="kb-") as folder:  # short: sockets have their paths in it
        command = kubealive("tui", "--sandbox", "--experiment", "balance")
        began = time.monotonic()
        with terminal(command, TMPDIR=folder) as screen:
            yield screen, Path(folder), began
        until(lambda: not list(Path(folder).glob("kubealive-sandbox-*")), what="the end of the sandbox")


def _await_ready(screen: Terminal, folder: Path, labels: str, count: int) -> float:
    """The second in which so many pods with those labels were ready, as far as the API is asked for it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        screen.count(LOOK_S)
        for kubeconfig in folder.glob("kubealive-sandbox-*/kubeconfig"):
            with contextlib.suppress(OSError, ValueError):
                server = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
                if sum(map(_ready, _get(f"{server}/api/v1/pods?labelSelector={labels}"))) >= count:
                    return time.monotonic()
    raise BenchError(f"{count} pods {labels} were not ready within {PATIENCE_S:g} s")


def _get(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - the sandbox's own
        items: list[dict[str, Any]] = json.load(reply)["items"]
    return items


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _idle(screen: Terminal) -> tuple[float, float, int]:
    """Percent of a core, megabytes and number of all processes, while nobody does anything."""
    screen.count(SETTLE_S)
    family = [psutil.Process(screen.pid), *psutil.Process(screen.pid).children(recursive=True)]
    before, began = _cpu(family), time.monotonic()
    screen.count(IDLE_S)
    used = (_cpu(family) - before) / (time.monotonic() - began)
    full = [each.memory_full_info() for each in family if each.is_running()]
    return used * 100, sum(getattr(each, "pss", each.uss) for each in full) / _MB, len(full)


def _cpu(family: list[psutil.Process]) -> float:
    times = [each.cpu_times() for each in family if each.is_running()]
    return sum(each.user + each.system for each in times)
