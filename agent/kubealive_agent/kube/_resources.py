"""The table of what is watched: where it lies in the API, what is read of it, what becomes of it.

A further kind is one more row here, one raw type and one projector.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import msgspec
from google.protobuf.message import Message

from kubealive.v1 import state_pb2
from kubealive_agent.kube import _project as project
from kubealive_agent.kube import _raw as raw
from kubealive_agent.kube._errors import MalformedError, Status, error_of
from kubealive_agent.kube._project_pod import project_pod

ObjectT = TypeVar("ObjectT", bound=raw.Object)


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class Page(msgspec.Struct, Generic[ObjectT]):
    """A page of a list."""

    metadata: _ListMeta
    items: list[ObjectT] | None = None


class _RawPage(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


class WatchEvent(msgspec.Struct, Generic[ObjectT]):
    """A line of a watch, other than an ERROR."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: ObjectT


class _ErrorEvent(msgspec.Struct):
    object: Status


# The server writes the type first; were it to change that, the line would count as malformed, with the same
# consequence: a new list.
_ERROR_START = b'{"type":"ERROR"'


@dataclass(frozen=True, slots=True)
class Resource(Generic[ObjectT]):
    """A kind of object and how it is read; `project` raises ValueError for what the API does not allow."""

    kind: state_pb2.Kind.ValueType
    api: str
    name: str
    type: type[ObjectT]
    project: Callable[[ObjectT], Message]
    namespaced: bool = True
    # Kubernetes Events expire, which is no news.
    reports_removal: bool = True
    _page: msgspec.json.Decoder[Page[ObjectT]] = field(init=False, repr=False, compare=False)
    _event: msgspec.json.Decoder[WatchEvent[ObjectT]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A type variable is no type to mypy where a value is built from it.
        kind: Any = self.type
        object.__setattr__(self, "_page", msgspec.json.Decoder(Page[kind]))
        object.__setattr__(self, "_event", msgspec.json.Decoder(WatchEvent[kind]))

    def path(self, namespace: str) -> str:
        """Return the collection's path in that namespace; cluster-wide kinds ignore it."""
        where = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{self.api}{where}/{self.name}"

    def decode_event(self, line: bytes) -> WatchEvent[ObjectT]:
        """Raise MalformedError for what is no event with an object of this kind, StatusError for an ERROR."""
        try:
            if line.startswith(_ERROR_START):
                status = msgspec.json.decode(line, type=_ErrorEvent).object
                raise error_of(status.code, status)
            return self._event.decode(line)
        except msgspec.DecodeError as exc:
            raise MalformedError(f"a line of the watch of {self.name} is not what it should be: {exc}") from exc

    def decode_page(self, body: bytes) -> tuple[Page[ObjectT], int]:
        """Return the page and how many of its objects could not be read and were left out.

        Raises MalformedError for what is no list at all.
        """
        try:
            return self._page.decode(body), 0
        except msgspec.DecodeError:
            return self._salvage(body)

    def _salvage(self, body: bytes) -> tuple[Page[ObjectT], int]:
        """Read object by object, so that one that is odd does not hide the others."""
        try:
            page = msgspec.json.decode(body, type=_RawPage)
        except msgspec.DecodeError as exc:
            raise MalformedError(f"a list of {self.name} is not what it should be: {exc}") from exc
        given = page.items or []
        items = list(self._readable(given))
        return Page(page.metadata, items), len(given) - len(items)

    def _readable(self, items: list[msgspec.Raw]) -> Iterator[ObjectT]:
        for item in items:
            try:
                yield msgspec.json.decode(item, type=self.type)
            except msgspec.DecodeError:
                continue


# In the order of the first lists: what the other kinds refer to comes early, the bulky kinds come last.
RESOURCES: tuple[Resource[Any], ...] = (
    Resource(state_pb2.KIND_NODE, "/api/v1", "nodes", raw.Node, project.project_node, namespaced=False),
    Resource(state_pb2.KIND_DEPLOYMENT, "/apis/apps/v1", "deployments", raw.Workload, project.project_deployment),
    Resource(
        state_pb2.KIND_REPLICA_SET, "/apis/apps/v1", "replicasets", raw.Workload, project.project_replica_set
    ),
    Resource(
        state_pb2.KIND_STATEFUL_SET,
        "/apis/apps/v1",
        "statefulsets",
        raw.Workload,
        project.project_stateful_set,
    ),
    Resource(state_pb2.KIND_DAEMON_SET, "/apis/apps/v1", "daemonsets", raw.Workload, project.project_daemon_set),
    Resource(
        state_pb2.KIND_AUTOSCALER,
        "/apis/autoscaling/v2",
        "horizontalpodautoscalers",
        raw.Autoscaler,
        project.project_autoscaler,
    ),
    Resource(state_pb2.KIND_SERVICE, "/api/v1", "services", raw.Service, project.project_service),
    Resource(state_pb2.KIND_CLAIM, "/api/v1", "persistentvolumeclaims", raw.Claim, project.project_claim),
    Resource(state_pb2.KIND_POD, "/api/v1", "pods", raw.Pod, project_pod),
    Resource(
        state_pb2.KIND_ENDPOINT_SLICE,
        "/apis/discovery.k8s.io/v1",
        "endpointslices",
        raw.Slice,
        project.project_slice,
    ),
    Resource(state_pb2.KIND_EVENT, "/api/v1", "events", raw.Event, project.project_event, reports_removal=False),
)
