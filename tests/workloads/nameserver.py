"""A DNS server on loopback that answers what it is told to, for the programs that ask by hand."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kubealive_workloads import _dns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    Zone = Mapping[tuple[str, int], Sequence[bytes]]

HEAD = struct.Struct(">HHHHHH")


def name(text: str) -> bytes:
    """A name on the wire, uncompressed."""
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def record(kind: int, data: bytes, *, ttl: int = 30, owner: bytes = b"\xc0\x0c") -> bytes:
    """A resource record; its owner is a pointer to the question unless told otherwise."""
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def a(address: str, *, ttl: int = 30) -> bytes:
    return record(_dns.A, socket.inet_aton(address), ttl=ttl)


def srv(target: str, port: int, *, ttl: int = 30) -> bytes:
    return record(_dns.SRV, struct.pack(">HHH", 0, 100, port) + name(target), ttl=ttl)


def question(data: bytes) -> tuple[str, int, bytes]:
    """Name, type and the whole question section of a query."""
    labels, at = [], HEAD.size
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), int.from_bytes(data[at + 1 : at + 3], "big"), data[HEAD.size : at + 5]


def reply(query: bytes, records: Sequence[bytes], *, rcode: int = 0, flags: int = 0x8180) -> bytes:
    """An answer to that query."""
    _, _, section = question(query)
    return query[:2] + struct.pack(">HHHHH", flags | rcode, 1, len(records), 0, 0) + section + b"".join(records)


def by_zone(zone: Zone) -> Callable[[bytes], Sequence[bytes]]:
    """Answer from a zone; NXDOMAIN for names that are not in it, no records for other types of those that are."""

    def respond(query: bytes) -> Sequence[bytes]:
        asked, kind, _ = question(query)
        known = any(asked == owner for owner, _ in zone)
        return [reply(query, zone.get((asked, kind), ()), rcode=0 if known else 3)]

    return respond


class Nameserver:
    """Where it listens and what it was asked."""

    def __init__(self, sock: socket.socket) -> None:
        self.port: int = sock.getsockname()[1]
        self.asked: list[str] = []

    def resolver(self, *search: str, ndots: int = 5) -> _dns.Resolver:
        return _dns.Resolver("127.0.0.1", search=search, ndots=ndots, port=self.port)


@contextmanager
def nameserver(respond: Callable[[bytes], Sequence[bytes]]) -> Iterator[Nameserver]:
    """Serve in a thread; `respond` gives the datagrams that answer a query, none for silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = Nameserver(sock)

        def serve() -> None:
            while True:
                data, client = sock.recvfrom(4096)
                if not data:
                    return
                server.asked.append(question(data)[0])
                for datagram in respond(data):
                    sock.sendto(datagram, client)

        thread = threading.Thread(target=serve, name="nameserver")
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", server.port))
            thread.join(10)


def resolv_conf(folder: Path, *search: str) -> str:
    """A resolv.conf as a pod has it."""
    path = folder / "resolv.conf"
    path.write_text(f"search {' '.join(search)}\nnameserver 127.0.0.1\noptions ndots:5\n")
    return str(path)
