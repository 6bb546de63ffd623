"""DNS messages, as little of them as a cluster's names need: one question, answers of a few types.

dnspython takes sixty times longer for an answer, and four megabytes.
"""

import struct
from dataclasses import dataclass

__all__ = [
    "AAAA",
    "ANY",
    "CNAME",
    "NXDOMAIN",
    "OK",
    "PTR",
    "SERVFAIL",
    "SOA",
    "SRV",
    "TXT",
    "A",
    "Question",
    "Record",
    "answer",
    "parse",
]

A, CNAME, SOA, PTR, TXT, AAAA, SRV, ANY = 1, 5, 6, 12, 16, 28, 33, 255
OK, FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 0, 1, 2, 3, 5
_AUTHORITATIVE, _RESPONSE, _RECURSION, _TRUNCATED = 0x0400, 0x8000, 0x0180, 0x0200
_PLAIN_UDP = 512


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `name` is in lower case, without the final dot. `room` is how much the client takes."""

    id: int
    name: str
    type: int
    raw: bytes
    room: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `data` is an address, a name, text, or (priority, weight, port, target) of a SRV."""

    name: str
    type: int
    ttl: int
    data: str | tuple[int, int, int, str]


def parse(message: bytes) -> Question | None:
    """The question of a query; None for what is none."""
    try:
        number, flags, questions, _, _, extra = struct.unpack_from(">6H", message)
        if flags & _RESPONSE or questions != 1:
            return None
        labels, at = [], 12
        while length := message[at]:
            labels.append(message[at + 1 : at + 1 + length].decode("ascii").lower())
            at += length + 1
        kind, _ = struct.unpack_from(">2H", message, at + 1)
        end = at + 5
        room = _PLAIN_UDP
        if extra and message[end] == 0 and struct.unpack_from(">H", message, end + 1)[0] == 41:
            room = max(room, struct.unpack_from(">H", message, end + 3)[0])
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    return Question(number, ".".join(labels), kind, message[12:end], room)


def answer(
    question: Question, code: int, records: list[Record], authority: list[Record], extra: list[Record]
) -> bytes:
    """The message that answers; what has no room is left out, and said to be."""
    body = b"".join(map(_record, records))
    rest = b"".join(map(_record, authority)), b"".join(map(_record, extra))
    flags = _RESPONSE | _AUTHORITATIVE | _RECURSION | code
    whole = 12 + len(question.raw) + len(body) + sum(map(len, rest))
    counts = [len(records), len(authority), len(extra)]
    if whole > question.room:
        rest, counts[1:] = (b"", b""), [0, 0]
        if 12 + len(question.raw) + len(body) > question.room:
            body, counts[0], flags = b"", 0, flags | _TRUNCATED
    head = struct.pack(">6H", question.id, flags, 1, *counts)
    return head + question.raw + body + rest[0] + rest[1]


def encode_name(name: str) -> bytes:
    """A name as labels."""
    return b"".join(bytes((len(part),)) + part.encode() for part in name.split(".") if part) + b"\0"


def _record(record: Record) -> bytes:
    data = _data(record)
    return encode_name(record.name) + struct.pack(">HHIH", record.type, 1, record.ttl, len(data)) + data


def _data(record: Record) -> bytes:
    if isinstance(record.data, tuple):
        priority, weight, port, target = record.data
        return struct.pack(">3H", priority, weight, port) + encode_name(target)
    match record.type:
        case 1:
            return bytes(int(part) for part in record.data.split("."))
        case 16:
            return bytes((len(record.data),)) + record.data.encode()
        case 6:
            primary, mailbox, *numbers = record.data.split()
            return encode_name(primary) + encode_name(mailbox) + struct.pack(">5I", *map(int, numbers))
        case _:
            return encode_name(record.data)
