"""DNS questions by hand: SRV records and lifetimes, which the standard library never tells.

`socket.getaddrinfo` asks for addresses alone, and gives neither SRV records nor a TTL nor the rcode. A DNS
package would be this image's only dependency, and larger than the rest of a program. What is needed is small: one
question in a datagram, and an answer read without trusting it (RFC 1035 and 2782; an OPT record, RFC 6891, for
answers that are longer than 512 bytes).
"""

from __future__ import annotations

import os
import socket
import struct
import time

from kubealive_workloads._errors import DnsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Record = str | tuple[int, int, int, str]

RESOLV_CONF = "/etc/resolv.conf"
PORT = 53

A, SRV, OPT = 1, 33, 41
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
TIMEOUT = "TIMEOUT"

MAX_ANSWER_BYTES = 4096  # 20 SRV records with their addresses take half of it
RESEND_SECONDS = 0.3  # cluster DNS answers within a millisecond or two; a lost datagram is worth another
MAX_NAME_BYTES = 255
MAX_POINTERS = 32

_HEAD = struct.Struct(">HHHHHH")
_RECORD = struct.Struct(">HHIH")
_SRV = struct.Struct(">HHH")
_RESPONSE, _TRUNCATED, _RECURSE, _RCODE = 0x8000, 0x0200, 0x0100, 0x000F


class Resolver:
    """What resolv.conf says: the first server, the search list without trailing dots, and `ndots`."""

    __slots__ = ("ndots", "port", "search", "server")

    def __init__(self, server: str, *, search: tuple[str, ...] = (), ndots: int = 1, port: int = PORT) -> None:
        self.server = server
        self.search = search
        self.ndots = ndots
        self.port = port

    def full(self, name: str) -> list[str]:
        """The full names to ask for, in turn: by the search list, and as it is; a trailing dot ends the search."""
        if name.endswith("."):
            return [name]
        listed, plain = [f"{name}.{domain}." for domain in self.search], f"{name}."
        return [plain, *listed] if name.count(".") >= self.ndots else [*listed, plain]


def read_resolver(path: str = RESOLV_CONF) -> Resolver | None:
    """Give what the file says; None without a server in it."""
    server, ndots = "", 1
    search: tuple[str, ...] = ()
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib would cost 1 MB
            lines = [line.split() for line in file]
    except OSError:
        return None
    for key, *values in filter(None, lines):
        if key == "nameserver" and values:
            server = server or values[0]
        elif key == "search":
            search = tuple(value.rstrip(".") for value in values)
        elif key == "options":
            counts = [value[6:] for value in values if value.startswith("ndots:")]
            ndots = int(counts[-1]) if counts and counts[-1].isdigit() else ndots
    return Resolver(server, search=search, ndots=ndots, port=PORT) if server else None


class Answer:
    """What came back: `records` are addresses, or (priority, weight, port, target) of SRV; `ttl` the lowest."""

    __slots__ = ("name", "rcode", "records", "took_ms", "ttl")

    def __init__(self, name: str, rcode: str, *, records: Sequence[Record] = (), ttl: int | None = None) -> None:
        self.name = name
        self.rcode = rcode
        self.records = records
        self.ttl = ttl
        self.took_ms = 0.0


def look_up(resolver: Resolver, name: str, kind: int, *, seconds: float) -> Answer:
    """Ask for a name by the search list until one has records. Blocks up to `seconds`.

    Without records it is the last answer, but a name that exists without them wins over those that do not exist.
    """
    began = time.monotonic()
    answer = Answer(name, TIMEOUT)
    for full in resolver.full(name):
        left = began + seconds - time.monotonic()
        if left <= 0:
            break
        before, answer = answer, ask(resolver, full, kind, seconds=left)
        if answer.rcode == "NXDOMAIN" and before.rcode == "NOERROR":
            answer = before
        if answer.records or answer.rcode not in {"NXDOMAIN", "NOERROR"}:
            break
    answer.took_ms = round((time.monotonic() - began) * 1000, 2)
    return answer


