"""One slot of a load: a request at a time, over one connection after the other or over one that is kept."""

import enum
import errno
import socket
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from kubealive_agent.load._outcomes import CONNECT_TIMEOUT_US, READ_TIMEOUT_US, failure, of_status
from kubealive_agent.load._poller import HANGUP, Poller
from kubealive_agent.load._ports import SourcePorts
from kubealive_agent.load._reply import Reply, ReplyError
from kubealive_agent.load._resolver import Address
from kubealive_agent.load._wire import Outcome

SLOW_CONNECT_US: Final = 200_000
"""The kernel is asked about retransmissions only beyond this, the shortest it ever waits before one."""

MAX_PORT_TRIES: Final = 128
"""Ports in a row that somebody else holds before the send is given up: then the whole range is theirs."""

_READ_BYTES: Final = 16_384
_TCP_INFO_BYTES: Final = 104
_TOTAL_RETRANSMITS: Final = struct.Struct("=100xI")
_NONBLOCK: Final = getattr(socket, "SOCK_NONBLOCK", 0)

_PORT_TAKEN: Final = frozenset((errno.EADDRINUSE, errno.EADDRNOTAVAIL))
_PORT_STAYS_CLEAN: Final[frozenset[Outcome]] = frozenset(("refused", "local"))
_RETRIABLE: Final[frozenset[Outcome]] = frozenset(("closed", "reset"))


class _State(enum.Enum):
    CLOSED = enum.auto()
    CONNECTING = enum.auto()
    REPLYING = enum.auto()
    CLOSING = enum.auto()  # the reply is whole, the server's FIN is not here yet
    IDLE = enum.auto()  # kept, between two requests


class Deadlines:
    """Equal timeouts of many connections, in the order in which they end."""

    def __init__(self, timeout_us: int) -> None:
        self._timeout_us = timeout_us
        self._ends: OrderedDict[Connection, int] = OrderedDict()

    @property
    def next_us(self) -> int | None:
        """The earliest end, or None when nothing is waited for."""
        return self._ends[next(iter(self._ends))] if self._ends else None

    def add(self, connection: "Connection", *, now_us: int) -> None:
        """Wait for a connection from now on; the time given must not go back."""
        self._ends[connection] = now_us + self._timeout_us

    def discard(self, connection: "Connection") -> None:
        """Wait no longer."""
        self._ends.pop(connection, None)

    def pop_expired(self, now_us: int) -> "Iterator[Connection]":
        """Those whose time is over, each forgotten before it is given."""
        while self._ends:
            connection = next(iter(self._ends))
            if self._ends[connection] > now_us:
                return
            del self._ends[connection]
            yield connection


class Network:
    """What all connections of the process share: time, readiness, source ports, deadlines."""

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        poller: Poller,
        ports: SourcePorts,
        connect_timeout_us: int = CONNECT_TIMEOUT_US,
        read_timeout_us: int = READ_TIMEOUT_US,
    ) -> None:
        self.clock = clock
        self.poller = poller
        self.ports = ports
        self.connections: dict[int, Connection] = {}
        self.connecting = Deadlines(connect_timeout_us)
        self.replying = Deadlines(read_timeout_us)


class Owner(Protocol):
    """What a connection needs of its load."""

    @property
    def request(self) -> bytes:
        """The request, whole; small enough for an empty socket buffer."""

    @property
    def keeps(self) -> bool:
        """Whether connections are kept after the reply."""

    def ended(self, connection: "Connection", outcome: Outcome, end_us: int) -> None:
        """The request came to its outcome; called once a request, before `free`."""

    def free(self, connection: "Connection") -> None:
        """The connection can take the next request."""


