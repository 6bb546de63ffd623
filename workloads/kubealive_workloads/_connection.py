"""One client's connection: bytes in, requests to the application, replies out, and its end.

The usual request of an experiment comes on a new connection with `Connection: close`. It is read, answered and
closed in the step that accepted it, without the selector ever hearing of it.
"""

from __future__ import annotations

from socket import MSG_DONTWAIT, SHUT_WR, SO_LINGER, SOL_SOCKET

from kubealive_workloads._deferred import Deferred
from kubealive_workloads._errors import RequestError
from kubealive_workloads._http import MAX_BODY_BYTES, MAX_HEAD_BYTES, parse, refusal
from kubealive_workloads._loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from kubealive_workloads._deferred import Outcome
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._port import Port

READING, IDLE, HELD, SENDING, LINGERING, CLOSED = range(6)

# What a connection in each state waits for, and for how many seconds at most.
PATIENCE = {
    READING: (READ, 10.0),  # one whole request: a bad line needs three seconds, a hoarder gets no more than ten
    IDLE: (READ, 75.0),  # between two requests: longer than the 60 s after which common clients let go themselves
    HELD: (READ, 300.0),  # a reply made late by a fault or by long work: clients give up far earlier
    SENDING: (WRITE, 10.0),  # a client that does not take its reply
    LINGERING: (READ, 1.0),  # for a refusal to be read: closing on unread bytes would reset it away
}

RECEIVE_BYTES = 8 * 1024
MAX_RECEIVED_BYTES = MAX_HEAD_BYTES + MAX_BODY_BYTES  # one largest request; nobody needs more ahead of a reply

_RESET = b"\1\0\0\0\0\0\0\0"  # struct linger {on, 0 s}: the close sends RST and drops what is unsent


class Connection:
    """A connection from its acceptance to its close, driven by the loop through its port."""

    __slots__ = (
        "_deferred",
        "_held",
        "_last",
        "_port",
        "_received",
        "_sock",
        "_then",
        "_unsent",
        "_watched",
        "deadline",
        "state",
    )

    def __init__(self, sock: socket.socket, port: Port) -> None:
        self.state = READING
        self.deadline: float | None = None
        self._sock = sock
        self._port = port
        self._watched = 0
        self._received = b""
        self._unsent = b""
        self._held: Request | None = None
        self._deferred: Deferred | None = None
        self._then: Callable[[], None] | None = None
        self._last = False

    @property
    def answering(self) -> bool:
        """Whether a whole request is here whose reply has not left."""
        return self.state in {HELD, SENDING}

    @property
    def owed(self) -> bool:
        """Whether the client has sent anything that is not answered in full."""
        return self.answering or (self.state == READING and bool(self._received))

    def on_event(self, _events: int) -> None:
        """Go on, with the socket ready for what this state waits for."""
        if self.state == SENDING:
            self._flush()
            self._advance()
        elif self.state != CLOSED:
            self.receive()

    def receive(self) -> None:
        """Read what has come and answer what is complete."""
        try:
            data = self._sock.recv(RECEIVE_BYTES, MSG_DONTWAIT)
        except BlockingIOError:
            self._wait()
            return
        except OSError:
            data = b""  # a reset by the client is its end too
        if not data or len(self._received) > MAX_RECEIVED_BYTES:
            self.close()
        elif self.state != LINGERING:
            self._received = self._received + data if self._received else data
            self._advance()

    def resume(self) -> None:
        """Ask the application again for a reply that it withheld."""
        if self._held is not None and self._deferred is None:
            self._take(self._port.respond(self._held))
            self._advance()

    def expire(self) -> None:
        """End the connection at its deadline; a client in the middle of a request is told why."""
        if self.state == READING and self._received:
            self._refuse(RequestError(408, f"the request was not complete after {PATIENCE[READING][1]:.0f} s"))
        else:
            self.close()

    def close(self) -> None:
        """End the connection; what it has not sent is lost."""
        if self._watched:
            self._port.forget(self._sock)
            self._watched = 0
        self.state = CLOSED
        self._sock.close()
        deferred, self._deferred = self._deferred, None
        if deferred is not None:
            deferred.abandon()

    def reset(self) -> None:
        """End the connection as a crash would: with a reset."""
        self._sock.setsockopt(SOL_SOCKET, SO_LINGER, _RESET)
        self.close()

    def _advance(self) -> None:
        """Answer complete requests, in order, as far as each is followed by its reply; then wait."""
        while self._received and self.state in {READING, IDLE}:
            try:
                parsed = parse(self._received)
            except RequestError as error:
                self._refuse(error)
                return
            if parsed is None:
                self._enter(READING)
                break
            self._held, used = parsed
            self._received = self._received[used:]
            self._enter(HELD)
            self._take(self._port.respond(self._held))
        if self.state != CLOSED:
            self._wait()

    def _take(self, outcome: Outcome | None) -> None:
        """Send the application's reply, or wait for it; None is a reply withheld until `resume`."""
        if isinstance(outcome, Deferred):
            self._deferred = outcome
            outcome.attach(self._deliver)
        elif outcome is not None:
            self._reply(outcome)

    def _deliver(self, outcome: Outcome) -> None:
        self._deferred = None
        self._take(outcome)
        self._advance()

    def _reply(self, response: Response) -> None:
        request, self._held = self._held, None
        if request is None:
            return
        keep_alive = request.keep_alive and not self._port.draining
        with_body = request.method != "HEAD"
        self._last = not keep_alive
        self._then = response.then
        self._unsent = self._port.writer.write(response, keep_alive=keep_alive, with_body=with_body)
        self._enter(SENDING)
        self._flush()

    def _refuse(self, error: RequestError) -> None:
        """Answer what is no request, then discard what still comes, so that the answer is not reset away."""
        self._received = b""
        reply = self._port.writer.write(refusal(error.status, str(error)), keep_alive=False)
        try:
            self._sock.send(reply, MSG_DONTWAIT)  # it fits the empty buffer, or the client reads nothing anyway
            self._sock.shutdown(SHUT_WR)
        except OSError:
            self.close()
            return
        self._enter(LINGERING)
        self._wait()

    def _flush(self) -> None:
        try:
            sent = self._sock.send(self._unsent, MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            self.close()  # the client is gone, and its reply with it
            return
        self._unsent = self._unsent[sent:]
        if self._unsent:
            return
        then, self._then = self._then, None
        if then is not None:
            then()
        if self._last:
            self.close()
        else:
            self._enter(IDLE)

    def _enter(self, state: int) -> None:
        if state != self.state:
            self.state = state
            self.deadline = None

    def _wait(self) -> None:
        """Have the loop call when the socket is ready for what this state needs, or when that took too long."""
        events, seconds = PATIENCE[self.state]
        if self.deadline is None:
            self.deadline = self._port.loop.now() + seconds
        if events != self._watched:
            self._port.attend(self._sock, self, events)
            self._watched = events
