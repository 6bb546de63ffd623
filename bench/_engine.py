"""The load engine as the agent runs it: the supervisor and its child process, on the client's core."""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass

import psutil

from bench._peers import Rate
from bench._process import CLIENT_CORE, BenchError, cpu_seconds, on_core
from kubealive_agent.load import AnyReport, Bin, ChildDied, LoadSupervisor, Refused, Start, Stopped

__all__ = ["Driven", "drive"]

# Beyond a load's own time: its last replies, and the start of an interpreter on a busy machine.
GRACE_S = 30.0

# 100,000 connections at a tenth of what the engine does alone on a core.
COUNTED_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """What the engine did: the replies that were ok, all outcomes by kind, the ok ones by the pod they name."""

    rate: Rate
    outcomes: Counter[str]
    pods: Counter[str]

    @property
    def attributed(self) -> float:
        """Share of the ok replies whose pod is known."""
        return sum(count for pod, count in self.pods.items() if pod) / max(self.rate.requests, 1)


def drive(port: int, *, connections: int, seconds: float | None = None, count: int | None = None) -> Driven:
    """Open a new connection a request to a loopback port, as fast as it goes. Raises BenchError."""
    return asyncio.run(_drive(port, connections, seconds, count))


async def _drive(port: int, connections: int, seconds: float | None, count: int | None) -> Driven:
    reports: list[AnyReport] = []
    over = asyncio.Event()

    def take(report: AnyReport) -> None:
        reports.append(report)
        if isinstance(report, Stopped | Refused | ChildDied):
            over.set()

    argv = on_core(CLIENT_CORE, (sys.executable, "-P", "-m", "kubealive_agent.load"))
    supervisor = LoadSupervisor(clock_offset_us=0, on_report=take, argv=argv)
    try:
        await supervisor.start()
        child = psutil.Process(supervisor.pid)
        before, began = cpu_seconds(child), time.monotonic()
        stop_at_us = None if seconds is None else round((began + seconds) * 1e6)
        await supervisor.run_load(
            Start(1, "127.0.0.1", port, connections=connections, count=count, stop_at_us=stop_at_us)
        )
        async with asyncio.timeout((seconds or COUNTED_S) + GRACE_S):
            await over.wait()
        took, cpu_s = time.monotonic() - began, cpu_seconds(child) - before
    except TimeoutError as exc:
        raise BenchError(f"the load engine did not end its load on port {port} in time") from exc
    finally:
        await supervisor.close()
    return _sum(reports, took=seconds or took, cpu_s=cpu_s)


def _sum(reports: list[AnyReport], *, took: float, cpu_s: float) -> Driven:
    outcomes: Counter[str] = Counter()
    pods: Counter[str] = Counter()
    for report in reports:
        if isinstance(report, Refused | ChildDied):
            raise BenchError(f"the load engine gave up: {report}")
        if not isinstance(report, Bin):
            continue
        for row in report.rows:
            outcomes[row.outcome] += row.count
            if row.outcome == "ok":
                pods[row.pod_name] += row.count
    return Driven(rate=Rate(requests=outcomes["ok"], seconds=took, cpu_s=cpu_s), outcomes=outcomes, pods=pods)
