"""Actions over fakes, for tests: the loads, a fault port, and the parts that actions are made of."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import ActRequest, DeletePod, Fault, Observe
from kubealive_agent._ids import Ids
from kubealive_agent.actions import (
    Actions,
    Caller,
    FaultPort,
    Guard,
    Objects,
    Observation,
    Patches,
    Requests,
    Rollouts,
    steps,
)
from kubealive_agent.audit import Audit
from kubealive_agent.names import Names, read_resolv_conf
from tests.agent.fakes import FakeClock, FakeKube, Lab, watch

if TYPE_CHECKING:
    import asyncio

    from kubealive.v1.facts_pb2 import Action
    from kubealive_agent._errors import RefusalError
    from kubealive_agent.actions import Steps
    from kubealive_agent.clock import Clock
    from kubealive_agent.world import World

PODS = "/api/v1/namespaces/lab/pods"


class FakeTraffic:
    """Records what is asked of the loads."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[tuple[str, int]] = []
        self.own_traffic = False
        self.running_us = 0
        self.refusal: RefusalError | None = None

    async def begin_observation(
        self, observe: Observe, *, experiment: str, actor: str, action_id: str
    ) -> Observation | None:
        if self.refusal is not None:
            raise self.refusal
        self.began.append(action_id)
        return None if self.own_traffic else Observation("l1", self.running_us)

    async def end_observation(self, load_id: str, *, after_ms: int) -> None:
        self.ended.append((load_id, after_ms))

    def loaded(self) -> list[str]:
        return ["balance", "scale"]

    async def stop_all(self, *, reason: str) -> int:
        return 2


class FaultServer:
    """A fault port on loopback that answers what it is told to."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self.answer)
        writer.close()


class FakeNames(Names):
    """Names whose addresses are `known`; as a resolver takes them otherwise."""

    def __init__(self) -> None:
        super().__init__(read_resolv_conf("", namespace="lab"))
        self.known: dict[str, list[str]] = {}

    async def addresses(self, name: str) -> list[str]:
        return next((self.known[full] for full in self.full(name) if full in self.known), [])


def every_step(
    world: World, kube: FakeKube, faults: FaultPort, names: Names | None = None, clock: Clock | None = None
) -> Steps:
    """The steps of all verbs, over these."""
    requests = Requests(kube, namespace="lab")
    objects = Objects(requests)
    return steps(
        caller=Caller(world, names or FakeNames()),
        faults=faults,
        objects=objects,
        patches=Patches(objects, world),
        rollouts=Rollouts(objects, requests, world=world, clock=clock or FakeClock()),
    )


class Bench:
    """Actions over fakes."""

    def __init__(self, *, fault_port: int = 1, token: str | None = None) -> None:
        self.lab = Lab()
        self.lab.sessions.connect(watch("s"))
        self.lab.sessions.connect(watch("reader", read_only=True))
        self.kube = FakeKube()
        self.traffic = FakeTraffic()
        self.output = io.StringIO()
        self.slept: list[float] = []
        self.names = FakeNames()
        faults = FaultPort(port=fault_port, token=lambda: "secret" if token is None else token, namespace="lab")
        self.actions = Actions(
            world=self.lab.world,
            journal=self.lab.journal,
            sessions=self.lab.sessions,
            guard=Guard(self.lab.world, own_pod="kubealive-agent-1", version="0.1.0", namespace="lab"),
            steps=every_step(self.lab.world, self.kube, faults, self.names, self.lab.clock),
            faults=faults,
            traffic=self.traffic,
            audit=Audit(self.lab.clock, output=self.output),
            ids=Ids(7),
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def phases(self) -> list[Action.Phase.ValueType]:
        return [fact.action.phase for fact in self.lab.facts("action")]

    def audit(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.output.getvalue().splitlines()]


def delete(request_id: str = "r1", *, session_id: str = "s", dry_run: bool = False) -> ActRequest:
    return ActRequest(
        request_id=request_id,
        session_id=session_id,
        experiment="balance",
        uid="uid-a",
        dry_run=dry_run,
        delete_pod=DeletePod(grace_seconds=0),
    )


def fault(kind: Fault, uid: str = "uid-a") -> ActRequest:
    return ActRequest(request_id="f", session_id="s", experiment="balance", uid=uid, fault=kind)
