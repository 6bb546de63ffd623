"""A listening port: it accepts, keeps the number and the age of its connections in bounds, and closes in order."""

from __future__ import annotations

import os
import socket
import sys

from kubealive_workloads._connection import Connection
from kubealive_workloads._errors import ConfigError
from kubealive_workloads._http import refusal
from kubealive_workloads._loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubealive_workloads._deferred import Outcome
    from kubealive_workloads._http import ReplyWriter, Request
    from kubealive_workloads._loop import Loop

BACKLOG = 1024  # with 5, a hundred clients saw 14 s of SYN retransmission that looked like a failing pod
ACCEPT_BATCH = 64  # so that a flood of new clients cannot keep the fault port and the timers waiting
LONE_SECONDS = 0.05  # a client after such a pause is mostly alone, as a probe is: no second one is looked for
SWEEP_SECONDS = 1.0  # the grain of the deadlines
RETRY_ACCEPT_SECONDS = 0.1  # when the system is out of descriptors


class Port:
    """One listening socket and its connections."""

    __slots__ = (
        "_connections",
        "_evicted",
        "_limit",
        "_listener",
        "_paused",
        "_respond",
        "_sweeping",
        "draining",
        "last_arrival",
        "loop",
        "number",
        "writer",
    )

    def __init__(
        self,
        loop: Loop,
        number: int,
        *,
        variable: str,
        limit: int,
        writer: ReplyWriter,
        respond: Callable[[Request], Outcome | None],
    ) -> None:
        """Listen on `number` (0: any free port) of all addresses.

        Raises:
            ConfigError: the port cannot be had; `variable` names where its number comes from.
        """
        self.loop = loop
        self.writer = writer
        self.draining = False
        self._evicted = 0
        self.last_arrival = loop.now()
        self._respond = respond
        self._limit = limit
        self._connections: dict[socket.socket, Connection] = {}
        self._sweeping = False
        self._paused = False
        self._listener = _listen(number, variable)
        self.number: int = self._listener.getsockname()[1]
        loop.watch(self._listener, READ, self._on_clients)

    @property
    def open_connections(self) -> int:
        """The number of connections that wait for something."""
        return len(self._connections)

    def respond(self, request: Request) -> Outcome | None:
        """Give the application's answer; an exception in it is one reply of 500 and a trace on stderr."""
        self.last_arrival = self.loop.now()
        try:
            return self._respond(request)
        except Exception:  # noqa: BLE001 - the root of all handlers: one of them must not end the others
            sys.excepthook(*sys.exc_info())
            return refusal(500, "the program failed on this request: its standard error says how")

    def attend(self, sock: socket.socket, connection: Connection, events: int) -> None:
        """Have `connection` called when `sock` is ready, and watch its deadline."""
        if sock in self._connections:
            self.loop.rewatch(sock, events, connection.on_event)
            return
        self._connections[sock] = connection
        self.loop.watch(sock, events, connection.on_event)
        if not self._sweeping:
            self._sweeping = True
            self.loop.after(SWEEP_SECONDS, self._sweep)

    def forget(self, sock: socket.socket) -> None:
        """Watch a connection no more, since it is about to close."""
        self.loop.unwatch(sock)
        del self._connections[sock]
        if self._paused:
            self._accept_again()

    def resume(self) -> None:
        """Ask again for all replies that the application withheld."""
        for connection in tuple(self._connections.values()):
            connection.resume()

    def drain(self) -> None:
        """Answer what comes as before, but each reply as the last of its connection."""
        self.draining = True

    def stop_listening(self) -> None:
        """Take the clients that the kernel has accepted already, then refuse new ones."""
        if self._listener.fileno() < 0:
            return
        for _ in range(BACKLOG // ACCEPT_BATCH + 1):  # all that the queue can hold
            if self._paused or self._accept_batch():
                break
        if not self._paused:
            self.loop.unwatch(self._listener)
        self._paused = False
        self._listener.close()

    def owed(self) -> int:
        """Count the connections whose client has sent something that is not answered in full."""
        return sum(connection.owed for connection in self._connections.values())

    def close(self) -> None:
        """Close the listener and all connections, answered or not."""
        self.stop_listening()
        for connection in tuple(self._connections.values()):
            connection.close()

    def reset(self) -> None:
        """End all connections as a crash would."""
        for connection in tuple(self._connections.values()):
            connection.reset()

    def _on_clients(self, _events: int) -> None:
        lone = self.loop.now() - self.last_arrival > LONE_SECONDS
        self._accept_batch(1 if lone else ACCEPT_BATCH)

    def _accept_batch(self, most: int = ACCEPT_BATCH) -> bool:
        """Accept and serve the clients that wait, so many at most; whether none is left."""
        for _ in range(most):
            full = len(self._connections) >= self._limit
            oldest = self._oldest_unasked() if full else None
            if full and oldest is None:
                self._pause()
                return False
            try:
                sock, _address = self._listener.accept()
            except BlockingIOError:
                return True
            except ConnectionError:
                continue  # the client gave up while it was queued
            except OSError:
                self._pause()  # out of descriptors: until one of ours or of another process is free
                self.loop.after(RETRY_ACCEPT_SECONDS, self._accept_again)
                return False
            if oldest is not None:
                self._evict(oldest)
            self.last_arrival = self.loop.now()
            Connection(sock, self).receive()
        return False

    def _oldest_unasked(self) -> Connection | None:
        """Give the oldest connection that has no request in work, the one to give way to a new client."""
        return next((each for each in self._connections.values() if not each.answering), None)

    def _evict(self, connection: Connection) -> None:
        connection.close()
        self._evicted += 1
        if self._evicted & (self._evicted - 1) == 0:  # said at 1, 2, 4, 8 ...: a flood must not flood the log
            sys.stderr.write(
                f"{self._evicted} connections without a request have given way to new clients so far:"
                f" port {self.number} holds at most {self._limit}\n"
            )

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.loop.unwatch(self._listener)

    def _accept_again(self) -> None:
        if self._paused:
            self._paused = False
            self.loop.watch(self._listener, READ, self._on_clients)

    def _sweep(self) -> None:
        now = self.loop.now()
        for connection in tuple(self._connections.values()):
            if connection.deadline is not None and connection.deadline <= now:
                connection.expire()
        self._sweeping = bool(self._connections)
        if self._sweeping:
            self.loop.after(SWEEP_SECONDS, self._sweep)


def _listen(number: int, variable: str) -> socket.socket:
    dual = socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server(
            ("", number),
            family=socket.AF_INET6 if dual else socket.AF_INET,
            backlog=BACKLOG,
            dualstack_ipv6=dual,
        )
    except OSError as exc:
        raise ConfigError(
            f"port {number} cannot be opened ({os.strerror(exc.errno or 0)}): choose another one with {variable}"
        ) from exc
    listener.setblocking(False)
    return listener
