"""One GET by hand: `http.client` brings the whole email package, a third of the memory that a program may take."""

from __future__ import annotations

import socket
import time

MAX_REPLY_BYTES = 64 * 1024  # the programs answer with a few hundred bytes
CONNECT_SECONDS = 0.9  # before the kernel sends a SYN again, so that no outage hides as a slow success


class Fetched:
    """What came of it: the HTTP status and body, or `error` in words where there is none."""

    __slots__ = ("body", "error", "status", "took_ms")

    def __init__(self, *, status: int = 0, body: str = "", error: str = "") -> None:
        self.status = status
        self.body = body
        self.error = error
        self.took_ms = 0.0


def fetch(address: str, port: int, path: str, *, host: str, seconds: float) -> Fetched:
    """GET `path` there, on its own connection, within `seconds`; never raises for what the other side does."""
    began = time.monotonic()
    try:
        fetched = _fetch(address, port, path, host=host, until=began + seconds)
    except ConnectionRefusedError:
        fetched = Fetched(error="connection refused")
    except ConnectionError:
        fetched = Fetched(error="connection reset")
    except TimeoutError as exc:
        fetched = Fetched(error=str(exc.args[0]) if exc.args else "read timeout")
    except OSError as exc:
        fetched = Fetched(error=f"unreachable ({exc.strerror or exc})")
    fetched.took_ms = round((time.monotonic() - began) * 1000, 2)
    return fetched


def _fetch(address: str, port: int, path: str, *, host: str, until: float) -> Fetched:
    left = max(until - time.monotonic(), 0.001)
    try:
        sock = socket.create_connection((address, port), timeout=min(left, CONNECT_SECONDS))
    except TimeoutError as exc:
        raise TimeoutError("connect timeout") from exc
    with sock:
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
        )
        sock.sendall(request.encode("ascii"))
        reply = b""
        while len(reply) < MAX_REPLY_BYTES:
            sock.settimeout(max(until - time.monotonic(), 0.001))
            try:
                piece = sock.recv(8192)
            except TimeoutError as exc:
                raise TimeoutError("read timeout") from exc
            if not piece:
                break
            reply += piece
    head, end, body = reply.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if not end or len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        return Fetched(error="closed before a whole HTTP reply")
    return Fetched(status=int(words[1]), body=body.decode("utf-8", "replace"))
