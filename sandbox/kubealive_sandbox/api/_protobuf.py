"""Bodies in protobuf, which kubectl sends for `create namespace` and its like whatever the server prefers.

A few lines and the schema's numbers decode them; the generated classes of all Kubernetes types would be megabytes.
"""

import base64
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from kubealive_sandbox.api._errors import bad_request
from kubealive_sandbox.api._schema import Field, fields_of, raw_fields, type_of_kind

__all__ = ["MEDIA_TYPE", "decode"]

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"


def decode(body: bytes) -> dict[str, Any]:
    """The object in an envelope of Kubernetes. Raises a 400 for what is none, or of a kind that is not known."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body is not protobuf of Kubernetes")
    try:
        envelope = dict(_parts(body[len(_MAGIC) :]))
        meta = dict(_parts(envelope[1]))
        version, kind = meta[1].decode(), meta[2].decode()
        return {"apiVersion": version, "kind": kind, **_message(type_of_kind(kind), envelope.get(2, b""))}
    except (KeyError, IndexError, ValueError, struct.error, AttributeError) as exc:
        raise bad_request(f"the protobuf body cannot be read: {exc}") from exc


def _parts(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 2:
                length, at = _varint(data, at)
                yield tag >> 3, data[at : at + length]
                at += length
            case 1:
                yield tag >> 3, struct.unpack_from("<d", data, at)[0]
                at += 8
            case _:
                raise ValueError(f"wire type {tag & 7}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _message(type_name: str, data: bytes) -> dict[str, Any]:
    numbers = {field.number: field for field in raw_fields(type_name)}
    found: dict[str, Any] = {}
    for number, value in _parts(data):
        field = numbers.get(number)
        if field is None:
            continue
        if not field.name:
            found |= _message(field.type, value)
        elif field.type.startswith("list:"):
            found.setdefault(field.name, []).append(_value(field.type[5:], value))
        elif field.type.startswith("map:"):
            pair = dict(_parts(value))
            found.setdefault(field.name, {})[pair.get(1, b"").decode()] = _value(field.type[4:], pair.get(2, b""))
        else:
            found[field.name] = _value(field.type, value)
    known = fields_of(type_name)
    return {name: value for name, value in found.items() if not _empty(known[name], value)}


def _empty(field: Field, value: Any) -> bool:
    """Go's protobuf writes zero values that JSON leaves out; an explicit 0 or false cannot be told from them."""
    return value in ("", {}, None) and field.type != "any"


def _value(kind: str, value: Any) -> Any:
    match kind:
        case "string" | "duration":
            return value.decode() if isinstance(value, bytes) else str(value)
        case "bool":
            return bool(value)
        case "int":
            return value - (1 << 64) if value >= 1 << 63 else value
        case "float":
            return value
        case "bytes":
            return base64.b64encode(value).decode()
        case "time":
            seconds = dict(_parts(value)).get(1)
            return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case "quantity":
            return dict(_parts(value)).get(1, b"").decode()
        case "intorstring":
            parts = dict(_parts(value))
            return parts.get(3, b"").decode() if parts.get(1) else parts.get(2, 0)
        case "any":
            raw = dict(_parts(value)).get(1, b"")
            return json.loads(raw) if raw else None
        case _:
            return _message(kind, value)
