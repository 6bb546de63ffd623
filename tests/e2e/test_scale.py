"""Autoscaling on a real cluster: the check, and its stopwatches beside outside observers."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import pytest

from kubealive_tui.model import Run
from tests.e2e.harness import KUBECTL, NAMESPACE, Viewer, checked, kubectl_watch, viewer

# The slowest of all: an autoscaler needs half a minute to see a load, and a minute and a half to let its pods go.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420), pytest.mark.usefixtures("installed")]

METRICS = ("-n", NAMESPACE, "get", "pods.metrics.k8s.io", "-l", "kubealive.dev/experiment=scale", "-o", "json")
# The observers' own grain: a line of kubectl, a poll of the metrics API beside ours, a busy machine.
CLOSE_S = 0.5
POLL_S = 1.0
POLLED_S = 3.0
# What an autoscaler takes as above and below a target of 50 % of 250m, with its tolerance.
ABOVE_MILLIS, BELOW_MILLIS = 137.5, 112.5


@dataclass(frozen=True)
class Measure:
    """What the metrics API said: when it was asked, the end of the oldest window, and the mean of the pods."""

    at: float
    measured: float
    millis: float


async def test_the_check_passes_and_its_times_are_those_of_outside_observers() -> None:
    """Load makes more pods and its end fewer again, and kubectl and the metrics API say the same of when."""
    ready_of = "N:.metadata.name,R:.status.conditions[?(@.type=='Ready')].status"
    async with (
        viewer("scale") as seen,
        kubectl_watch("hpa", "D:.status.desiredReplicas") as decisions,
        kubectl_watch("pods", ready_of) as changes,
        metrics() as measures,
    ):
        verdict = await checked("scale", within=400)
        up, down = await seen.until("both runs", lambda: both(seen), within=10)

    assert verdict["verdict"] == "passed", verdict
    assert [run["title"] for run in verdict["runs"]] == [up.title, down.title]

    began, ended = up.began_us / 1e6, down.began_us / 1e6
    known = {line[0] for at, line in changes if at < began}
    ready = min(at for at, line in changes if line[0].startswith("cpuhog") and new(line, known) and at < ended)
    assert up.seconds("desired") == pytest.approx(
        first(numbers(decisions), began, lambda n: n > 1) - began, abs=CLOSE_S
    )
    assert up.seconds("new pod ready") == pytest.approx(ready - began, abs=CLOSE_S)
    wanted = numbers(decisions)
    # The autoscaler may still want more first: what it saw last was the load.
    fewer = next(at for (_, before), (at, n) in pairwise(wanted) if at > ended and n < before)
    assert down.seconds("scale-down") == pytest.approx(fewer - ended, abs=CLOSE_S)

    above = next(m.at for m in measures if m.measured >= began - 1 and m.millis > ABOVE_MILLIS)
    assert up.seconds("seen") == pytest.approx(above - began, abs=POLLED_S)
    below = next(m.at for m in measures if m.measured >= ended - 1 and m.millis < BELOW_MILLIS)
    assert down.seconds("seen") == pytest.approx(below - ended, abs=POLLED_S)


def both(seen: Viewer) -> tuple[Run, Run] | None:
    """The runs of the load and of its end, the latter over."""
    found = seen.store.ledger("scale").runs.ended[-2:]
    return (found[0], found[1]) if [run.title for run in found] == ["LOAD 0.5 CPU", "LOAD OFF"] else None


def new(line: Sequence[str], known: set[str]) -> bool:
    """Whether the line says that a pod which was not there before is ready."""
    return line[0] not in known and line[1] == "True"


def numbers(lines: Sequence[tuple[float, list[str]]]) -> list[tuple[float, int]]:
    """The lines that say a number; an autoscaler that has not looked yet has none."""
    return [(at, int(line[0])) for at, line in lines if line[0].isdigit()]


def first(said: Sequence[tuple[float, int]], after: float, fits: Callable[[int], bool]) -> float:
    """When the first number that fits came, after that time."""
    return next(at for at, number in said if at > after and fits(number))


@contextlib.asynccontextmanager
async def metrics() -> AsyncIterator[list[Measure]]:
    """What another client of the metrics API is told meanwhile, asked each second."""
    measures: list[Measure] = []
    task = asyncio.create_task(_poll(measures))
    try:
        yield measures
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _poll(measures: list[Measure]) -> None:
    while True:
        asking = await asyncio.create_subprocess_exec(
            KUBECTL, *METRICS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            out, _ = await asking.communicate()
        finally:
            if asking.returncode is None:  # the polling ends while kubectl asks
                asking.kill()
                await asking.communicate()
        if items := json.loads(out or b"{}").get("items"):
            millis = [_millis(container["usage"]["cpu"]) for item in items for container in item["containers"]]
            oldest = min(datetime.fromisoformat(item["timestamp"]).timestamp() for item in items)
            measures.append(Measure(time.time(), oldest, sum(millis) / len(items)))
        await asyncio.sleep(POLL_S)


def _millis(quantity: str) -> float:
    """A CPU quantity as the metrics API writes it: `131m`, `151710n`, `1`."""
    scale = {"n": 1e-6, "u": 1e-3, "m": 1.0}.get(quantity[-1])
    return float(quantity) * 1000 if scale is None else float(quantity[:-1]) * scale
