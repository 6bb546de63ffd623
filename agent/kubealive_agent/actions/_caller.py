"""One HTTP call by name, made from inside the cluster.

The name is resolved as a pod would, and called where it leads to a pod or Service of the experiment: the address
decides, not the name, since a name of ours may still be answered with an address that is somebody else's by now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import Refusal
from kubealive.v1.facts_pb2 import OUTCOME_DNS, CallResult, Fact
from kubealive_agent._errors import RefusalError
from kubealive_agent.actions._step import Step
from kubealive_agent.asking import Question, ask
from kubealive_agent.targets import owned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kubealive.v1.agent_pb2 import ActRequest, Call
    from kubealive_agent.names import Names
    from kubealive_agent.world import Found, World

    Ask = Callable[[str, int, Question], Awaitable[CallResult]]

__all__ = ["Caller"]


class Caller:
    """Makes the steps that call something. `ask_` is the way to ask; tests have another."""

    def __init__(self, world: World, names: Names, *, ask_: Ask = ask) -> None:
        self._world = world
        self._names = names
        self._ask = ask_

    def step(self, _target: Found, request: ActRequest) -> Step:
        """The call. Raises RefusalError where the name leads out of the cluster."""
        call, method = request.call, request.call.method or "GET"
        names = self._names.full(call.host)
        words = f"{method} http://{names[0]}:{call.port}{call.path or '/'}"
        parameters = {"method": method, "host": call.host, "port": str(call.port), "path": call.path or "/"}
        if call.body:
            words += f" with {call.body}"
            parameters["body"] = call.body
        return Step(words, lambda: self._perform(call, request.experiment), parameters)

    async def _perform(self, call: Call, experiment: str) -> Fact:
        """Resolve and call; a name without an address is an outcome, an address that is not ours a refusal."""
        addresses = await self._names.addresses(call.host)
        if not addresses:
            return Fact(call=CallResult(name=call.host, port=call.port, outcome=OUTCOME_DNS))
        address = next((one for one in addresses if owned(one, self._world, experiment=experiment)), None)
        if address is None:
            raise RefusalError(
                Refusal.REASON_NOT_OURS,
                f"{call.host} leads to {', '.join(addresses)}, which is no running pod or Service of experiment "
                f"{experiment}: an old answer, or another's; it is not called",
            )
        question = Question(
            path=call.path or "/", method=call.method or "GET", body=call.body.encode(), host=call.host
        )
        return Fact(call=await self._ask(address, call.port, question))
