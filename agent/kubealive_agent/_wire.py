"""Frames built from encoded parts, so that a change is encoded once however many readers it goes to.

A repeated message field is, on the wire, its elements one after another, each as tag, length and bytes. So
the journal keeps every element as a *record*, length and bytes, and a frame is the field's tag put before
each record: a single join, whether the records go into a batch or into a snapshot. What comes out is plain
protobuf that any decoder reads. Tags come from the descriptors, so that the contract stays the only place
that numbers fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import Batch, SnapshotChunk, WatchResponse
from kubealive.v1.state_pb2 import (
    KIND_AUTOSCALER,
    KIND_CLAIM,
    KIND_DAEMON_SET,
    KIND_DEPLOYMENT,
    KIND_ENDPOINT_SLICE,
    KIND_LOAD,
    KIND_NODE,
    KIND_NODE_USAGE,
    KIND_POD,
    KIND_POD_USAGE,
    KIND_REPLICA_SET,
    KIND_SERVICE,
    KIND_STATEFUL_SET,
    Change,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    from kubealive.v1.state_pb2 import Kind

__all__ = ["CHANGE_FIELD", "batch_body", "change_record", "record", "snapshot_body"]

_LENGTH_DELIMITED = 2
"""Wire type of strings, bytes and messages."""


def _varint(value: int) -> bytes:
    if 0x80 <= value < 0x4000:  # the length of nearly every record
        return bytes((value & 0x7F | 0x80, value >> 7))
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _tag(descriptor: Descriptor, field: str) -> bytes:
    return _varint(descriptor.fields_by_name[field].number << 3 | _LENGTH_DELIMITED)


CHANGE_FIELD = {
    KIND_POD: "pod",
    KIND_DEPLOYMENT: "workload",
    KIND_REPLICA_SET: "workload",
    KIND_STATEFUL_SET: "workload",
    KIND_DAEMON_SET: "workload",
    KIND_ENDPOINT_SLICE: "slice",
    KIND_AUTOSCALER: "autoscaler",
    KIND_NODE: "node",
    KIND_SERVICE: "service",
    KIND_CLAIM: "claim",
    KIND_POD_USAGE: "usage",
    KIND_NODE_USAGE: "usage",
    KIND_LOAD: "load",
}
"""Which field of a Change holds the projection of a kind."""

_CHANGE_TAG = {kind: _tag(Change.DESCRIPTOR, field) for kind, field in CHANGE_FIELD.items()}
_SNAPSHOT = _tag(WatchResponse.DESCRIPTOR, "snapshot")
_SNAPSHOT_CHANGE = _tag(SnapshotChunk.DESCRIPTOR, "changes")
_SNAPSHOT_FACT = _tag(SnapshotChunk.DESCRIPTOR, "facts")
_BATCH = _tag(WatchResponse.DESCRIPTOR, "batch")
_BATCH_CHANGE = _tag(Batch.DESCRIPTOR, "changes")
_BATCH_FACT = _tag(Batch.DESCRIPTOR, "facts")


def record(message: Message) -> bytes:
    """`message` as the journal keeps it: its encoded length and its encoding."""
    encoded = message.SerializeToString()
    return _varint(len(encoded)) + encoded


def change_record(kind: Kind.ValueType, uid: str, value: Message | None) -> bytes:
    """The record of a Change that holds `value`, None for gone; put together around it rather than copied."""
    head = Change(kind=kind, uid=uid, deleted=value is None).SerializeToString()
    if value is None:
        return _varint(len(head)) + head
    body = value.SerializeToString()
    tag = _CHANGE_TAG[kind] + _varint(len(body))
    return _varint(len(head) + len(tag) + len(body)) + head + tag + body


def _elements(tag: bytes, records: Iterable[bytes]) -> bytes:
    joined = tag.join(records)
    return tag + joined if joined else b""


def batch_body(changes: Iterable[bytes], facts: Iterable[bytes]) -> bytes:
    """The field `batch` of a WatchResponse, to be put behind an encoded header."""
    body = _elements(_BATCH_CHANGE, changes) + _elements(_BATCH_FACT, facts)
    return _BATCH + _varint(len(body)) + body


def snapshot_body(changes: Iterable[bytes], facts: Iterable[bytes], *, first: bool, last: bool) -> bytes:
    """The field `snapshot` of a WatchResponse, to be put behind an encoded header."""
    marks = SnapshotChunk(first=first, last=last).SerializeToString()
    body = marks + _elements(_SNAPSHOT_CHANGE, changes) + _elements(_SNAPSHOT_FACT, facts)
    return _SNAPSHOT + _varint(len(body)) + body
