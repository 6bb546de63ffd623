"""A pod's own address: what listens on all addresses listens on the pod's, and what connects comes from it."""

import _socket
import socket
from typing import Any

__all__ = ["enter"]

# As the sandbox itself moves them; see kubealive_sandbox.network.
_LAST_PRIVILEGED, _MOVED_BY = 1023, 60_000
_base = _socket.socket


def enter(*, address: str, network: str) -> None:
    """Give this process that address in that network (a prefix)."""

    def real(host: str, port: int) -> tuple[str, int]:
        moved = 0 < port <= _LAST_PRIVILEGED and host.startswith(network)
        return host, port + _MOVED_BY if moved else port

    def bind(self: socket.socket, where: Any) -> None:
        if self.family == socket.AF_INET:
            host = address if where[0] in {"", "0.0.0.0"} else where[0]
            where = real(host, where[1])
        elif self.family == socket.AF_INET6 and where[0] in {"", "::"}:
            where = (f"::ffff:{address}", real(address, where[1])[1])
        _base.bind(self, where)

    def leave(self: socket.socket, where: Any) -> Any:
        """The real place to go to; a socket that goes into the network comes from the pod's address."""
        if self.family != socket.AF_INET or not isinstance(where, tuple) or not str(where[0]).startswith(network):
            return where
        if _base.getsockname(self)[1] == 0:
            _base.bind(self, (address, 0))
        return real(*where)

    def connect(self: socket.socket, where: Any) -> None:
        _base.connect(self, leave(self, where))

    def connect_ex(self: socket.socket, where: Any) -> int:
        return _base.connect_ex(self, leave(self, where))

    def sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        return _base.sendto(self, data, *rest[:-1], leave(self, rest[-1]))

    for name, method in (("bind", bind), ("connect", connect), ("connect_ex", connect_ex), ("sendto", sendto)):
        setattr(socket.socket, name, method)
