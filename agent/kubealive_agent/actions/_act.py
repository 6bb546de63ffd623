"""One action from request to answer: session, guard, traffic before, the change itself, facts, audit.

The order is what makes the stopwatches true: the fact that an action was requested is written before the
Kubernetes API is asked, so no consequence can come before its cause.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from kubealive.v1.agent_pb2 import ActRequest, ActResponse, Refusal, StopAllResponse
from kubealive.v1.facts_pb2 import Action, Fact
from kubealive.v1.state_pb2 import KIND_POD
from kubealive_agent._errors import RefusalError
from kubealive_agent.actions._once import Once
from kubealive_agent.targets import answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from kubealive.v1.agent_pb2 import Observe
    from kubealive.v1.state_pb2 import Pod
    from kubealive_agent._ids import Ids
    from kubealive_agent.actions._faults import FaultPort
    from kubealive_agent.actions._guard import Guard
    from kubealive_agent.actions._step import Step, Steps
    from kubealive_agent.audit import Audit
    from kubealive_agent.journal import Journal
    from kubealive_agent.sessions import Sessions
    from kubealive_agent.world import Found, World

__all__ = ["Actions", "Observation", "ObserveTraffic"]

LEAD_MS = 1000
"""Traffic before an action unless the client says otherwise: 100 requests at the usual rate."""

TAIL_MS = 60_000
"""Traffic after an action unless the client says otherwise: a pod is replaced and ready within a few seconds."""

MAX_LEAD_MS = 10_000
MAX_TAIL_MS = 600_000


class Observation(NamedTuple):
    """The load that measures an action, and how long it has been running."""

    load_id: str
    running_us: int


class ObserveTraffic(Protocol):
    """Measured traffic that begins with an action and ends after it."""

    async def begin_observation(
        self, observe: Observe, *, experiment: str, actor: str, action_id: str
    ) -> Observation | None:
        """Start it; None where the experiment has traffic of its own. Raises RefusalError."""
        ...

    async def end_observation(self, load_id: str, *, after_ms: int) -> None:
        """Let it end so much later, unless another action still needs it for longer."""
        ...

    def loaded(self) -> list[str]:
        """Experiments that have traffic now."""
        ...

    async def stop_all(self, *, reason: str) -> int:
        """Stop all traffic; how many loads there were."""
        ...


@dataclass(frozen=True, slots=True)
class _Running:
    """An action that passed the guard. `parameters` is what its facts tell of it."""

    request: ActRequest
    action_id: str
    actor: str
    found: Found
    step: Step
    parameters: Mapping[str, str]


class Actions:
    """Carries out actions, one at a time for each request id. `close` ends what is under way."""

    def __init__(  # noqa: PLR0913 - the collaborators of a long-lived object, each by name
        self,
        *,
        world: World,
        journal: Journal,
        sessions: Sessions,
        guard: Guard,
        steps: Steps,
        faults: FaultPort,
        traffic: ObserveTraffic,
        audit: Audit,
        ids: Ids,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._world = world
        self._journal = journal
        self._sessions = sessions
        self._guard = guard
        self._steps = steps
        self._faults = faults
        self._traffic = traffic
        self._audit = audit
        self._ids = ids
        self._sleep = sleep
        self._once: Once[ActResponse] = Once()

    async def act(self, request: ActRequest) -> ActResponse:
        """Answer one Act; a repeated request is answered with what the first came to."""
        key = f"{request.session_id}\n{request.request_id}\n{request.dry_run}"
        try:
            actor = self._actor(request)
            return await self._once.run(key, lambda: self._act(request, actor))
        except RefusalError as exc:
            return ActResponse(refusal=exc.refusal())

    async def stop_all(self, session_id: str) -> StopAllResponse:
        """Stop all load and cure the workloads of all experiments. Everybody may."""
        try:
            actor = self._sessions.get(session_id).actor
        except RefusalError:
            actor = "unknown"
        action = Action(actor=actor, verb="stop_all", phase=Action.PHASE_REQUESTED)
        # Whose load this stops is known before it stops: it is the trigger of what follows there.
        action.parameters["loads"] = ",".join(self._traffic.loaded())
        action_id = self._ids.next("a")
        self._journal.add(Fact(action_id=action_id, action=action))
        stopped = await self._traffic.stop_all(reason="asked")
        # Faults live in a process: a pod of which nothing runs has none.
        pods = {uid: pod for uid, pod in self._world.pods().items() if pod.experiment and answers(pod)}
        cured, not_cured = await self._faults.cure(pods) if self._faults.usable else (0, [])
        action.phase = Action.PHASE_ACCEPTED
        action.parameters.update({"loads_stopped": str(stopped), "pods_cured": str(cured)})
        self._journal.add(Fact(action_id=action_id, action=action))
        self._audit.write(
            actor=actor, verb="stop_all", target="all", uid="", result="accepted", action_id=action_id
        )
        return StopAllResponse(loads_stopped=stopped, pods_cured=cured, not_cured=sorted(not_cured))

    async def close(self) -> None:
        """Cancel the actions under way."""
        await self._once.close()

    def _actor(self, request: ActRequest) -> str:
        try:
            session = self._sessions.get(request.session_id)
        except RefusalError as exc:
            self._audit_attempt(request, "unknown", exc)
            raise
        if session.read_only and not request.dry_run:
            refusal = RefusalError(
                Refusal.REASON_INVALID, "this session is read-only; connect without --read-only to act"
            )
            self._audit_attempt(request, session.actor, refusal)
            raise refusal
        return session.actor

    async def _act(self, request: ActRequest, actor: str) -> ActResponse:
        try:
            found = self._guard.check(request)
            step = self._steps[request.WhichOneof("verb") or ""](found, request)
            if request.dry_run:
                return ActResponse(dry_run=step.words)
            running = _Running(request, self._ids.next("a"), actor, found, step, step.parameters)
            observation = await self._begin_traffic(running)
        except RefusalError as exc:
            self._audit_attempt(request, actor, exc)
            raise
        tail_ms = 0
        try:
            if observation is not None:
                await self._lead(request.observe, observation)
            refusal = await self._perform(running)
            if refusal is None or refusal.reason == Refusal.REASON_UNANSWERED:
                tail_ms = min(request.observe.tail_ms or TAIL_MS, MAX_TAIL_MS)
            if refusal is not None:
                return ActResponse(refusal=refusal)
            return ActResponse(action_id=running.action_id)
        finally:
            if observation is not None:
                await self._traffic.end_observation(observation.load_id, after_ms=tail_ms)

    async def _lead(self, observe: Observe, observation: Observation) -> None:
        """Wait until the traffic has run for its lead; what an action before has started often has."""
        lead_us = min(observe.lead_ms or LEAD_MS, MAX_LEAD_MS) * 1000
        if observation.running_us < lead_us:
            await self._sleep((lead_us - observation.running_us) / 1e6)

    async def _begin_traffic(self, running: _Running) -> Observation | None:
        """Start the traffic that the action asks for; None where it asks for none or there is some already."""
        request = running.request
        if not request.HasField("observe"):
            return None
        return await self._traffic.begin_observation(
            request.observe,
            experiment=request.experiment,
            actor=running.actor,
            action_id=running.action_id,
        )

    async def _perform(self, running: _Running) -> Refusal | None:
        # As it is now: while the traffic became steady, pods may have come and gone.
        running = replace(running, parameters={**running.step.parameters, **self._circumstances(running.found)})
        self._report(running, Action.PHASE_REQUESTED)
        try:
            # The object may have gone while the traffic was becoming steady.
            self._guard.check(running.request)
            self._write(running, await running.step.perform())
        except RefusalError as exc:
            unanswered = exc.reason == Refusal.REASON_UNANSWERED
            self._report(running, Action.PHASE_UNANSWERED if unanswered else Action.PHASE_REFUSED, exc.message)
            return exc.refusal()
        except asyncio.CancelledError:
            self._report(running, Action.PHASE_UNANSWERED, "the agent ended; whether it happened is not known")
            raise
        self._report(running, Action.PHASE_ACCEPTED)
        return None

    def _write(self, running: _Running, fact: Fact | None) -> None:
        """Write what came of the action, as its own."""
        if fact is not None:
            fact.experiment, fact.action_id = running.request.experiment, running.action_id
            self._journal.add(fact)

    def _circumstances(self, found: Found) -> dict[str, str]:
        """What an action on a pod cannot be judged without: how many pods share its work."""
        if found.kind != KIND_POD:
            return {}
        return {"ready_pods": str(self._world.ready_pods(cast("Pod", found.value).owner_uid))}

    def _audit_attempt(self, request: ActRequest, actor: str, exc: RefusalError) -> None:
        """Write the audit line of what was turned down before it could become an action."""
        self._audit.write(
            actor=actor,
            verb=request.WhichOneof("verb") or "",
            target="",
            uid=request.uid,
            result="refused",
            message=exc.message,
        )

    def _report(self, running: _Running, phase: Action.Phase.ValueType, message: str = "") -> None:
        """Write the action's fact and, with its outcome, the audit line."""
        request, found = running.request, running.found
        verb = request.WhichOneof("verb") or ""
        parameters = running.parameters
        action = Action(
            request_id=request.request_id,
            actor=running.actor,
            verb=verb,
            target_kind=found.kind,
            target_name=found.name,
            target_uid=found.uid,
            phase=phase,
            parameters=parameters,
            message=message,
        )
        self._journal.add(Fact(experiment=request.experiment, action_id=running.action_id, action=action))
        if phase != Action.PHASE_REQUESTED:
            self._audit.write(
                actor=running.actor,
                verb=verb,
                target=found.name,
                uid=found.uid,
                result=Action.Phase.Name(phase).removeprefix("PHASE_").lower(),
                action_id=running.action_id,
                message=message,
                parameters=parameters,
            )
