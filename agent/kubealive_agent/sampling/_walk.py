"""A name as a client resolves it: step by step of the search list, until something is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kubealive_agent.names import steps
from kubealive_agent.sampling._dns import Reply

if TYPE_CHECKING:
    from kubealive_agent.names import Resolution, Step

__all__ = ["Asked", "Asker", "walk"]

_GOES_ON = frozenset({"NOERROR", "NXDOMAIN", "SERVFAIL", "UNASKED"})
"""Answers after which the C library tries the next domain; silence ends the search."""


class Asker(Protocol):
    """What puts one question to the servers."""

    async def ask(self, name: str, kind: str) -> Reply:
        """The answer, or how it failed; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One step of a walk and what came of it."""

    step: Step
    reply: Reply


async def walk(asker: Asker, name: str, kind: str, resolution: Resolution) -> list[Asked]:
    """All steps up to the one that found records, or all of them."""
    asked: list[Asked] = []
    for step in steps(name, resolution):
        reply = await asker.ask(step.name, kind) if step.asked else Reply("UNASKED")
        asked.append(Asked(step, reply))
        if reply.found or reply.rcode not in _GOES_ON:
            break
    return asked
