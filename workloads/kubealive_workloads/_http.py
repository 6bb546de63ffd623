"""HTTP/1.1 as bytes: requests parsed, replies written, no socket in sight.

Parsing is a function of all bytes received so far, so that it cannot depend on how the network cut them.
"""

from __future__ import annotations

import json
import re
import time

from kubealive_workloads._errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_HEAD_BYTES = 8 * 1024  # what nginx and most proxies allow; a browser with cookies stays below half
MAX_BODY_BYTES = 64 * 1024  # bodies here are settings of a few words, or one small value to keep

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rf"({_NAME}) (?:https?://[^/?# ]+)?(/[!-~]*) HTTP/(\d\.\d)")
_HEADER_LINE = re.compile(rf"({_NAME}):[ \t]*([^\0-\x08\x0a-\x1f\x7f]*)")
_LENGTH = re.compile(r"[0-9]{1,18}")

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    417: "Expectation Failed",
    422: "Unprocessable Content",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
_STATUS_LINES = {status: f"HTTP/1.1 {status} {reason}\r\n".encode("ascii") for status, reason in _REASONS.items()}


class Request:
    """One complete request. Header names are lower case; `path` is without the `query` behind its `?`."""

    __slots__ = ("body", "headers", "keep_alive", "method", "path", "query")

    def __init__(
        self, *, method: str, path: str, headers: Mapping[str, str], body: bytes, keep_alive: bool, query: str = ""
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.keep_alive = keep_alive


class Response:
    """One reply. `headers` are whole lines beyond the usual ones; `then` runs once the reply is sent."""

    __slots__ = ("body", "content_type", "headers", "status", "then")

    def __init__(
        self,
        status: int,
        body: bytes,
        *,
        content_type: bytes,
        headers: bytes = b"",
        then: Callable[[], None] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers
        self.then = then


def text(body: str) -> Response:
    """Answer with plain text, ended by a line end for the sake of terminals."""
    return Response(200, f"{body}\n".encode(), content_type=TEXT)


def json_reply(value: object, *, status: int = 200, then: Callable[[], None] | None = None) -> Response:
    """Answer with `value` as one line of JSON; `then` runs once it is sent."""
    return Response(status, json.dumps(value).encode() + b"\n", content_type=JSON, then=then)


def refusal(status: int, sentence: str, *, headers: bytes = b"") -> Response:
    """Answer with a sentence that says what was wrong and what would be right."""
    body = json.dumps({"error": sentence}).encode() + b"\n"
    return Response(status, body, content_type=JSON, headers=headers)


def parse(received: bytes) -> tuple[Request, int] | None:
    """Read the first request of the bytes received so far, and the number of bytes it took.

    None while it is not complete.

    Raises:
        RequestError: no more bytes can make a request of these that is served here.
    """
    end = _END_OF_HEAD.search(received)
    if end is None:
        if len(received) >= MAX_HEAD_BYTES + len(b"\r\n\r\n"):
            raise _head_too_large()
        return None
    if end.start() > MAX_HEAD_BYTES:
        raise _head_too_large()
    request_line, *header_lines = received[: end.start()].decode("latin-1").split("\r\n")
    match = _REQUEST_LINE.fullmatch(request_line)
    if match is None:
        raise RequestError(400, "the first line is no request line such as: GET / HTTP/1.1")
    method, target, version = match.groups()
    if version not in {"1.1", "1.0"}:
        raise RequestError(505, f"HTTP/{version} is not spoken here: use HTTP/1.1")
    headers = _headers(header_lines)
    if version == "1.1" and "host" not in headers:
        raise RequestError(400, "an HTTP/1.1 request needs one Host header")
    begin, length = end.end(), _body_length(headers)
    if len(received) < begin + length:
        return None
    path, _, query = target.partition("?")
    request = Request(
        method=method,
        path=path,
        query=query,
        headers=headers,
        body=received[begin : begin + length],
        keep_alive=_keeps_alive(version, headers.get("connection")),
    )
    return request, begin + length


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        match = _HEADER_LINE.fullmatch(line)
        if match is None:
            raise RequestError(400, "a header line is not of the form NAME: VALUE")
        name, value = match[1].lower(), match[2].rstrip()
        if name not in headers:
            headers[name] = value
        elif name in {"authorization", "content-length", "host"}:
            raise RequestError(400, f"the header {name} came twice")
        else:
            headers[name] = f"{headers[name]}, {value}"
    return headers


def _body_length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise RequestError(411, "a body in chunks is not read here: send it with Content-Length")
    if "expect" in headers:
        raise RequestError(417, "Expect is not served here: bodies are small, send yours at once")
    declared = headers.get("content-length", "0")
    if _LENGTH.fullmatch(declared) is None:
        raise RequestError(400, "Content-Length is not a number of bytes")
    length = int(declared)
    if length > MAX_BODY_BYTES:
        raise RequestError(413, f"the body has {length} bytes: at most {MAX_BODY_BYTES} are read")
    return length


def _keeps_alive(version: str, connection: str | None) -> bool:
    if connection is None:
        return version == "1.1"
    options = {option.strip() for option in connection.lower().split(",")}
    return "close" not in options and (version == "1.1" or "keep-alive" in options)


def _head_too_large() -> RequestError:
    return RequestError(431, f"the request's head is larger than {MAX_HEAD_BYTES} bytes: send fewer headers")


def _date(second: int) -> str:
    """Give the time as HTTP has it, in English whatever the locale, and without the C library's long way."""
    year, month, day, hour, minute, sec, weekday, *_ = time.gmtime(second)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year} {hour:02}:{minute:02}:{sec:02} GMT"


class ReplyWriter:
    """Turns responses into bytes, with the headers that every reply of this process carries."""

    __slots__ = ("_common", "_identity", "_second", "_wall")

    def __init__(self, identity_headers: bytes, *, wall: Callable[[], float] = time.time) -> None:
        self._identity = identity_headers
        self._wall = wall
        self._second = -1
        self._common = b""

    def write(self, response: Response, *, keep_alive: bool, with_body: bool = True) -> bytes:
        """Give the whole reply; `with_body=False` is the answer to HEAD."""
        second = int(self._wall())
        if second != self._second:
            self._second = second
            self._common = self._identity + b"Date: %b\r\n" % _date(second).encode("ascii")
        return b"%b%b%bContent-Type: %b\r\nContent-Length: %d\r\nConnection: %b\r\n\r\n%b" % (
            _STATUS_LINES[response.status],
            self._common,
            response.headers,
            response.content_type,
            len(response.body),
            b"keep-alive" if keep_alive else b"close",
            response.body if with_body else b"",
        )
