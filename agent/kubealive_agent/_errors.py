"""What can go wrong in the agent's core.

    AgentError
    ├── ConfigError     a flag or an environment variable has a value that cannot be used
    ├── RefusalError    a request is turned down; carries what the contract's Refusal carries
    └── CallError       a workload's fault port gave no usable answer
        └── UnsentError  it was never asked, so nothing has happened

The Kubernetes client and the load engine have their own trees; they are turned into refusals where an action
meets them (`actions._objects`, `loads`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubealive.v1 import agent_pb2

if TYPE_CHECKING:
    from kubealive.v1.agent_pb2 import Refusal

__all__ = ["AgentError", "CallError", "ConfigError", "RefusalError", "UnsentError"]


class AgentError(Exception):
    """Base of the core's errors."""


class ConfigError(AgentError):
    """One sentence that names the flag, its value and what is allowed."""


class CallError(AgentError):
    """A workload did not answer in HTTP, and may have obeyed all the same; the sentence says how."""


class UnsentError(CallError):
    """There was no connection to the workload: it has heard nothing."""


class RefusalError(AgentError):
    """A request that is turned down, with the contract's reason and one sentence for whoever asked."""

    def __init__(self, reason: Refusal.Reason.ValueType, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    def refusal(self) -> Refusal:
        """The same as the contract's message."""
        return agent_pb2.Refusal(reason=self.reason, message=self.message)
