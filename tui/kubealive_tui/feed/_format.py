"""The file format of recordings: what recorder and replay agree on.

A head (magic, version, JSON about where and when), then entries. Each entry carries its kind, its offset in
microseconds since the recording began (the client's monotonic clock), its length and a checksum, and is written
whole: a file that was cut, by a full disk or a dead battery, is good up to the cut. A frame is the message of the
stream as it came; a link event is JSON, with the agent's info as the bytes of its message.

A kind that a reader does not know is passed over, so that a later version may add one without a new format.
"""

import base64
import json
import mmap
import struct
import zlib
from dataclasses import asdict, dataclass
from enum import Enum

from kubealive.v1 import agent_pb2
from kubealive_tui.errors import RecordingError
from kubealive_tui.feed import _convert
from kubealive_tui.model import LinkEvent, LinkState

__all__ = ["FORMAT_VERSION", "Entry", "Head", "Kind", "decode_link", "encode_link", "entry_bytes", "read_entry"]

MAGIC = b"KUBEALIVE\r\n\x1a"  # line ends and a ctrl-Z, so that a transfer as text is noticed
FORMAT_VERSION = 1
Bytes = bytes | mmap.mmap
_HEAD = struct.Struct("<HI")  # version, length of the JSON; its checksum follows it
_ENTRY = struct.Struct("<BQII")  # kind, offset in µs, length, checksum over all of these and the payload
_CHECKED = struct.Struct("<BQI")
_SUM = struct.Struct("<I")
MOST_PAYLOAD = 16 << 20  # four times what gRPC lets through: anything longer is not a length


class Kind(Enum):
    """What an entry holds."""

    FRAME = ord("F")
    LINK = ord("L")


@dataclass(frozen=True, slots=True)
class Head:
    """Where and when a recording began; `started_us` is wall-clock time, `client_version` who wrote it."""

    context: str
    namespace: str
    started_us: int
    client_version: str = ""

    def to_bytes(self) -> bytes:
        """The head as it opens a file."""
        raw = json.dumps(asdict(self)).encode()
        return MAGIC + _HEAD.pack(FORMAT_VERSION, len(raw)) + raw + _SUM.pack(zlib.crc32(raw))

    @classmethod
    def read(cls, data: Bytes, path: str) -> "tuple[Head, int]":
        """Return the head and where the entries begin; raises RecordingError with a sentence about `path`."""
        if not len(data):
            raise RecordingError(f"{path} is empty; record one with `kubealive-tui --record {path}`")
        if bytes(data[: len(MAGIC)]) != MAGIC:
            raise RecordingError(
                f"{path} is not a kubealive recording; record one with `kubealive-tui --record FILE`"
            )
        try:
            version, length = _HEAD.unpack_from(data, len(MAGIC))
            if version > FORMAT_VERSION:
                raise RecordingError(
                    f"{path} has recording format {version} and this kubealive reads up to {FORMAT_VERSION}; "
                    "install a newer kubealive to replay it"
                )
            begin = len(MAGIC) + _HEAD.size
            raw = bytes(data[begin : begin + length])
            (checksum,) = _SUM.unpack_from(data, begin + length)
            if checksum != zlib.crc32(raw):
                raise RecordingError(f"{path} is damaged in its head and cannot be replayed; record anew")
            known = json.loads(raw)
            return cls(**{name: known[name] for name in cls.__slots__}), begin + length + _SUM.size
        except (struct.error, ValueError, KeyError, TypeError) as exc:
            raise RecordingError(
                f"{path} was cut within its head and holds nothing to replay; record anew"
            ) from exc


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an entry's payload lies in the file, and when it was written."""

    kind: int
    offset_us: int
    begin: int
    end: int


def entry_bytes(kind: Kind, offset_us: int, payload: bytes) -> bytes:
    """An entry as it stands in the file."""
    checked = zlib.crc32(payload, zlib.crc32(_CHECKED.pack(kind.value, offset_us, len(payload))))
    return _ENTRY.pack(kind.value, offset_us, len(payload), checked) + payload


def read_entry(data: Bytes, position: int) -> Entry | None:
    """Return the entry that begins at `position`, or None where no whole one does."""
    if position + _ENTRY.size > len(data):
        return None
    kind, offset_us, length, checksum = _ENTRY.unpack_from(data, position)
    begin, end = position + _ENTRY.size, position + _ENTRY.size + length
    if length > MOST_PAYLOAD or end > len(data):
        return None
    if checksum != zlib.crc32(data[begin:end], zlib.crc32(_CHECKED.pack(kind, offset_us, length))):
        return None
    return Entry(kind, offset_us, begin, end)


def encode_link(event: LinkEvent, info: agent_pb2.GetInfoResponse | None) -> bytes:
    """A link event as JSON; `info` is the message behind `event.info`."""
    known = {
        "state": event.state.name,
        "reason": event.reason,
        "attempt": event.attempt,
        "silence_s": event.silence_s,
        "round_trip_ms": event.round_trip_ms,
        "info": None if info is None else base64.b64encode(info.SerializeToString()).decode(),
    }
    return json.dumps(known, ensure_ascii=False).encode()


def decode_link(raw: bytes) -> LinkEvent:
    """The link event that was written; a state that is not known here is shown as degraded."""
    known = json.loads(raw)
    info = known.get("info")
    message = None if info is None else agent_pb2.GetInfoResponse.FromString(base64.b64decode(info))
    return LinkEvent(
        state=LinkState.__members__.get(known["state"], LinkState.DEGRADED),
        reason=known.get("reason", ""),
        attempt=known.get("attempt", 0),
        silence_s=known.get("silence_s", 0.0),
        round_trip_ms=known.get("round_trip_ms"),
        info=None if message is None else _convert.info(message),
    )
