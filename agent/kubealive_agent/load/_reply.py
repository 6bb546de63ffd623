"""Just enough of an HTTP/1.1 reply: who sent it, with what status, and where it ends.

Most replies arrive whole in one read, and the engine spends its time in the kernel; so the head is searched
once, with one pattern, and the body is counted and never kept.
"""

import re
from typing import Final, NamedTuple

MAX_HEAD_BYTES: Final = 16_384
"""What common servers send at most as headers is 8 KB; twice that is somebody else's protocol."""

MAX_BODY_BYTES: Final = 16 << 20
"""The experiments answer with a few hundred bytes; a body beyond this would measure the network."""

MAX_NAME_BYTES: Final = 253
"""Longest name of a Kubernetes object; a longer value of an identity header is cut."""

_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?:[ \r]|\Z)")
_FIELDS: Final = re.compile(
    rb"\r\n(content-length|connection|transfer-encoding|x-pod-uid|x-pod-name|x-node-name|x-version)"
    rb":[ \t]*([^\r\n]*)",
    re.IGNORECASE,
)
_WITHOUT_BODY: Final = frozenset((204, 304))


class Server(NamedTuple):
    """Who answered, as its reply says, undecoded; all empty when nobody did or nothing was said."""

    pod_uid: bytes = b""
    pod_name: bytes = b""
    node: bytes = b""
    version: bytes = b""


NOBODY: Final = Server()


class _Head(NamedTuple):
    status: int
    server: Server
    length: int | None  # of the body; None when only the server's closing tells its end
    keeps: bool


MAX_KNOWN_HEADS: Final = 64
"""Heads remembered as read: a server repeats its own byte for byte, at most with another date each second."""

_known_heads: Final[dict[bytes, _Head]] = {}


class ReplyError(Exception):
    """The bytes are not an HTTP/1.1 reply, or one beyond the caps."""


class Reply:
    """One reply, fed piece by piece, cut anywhere.

    A reply without Content-Length ends when the server closes; so does a chunked one, whose pieces are not
    taken apart. `begun` holds from the first byte on, `status` and `server` from the end of the head.
    """

    __slots__ = ("_head", "_left", "begun", "keeps", "server", "status")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Make ready for the reply to the next request."""
        self._head = b""
        self._left: int | None = None
        self.begun = False
        self.status = 0
        self.server = NOBODY
        self.keeps = True

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; true once the reply is whole. Raises ReplyError."""
        self.begun = True
        if not self.status:
            if self._head:
                data = self._head + data
            end = data.find(b"\r\n\r\n")
            while end >= 0 and self._read_head(data[:end]) < 200:
                data = data[end + 4 :]  # an interim reply (100, 103) announces the real one
                end = data.find(b"\r\n\r\n")
            if end < 0:
                return self._keep_head(data)
            length = len(data) - end - 4
        else:
            length = len(data)
        if self._left is None:
            return False
        self._left -= length
        if self._left < 0:
            raise ReplyError("the server sent more than its Content-Length")
        return self._left == 0

    def ends_with_close(self) -> bool:
        """Whether a reply that was not whole yet is whole because the server closed now."""
        return self.status != 0 and self._left is None

    def _keep_head(self, data: bytes) -> bool:
        if len(data) > MAX_HEAD_BYTES:
            raise ReplyError(f"the reply's head is over {MAX_HEAD_BYTES} bytes")
        if not data.startswith(b"HTTP/1."[: len(data)]):
            raise ReplyError(f"the reply does not begin with HTTP/1: {data[:20]!r}")
        self._head = data
        return False

    def _read_head(self, head: bytes) -> int:
        known = _known_heads.get(head)
        if known is None:
            known = _parse(head)
            if len(_known_heads) >= MAX_KNOWN_HEADS:
                _known_heads.clear()
            _known_heads[head] = known
        if known.status >= 200:
            self.status, self.server, self._left, self.keeps = known
        return known.status


def _parse(head: bytes) -> _Head:
    matched = _STATUS.match(head)
    if not matched or len(head) > MAX_HEAD_BYTES:
        raise ReplyError(f"the reply does not begin as HTTP/1 does: {head[:20]!r}")
    status = int(matched[1])
    fields = {name.lower(): value for name, value in _FIELDS.findall(head)}
    uid, name, node, version = (
        fields.get(field, b"")[:MAX_NAME_BYTES]
        for field in (b"x-pod-uid", b"x-pod-name", b"x-node-name", b"x-version")
    )
    return _Head(
        status=status,
        server=Server(uid, name, node, version),
        length=0 if status in _WITHOUT_BODY else _length_of(fields),
        keeps=fields.get(b"connection", b"").lower() != b"close",
    )


def _length_of(fields: dict[bytes, bytes]) -> int | None:
    length = fields.get(b"content-length")
    if length is None or b"transfer-encoding" in fields:
        return None
    if not length.isdigit() or len(length) > 10 or int(length) > MAX_BODY_BYTES:
        raise ReplyError(f"Content-Length {length[:40]!r} is no number up to {MAX_BODY_BYTES}")
    return int(length)
