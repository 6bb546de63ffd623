"""A pod's own address: what listens on all addresses listens on the pod's, and what connects comes from it."""

import _socket
import socket
from typing import Any

__all__ = ["enter"]

# As the sandbox itself moves them; see kubealive_sandbox.network.
_LAST_MOVED, _MOVED_BY = 9_999, 50_000
_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
_Base = _socket.socket


class _Pod:
    """The calls of a socket, led to a pod's address in a network, which is the prefix of its addresses."""

    def __init__(self, address: str, network: str) -> None:
        self.address = address
        self.network = network

    def real(self, host: str, port: int) -> tuple[str, int]:
        moved = 0 < port <= _LAST_MOVED and host.startswith(self.network)
        return host, port + _MOVED_BY if moved else port

    def bind(self, sock: socket.socket, where: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6} and where[0] in _ANYWHERE:
            host, port = self.real(self.address, where[1])
            where = (host if sock.family == socket.AF_INET else f"::ffff:{host}", port)
        elif sock.family == socket.AF_INET:
            where = self.real(*where)
        _Base.bind(sock, where)

    def leave(self, sock: socket.socket, where: Any) -> Any:
        """The real place to go to; a socket that goes into the network comes from the pod's address."""
        if sock.family != socket.AF_INET or not isinstance(where, tuple):
            return where
        if not str(where[0]).startswith(self.network):
            return where
        if _Base.getsockname(sock)[1] == 0:
            _Base.bind(sock, (self.address, 0))
        return self.real(*where)


def enter(*, address: str, network: str) -> None:
    """Give this process that address in that network (a prefix)."""
    pod = _Pod(address, network)

    def bind(self: socket.socket, where: Any) -> None:
        pod.bind(self, where)

    def connect(self: socket.socket, where: Any) -> None:
        _Base.connect(self, pod.leave(self, where))

    def connect_ex(self: socket.socket, where: Any) -> int:
        return _Base.connect_ex(self, pod.leave(self, where))

    def sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        flags = rest[0] if len(rest) > 1 else 0
        return _Base.sendto(self, data, flags, pod.leave(self, rest[-1]))

    for name, method in (("bind", bind), ("connect", connect), ("connect_ex", connect_ex), ("sendto", sendto)):
        setattr(socket.socket, name, method)
