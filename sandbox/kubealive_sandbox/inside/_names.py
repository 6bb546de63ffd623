"""A pod's own resolver: cluster DNS, with the search list of the pod's namespace.

The C library reads one /etc/resolv.conf for the whole machine, which is nobody's to change.
"""

import os
import socket
import struct
from typing import Any

__all__ = ["enter"]

TIMEOUT_S, ATTEMPTS, NDOTS = 2.0, 2, 5
_A, _CNAME, _NXDOMAIN = 1, 5, 3


def enter(*, server: str, search: str) -> None:
    """Resolve names of this process at that server; addresses and localhost need none."""
    original = socket.getaddrinfo
    suffixes = search.split()

    def getaddrinfo(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not name or name == "localhost" or _is_address(name):
            return original(host, port, *rest, **options)
        found: list[Any] = []
        for address in _resolve(name, server, suffixes):
            found += original(address, port, *rest, **options)
        return found

    def gethostbyname(name: str) -> str:
        return str(getaddrinfo(name, None, socket.AF_INET)[0][4][0])

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = gethostbyname


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name)
        except OSError:
            continue
        return True
    return False


def _resolve(name: str, server: str, suffixes: list[str]) -> list[str]:
    if name.endswith("."):
        names = [name]
    elif name.count(".") >= NDOTS:
        names = [name, *(f"{name}.{suffix}" for suffix in suffixes)]
    else:
        names = [*(f"{name}.{suffix}" for suffix in suffixes), name]
    for each in names:
        addresses = _ask(each.rstrip("."), server)
        if addresses:
            return addresses
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _ask(name: str, server: str) -> list[str]:
    number = int.from_bytes(os.urandom(2))
    try:
        labels = b"".join(bytes((len(part),)) + part.encode("ascii") for part in name.split("."))
    except (UnicodeEncodeError, ValueError):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
    query = struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", _A, 1)
    for _ in range(ATTEMPTS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(TIMEOUT_S)
            try:
                sock.sendto(query, (server, 53))
                return _addresses(sock.recv(4096))
            except OSError:
                continue
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _addresses(reply: bytes) -> list[str]:
    flags, questions, answers = struct.unpack_from(">3H", reply, 2)
    if flags & 15 == _NXDOMAIN:
        return []
    at, found = 12, []
    for _ in range(questions):
        at = _skip(reply, at) + 4
    for _ in range(answers):
        at = _skip(reply, at)
        kind, _, _, length = struct.unpack_from(">2HIH", reply, at)
        at += 10
        if kind == _A:
            found.append(socket.inet_ntoa(reply[at : at + length]))
        at += length
    return found


def _skip(reply: bytes, at: int) -> int:
    while length := reply[at]:
        if length >= 192:
            return at + 2
        at += length + 1
    return at + 1
