"""What the main port answers: the probes, the program's own routes, and the faults that stand between."""

from __future__ import annotations

from kubealive_workloads._deferred import Deferred
from kubealive_workloads._http import refusal
from kubealive_workloads._router import find, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubealive_workloads._deferred import Outcome
    from kubealive_workloads._faults import Faults
    from kubealive_workloads._http import Request
    from kubealive_workloads._loop import Loop
    from kubealive_workloads._probes import Probes
    from kubealive_workloads._router import Handler, Routes


class Application:
    """Answers requests of the main port.

    `delay` and `errors` touch the program's own routes only, so that a pod can fail its clients while its probes
    are green; `hang` withholds every answer.
    """

    __slots__ = ("_faults", "_loop", "_probe_routes", "_program_routes")

    def __init__(self, loop: Loop, *, faults: Faults, probes: Probes, routes: Routes) -> None:
        self._loop = loop
        self._faults = faults
        self._program_routes = routes
        self._probe_routes: Routes = {
            ("GET", "/livez"): probes.livez,
            ("GET", "/readyz"): probes.readyz,
            ("GET", "/probes"): probes.history,
        }

    def respond(self, request: Request) -> Outcome | None:
        """Answer, now or later; None withholds the answer until it is asked for again."""
        if self._faults.hanging:
            return None
        handler = find(self._program_routes, request)
        if handler is not None:
            return self._run(handler, request)
        handler = find(self._probe_routes, request)
        if handler is not None:
            return handler(request)
        return not_found({**self._program_routes, **self._probe_routes}, request)

    def _run(self, handler: Handler, request: Request) -> Outcome:
        if self._faults.take_error():
            outcome: Outcome = refusal(500, f"errors fault: {self._faults.error_percent} % of requests fail")
        else:
            outcome = handler(request)
        if not self._faults.delay_ms:
            return outcome
        late = Deferred(self._loop)
        timer = self._loop.after(self._faults.delay_ms / 1000, lambda: late.complete(outcome))
        late.abandoned = timer.cancel
        return late