def ask(resolver: Resolver, name: str, kind: int, *, seconds: float) -> Answer:
    """Put one question; an answer that is none is said in its rcode (TIMEOUT, UNREACHABLE, MALFORMED)."""
    number = int.from_bytes(os.urandom(2), "big")
    family = socket.AF_INET6 if ":" in resolver.server else socket.AF_INET
    until = time.monotonic() + seconds
    try:
        question = _question(number, name, kind)
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((resolver.server, resolver.port))  # others' datagrams are dropped by the kernel
            while (left := until - time.monotonic()) > 0:
                sock.send(question)
                if answer := _await(sock, number, name, kind, seconds=min(left, RESEND_SECONDS)):
                    return answer
    except DnsError as exc:
        return Answer(name, str(exc))
    except OSError:
        return Answer(name, "UNREACHABLE")
    return Answer(name, TIMEOUT)


def _await(sock: socket.socket, number: int, name: str, kind: int, *, seconds: float) -> Answer | None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = sock.recv(MAX_ANSWER_BYTES)
        except TimeoutError:
            return None
        if len(data) >= _HEAD.size and data[:2] == number.to_bytes(2, "big"):
            return read_answer(data, name, kind)
    return None


def _question(number: int, name: str, kind: int) -> bytes:
    labels = name.rstrip(".").split(".")
    try:
        encoded = [label.encode("ascii") for label in labels]
    except UnicodeEncodeError as exc:
        raise DnsError("BADNAME") from exc
    if (
        any(not 0 < len(label) < 64 for label in encoded)
        or sum(map(len, encoded)) + len(encoded) >= MAX_NAME_BYTES
    ):
        raise DnsError("BADNAME")
    wire = b"".join(bytes((len(label),)) + label for label in encoded) + b"\0"
    opt = b"\0" + _RECORD.pack(OPT, MAX_ANSWER_BYTES, 0, 0)
    return _HEAD.pack(number, _RECURSE, 1, 0, 0, 1) + wire + struct.pack(">HH", kind, 1) + opt


def read_answer(data: bytes, name: str, kind: int) -> Answer:
    """Read an answer to the question for `name`. Raises DnsError with one word for what is none."""
    try:
        return _read(data, name, kind)
    except (struct.error, IndexError, UnicodeDecodeError) as exc:
        raise DnsError("MALFORMED") from exc


def _read(data: bytes, name: str, kind: int) -> Answer:
    _, flags, questions, answers, _, _ = _HEAD.unpack_from(data)
    asked, at = _name(data, _HEAD.size)
    if not flags & _RESPONSE or questions != 1 or asked.lower() != name.rstrip(".").lower():
        raise DnsError("MALFORMED")
    if flags & _TRUNCATED:
        raise DnsError("TRUNCATED")
    rcode = flags & _RCODE
    records: list[Record] = []
    lifetimes: list[int] = []
    for found, ttl, start in _records(data, at + 4, answers):
        if found == kind == A:
            records.append(socket.inet_ntop(socket.AF_INET, data[start : start + 4]))
        elif found == kind == SRV:
            target, _ = _name(data, start + _SRV.size)
            priority, weight, port = _SRV.unpack_from(data, start)
            records.append((priority, weight, port, target))
        else:
            continue
        lifetimes.append(ttl)
    return Answer(
        name, RCODES.get(rcode, f"RCODE{rcode}"), records=records, ttl=min(lifetimes) if lifetimes else None
    )


def _records(data: bytes, at: int, count: int) -> Iterator[tuple[int, int, int]]:
    """(type, TTL, place of the data) of each record from `at` on."""
    for _ in range(count):
        _, at = _name(data, at)
        kind, _, ttl, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + length > len(data):
            raise DnsError("MALFORMED")
        yield kind, ttl, at
        at += length


def _name(data: bytes, at: int) -> tuple[str, int]:
    """The name at this place and the place behind it; pointers lead back only, and not for ever."""
    labels: list[str] = []
    behind: int | None = None
    pointers = 0
    while length := data[at]:
        if length >= 0xC0:
            behind = at + 2 if behind is None else behind
            at = (length & 0x3F) << 8 | data[at + 1]
            pointers += 1
            if pointers > MAX_POINTERS:
                raise DnsError("MALFORMED")
            continue
        if length > 63 or sum(map(len, labels)) + len(labels) > MAX_NAME_BYTES:
            raise DnsError("MALFORMED")
        labels.append(data[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    return ".".join(labels), at + 1 if behind is None else behind
