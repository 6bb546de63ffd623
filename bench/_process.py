"""Processes to measure: started on a core of their own, read from outside, and always ended.

CPU and memory come from the kernel's own accounts, so that measuring costs the measured nothing.
"""

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = [
    "CLIENT_CORE",
    "PATIENCE_S",
    "ROOT",
    "SERVER_CORE",
    "BenchError",
    "Finished",
    "await_port",
    "cpu_seconds",
    "environment",
    "free_port",
    "on_core",
    "python",
    "resident_mb",
    "run_to_end",
    "running",
    "until",
]

ROOT = Path(__file__).resolve().parents[1]

# Server and client compete for nothing but the loopback when each has a core.
SERVER_CORE, CLIENT_CORE = 0, 1

# For anything here to start or to end; interpreters on a busy machine take a second or two.
PATIENCE_S = 30.0

_MB = 1 << 20


class BenchError(Exception):
    """A bench could not measure what it is for; one sentence with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that ran to its end: what it wrote, its seconds on the clock and on the CPU."""

    stdout: str
    wall_s: float
    cpu_s: float


def environment(**more: str) -> dict[str, str]:
    """The environment in which the repository's own packages are found, whether installed or not."""
    paths = [str(ROOT / part) for part in ("proto", "agent", "tui", "workloads", "sandbox", ".")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


def python(module: str, *arguments: str, flags: Sequence[str] = ("-P",)) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, *flags, "-m", module, *arguments]


def on_core(core: int, command: Sequence[str]) -> list[str]:
    """The command bound to one core, where there are several."""
    if (os.cpu_count() or 1) < 2 or not shutil.which("taskset"):
        return list(command)
    return ["taskset", "-c", str(core), *command]


def run_to_end(
    command: Sequence[str], *, within: float, env: Mapping[str, str] | None = None, stdin: str = ""
) -> Finished:
    """Run a command. Raises BenchError when it fails or does not end within `within` seconds."""
    before, began = _children_cpu(), time.monotonic()
    try:
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=within, env=env, input=stdin
        )
    except subprocess.CalledProcessError as exc:
        raise BenchError(f"{' '.join(command[:6])} ended with {exc.returncode}: {exc.stderr[-500:]}") from exc
    except subprocess.TimeoutExpired as exc:
        raise BenchError(f"{' '.join(command[:6])} did not end within {within:g} s") from exc
    return Finished(stdout=done.stdout, wall_s=time.monotonic() - began, cpu_s=_children_cpu() - before)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def running(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[psutil.Popen]:
    """A process that is ended with the block, its children too. What it says goes to `log`, or nowhere."""
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        process = psutil.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE if log is None else out, stderr=out
        )
        try:
            yield process
        finally:
            _end(process)


def _end(process: psutil.Popen) -> None:
    family = [process, *_children(process)]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=PATIENCE_S)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait(timeout=PATIENCE_S)
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process and its living children since their start."""
    times = [member.cpu_times() for member in (process, *_children(process))]
    return sum(one.user + one.system for one in times)


def resident_mb(process: psutil.Process) -> float:
    """Resident memory of a process and its children, in MiB."""
    return sum(member.memory_info().rss for member in (process, *_children(process))) / _MB


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def until(condition: Callable[[], bool], *, what: str, within: float = PATIENCE_S) -> None:
    """Wait for a condition. Raises BenchError, naming `what`, after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"waited {within:g} s in vain for {what}")
        time.sleep(0.01)


def await_port(port: int, *, what: str) -> None:
    """Wait until a loopback port takes connections."""

    def listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listening, what=f"{what} on port {port}")
