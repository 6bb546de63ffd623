"""Who hears of the cluster: the one interface between watching and everything that is made of it."""

from typing import Protocol, TypeAlias

from google.protobuf.message import Message

from kubealive.v1 import agent_pb2, facts_pb2, state_pb2

Kind: TypeAlias = state_pb2.Kind.ValueType
AccessState: TypeAlias = agent_pb2.KindAccess.State.ValueType
WatchGap: TypeAlias = facts_pb2.AgentNote.WatchGap.ValueType

NO_GAP: WatchGap = facts_pb2.AgentNote.WATCH_GAP_UNSPECIFIED


class Sink(Protocol):
    """Is told what the cluster holds. Calls come from the event loop, in order within a kind."""

    def apply(self, kind: Kind, uid: str, value: Message | None, *, found: bool) -> None:
        """Take the newest value of an object, None once it is gone; `found`: it was there at the start."""

    def event(self, event: facts_pb2.KubeEvent, *, found: bool) -> None:
        """Take a Kubernetes Event, also each time it changes."""

    def access(self, kind: Kind, state: AccessState, reason: str) -> None:
        """Take whether the kind can be read now; `reason` is a sentence, empty while all is well."""

    def measured(self) -> None:
        """Take that the usage of all pods has been asked for: what was new has been applied."""

    def note(self, message: str, *, gap: WatchGap = NO_GAP) -> None:
        """Take a sentence about the watching itself, for the agent's journal; `gap`: it begins or ends there."""
