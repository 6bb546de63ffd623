"""Lines out of a byte stream, since a watch is one JSON document a line.

The line readers of asyncio stop at a fixed, small limit; here the limit is a bound on memory, chosen so that
no real object meets it, and a longer line costs only itself.
"""

from collections.abc import Callable

# etcd refuses objects beyond 1.5 MiB unless it was told otherwise; 10 MB objects are known in the wild. One such
# line, held twice while its pieces are joined, fits under the limit of the agent's pod beside the agent itself.
MAX_LINE_BYTES = 16 * 1024 * 1024

# What stands in for a line that was longer; no real line is empty, since empty lines are dropped.
TOO_LONG = b""


class LineSplitter:
    """Cuts chunks into lines for `take` and keeps the unfinished rest, at most `limit` bytes of it."""

    __slots__ = ("_limit", "_pieces", "_size", "_skipping", "_take")

    def __init__(self, take: Callable[[bytes], None], *, limit: int = MAX_LINE_BYTES) -> None:
        self._take = take
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._skipping = False

    def feed(self, chunk: bytes) -> None:
        """Hand on the lines that this chunk completes; a line beyond the limit comes as `TOO_LONG`."""
        at = 0
        while (end := chunk.find(b"\n", at)) >= 0:  # `split` looks at each byte by itself, `find` does not
            self._hold(chunk[at:end])
            line = TOO_LONG if self._skipping else b"".join(self._pieces)
            wanted = line or self._skipping
            self._clear()
            if wanted:
                self._take(line)
            at = end + 1
        if at < len(chunk):
            self._hold(chunk[at:])

    def _hold(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            self._skipping = True
            self._pieces.clear()
        elif piece:
            self._pieces.append(piece)

    def _clear(self) -> None:
        self._pieces.clear()
        self._size = 0
        self._skipping = False
