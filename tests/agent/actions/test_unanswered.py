"""Actions whose answer never came: they may have happened, and what follows has to find its cause."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kubealive.v1.agent_pb2 import ActRequest, Fault, Observe, Refusal
from kubealive.v1.facts_pb2 import Action
from kubealive_agent.kube import UnreachableError
from tests.agent.actions.bench import Bench, FaultServer, delete, fault

if TYPE_CHECKING:
    from collections.abc import Callable


def with_observe(request: ActRequest) -> ActRequest:
    request.observe.CopyFrom(Observe(rate=10, tail_ms=5000))
    return request


async def test_an_action_without_an_answer_is_not_refused() -> None:
    """Fact and audit line say that it is not known; the caller is told the same."""
    bench = Bench()
    bench.kube.error = UnreachableError("nothing came")
    response = await bench.actions.act(delete())

    assert response.refusal.reason == Refusal.REASON_UNANSWERED
    assert "whether it happened is not known" in response.refusal.message
    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_UNANSWERED]
    assert bench.audit()[0]["result"] == "unanswered"


async def test_what_may_have_happened_is_measured_to_its_end() -> None:
    """The traffic of an action without an answer goes on as that of an accepted one does."""
    bench = Bench()
    bench.kube.error = UnreachableError("nothing came")
    await bench.actions.act(with_observe(delete()))

    assert bench.traffic.ended == [("l1", 5000)]


async def test_an_action_that_the_agents_end_cuts_off_has_no_answer() -> None:
    """The agent that ends while the API is thinking does not claim to know what became of it."""
    bench = Bench()
    asked, held = asyncio.Event(), asyncio.Event()

    async def think(*_: object, **__: object) -> bytes:
        asked.set()
        await held.wait()
        return b""

    bench.kube.request = think  # type: ignore[method-assign]  # the API of this one test
    acting = asyncio.create_task(bench.actions.act(delete()))
    await asked.wait()
    await bench.actions.close()
    with pytest.raises(asyncio.CancelledError):
        await acting

    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_UNANSWERED]


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0\r\n"], ids=["nothing", "no HTTP"])
async def test_a_fault_port_that_says_nothing_may_have_obeyed(answer: bytes) -> None:
    """A pod told to exit may be gone before it has answered."""
    server = FaultServer()
    server.answer = answer
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        bench = Bench(fault_port=listening.sockets[0].getsockname()[1])
        response = await bench.actions.act(fault(Fault(exit_code=1)))

    assert response.refusal.reason == Refusal.REASON_UNANSWERED
    assert "does not answer in HTTP" in response.refusal.message
    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_UNANSWERED]


async def test_a_fault_that_could_not_be_sent_did_not_happen(unused_tcp_port_factory: Callable[[], int]) -> None:
    """A closed port took no order: that is a refusal, and nothing is to be waited for."""
    bench = Bench(fault_port=unused_tcp_port_factory())
    response = await bench.actions.act(fault(Fault(exit_code=1)))

    assert response.refusal.reason == Refusal.REASON_REJECTED
    assert "cannot be reached" in response.refusal.message
    assert bench.phases() == [Action.PHASE_REQUESTED, Action.PHASE_REFUSED]
