"""`phoenix`: keeps one value in a directory, so that a client sees what outlives the pod.

POST /store     the body is the value: 1 to 256 bytes of UTF-8, one printable line. Answered once it is on disk.
GET /retrieve   the value as it is on disk; 404 before any was stored
DATA_DIR        where it is kept; the working directory unless it is set
"""

from __future__ import annotations

import _thread
import errno
import os
from _queue import SimpleQueue

from kubealive_workloads._http import refusal, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubealive_workloads._deferred import Deferred, Outcome
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._router import Routes
    from kubealive_workloads.programs import Context

MAX_VALUE_BYTES = 256  # a word or a sentence: a reply and its headers stay within one packet
MAX_WAITING = 16  # a disk that is slower than its clients refuses the next one instead of hoarding them
FILE = "value"

_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


def routes(context: Context) -> Routes:
    """Store and retrieve the value of the directory that DATA_DIR names."""
    directory = os.environ.get("DATA_DIR") or "."
    writer = Writer(directory)

    def store(request: Request) -> Outcome:
        wrong = _objection(request.body)
        if wrong is not None:
            return wrong
        if writer.waiting >= MAX_WAITING:
            return refusal(503, f"{MAX_WAITING} values wait for the disk already: try again")
        reply = context.defer()
        writer.write(request.body, reply)
        return reply

    return {("POST", "/store"): store, ("GET", "/retrieve"): lambda _: retrieve(directory)}


def retrieve(directory: str) -> Response:
    """Read the value anew each time: the disk is what is asked about, not this process."""
    path = f"{directory}/{FILE}"
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib would cost 1 MB for one file
            value = file.read(MAX_VALUE_BYTES + 1)
    except FileNotFoundError:
        return refusal(404, "no value is stored here: POST one to /store")
    except OSError as error:
        return refusal(500, f"{path} cannot be read: {error.strerror}")
    if _objection(value) is not None:
        return refusal(500, f"{path} holds something that was not stored through /store")
    return text(value.decode())


class Writer:
    """Writes values one after another in a thread of its own: a slow disk must not keep the probes waiting."""

    __slots__ = ("_directory", "_queue", "_started")

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._queue: SimpleQueue[tuple[bytes, Deferred]] = SimpleQueue()
        self._started = False

    @property
    def waiting(self) -> int:
        """Values that the thread has not begun to write."""
        return self._queue.qsize()

    def write(self, value: bytes, reply: Deferred) -> None:
        """Complete `reply` when the value is on disk, or could not get there."""
        self._queue.put((value, reply))
        if not self._started:
            self._started = True
            _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        while True:
            value, reply = self._queue.get()
            reply.complete(save(self._directory, value))


def save(directory: str, value: bytes) -> Response:
    """Put the value on disk and say so; where that fails, say why, and that the value before it is still there."""
    path, new = f"{directory}/{FILE}", f"{directory}/{FILE}.new"
    try:
        _write_through(new, value)
        os.replace(new, path)  # noqa: PTH105 - as above
    except OSError as error:
        _discard(new)
        return _failure(directory, error)
    try:
        _sync(directory)
    except OSError as error:
        return refusal(500, f"{path} is written, but whether that is on disk is not known: {error.strerror}")
    return text("stored, and on disk")


def _write_through(path: str, value: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if os.write(file, value) < len(value):  # a volume that fills up takes a part without an error
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
    finally:
        os.close(file)


def _sync(directory: str) -> None:
    """Make the new name last: the file's own sync does not cover its directory."""
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _discard(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108 - as above
    except OSError:
        return  # it was never there, or the next value overwrites it


def _failure(directory: str, error: OSError) -> Response:
    kept = "nothing was stored, and the value before it is as it was"
    if error.errno in _FULL:
        return refusal(507, f"the volume at {directory} is full: {kept}")
    if error.errno in _READ_ONLY:
        return refusal(500, f"the volume at {directory} cannot be written ({error.strerror}): {kept}")
    return refusal(500, f"the volume at {directory} failed ({error.strerror}): {kept}")


def _objection(value: bytes) -> Response | None:
    if not 0 < len(value) <= MAX_VALUE_BYTES:
        return refusal(413 if value else 422, f"a value has 1 to {MAX_VALUE_BYTES} bytes, not {len(value)}")
    try:
        line = value.decode()
    except UnicodeDecodeError:
        return refusal(422, "the value is not UTF-8: store text")
    if not line.isprintable():
        return refusal(422, "the value is not one line of printable text: leave line ends and controls out")
    return None
