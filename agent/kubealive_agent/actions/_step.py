"""What an action is going to do, before it does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

__all__ = ["Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One request to the Kubernetes API or a workload; `perform` raises RefusalError when it is turned down."""

    words: str
    """The request in words, for a dry run."""
    perform: Callable[[], Awaitable[None]]
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What was asked for, for facts and audit."""