class Connection:
    """A request from the planned send to its outcome.

    With new connections the slot stays taken until the server has closed, so that the server and not this side
    keeps the port in TIME_WAIT. A kept connection that the server closed between two requests is opened anew
    in silence. When it closes while the next request is under way, and before any byte of a reply, the request
    is sent once more on a fresh connection and marked as retried: so do real clients (RFC 9110, 9.2.2), and
    calling it a failure would blame the server for an idle timeout.
    """

    __slots__ = (
        "_address",
        "_begun_us",
        "_network",
        "_owner",
        "_port",
        "_reused",
        "_sock",
        "_state",
        "planned_us",
        "reply",
        "retransmitted",
        "retried",
        "sequence",
    )

    def __init__(self, network: Network, owner: Owner) -> None:
        self._network = network
        self._owner = owner
        self._sock: socket.socket | None = None
        self._state = _State.CLOSED
        self._port = self._begun_us = 0
        self._reused = False
        self._address: Address | None = None
        self.reply = Reply()
        self.sequence = self.planned_us = 0
        self.retransmitted = self.retried = False

    def begin(self, address: Address | None, *, sequence: int, planned_us: int, now_us: int) -> None:
        """Send the owner's request, on a new connection to `address` unless one is kept.

        Without an address a new connection fails as `dns`.
        """
        self._address = address
        self.sequence, self.planned_us = sequence, planned_us
        self.retransmitted = self.retried = False
        self.reply.clear()
        if self._sock is None:
            self._open(address, now_us)
        else:
            self._reused = True
            self._send(self._sock, now_us)

    def on_event(self, flags: int) -> None:
        """Something happened on the descriptor; events of its predecessor do no harm."""
        sock = self._sock
        if sock is None:
            return
        if self._state is not _State.CONNECTING:
            self._read(sock, flags)
            return
        now_us = self._network.clock()
        if now_us - self._begun_us > SLOW_CONNECT_US:
            self.retransmitted = _has_retransmitted(sock)
        self._send(sock, now_us)

    def expire(self) -> None:
        """The deadline of the present step has passed."""
        if self._state is _State.CONNECTING:
            self._fail("connect-timeout")
        elif self._state is _State.REPLYING:
            self._fail("read-timeout")
        else:
            self._drop(clean=False)
            self._owner.free(self)

    def abandon(self) -> None:
        """Close what is open without an outcome: nobody wants to know any more."""
        if self._sock is not None:
            self._drop(clean=False)

    def _open(self, address: Address | None, now_us: int) -> None:
        if address is None:
            self._fail("dns")
            return
        ports = self._network.ports
        for _ in range(MAX_PORT_TRIES):
            port = ports.take(avoid=int(address.sockaddr[1]), now_us=now_us)
            if port is None:
                break
            sock, code = _connect(address, port)
            if code in _PORT_TAKEN:
                ports.give_back(port)
                continue
            self._port = port
            if sock is None:
                self._fail(failure(code))
            else:
                self._use(sock, now_us)
            return
        self._fail("local")

    def _use(self, sock: socket.socket, now_us: int) -> None:
        network = self._network
        fd = sock.fileno()
        self._sock, self._begun_us = sock, now_us
        network.connections[fd] = self
        try:
            sock.send(self._owner.request)  # within a node the handshake is over already
        except BlockingIOError:
            self._state = _State.CONNECTING
            network.connecting.add(self, now_us=now_us)
            network.poller.opening(fd)
        except OSError as error:
            self._fail(failure(error.errno))
        else:
            self._state = _State.REPLYING
            network.replying.add(self, now_us=now_us)
            network.poller.opened(fd)

    def _send(self, sock: socket.socket, now_us: int) -> None:
        try:
            sock.send(self._owner.request)
        except OSError as error:
            if self._reused or not isinstance(error, BlockingIOError):  # else it is not connected yet
                self._fail(failure(error.errno))
            return
        network = self._network
        if not self._reused:
            network.connecting.discard(self)
            network.poller.connected(sock.fileno())
        network.replying.add(self, now_us=now_us)
        self._state = _State.REPLYING

    def _read(self, sock: socket.socket, flags: int) -> None:
        try:
            while data := sock.recv(_READ_BYTES):
                if self._state is _State.REPLYING and self.reply.feed(data):
                    self._replied()
                elif self._state is _State.IDLE:
                    self._drop(clean=False)  # a reply that nobody asked for
                    return
                if len(data) < _READ_BYTES:
                    if flags & HANGUP:
                        break  # less than asked for, and all has been sent: the end, without asking again
                    return
        except BlockingIOError:
            return
        except ReplyError:
            self._fail("closed")
        except OSError as error:
            self._broken(failure(error.errno))
        else:
            self._server_closed()

    def _replied(self) -> None:
        network = self._network
        network.replying.discard(self)
        now_us = network.clock()
        self._owner.ended(self, of_status(self.reply.status), now_us)
        if self._owner.keeps and self.reply.keeps:
            self._state = _State.IDLE
            self._owner.free(self)
        else:
            self._state = _State.CLOSING
            network.replying.add(self, now_us=now_us)

    def _server_closed(self) -> None:
        state = self._state
        if state is _State.REPLYING and not self.reply.ends_with_close():
            self._fail("closed")
            return
        if state is _State.REPLYING:
            self._owner.ended(self, of_status(self.reply.status), self._network.clock())
        self._drop(clean=True)
        if state is not _State.IDLE:
            self._owner.free(self)

    def _broken(self, outcome: Outcome) -> None:
        if self._state is _State.REPLYING:
            self._fail("read-timeout" if outcome == "connect-timeout" else outcome)
            return
        was_idle = self._state is _State.IDLE
        self._drop(clean=False)
        if not was_idle:
            self._owner.free(self)

    def _fail(self, outcome: Outcome) -> None:
        retry = self._reused and not self.retried and outcome in _RETRIABLE and not self.reply.begun
        self._drop(clean=outcome in _PORT_STAYS_CLEAN)
        now_us = self._network.clock()
        if retry:
            self.retried = True
            self._open(self._address, now_us)
            return
        self._owner.ended(self, outcome, now_us)
        self._owner.free(self)

    def _drop(self, *, clean: bool) -> None:
        network, sock = self._network, self._sock
        if sock is not None:
            fd = sock.fileno()
            if self._state is not _State.CLOSED:
                (network.connecting if self._state is _State.CONNECTING else network.replying).discard(self)
                network.poller.forget(fd)
            del network.connections[fd]
            sock.close()
        if self._port and clean:
            network.ports.give_back(self._port)
        elif self._port:
            network.ports.keep_out(self._port, now_us=network.clock())
        self._sock, self._port, self._reused = None, 0, False
        self._state = _State.CLOSED


def _connect(address: Address, port: int) -> tuple[socket.socket | None, int]:
    """A socket that is connecting from `port`, or None and the error's number."""
    try:
        sock = socket.socket(address.family, socket.SOCK_STREAM | _NONBLOCK)
    except OSError as error:
        return None, error.errno or 0
    try:
        if not _NONBLOCK:
            sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("0.0.0.0" if address.family == socket.AF_INET else "::", port))  # noqa: S104 - a source
        code = sock.connect_ex(address.sockaddr)
    except OSError as error:
        code = error.errno or 0
    if code in {0, errno.EINPROGRESS}:
        return sock, 0
    sock.close()
    return None, code


def _has_retransmitted(sock: socket.socket) -> bool:
    """Whether the kernel had to send anything twice on this connection; false where it does not say."""
    if sys.platform != "linux":
        return False
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    return len(info) == _TCP_INFO_BYTES and _TOTAL_RETRANSMITS.unpack(info)[0] > 0
