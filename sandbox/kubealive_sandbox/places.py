"""Where a place of the cluster, an address and a port, really is on this machine.

The sandbox's own code asks here, and so does every Python program in a pod, so that nothing else knows that there
are two schemes, or on which kind of machine it runs. It stands on the standard library alone.

Where all of 127.0.0.0/8 can be listened on (Linux), a pod's address is a real one, and only low ports move.
Where 127.0.0.1 is the only address (macOS), addresses are names, and a place is an entry in a table: a file,
mapped into all processes, that says of each port of 127.0.0.1 for which place it stands. It is a hash table whose
slots are the ports themselves: who listens takes the first free port that the place's hash leads to, and who
connects looks along the same ports. An entry is written when a socket is bound, and holds while its writer lives,
so that one that is left behind leads nowhere and nobody has to remove it. Sockets that connect have entries too,
which is how a server sees from which pod it is called.

Unix sockets named by address and port were the other way. They are no TCP: a reset is an end there, a full backlog
an error instead of a wait, TCP's options fail, the caller's address costs a file a connection, a socket would have
to be exchanged under whoever polls its descriptor, and paths of 104 bytes are all that macOS has.
"""

import _socket
import errno
import mmap
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any, Protocol

__all__ = ["HOME", "ManyAddresses", "OneAddress", "Places", "places"]

HOME = "127.0.0.1"
# Low ports belong to the administrator, and 8080 to whatever listens on all addresses of this machine.
LAST_MOVED, MOVED_BY = 9_999, 50_000
# Between what servers mostly listen on and what systems choose for who connects (Linux from 32,768, macOS 49,152).
SLOTS = range(20_000, 32_000)
# Ports that one place may try: a hundred places and a few hundred connections are far from filling the slots.
MOST_TRIES = 128
_SPREAD = 0x9E3779B1  # Knuth's multiplier, since addresses and ports follow each other

_ENTRY = struct.Struct(">4sHHI")  # address, port, kind of socket, the writer's process
_PLACE = struct.Struct(">4sHH")
_Base = _socket.socket
_MAPPED = "::ffff:"


class Places(Protocol):
    """A scheme. What binds and connects goes through it, before anything else is done with the socket."""

    word: str
    """What `places` makes the same scheme of, in another process."""

    def bind(self, sock: socket.socket, ip: str, port: int) -> None:
        """Bind a socket at a place of the cluster, port 0 for any. Raises OSError where it is taken."""

    def real(self, ip: str, port: int, kind: int = socket.SOCK_STREAM) -> tuple[str, int]:
        """Where to connect for that place. Raises ConnectionRefusedError where it is known that nobody listens."""

    def seen(self, where: Any) -> Any:
        """A real address, of this socket or of its peer, as the cluster knows it."""

    def lend(self, ip: str, port: int) -> str:
        """HOST:PORT to listen on for a program that nobody leads, so that it is found at that place."""


def places(word: str) -> Places:
    """The scheme that another process named by that word."""
    return OneAddress(word) if word else ManyAddresses()


class ManyAddresses:
    """Every address of 127.0.0.0/8 is there."""

    word = ""

    def bind(self, sock: socket.socket, ip: str, port: int) -> None:
        """See Places."""
        _Base.bind(sock, (_for(sock, ip), _moved(port)))

    def real(self, ip: str, port: int, kind: int = socket.SOCK_STREAM) -> tuple[str, int]:  # noqa: ARG002 - see Places
        """See Places."""
        return ip, _moved(port)

    def seen(self, where: Any) -> Any:
        """See Places."""
        return where

    def lend(self, ip: str, port: int) -> str:
        """See Places."""
        return f"{ip}:{_moved(port)}"


class OneAddress:
    """Only 127.0.0.1 is there. `table` is a file that all processes of the sandbox may write."""

    def __init__(self, table: str) -> None:
        self.word = table
        with open(table, "r+b") as file:  # noqa: PTH123 - pathlib would cost each pod a megabyte
            self._table = mmap.mmap(file.fileno(), _ENTRY.size << 16)

    @classmethod
    def create(cls, table: str) -> "OneAddress":
        """With a new, empty table. Raises OSError."""
        with open(table, "xb") as file:  # noqa: PTH123 - as above
            file.truncate(_ENTRY.size << 16)
        return cls(table)

    def bind(self, sock: socket.socket, ip: str, port: int) -> None:
        """See Places."""
        home = _for(sock, HOME)
        if not port:
            _Base.bind(sock, (home, 0))
            at = _Base.getsockname(sock)[1]
            self._write(at, _key(ip, at, sock.type))
            return
        key = _key(ip, port, sock.type)
        for at in _slots(key):
            predecessor = self._key(at) == key
            # Where somebody listened for this place before, his connections may not be over yet, and that is
            # no reason to go elsewhere; where it was another's, his port is left alone.
            self._share(sock, when=predecessor)
            try:
                _Base.bind(sock, (home, at))
            except OSError as exc:
                if exc.errno != errno.EADDRINUSE or (predecessor and self._held(at)):
                    raise
                if predecessor:
                    self._write(at, bytes(_PLACE.size))
                continue
            self._share(sock, when=True)
            self._write(at, key)
            return
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

    def real(self, ip: str, port: int, kind: int = socket.SOCK_STREAM) -> tuple[str, int]:
        """See Places."""
        key = _key(ip, port, kind)
        # A socket that was bound to any port has it as its own.
        for at in (port, *_slots(key)):
            if self._key(at) == key and self._held(at):
                return HOME, at
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))

    def seen(self, where: Any) -> Any:
        """See Places."""
        if not isinstance(where, tuple) or where[0] not in {HOME, _MAPPED + HOME}:
            return where
        address, port, kind = _PLACE.unpack(self._key(where[1]))
        if not kind or not self._held(where[1]):
            return where
        return (where[0].removesuffix(HOME) + _socket.inet_ntoa(address), port, *where[2:])

    def lend(self, ip: str, port: int) -> str:
        """See Places."""
        with socket.socket() as sock:
            self.bind(sock, ip, port)
            return f"{HOME}:{_Base.getsockname(sock)[1]}"

    def _key(self, at: int) -> bytes:
        return self._table[at * _ENTRY.size : at * _ENTRY.size + _PLACE.size]

    def _write(self, at: int, key: bytes) -> None:
        self._table[at * _ENTRY.size : (at + 1) * _ENTRY.size] = key + os.getpid().to_bytes(4)

    def _held(self, at: int) -> bool:
        """Whether the process that wrote that entry lives."""
        try:
            os.kill(_ENTRY.unpack_from(self._table, at * _ENTRY.size)[3], 0)
        except OSError:
            return False
        return True

    def _share(self, sock: socket.socket, *, when: bool) -> None:
        if sock.type == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, when)


def _moved(port: int) -> int:
    return port + MOVED_BY if 0 < port <= LAST_MOVED else port


def _for(sock: socket.socket, ip: str) -> str:
    return ip if sock.family == socket.AF_INET else _MAPPED + ip


def _key(ip: str, port: int, kind: int) -> bytes:
    return _PLACE.pack(_socket.inet_aton(ip), port, kind)


def _slots(key: bytes) -> Iterator[int]:
    start = int.from_bytes(key) * _SPREAD
    return (SLOTS[(start + step) % len(SLOTS)] for step in range(MOST_TRIES))
