"""The generated code is that of the .proto files, and the contract keeps its own rules."""

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor, FileDescriptor

from kubealive.v1 import agent_pb2, facts_pb2, state_pb2

ROOT = Path(__file__).resolve().parents[2]
FILES: tuple[FileDescriptor, ...] = tuple(m.DESCRIPTOR for m in (agent_pb2, facts_pb2, state_pb2))


def test_the_committed_code_is_current() -> None:
    """Generating anew changes nothing."""
    done = subprocess.run(
        [sys.executable, "proto/generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def enums() -> list[EnumDescriptor]:
    found: list[EnumDescriptor] = []
    for file in FILES:
        found += file.enum_types_by_name.values()
        for message in file.message_types_by_name.values():
            found += message.enum_types
    return found


@pytest.mark.parametrize("enum", enums(), ids=lambda enum: enum.full_name)
def test_an_enums_zero_is_unspecified(enum: EnumDescriptor) -> None:
    """Zero means that nobody said anything, so that a missing value is never a meaningful one."""
    assert enum.values_by_number[0].name.endswith("_UNSPECIFIED")


def test_each_rpc_has_messages_of_its_own() -> None:
    """No two calls share a request or a response, so that each can grow alone."""
    service = agent_pb2.DESCRIPTOR.services_by_name["AgentService"]
    types = [t.name for m in service.methods for t in (m.input_type, m.output_type)]

    assert len(types) == len(set(types))
    assert all(m.input_type.name == f"{m.name}Request" for m in service.methods)


def fields() -> list[FieldDescriptor]:
    return [
        f
        for file in FILES
        for m in file.message_types_by_name.values()
        for f in m.fields
        if f.name.endswith("_us")
    ]


@pytest.mark.parametrize("field", fields(), ids=lambda field: field.full_name)
def test_times_and_spans_are_microseconds(field: FieldDescriptor) -> None:
    """A field in _us is a 64-bit time, or a 32-bit span."""
    spans = {"width_us", "lag_max_us", "interval_us", "took_us"}
    wanted = FieldDescriptor.TYPE_UINT32 if field.name in spans else FieldDescriptor.TYPE_INT64

    assert field.type == wanted
