"""Calls that are not streams: what they answer, and the facts and audit lines that they leave."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest

from kubealive.v1.agent_pb2 import Refusal, SetLoadRequest, StopAllRequest
from kubealive.v1.facts_pb2 import Action
from kubealive.v1.state_pb2 import KIND_LOAD, LOAD_MODE_KEPT, LoadTarget
from kubealive_agent._ids import Ids
from kubealive_agent.actions import Actions, FaultPort, Guard
from kubealive_agent.audit import Audit
from kubealive_agent.calls import Calls
from kubealive_agent.config import Config, Listen
from kubealive_agent.kube import UnreachableError
from kubealive_agent.load import LoadRefusedError, Start
from kubealive_agent.loads import Loads
from kubealive_agent.names import Resolution
from tests.agent.actions.bench import every_step
from tests.agent.fakes import FakeEngine, FakeKube, Lab, watch

CONFIG = Config(
    namespace="lab",
    grpc=Listen("127.0.0.1", 0),
    health=Listen("127.0.0.1", 0),
    fault_port=1,
    fault_token="",
    fault_token_file=Path("/nonexistent"),
    api="",
    log_level="info",
    pod_name="kubealive-agent-1",
    node_name="node-1",
    downward={"NODE_NAME": "node-1", "POD_IP": "10.1.2.3"},
)


class SlowEngine(FakeEngine):
    """Takes a load only when its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def run_load(self, start: Start) -> None:
        await self.gate.wait()
        await super().run_load(start)


class Bench(Lab):
    """Calls over fakes, with a session that may write and one that may not."""

    def __init__(self) -> None:
        super().__init__()
        self.kube, self.engine, self.output, ids = FakeKube(), SlowEngine(), io.StringIO(), Ids(7)
        audit = Audit(self.clock, output=self.output)
        for request in (watch("s"), watch("reader", read_only=True)):
            self.sessions.connect(request)
        loads = Loads(
            self.engine,
            world=self.world,
            journal=self.journal,
            sessions=self.sessions,
            clock=self.clock,
            ids=ids,
            namespace="lab",
            domain="cluster.local",
            on_local_errors=lambda _: None,
        )
        faults = FaultPort(port=1, token=lambda: "", namespace="lab")
        actions = Actions(
            world=self.world,
            journal=self.journal,
            sessions=self.sessions,
            guard=Guard(self.world, own_pod="", version="0", namespace="lab"),
            steps=every_step(self.world, self.kube, faults),
            faults=faults,
            traffic=loads,
            audit=audit,
            ids=ids,
        )
        self.calls = Calls(
            config=CONFIG,
            resolution=Resolution("cluster.local", ("svc.cluster.local",), 5, ("10.96.0.10",)),
            kube=self.kube,
            clock=self.clock,
            world=self.world,
            journal=self.journal,
            sessions=self.sessions,
            loads=loads,
            actions=actions,
            audit=audit,
            ids=ids,
        )

    def loads_shown(self) -> int:
        return sum(kind == KIND_LOAD for kind, _ in self.journal.objects())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def run(session_id: str = "s") -> SetLoadRequest:
    wish = SetLoadRequest.Run(target=LoadTarget(service="getip"), mode=LOAD_MODE_KEPT, rate=100)
    return SetLoadRequest(session_id=session_id, experiment="balance", run=wish)


async def test_a_load_leaves_facts_and_an_audit_line(bench: Bench) -> None:
    """Who started what is told before and after, with what was asked for in words."""
    response = await bench.calls.set_load(run())

    assert response.load_id
    actions = [fact.action for fact in bench.facts("action")]
    assert [action.phase for action in actions] == [Action.PHASE_REQUESTED, Action.PHASE_ACCEPTED]
    asked = {"load": "run", "target": "service getip/", "mode": "kept", "rate": "100"}
    assert dict(actions[0].parameters) == asked
    line = json.loads(bench.output.getvalue())
    assert (line["verb"], line["target"], line["parameters"]) == ("set_load", "balance", asked)


async def test_a_load_can_be_stopped(bench: Bench) -> None:
    """Stop ends what the experiment has running."""
    await bench.calls.set_load(run())
    stop = SetLoadRequest(session_id="s", experiment="balance", stop=SetLoadRequest.Stop())
    response = await bench.calls.set_load(stop)

    assert not response.HasField("refusal")
    assert not bench.loads_shown()


async def test_a_refused_load_says_why(bench: Bench) -> None:
    """The engine's sentence is in the answer, in the fact and in the audit line."""
    bench.engine.error = LoadRefusedError("over the cap")
    response = await bench.calls.set_load(run())

    assert (response.refusal.reason, response.refusal.message) == (Refusal.REASON_INVALID, "over the cap")
    assert bench.facts("action")[-1].action.message == "over the cap"
    assert json.loads(bench.output.getvalue())["result"] == "refused"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (run("ghost"), "not connected"),
        (run("reader"), "read-only"),
        (SetLoadRequest(session_id="s", experiment="balance"), "neither run nor stop"),
    ],
    ids=["unknown session", "read-only session", "nothing asked"],
)
async def test_requests_for_load_that_are_refused(bench: Bench, request_: SetLoadRequest, words: str) -> None:
    """Each is answered with its sentence, and nothing runs."""
    response = await bench.calls.set_load(request_)

    assert words in response.refusal.message
    assert not bench.engine.started


async def test_a_caller_that_goes_leaves_no_load_without_owner(bench: Bench) -> None:
    """A start that was under way is finished, shown and told, although nobody waits for the answer."""
    bench.engine.gate.clear()
    asking = asyncio.create_task(bench.calls.set_load(run()))
    for _ in range(3):
        await asyncio.sleep(0)
    asking.cancel()
    bench.engine.gate.set()
    for _ in range(5):
        await asyncio.sleep(0)

    assert bench.loads_shown() == 1
    assert bench.facts("action")[-1].action.phase == Action.PHASE_ACCEPTED


async def test_stop_all_reaches_the_loads(bench: Bench) -> None:
    """The stop of everything counts what it stopped."""
    await bench.calls.set_load(run())
    response = await bench.calls.stop_all(StopAllRequest(session_id="s"))

    assert response.loads_stopped == 1
    assert not bench.loads_shown()


async def test_info_tells_versions_capabilities_and_caps(bench: Bench) -> None:
    """What a client needs before it draws anything; the API server's version is asked once."""
    bench.kube.answer = b'{"gitVersion": "v1.34.4"}'
    info = await bench.calls.info()
    await bench.calls.info()

    assert (info.epoch, info.namespace, info.pod_name, info.node_name) == (
        *(7, "lab", "kubealive-agent-1", "node-1"),
    )
    assert info.kubernetes_version == "v1.34.4"
    assert {"delete_pod", "scale", "fault", "load_new", "observe"} <= set(info.capabilities)
    assert (info.resolver.domain, list(info.resolver.search), info.resolver.ndots) == (
        *("cluster.local", ["svc.cluster.local"], 5),
    )
    assert list(info.resolver.servers) == ["10.96.0.10"]
    assert {"sample_dns", "sample_pod", "sample_node", "sample_call"} <= set(info.capabilities)
    assert (info.caps.rate, info.caps.connections) == (5000, 512)
    assert len(bench.kube.calls) == 1


async def test_info_without_an_api_server(bench: Bench) -> None:
    """An unknown version is empty, and everything else is still said."""
    bench.kube.error = UnreachableError("down")
    info = await bench.calls.info()

    assert (info.kubernetes_version, info.namespace) == ("", "lab")
