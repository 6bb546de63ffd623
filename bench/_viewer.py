"""A viewer without a screen: reads the agent's stream as the user's side does, and can ask for load and a kill."""

import contextlib
import threading
import uuid
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import grpc

from bench._objects import EXPERIMENT
from bench._process import BenchError
from kubealive.v1.agent_pb2 import (
    ActRequest,
    DeletePod,
    Fault,
    Refusal,
    SetLoadRequest,
    Status,
    WatchRequest,
    WatchResponse,
)
from kubealive.v1.agent_pb2_grpc import AgentServiceStub
from kubealive.v1.state_pb2 import KIND_POD, Change, Pod

if TYPE_CHECKING:
    from kubealive.v1.facts_pb2 import Fact

__all__ = ["Viewer", "viewer"]

_DEADLINE_S = 20.0


class Viewer:
    """The newest status and pods by UID, and all facts since the snapshot; a thread fills them."""

    def __init__(self, stub: AgentServiceStub) -> None:
        self._stub = stub
        self._session = uuid.uuid4().hex
        self._messages = stub.Watch(
            WatchRequest(session_id=self._session, actor="bench", experiments=[EXPERIMENT])
        )
        self.live = threading.Event()
        self.status = Status()
        self.pods: dict[str, Pod] = {}
        self.facts: list[Fact] = []

    def read(self) -> None:
        """Take what the stream brings until it ends."""
        with contextlib.suppress(grpc.RpcError):
            for message in self._messages:
                self._take(message)

    def end(self) -> None:
        """Leave the stream."""
        self._messages.cancel()

    def load(self, run: SetLoadRequest.Run) -> str:
        """Start load, and return its id. Raises BenchError when the agent refuses."""
        request = SetLoadRequest(session_id=self._session, experiment=EXPERIMENT, run=run)
        answer = self._stub.SetLoad(request, timeout=_DEADLINE_S)
        _check(answer.refusal)
        return answer.load_id

    def kill(self, uid: str) -> None:
        """Delete a pod with no grace. Raises BenchError when the agent refuses."""
        self._act(ActRequest(uid=uid, delete_pod=DeletePod(grace_seconds=0)))

    def crash(self, uid: str) -> None:
        """Have a pod's program exit with 1, in the middle of what it is doing. Raises BenchError."""
        self._act(ActRequest(uid=uid, fault=Fault(exit_code=1)))

    def _act(self, request: ActRequest) -> None:
        request.request_id, request.session_id = uuid.uuid4().hex, self._session
        request.experiment = EXPERIMENT
        _check(self._stub.Act(request, timeout=_DEADLINE_S).refusal)

    def _take(self, message: WatchResponse) -> None:
        match message.WhichOneof("body"):
            case "snapshot":
                self._change(message.snapshot.changes)
                if message.snapshot.last:
                    self.live.set()
            case "batch":
                self._change(message.batch.changes)
                self.facts.extend(message.batch.facts)
            case "status":
                self.status = message.status

    def _change(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.kind == KIND_POD:
                if change.deleted:
                    self.pods.pop(change.uid, None)
                else:
                    self.pods[change.uid] = change.pod


@contextlib.contextmanager
def viewer(port: int) -> Iterator[Viewer]:
    """A viewer of the agent at a loopback port, once it has the whole snapshot."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        found = Viewer(AgentServiceStub(channel))
        thread = threading.Thread(target=found.read, name="viewer")
        thread.start()
        try:
            if not found.live.wait(_DEADLINE_S):
                raise BenchError(f"the agent on port {port} gave no snapshot within {_DEADLINE_S:g} s")
            yield found
        finally:
            found.end()
            thread.join()


def _check(refusal: Refusal) -> None:
    if refusal.reason:
        raise BenchError(f"the agent refuses: {refusal.message}")
