"""The calls of the service that are not streams, each answered from the part that knows."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import msgspec

from kubealive import __version__
from kubealive.v1 import agent_pb2
from kubealive.v1.agent_pb2 import Caps, GetInfoResponse, Refusal, Resolver, SetLoadRequest, SetLoadResponse
from kubealive.v1.facts_pb2 import Action, Fact
from kubealive.v1.state_pb2 import LoadMode
from kubealive_agent._errors import RefusalError
from kubealive_agent._sizes import MAX_CPU
from kubealive_agent.actions import RULES, Once
from kubealive_agent.kube import KubeError
from kubealive_agent.load import MAX_CONNECTIONS, MAX_COUNT, MAX_DURATION_US, MAX_RATE
from kubealive_agent.targets import describe

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubealive_agent._ids import Ids
    from kubealive_agent.actions import Actions, KubeApi
    from kubealive_agent.audit import Audit
    from kubealive_agent.clock import Clock
    from kubealive_agent.config import Config
    from kubealive_agent.journal import Journal
    from kubealive_agent.loads import Loads
    from kubealive_agent.names import Resolution
    from kubealive_agent.sessions import Sessions
    from kubealive_agent.world import World

__all__ = ["CAPABILITIES", "Calls"]

_LOG = logging.getLogger(__name__)

CAPABILITIES = (
    *RULES,
    "load_cpu",
    "load_kept",
    "load_new",
    "observe",
    "sample_call",
    "sample_dns",
    "sample_node",
    "sample_pod",
)
"""What GetInfo says this agent can do."""

_VERSION_SECONDS = 2.0
"""For asking the API server's version: a client waits for GetInfo before it draws anything."""


class _Version(msgspec.Struct, rename={"git_version": "gitVersion"}):
    git_version: str = ""


@dataclass(slots=True, kw_only=True)
class Calls:
    """Implements the service's Backend."""

    config: Config
    resolution: Resolution
    kube: KubeApi
    clock: Clock
    world: World
    journal: Journal
    sessions: Sessions
    loads: Loads
    actions: Actions
    audit: Audit
    ids: Ids
    _kubernetes_version: str = ""
    _underway: Once[Message] = field(default_factory=lambda: Once(max_remembered=0))
    """Calls that go on without their caller; nobody asks for their answers again."""

    async def info(self) -> GetInfoResponse:
        """Versions, capabilities, rights and caps."""
        return GetInfoResponse(
            version=__version__,
            epoch=self.journal.epoch,
            namespace=self.config.namespace,
            pod_name=self.config.pod_name,
            node_name=self.config.node_name,
            kubernetes_version=await self._version(),
            capabilities=CAPABILITIES,
            kinds=self.world.accesses(),
            caps=Caps(
                rate=MAX_RATE,
                connections=MAX_CONNECTIONS,
                duration_seconds=MAX_DURATION_US // 1_000_000,
                burst=MAX_COUNT,
                cpu=MAX_CPU,
            ),
            time_us=self.clock.now_us(),
            downward=self.config.downward,
            resolver=Resolver(
                domain=self.resolution.domain,
                search=self.resolution.search,
                ndots=self.resolution.ndots,
                servers=self.resolution.servers,
            ),
        )

    async def act(self, request: agent_pb2.ActRequest) -> agent_pb2.ActResponse:
        """Carry out one action."""
        return await self.actions.act(request)

    async def stop_all(self, request: agent_pb2.StopAllRequest) -> agent_pb2.StopAllResponse:
        """Stop all load and cure all faults, whether or not the caller stays to hear of it."""
        key = self.ids.next("stop")
        stopped = await self._underway.run(key, lambda: self.actions.stop_all(request.session_id))
        return cast("agent_pb2.StopAllResponse", stopped)

    async def set_load(self, request: SetLoadRequest) -> SetLoadResponse:
        """Start, change or stop an experiment's traffic; a fact and an audit line say who did.

        What has begun is finished even if the caller has gone: half a start would be load without an owner.
        """
        try:
            session = self.sessions.get(request.session_id)
            if session.read_only:
                return SetLoadResponse(refusal=_READ_ONLY)
            action_id = self.ids.next("a")
            done = await self._underway.run(
                action_id, lambda: self._set_load_as(session.actor, request, action_id)
            )
        except RefusalError as exc:
            return SetLoadResponse(refusal=exc.refusal())
        return cast("SetLoadResponse", done)

    async def close(self) -> None:
        """Cancel the calls under way."""
        await self._underway.close()

    async def _set_load_as(self, actor: str, request: SetLoadRequest, action_id: str) -> SetLoadResponse:
        action = Action(actor=actor, verb="set_load", phase=Action.PHASE_REQUESTED)
        action.parameters.update(_parameters(request))
        self._write(action, action_id, request.experiment)
        try:
            load_id = await self._set_load(request, actor)
        except RefusalError as exc:
            action.phase, action.message = Action.PHASE_REFUSED, exc.message
            return SetLoadResponse(refusal=exc.refusal())
        else:
            action.phase = Action.PHASE_ACCEPTED
            return SetLoadResponse(load_id=load_id)
        finally:
            self._write(action, action_id, request.experiment)
            self._audit(action, action_id, request.experiment)

    async def _set_load(self, request: SetLoadRequest, actor: str) -> str:
        match request.WhichOneof("load"):
            case "run":
                return await self.loads.run(request.run, experiment=request.experiment, actor=actor)
            case "stop":
                await self.loads.stop(request.experiment, reason="asked")
                return ""
            case _:
                raise RefusalError(Refusal.REASON_INVALID, "the request says neither run nor stop; say one")

    def _write(self, action: Action, action_id: str, experiment: str) -> None:
        self.journal.add(Fact(experiment=experiment, action_id=action_id, action=action))

    def _audit(self, action: Action, action_id: str, experiment: str) -> None:
        self.audit.write(
            actor=action.actor,
            verb=action.verb,
            target=experiment,
            result="accepted" if action.phase == Action.PHASE_ACCEPTED else "refused",
            action_id=action_id,
            message=action.message,
            parameters=action.parameters,
        )

    async def _version(self) -> str:
        if not self._kubernetes_version:
            try:
                answer = await self.kube.request("GET", "/version", deadline=_VERSION_SECONDS)
                self._kubernetes_version = msgspec.json.decode(answer, type=_Version).git_version
            except (KubeError, msgspec.DecodeError) as exc:
                _LOG.warning("the API server's version is not known: %s", exc)
        return self._kubernetes_version


_READ_ONLY = agent_pb2.Refusal(
    reason=Refusal.REASON_INVALID,
    message="this session is read-only; connect without --read-only to start or stop load",
)


def _parameters(request: SetLoadRequest) -> dict[str, str]:
    if request.WhichOneof("load") != "run":
        return {"load": request.WhichOneof("load") or ""}
    run = request.run
    size = run.WhichOneof("size")
    parameters = {
        "load": "run",
        "target": describe(run.target),
        "mode": LoadMode.Name(run.mode).removeprefix("LOAD_MODE_").lower() if run.mode else "new",
    }
    if size is not None:
        parameters[size] = f"{getattr(run, size):g}"
    if run.duration_seconds:
        parameters["duration_seconds"] = str(run.duration_seconds)
    return parameters
