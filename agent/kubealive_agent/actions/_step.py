"""What an action is going to do, before it does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from kubealive.v1.agent_pb2 import ActRequest
    from kubealive.v1.facts_pb2 import Fact
    from kubealive_agent.world import Found

__all__ = ["Step", "Steps"]


@dataclass(frozen=True, slots=True)
class Step:
    """One request to the Kubernetes API or a workload.

    `perform` raises RefusalError when it is turned down. The fact that it gives, if any, is what came of it; it is
    written with the action's experiment and id.
    """

    words: str
    """The request in words, for a dry run."""
    perform: Callable[[], Awaitable[Fact | None]]
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What was asked for, for facts and audit."""


Steps: TypeAlias = "Mapping[str, Callable[[Found, ActRequest], Step]]"
"""By the verb's field in ActRequest: what makes its step. Raises RefusalError where there is none to make."""
