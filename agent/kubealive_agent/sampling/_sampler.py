"""Asks what somebody is interested in, for as long as that is so, and nothing else ever.

One task a sample keeps its period. What it asks runs beside it, so that a pod that hangs delays neither the next
asking of the others nor that of its own kind; but nothing is asked twice at the same time.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from kubealive.v1.agent_pb2 import Sample
    from kubealive_agent.sampling._errands import Errand, Errands
    from kubealive_agent.sampling._recorder import Recorder

__all__ = ["MAX_SAMPLES", "Sampler"]

_LOG = logging.getLogger(__name__)

MAX_SAMPLES = 512
"""Samples of all sessions together; the largest tab has about 90, and viewers of one tab share theirs."""

MAX_IN_FLIGHT = 32
"""Questions on their way: what a CoreDNS of 100m CPU answers at once without being the experiment."""

FIRST_WITHIN_S = 1.0
"""A tab that was just opened has its first answers by then."""

MIN_PERIOD_MS = 200
DEFAULT_PERIOD_MS = 1_000
MAX_PERIOD_MS = 60_000
"""A sample that is asked less often is a mistake: nobody looks at one tab for that long."""


def _phase(question: bytes) -> float:
    """Where in its period a question is asked, from 0 to 1: the same each time, and spread over the questions."""
    return zlib.crc32(question) / 2**32


class Sampler:
    """Keeps one task for each sample of `wanted`, which is asked anew whenever `interest_changed` is called."""

    def __init__(
        self,
        errands: Errands,
        recorder: Recorder,
        *,
        wanted: Callable[[], Iterable[Sample]],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        phase: Callable[[bytes], float] = _phase,
    ) -> None:
        self._errands = errands
        self._recorder = recorder
        self._wanted = wanted
        self._sleep = sleep
        self._phase = phase
        self._changed = asyncio.Event()
        self._places = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._tasks: dict[tuple[bytes, int], asyncio.Task[None]] = {}

    def interest_changed(self, experiments: Collection[str] = ()) -> None:
        """Have `wanted` read again; who newly wants `experiments` is told their answers, changed or not."""
        self._recorder.restate(experiments)
        self._changed.set()

    async def run(self) -> None:
        """Sample until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._reconcile(group)
                self._changed.clear()
                await self._changed.wait()

    def _reconcile(self, group: asyncio.TaskGroup) -> None:
        wanted = self._union()
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
        for key, sample in wanted.items():
            if key not in self._tasks:
                repeating = self._repeat(sample, key[1] / 1000, phase=self._phase(key[0]))
                self._tasks[key] = group.create_task(repeating, name="sample")

    def _union(self) -> dict[tuple[bytes, int], Sample]:
        """The samples to ask, each once and with its shortest period, by that and what they ask."""
        periods: dict[bytes, int] = {}
        samples: dict[bytes, Sample] = {}
        for sample in self._wanted():
            key = _question(sample)
            period = min(max(sample.period_ms or DEFAULT_PERIOD_MS, MIN_PERIOD_MS), MAX_PERIOD_MS)
            periods[key] = min(period, periods.get(key, period))
            samples.setdefault(key, sample)
        if len(samples) > MAX_SAMPLES:
            self._recorder.left_out(
                "", f"{len(samples)} samples are wanted, and the agent asks {MAX_SAMPLES}; close some viewers"
            )
        return {(key, periods[key]): sample for key, sample in list(samples.items())[:MAX_SAMPLES]}

    async def _repeat(self, sample: Sample, period_s: float, *, phase: float) -> None:
        """Ask within a second, then at a place of its own in the period: a tab's do not come all at once."""
        underway: set[str] = set()
        first_s = phase * min(period_s, FIRST_WITHIN_S)
        shift_s = phase * period_s - first_s
        if first_s:
            await self._sleep(first_s)
        async with asyncio.TaskGroup() as group:
            while True:
                for key, errand in self._due(sample).items():
                    if key not in underway:
                        underway.add(key)
                        group.create_task(self._run(key, errand, underway), name="errand")
                await self._sleep(period_s + shift_s)
                shift_s = 0.0

    def _due(self, sample: Sample) -> Mapping[str, Errand]:
        try:
            return self._errands.of(sample)
        except Exception:  # noqa: BLE001 - as below: one sample that is a bug of ours must not end the agent
            _LOG.exception("a sample could not be asked")
            return {}

    async def _run(self, key: str, errand: Errand, underway: set[str]) -> None:
        try:
            async with self._places:
                await errand()
        except Exception:  # noqa: BLE001 - the root of a task: one answer that is a bug of ours must not end the agent
            _LOG.exception("a sample failed")
        finally:
            underway.discard(key)


def _question(sample: Sample) -> bytes:
    """What makes two samples equal: all but the period."""
    bare = type(sample)()
    bare.CopyFrom(sample)
    bare.ClearField("period_ms")
    return bare.SerializeToString(deterministic=True)
