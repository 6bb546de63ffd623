"""Writes what a live feed delivers into a file, so that a session can be shown again without a cluster.

A recording never gets in the way: a disk that is full ends it with one sentence, and the session goes on.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from kubealive.v1 import agent_pb2
from kubealive_tui.errors import RecordingError
from kubealive_tui.feed._clock import Clock, SystemClock
from kubealive_tui.feed._format import Head, Kind, encode_link, entry_bytes
from kubealive_tui.model import LinkEvent

__all__ = ["Recorder"]


class Recorder:
    """An open recording. Each entry is one unbuffered write; nothing is forced to disk.

    `on_trouble` is called once, with a sentence, when writing fails; from then on nothing is written.
    """

    def __init__(self, file: BinaryIO, path: Path, *, clock: Clock, on_trouble: Callable[[str], None]) -> None:
        self._file = file
        self._path = path
        self._clock = clock
        self._began = clock.monotonic()
        self._on_trouble = on_trouble
        self.recording = True

    @classmethod
    def create(
        cls,
        path: Path,
        head: Head,
        *,
        on_trouble: Callable[[str], None],
        clock: Clock | None = None,
    ) -> "Recorder":
        """Begin a recording in a new or an empty file; raises RecordingError for one that holds anything."""
        try:
            file = path.open("ab", buffering=0)
        except OSError as exc:
            raise RecordingError(
                f"cannot record to {path}: {exc.strerror}; name a file that can be written"
            ) from exc
        if file.tell():
            file.close()
            raise RecordingError(f"{path} exists and is not empty; name another file to record to, or remove it")
        recorder = cls(file, path, clock=clock or SystemClock(), on_trouble=on_trouble)
        recorder._write(head.to_bytes())
        return recorder

    def frame(self, message: agent_pb2.WatchResponse) -> None:
        """Write one message of the stream."""
        self._write(entry_bytes(Kind.FRAME, self._now_us(), message.SerializeToString()))

    def link(self, event: LinkEvent, info: agent_pb2.GetInfoResponse | None) -> None:
        """Write one event of the link; `info` is the message behind `event.info`."""
        self._write(entry_bytes(Kind.LINK, self._now_us(), encode_link(event, info)))

    def close(self) -> None:
        """End the recording; it can be repeated."""
        self.recording = False
        self._file.close()

    def _now_us(self) -> int:
        return round((self._clock.monotonic() - self._began) * 1e6)

    def _write(self, raw: bytes) -> None:
        if not self.recording:
            return
        begin = self._file.tell()
        try:
            written = self._file.write(raw)
            reason = "" if written == len(raw) else "the disk is full"
        except OSError as exc:
            reason = exc.strerror or str(exc)
        if reason:
            self._give_up(begin, reason)

    def _give_up(self, begin: int, reason: str) -> None:
        try:
            os.ftruncate(self._file.fileno(), begin)
        except OSError:
            reason += ", its last entry is cut"
        self.close()
        self._on_trouble(f"recording to {self._path} ended: {reason}; what it holds can be replayed")
