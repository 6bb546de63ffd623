"""A pod's own address: what listens on all addresses listens on the pod's, and what connects comes from it."""

import _socket
import socket
from collections.abc import Callable
from typing import Any

from kubealive_sandbox.places import Places

__all__ = ["enter"]

_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
_Base = _socket.socket
# Places whose real ones are known again: where a program listens, and the few name servers that it asks.
MOST_KNOWN = 64


class _Pod:
    """The calls of a socket, led to a pod's address in a network, which is the prefix of its addresses."""

    def __init__(self, address: str, network: str, places: Places) -> None:
        self.address = address
        self.network = network
        self.places = places
        self.known: dict[Any, Any] = {}

    def bind(self, sock: socket.socket, where: Any) -> None:
        if sock.family in _INTERNET and where[0] in _ANYWHERE:
            if where[1] and sock.type == socket.SOCK_STREAM:
                # A new pod's address has no past, which here may be another sandbox's connections of a minute ago.
                _Base.setsockopt(sock, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.places.bind(sock, self.address, where[1])
            self._remember(_Base.getsockname(sock), self.address, where[1])
        elif sock.family == socket.AF_INET and str(where[0]).startswith(self.network):
            self.places.bind(sock, where[0], where[1])
            self._remember(_Base.getsockname(sock), where[0], where[1])
        else:
            _Base.bind(sock, where)

    def leave(self, sock: socket.socket, where: Any) -> Any:
        """The real place to go to; a socket that goes into the network comes from the pod's address."""
        if sock.family != socket.AF_INET or not isinstance(where, tuple):
            return where
        if not str(where[0]).startswith(self.network):
            return where
        real = self.places.real(where[0], where[1], sock.type)
        if _Base.getsockname(sock)[1] == 0:
            self.places.bind(sock, self.address, 0)
        return real

    def ask(self, sock: socket.socket, where: Any) -> Any:
        """The real place to send a message to, remembered for the reply, which comes from there."""
        real = self.leave(sock, where)
        if real is not where:
            self._remember(real, where[0], where[1])
        return real

    def seen(self, sock: socket.socket, where: Any) -> Any:
        if sock.family not in _INTERNET:
            return where
        return self.known.get(where) or self.places.seen(where)

    def _remember(self, real: Any, host: str, port: int) -> None:
        """Know a place again by what this program called it, where it is another."""
        if port and real[1] != port:
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            before = real[0][: real[0].rfind(":") + 1]  # of an IPv4 address that is written as one of IPv6
            self.known[real] = (before + host, port, *real[2:])


def enter(*, address: str, network: str, places: Places) -> None:
    """Give this process that address in that network (a prefix)."""
    pod = _Pod(address, network, places)
    for name, method in (_leading(pod) | _telling(pod)).items():
        setattr(socket.socket, name, method)


def _leading(pod: _Pod) -> dict[str, Callable[..., Any]]:
    """The calls that name a place."""

    def bind(self: socket.socket, where: Any) -> None:
        pod.bind(self, where)

    def connect(self: socket.socket, where: Any) -> None:
        _Base.connect(self, pod.leave(self, where))

    def connect_ex(self: socket.socket, where: Any) -> int:
        try:
            real = pod.leave(self, where)
        except OSError as exc:
            return exc.errno or 0
        return _Base.connect_ex(self, real)

    def sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        flags = rest[0] if len(rest) > 1 else 0
        return _Base.sendto(self, data, flags, pod.ask(self, rest[-1]))

    return {"bind": bind, "connect": connect, "connect_ex": connect_ex, "sendto": sendto}


def _telling(pod: _Pod) -> dict[str, Callable[..., Any]]:
    """The calls that are told of one."""

    def getsockname(self: socket.socket) -> Any:
        return pod.seen(self, _Base.getsockname(self))

    def getpeername(self: socket.socket) -> Any:
        return pod.seen(self, _Base.getpeername(self))

    def accepted(self: socket.socket) -> tuple[int, Any]:
        number, where = _Base._accept(self)  # type: ignore[attr-defined]  # noqa: SLF001 - what `accept` calls
        return number, pod.seen(self, where)

    def recvfrom(self: socket.socket, *given: Any) -> tuple[bytes, Any]:
        data, real = _Base.recvfrom(self, *given)
        return data, pod.seen(self, real)

    return {"getsockname": getsockname, "getpeername": getpeername, "_accept": accepted, "recvfrom": recvfrom}
