"""The chunked coding of HTTP/1.1, decoded by hand for the one body that matters: a watch, which never ends.

h11 makes a dozen objects of a chunk, and a watch event is a chunk: that was a fifth of what an event costs.
"""

import re

from kubealive_agent.kube._errors import MalformedError

# A size, an extension that nobody uses, a trailer: Go writes a few bytes. What is longer is no chunked body.
MAX_LINE_BYTES = 4096

_END = b"\r\n"
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*|;[^\r\n]*)")


class ChunkedBody:
    """Takes the bytes of a connection and gives those of the body; holds less than a line of what came."""

    __slots__ = ("_held", "_in_trailers", "_left", "_open", "ended")

    def __init__(self) -> None:
        self.ended = False
        """The last chunk and its trailers have come; whatever follows is not the body's."""
        self._held = b""
        self._left = 0
        self._open = False
        self._in_trailers = False

    def feed(self, received: bytes) -> bytes:
        """Return what these bytes add to the body. Raises MalformedError for what is no chunked coding."""
        received = self._held + received
        pieces = []
        at, self._held = 0, b""
        while at < len(received) and not self.ended:
            if self._left:
                piece = received[at : at + self._left]
                pieces.append(piece)
                self._left -= len(piece)
                at += len(piece)
                if not self._left and received.startswith(_END, at):
                    self._open = False
                    at += len(_END)
            elif self._open and not _END.startswith(received[at : at + len(_END)]):
                raise MalformedError("a chunk of the answer is longer than its size says")
            elif (stop := received.find(_END, at, at + MAX_LINE_BYTES)) >= 0:
                self._line(received[at:stop])
                at = stop + len(_END)
            elif len(received) - at < MAX_LINE_BYTES:
                self._held = received[at:]
                break
            else:
                raise MalformedError(f"the chunked answer has a line of more than {MAX_LINE_BYTES} bytes")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _line(self, line: bytes) -> None:
        """Take a line between the pieces: the end of a chunk, the size of the next, or a trailer."""
        if self._in_trailers:
            self.ended = not line
        elif self._open:
            self._open = False
        elif size := _SIZE.fullmatch(line):
            self._left = int(size[1], 16)
            self._open = self._left > 0
            self._in_trailers = not self._open
        else:
            raise MalformedError(f"the chunked answer has {line[:40]!r} where the size of a chunk belongs")
