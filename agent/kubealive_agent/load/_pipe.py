"""The child's ends of the pipe. Neither may ever hold up the loop that keeps the time."""

import os
from typing import Final

import msgspec

from kubealive_agent.load._wire import MAX_LINE_BYTES, AnyCommand, AnyReport, command_decoder, encoder

MAX_UNREAD_BYTES: Final = 4 << 20
"""Reports that the agent has not read: ten seconds of 16 loads at their busiest. An agent that hangs for longer
is in charge of nothing, and its load has to end."""

_READ_BYTES: Final = 65_536


class PipeError(Exception):
    """The agent broke the protocol of the pipe or stopped reading; the child has to end."""


class Commands:
    """Commands as they arrive on a descriptor that is readable."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.closed = False
        self._rest = b""

    def read(self) -> list[AnyCommand]:
        """The commands of one read; `closed` turns true at the end. Raises PipeError."""
        data = os.read(self.fd, _READ_BYTES)
        self.closed = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise PipeError(f"a command is longer than {MAX_LINE_BYTES} bytes")
        try:
            return [command_decoder.decode(line) for line in lines]
        except msgspec.DecodeError as exc:
            raise PipeError(f"a line is not a command: {exc}") from exc


class Reports:
    """Reports, written as far as the agent reads them and kept, within a bound, beyond that."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._unread = bytearray()

    @property
    def pending(self) -> bool:
        """Whether `flush` has to be called again."""
        return bool(self._unread)

    def write(self, report: AnyReport) -> None:
        """Put a report behind those that wait."""
        self._unread += encoder.encode(report)
        self._unread += b"\n"

    def flush(self) -> None:
        """Write what the pipe takes. Raises PipeError when the agent has stopped reading."""
        while self._unread:
            try:
                written = os.write(self._fd, self._unread)
            except BlockingIOError:
                break
            except OSError as exc:
                raise PipeError("nobody reads the reports any more") from exc
            del self._unread[:written]
        if len(self._unread) > MAX_UNREAD_BYTES:
            raise PipeError(f"the agent has left {len(self._unread)} bytes of reports unread")
