"""A loopback server whose connections behave as a test's script says."""

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket, int], None]
"""Given a connection and its number, counted from 0; the connection is closed when it returns."""

IDENTITY = "X-Pod-Name: getip-1\r\nX-Pod-Uid: u-1\r\nX-Node-Name: node-1\r\nX-Version: v1\r\n"
PATIENCE_S = 5.0


def reply(status: int = 200, *, body: bytes = b"hello", headers: str = IDENTITY, keep: bool = False) -> bytes:
    """A whole reply."""
    connection = "" if keep else "Connection: close\r\n"
    head = f"HTTP/1.1 {status} x\r\n{headers}{connection}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def receive(connection: socket.socket) -> bool:
    """Wait for one request; false when the client has closed."""
    return connection.recv(4_096) != b""


def answers(data: bytes) -> Script:
    """Read one request, answer with `data`, close."""

    def script(connection: socket.socket, _number: int) -> None:
        if receive(connection):
            connection.sendall(data)

    return script


def keeps(connection: socket.socket, _number: int) -> None:
    """Answer every request of a connection."""
    while receive(connection):
        connection.sendall(reply(keep=True))


def silent(connection: socket.socket, _number: int) -> None:
    """Never answer."""
    while receive(connection):
        pass


def resets(connection: socket.socket, _number: int) -> None:
    """Read one request, then abort the connection."""
    receive(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server:
    """Serves a script on `port` until the with-block ends; leaves no thread and no socket behind."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE_S)
        self._listener.close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def _accept(self) -> None:
        for number in itertools.count():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection, number))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(PATIENCE_S)
        with connection, contextlib.suppress(OSError):
            self._script(connection, number)
        self._open.discard(connection)


def closed_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
