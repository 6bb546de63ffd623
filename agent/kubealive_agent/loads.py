"""Measured traffic of the experiments: who started which load, where it goes, and when it has to end.

An experiment has at most one steady load and one burst beside it. A load ends when somebody says so, when its
time or count is over, when its lease is (nobody looks any more), or with the engine. Each of these is a fact.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Protocol

from kubealive.v1.agent_pb2 import Refusal, SetLoadRequest
from kubealive.v1.facts_pb2 import AgentNote, Fact, LoadTransition
from kubealive.v1.state_pb2 import KIND_LOAD, LOAD_MODE_KEPT, Load, LoadTarget
from kubealive_agent._errors import RefusalError
from kubealive_agent._sizes import planned
from kubealive_agent._traffic import local_errors, outage_edge, traffic_bin
from kubealive_agent.actions import Observation
from kubealive_agent.load import (
    MAX_DURATION_US,
    AnyReport,
    Bin,
    ChildDied,
    Edge,
    LoadError,
    LoadRefusedError,
    Refused,
    Start,
    Stopped,
    why_refused,
)
from kubealive_agent.targets import Address, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kubealive.v1.agent_pb2 import Observe
    from kubealive_agent._ids import Ids
    from kubealive_agent.clock import Clock
    from kubealive_agent.journal import Journal
    from kubealive_agent.sessions import Sessions
    from kubealive_agent.world import World

__all__ = ["Engine", "Loads"]


class Engine(Protocol):
    """What is needed of the load supervisor; each raises LoadError."""

    async def run_load(self, start: Start) -> None:
        """Begin a load."""
        ...

    async def set_rate(self, load_id: int, rate: float) -> None:
        """Change the rate of a load."""
        ...

    async def stop(self, load_id: int) -> None:
        """Plan no more requests."""
        ...


@dataclass(slots=True)
class _Running:
    """A load that the engine still reports on. `over`: clients have been told that it stopped.

    `actions` counts those under way that it is measured for; after the last of them it goes on to `ends_us`.
    """

    number: int
    load: Load
    address: Address
    connections: int
    actions: int = 0
    ends_us: int | None = None
    over: bool = False

    @property
    def steady(self) -> bool:
        return not self.load.HasField("count")


class Loads:
    """All measured traffic. `on_local_errors` hears of requests that the engine itself could not send."""

    def __init__(  # noqa: PLR0913 - the collaborators of a long-lived object, each by name
        self,
        engine: Engine,
        *,
        world: World,
        journal: Journal,
        sessions: Sessions,
        clock: Clock,
        ids: Ids,
        namespace: str,
        domain: str,
        on_local_errors: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._world = world
        self._journal = journal
        self._sessions = sessions
        self._clock = clock
        self._ids = ids
        self._namespace = namespace
        self._domain = domain
        self._on_local_errors = on_local_errors
        self._numbers = count(1)
        self._running: dict[int, _Running] = {}
        self._order = asyncio.Lock()
        """Commands go to the engine one after another, so that two viewers cannot both start a load."""

    # Commands

    async def run(self, request: SetLoadRequest.Run, *, experiment: str, actor: str) -> str:
        """Start a load, or change the one that runs; its id. Raises RefusalError."""
        load, connections = planned(request)
        address = self._resolve(load.target, experiment)
        load.experiment, load.actor = experiment, actor
        duration = request.duration_seconds
        async with self._order:
            old = self._of(experiment, steady=not load.HasField("count"))
            if old is not None and duration == 0 and _same_but_rate(old, load, address, connections):
                return await self._change_rate(old, load)
            if duration:
                load.until_us = self._clock.now_us() + duration * 1_000_000
            if old is not None:
                self._check(load, address, connections)
                await self._stop(old, "replaced")
            return await self._start(load, address, connections)

    async def stop(self, experiment: str, *, reason: str) -> int:
        """Stop what this experiment has running; how many loads that were."""
        async with self._order:
            return await self._stop_each(self._alive(experiment), reason)

    async def stop_all(self, *, reason: str) -> int:
        """Stop every load; how many there were."""
        async with self._order:
            return await self._stop_each(self._alive(), reason)

    def loaded(self) -> list[str]:
        """Experiments that have load now, in order."""
        return sorted({running.load.experiment for running in self._alive()})

    async def begin_observation(
        self, observe: Observe, *, experiment: str, actor: str, action_id: str
    ) -> Observation | None:
        """Start the traffic of an action; None where the experiment has steady traffic of its own.

        Traffic that another action has started is shared. What has begun is to be ended with
        `end_observation`, once. Raises RefusalError.
        """
        request = SetLoadRequest.Run(target=observe.target, mode=observe.mode, rate=observe.rate)
        load, connections = planned(request)
        address = self._resolve(load.target, experiment)
        load.experiment, load.actor, load.action_id = experiment, actor, action_id
        async with self._order:
            old = self._of(experiment, steady=True)
            if old is None:
                return Observation(await self._start(load, address, connections, actions=1), running_us=0)
            if not old.load.action_id:
                return None
            old.actions += 1
            return Observation(old.load.load_id, running_us=self._clock.now_us() - old.load.since_us)

    async def end_observation(self, load_id: str, *, after_ms: int) -> None:
        """Let the traffic of an action end, `after_ms` from now; the latest wish of all its actions holds."""
        running = next((one for one in self._alive() if one.load.load_id == load_id), None)
        if running is not None and running.load.action_id:
            running.actions -= 1
            running.ends_us = max(running.ends_us or 0, self._clock.now_us() + after_ms * 1000)

    async def expire(self) -> None:
        """Stop what has outlived its observation or its lease. To be called about once a second."""
        now = self._clock.now_us()
        async with self._order:
            for running in self._alive():
                load = running.load
                if not running.actions and running.ends_us is not None and running.ends_us <= now:
                    await self._stop(running, "observed")
                elif self._sessions.lease_over(load.experiment, since_us=load.since_us):
                    await self._stop(running, "lease")

    # Reports

    def on_report(self, report: AnyReport) -> None:
        """Turn what the engine reports into facts."""
        match report:
            case ChildDied():
                self._died(report)
            case Bin() if (running := self._running.get(report.load_id)) is not None:
                if errors := local_errors(report):
                    self._on_local_errors(errors)
                self._add(running, Fact(traffic=traffic_bin(report, running.load.load_id)))
            case Edge() if (running := self._running.get(report.load_id)) is not None:
                self._add(running, Fact(outage=outage_edge(report, running.load.load_id)))
            case Stopped() if (running := self._running.pop(report.load_id, None)) is not None:
                self._end(running, report.reason)
            case Refused() if (running := self._running.pop(report.load_id, None)) is not None:
                self._end(running, f"refused: {report.why}")
            case _:
                pass  # the last words of a load that was given up

    def _died(self, report: ChildDied) -> None:
        code = "unknown" if report.exit_code is None else report.exit_code
        note = AgentNote(
            level=AgentNote.LEVEL_WARNING,
            message=f"the load engine ended with code {code}; the next load starts a new one",
        )
        self._journal.add(Fact(note=note))
        for running in self._running.values():
            self._end(running, "engine-died")
        self._running.clear()

    # The engine

    def _check(self, load: Load, address: Address, connections: int) -> None:
        """Refuse what the engine would, so that a load that cannot be had does not end the one there is."""
        start = self._command(0, load, address, connections)
        why = why_refused(start, now_us=self._clock.now_us(), running_rate=0.0, running_loads=0)
        if why is not None:
            raise RefusalError(Refusal.REASON_INVALID, why)

    def _command(self, number: int, load: Load, address: Address, connections: int) -> Start:
        return Start(
            load_id=number,
            host=address.host,
            port=address.port,
            path=address.path,
            host_header=address.host.rstrip("."),
            mode="kept" if load.mode == LOAD_MODE_KEPT else "new",
            rate=load.rate if load.HasField("rate") else None,
            connections=connections,
            count=load.count if load.HasField("count") else None,
            stop_at_us=load.until_us if load.HasField("until_us") else self._clock.now_us() + MAX_DURATION_US,
        )

    async def _start(self, load: Load, address: Address, connections: int, *, actions: int = 0) -> str:
        load.load_id, load.since_us = self._ids.next("l"), self._clock.now_us()
        running = _Running(next(self._numbers), load, address, connections, actions)
        start = self._command(running.number, load, address, connections)
        # Known before the engine is asked: its first report may be faster than its answer.
        self._running[running.number] = running
        try:
            await self._engine.run_load(start)
        except LoadError as exc:
            self._running.pop(running.number, None)
            raise _refusal(exc) from exc
        self._show(running, LoadTransition.STATE_STARTED)
        return load.load_id

    async def _change_rate(self, running: _Running, wanted: Load) -> str:
        try:
            await self._engine.set_rate(running.number, wanted.rate)
        except LoadError as exc:
            raise _refusal(exc) from exc
        load = running.load
        load.rate, load.cpu, load.actor = wanted.rate, wanted.cpu, wanted.actor
        # Whoever sets a rate takes the load over: it no longer ends with the action that began it.
        load.action_id, running.actions, running.ends_us = "", 0, None
        self._show(running, LoadTransition.STATE_CHANGED)
        return load.load_id

    async def _stop_each(self, loads: Iterable[_Running], reason: str) -> int:
        stopped = 0
        for running in loads:
            await self._stop(running, reason)
            stopped += 1
        return stopped

    async def _stop(self, running: _Running, reason: str) -> None:
        """No request is sent from now on; those in flight still come to their outcome."""
        try:
            await self._engine.stop(running.number)
        except LoadError as exc:
            reason = f"{reason} ({exc})"
        self._end(running, reason)

    # What clients see

    def _end(self, running: _Running, reason: str) -> None:
        if running.over:
            return
        running.over = True
        load = running.load
        self._journal.drop(KIND_LOAD, load.load_id)
        transition = LoadTransition(
            load_id=load.load_id, state=LoadTransition.STATE_STOPPED, reason=reason, load=load
        )
        self._add(running, Fact(load=transition))

    def _show(self, running: _Running, state: LoadTransition.State.ValueType) -> None:
        if running.over:
            return
        load = running.load
        self._journal.put(KIND_LOAD, load.load_id, load)
        transition = LoadTransition(load_id=load.load_id, state=state, load=load)
        self._add(running, Fact(load=transition))

    def _add(self, running: _Running, fact: Fact) -> None:
        fact.experiment = running.load.experiment
        fact.action_id = running.load.action_id
        self._journal.add(fact)

    def _alive(self, experiment: str | None = None) -> list[_Running]:
        return [
            running
            for running in self._running.values()
            if not running.over and experiment in {None, running.load.experiment}
        ]

    def _of(self, experiment: str, *, steady: bool) -> _Running | None:
        return next((one for one in self._alive(experiment) if one.steady == steady), None)

    def _resolve(self, target: LoadTarget, experiment: str) -> Address:
        return resolve(target, self._world, experiment=experiment, namespace=self._namespace, domain=self._domain)


def _same_but_rate(old: _Running, load: Load, address: Address, connections: int) -> bool:
    """Whether the engine can go from the old load to this one by its rate alone."""
    return (
        old.load.HasField("rate")
        and load.HasField("rate")
        and not old.load.HasField("until_us")
        and (old.address, old.load.mode) == (address, load.mode)
        and old.connections >= connections
    )


def _refusal(exc: LoadError) -> RefusalError:
    reason = Refusal.REASON_INVALID if isinstance(exc, LoadRefusedError) else Refusal.REASON_UNANSWERED
    return RefusalError(reason, str(exc))
