"""A pod of the experiments has to be cheap enough to run fifty of, and its server must not be what is measured.

The workload beside nginx, each alone on one core, asked by wrk from the other: CPU a request, and memory.
"""

import compileall
import contextlib
import itertools
from collections.abc import Iterator
from statistics import median

import psutil

from bench._figures import Figure, Finding, Skipped, spread
from bench._options import Options
from bench._peers import Absent, nginx, peer, wrk
from bench._process import (
    ROOT,
    SERVER_CORE,
    await_port,
    cpu_seconds,
    environment,
    free_port,
    on_core,
    python,
    resident_mb,
    running,
)

CONNECTIONS = 32
SECONDS = 2


def run(options: Options) -> Iterator[Finding]:
    """CPU a request of workload and nginx, with new and kept connections, and the workload's memory after it."""
    compileall.compile_dir(ROOT / "workloads", quiet=2)
    try:
        peer("wrk")
        with _workload() as (ours, our_port), nginx() as (theirs, their_port):
            for kept in (False, True):
                yield from _compare(options, (ours, our_port), (theirs, their_port), kept=kept)
            beside = f"nginx {resident_mb(theirs):.1f}, one process"
            yield Figure(what="workload RSS", value=resident_mb(ours), unit="MB", most=12, beside=beside)
    except Absent as exc:
        yield Skipped("workload beside nginx", str(exc))


@contextlib.contextmanager
def _workload() -> Iterator[tuple[psutil.Popen, int]]:
    """`getip` as its image runs it."""
    port = free_port()
    identity = {"POD_NAME": "getip-1", "POD_UID": "getip-1-uid", "NODE_NAME": "node-1", "POD_IP": "10.1.2.3"}
    env = environment(PORT=str(port), FAULT_PORT="0", VERSION="v1", **identity)
    command = python("kubealive_workloads", "getip", flags=("-S", "-s", "-P"))
    with running(on_core(SERVER_CORE, command), env=env) as process:
        await_port(port, what="the workload")
        yield process, port


def _compare(
    options: Options, ours: tuple[psutil.Popen, int], theirs: tuple[psutil.Popen, int], *, kept: bool
) -> Iterator[Finding]:
    costs: dict[bool, list[float]] = {True: [], False: []}
    for _, mine in itertools.product(range(options.rounds), (True, False)):
        costs[mine].append(_cost_us(*(ours if mine else theirs), kept=kept))
    mode = "kept connections" if kept else "new connections"
    ratio = median(mine / his for mine, his in zip(costs[True], costs[False], strict=True))
    beside = f"workload {spread(costs[True])} µs, nginx {spread(costs[False])} µs"
    yield Figure(what=f"CPU a request, {mode}", value=ratio, unit="× nginx", most=2.5, beside=beside)


def _cost_us(server: psutil.Popen, port: int, *, kept: bool) -> float:
    before = cpu_seconds(server)
    rate = wrk(port, connections=CONNECTIONS, seconds=SECONDS, kept=kept)
    return (cpu_seconds(server) - before) / rate.requests * 1e6
