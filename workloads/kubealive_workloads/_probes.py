"""The probe endpoints, and the program's own record of the probes it was asked."""

from __future__ import annotations

import time

from kubealive_workloads._config import BROKEN_VERSION
from kubealive_workloads._http import json_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubealive_workloads._faults import Faults
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._record import Record


_GOOD = json_reply({"status": "ok"})


class Probes:
    """Answers `/livez` and `/readyz` and remembers what it said."""

    __slots__ = ("_broken", "_faults", "_record", "_wall", "draining")

    def __init__(
        self, faults: Faults, *, version: str | None, record: Record, wall: Callable[[], float] = time.time
    ) -> None:
        self.draining = False
        self._faults = faults
        self._broken = version == BROKEN_VERSION
        self._record = record
        self._wall = wall

    def livez(self, _request: Request) -> Response:
        """Say whether the kubelet should leave this process alone."""
        return self._answer("livez", "liveness fault" if self._faults.liveness.take() else None)

    def readyz(self, _request: Request) -> Response:
        """Say whether Services should send requests here."""
        reason = None
        if self._faults.readiness.take():
            reason = "readiness fault"
        elif self.draining:
            reason = "stopping"
        elif self._broken:
            reason = f"version {BROKEN_VERSION} is never ready"
        return self._answer("readyz", reason)

    def history(self, _request: Request) -> Response:
        """Give the last calls of both probes, oldest first, with unix seconds and status, and the time now.

        With the time now a reader can tell how old a call is by the clock that it was written down by.
        """
        calls = [{"probe": call.probe, "time": call.time, "status": call.status} for call in self._record.calls()]
        return json_reply({"now": round(self._wall(), 3), "probes": calls})

    def _answer(self, probe: str, reason: str | None) -> Response:
        status = 200 if reason is None else 503
        self._record.add(probe, self._wall(), status)
        return _GOOD if reason is None else json_reply({"status": "failing", "reason": reason}, status=status)
