"""A recording as it lies on disk: its head, its entries, and up to where it can be trusted."""

import mmap
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from google.protobuf.message import DecodeError

from kubealive.v1 import agent_pb2
from kubealive_tui.errors import RecordingError
from kubealive_tui.feed._convert import frame
from kubealive_tui.feed._format import Entry, Head, Kind, decode_link, read_entry
from kubealive_tui.model import Signal

__all__ = ["Recording"]

_KNOWN = {kind.value for kind in Kind}
# Decoded signals are kept, so that going back costs only the reduction. As bytes of the file: 8 MiB are about
# 100,000 facts and take some ten times that in memory; what lies beyond is decoded each time it is asked for.
KEPT_BYTES = 8 << 20


class Recording:
    """An opened recording, indexed; messages are decoded as they are asked for.

    `cut` says that the file goes on after its last whole entry (a full disk, a dead battery, damage), and
    `duration_us` up to where it can be played.
    """

    def __init__(self, path: Path, head: Head, data: bytes | mmap.mmap, begin: int) -> None:
        self.path = path
        self.head = head
        self._data = data
        self._entries: list[Entry] = []
        self._decoded: dict[int, Signal] = {}
        position = begin
        while (entry := read_entry(data, position)) is not None:
            position = entry.end
            if entry.kind in _KNOWN:
                self._entries.append(entry)
        self.cut = position < len(data)
        self.good_bytes = position

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a recording; raises RecordingError with one sentence where there is none in `path`."""
        try:
            with path.open("rb") as file:
                # An empty file cannot be mapped, and its head says so better.
                empty = not file.seek(0, 2)
                data = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as exc:
            raise RecordingError(f"cannot read {path}: {exc.strerror}; name a recording") from exc
        head, begin = Head.read(data, str(path))
        return cls(path, head, data, begin)

    def close(self) -> None:
        """Let go of the file."""
        if isinstance(self._data, mmap.mmap):
            self._data.close()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def duration_us(self) -> int:
        """From the beginning to the last whole entry."""
        return self._entries[-1].offset_us if self._entries else 0

    def offset_us(self, index: int) -> int:
        """When the entry of this index was written, from the beginning."""
        return self._entries[index].offset_us

    def until(self, position_us: int) -> int:
        """How many entries had been written by then."""
        return bisect_right(self._entries, position_us, key=lambda entry: entry.offset_us)

    def signal(self, index: int) -> Signal:
        """The signal of this index; raises RecordingError where another program wrote it."""
        known = self._decoded.get(index)
        if known is not None:
            return known
        signal = self._decode(self._entries[index])
        if self._entries[index].end <= KEPT_BYTES:
            self._decoded[index] = signal
        return signal

    def warm(self, count: int) -> bool:
        """Decode up to `count` further signals ahead of time; whether there are more to decode."""
        index = len(self._decoded)
        for ahead in range(index, min(index + count, len(self._entries))):
            self.signal(ahead)
        following = len(self._decoded)
        return index < following < len(self._entries)

    def _decode(self, entry: Entry) -> Signal:
        raw = self._data[entry.begin : entry.end]
        try:
            if entry.kind == Kind.LINK.value:
                return decode_link(raw)
            return frame(agent_pb2.WatchResponse.FromString(raw))
        except (DecodeError, ValueError, KeyError, TypeError) as exc:
            raise RecordingError(
                f"{self.path} holds something at byte {entry.begin} that no kubealive wrote; record anew"
            ) from exc

    def __iter__(self) -> Iterator[tuple[int, Signal]]:
        """Every signal with its offset in microseconds, in order."""
        for index, entry in enumerate(self._entries):
            yield entry.offset_us, self.signal(index)
