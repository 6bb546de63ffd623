"""The record of probe calls, which a program can keep in a file so that it outlives a restart of its container.

The file lies in a volume of the pod, and a volume stays when a container is killed and started again: the calls
that led to a restart can still be read after it. Where there is no file, or it cannot be written, the record is as
long as the process.
"""

from __future__ import annotations

import os
import sys
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

REMEMBERED_CALLS = 20  # of each probe: what a strip on the screen shows
PROBES = ("livez", "readyz")
REWRITTEN_BYTES = 16 * 1024  # some minutes of calls each second; then the file begins anew with what is remembered


class Call:
    """One call of a probe: which one, unix seconds, and the status of the answer."""

    __slots__ = ("probe", "status", "time")

    def __init__(self, probe: str, when: float, status: int) -> None:
        self.probe = probe
        self.time = round(when, 3)
        self.status = status

    def line(self) -> str:
        """Give the call as the file has it."""
        return f"{self.probe} {self.time} {self.status}\n"


class Record:
    """The last calls of each probe; `path` names the file that keeps them, None keeps them in memory alone."""

    __slots__ = ("_calls", "_path")

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._calls: dict[str, deque[Call]] = {probe: deque(maxlen=REMEMBERED_CALLS) for probe in PROBES}
        for call in _read(path) if path else ():
            self._calls[call.probe].append(call)

    def add(self, probe: str, when: float, status: int) -> None:
        """Remember one call."""
        call = Call(probe, when, status)
        self._calls[probe].append(call)
        if self._path is not None:
            self._keep(self._path, call)

    def calls(self) -> list[Call]:
        """Give the last calls of all probes, oldest first."""
        return sorted((call for kept in self._calls.values() for call in kept), key=lambda call: call.time)

    def _keep(self, path: str, call: Call) -> None:
        try:
            with open(path, "a", encoding="ascii") as file:  # noqa: PTH123 - pathlib would cost 1 MB
                file.write(call.line())
                full = file.tell() > REWRITTEN_BYTES
            if full:
                self._rewrite(path)
        except OSError as error:
            sys.stderr.write(f"the probe record {path} cannot be written ({error}): it ends with this process\n")
            self._path = None

    def _rewrite(self, path: str) -> None:
        with open(f"{path}.new", "w", encoding="ascii") as file:  # noqa: PTH123 - as above
            file.writelines(call.line() for call in self.calls())
        os.replace(f"{path}.new", path)  # noqa: PTH105 - as above


def _read(path: str) -> Iterator[Call]:
    """Give the calls of the file; a line that was cut by a kill is passed over."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - as above
            lines = file.readlines()
    except OSError:
        return  # the first start in this pod
    for line in lines:
        words = line.split(" ")
        try:
            call = Call(words[0], float(words[1]), int(words[2]))
        except (IndexError, ValueError):
            continue
        if call.probe in PROBES and line.endswith("\n"):
            yield call
