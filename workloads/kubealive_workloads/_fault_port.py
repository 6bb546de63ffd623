"""What the fault port answers: faults are looked at, set and cured, by whoever has the token."""

from __future__ import annotations

import json
import os

from kubealive_workloads._errors import FaultError
from kubealive_workloads._http import json_reply, refusal
from kubealive_workloads._router import find, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubealive_workloads._deferred import Outcome
    from kubealive_workloads._faults import Faults, ProbeFault
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._router import Handler, Routes

    Body = dict[str, object]

MAX_PROBE_COUNT = 1000  # a quarter of an hour of probes each second; what is to last longer is "always"
MAX_EAT_MIB_PER_SECOND = 1024  # more would keep the loop from answering probes between two steps
MAX_DELAY_MS = 10_000  # five times a client's patience; bounds the replies that wait in memory


class FaultApplication:
    """Answers requests of the fault port.

    A request that names a UID in `X-Pod-Uid` is refused by a pod of another UID. `on_cure` is called when all
    faults have ended; `end_process` ends the process with an exit code, once the reply that announces it has been
    handed to the kernel.
    """

    __slots__ = ("_end_process", "_expected", "_faults", "_on_cure", "_routes", "_uid")

    def __init__(
        self,
        faults: Faults,
        *,
        token: str,
        uid: str | None,
        on_cure: Callable[[], None],
        end_process: Callable[[int], None] = os._exit,  # a crash runs no clean-up
    ) -> None:
        self._faults = faults
        self._expected = f"Bearer {token}".encode("ascii")
        self._uid = uid
        self._on_cure = on_cure
        self._end_process = end_process
        self._routes: Routes = {
            ("GET", "/faults"): self._show,
            ("POST", "/faults/liveness"): self._posted(lambda body: _set_probe(faults.liveness, body)),
            ("POST", "/faults/readiness"): self._posted(lambda body: _set_probe(faults.readiness, body)),
            ("POST", "/faults/exit"): self._exit,
            ("POST", "/faults/hang"): self._posted(self._hang),
            ("POST", "/faults/eat"): self._posted(self._eat),
            ("POST", "/faults/delay"): self._posted(self._delay),
            ("POST", "/faults/errors"): self._posted(self._errors),
            ("POST", "/faults/cure"): self._posted(self._cure),
        }

    def respond(self, request: Request) -> Outcome:
        """Answer at once; without the token nothing is told, not even which paths there are."""
        if not _same(request.headers.get("authorization", "").encode("latin-1"), self._expected):
            return refusal(
                401,
                "the fault port needs the header Authorization: Bearer TOKEN, with the program's FAULT_TOKEN",
                headers=b"WWW-Authenticate: Bearer\r\n",
            )
        meant = request.headers.get("x-pod-uid")
        if meant is not None and self._uid is not None and meant != self._uid:
            return refusal(409, f"this is the pod with UID {self._uid}: ask the API where the one you mean is now")
        handler = find(self._routes, request)
        return not_found(self._routes, request) if handler is None else handler(request)

    def _show(self, _request: Request) -> Response:
        return json_reply(self._faults.as_json())

    def _posted(self, apply: Callable[[Body], None]) -> Handler:
        """Make a handler that applies a body's values and answers with all settings, or with what was wrong."""

        def handler(request: Request) -> Response:
            try:
                apply(_body(request))
            except FaultError as error:
                return refusal(422, str(error))
            return self._show(request)

        return handler

    def _exit(self, request: Request) -> Response:
        try:
            code = _number(_body(request), "code", at_least=0, at_most=255)
        except FaultError as error:
            return refusal(422, str(error))
        return json_reply({"exit": {"code": code}}, then=lambda: self._end_process(code))

    def _hang(self, body: Body) -> None:
        _only(body)
        self._faults.hanging = True

    def _eat(self, body: Body) -> None:
        rate = _number(body, "mib_per_second", at_least=1, at_most=MAX_EAT_MIB_PER_SECOND)
        self._faults.eater.start(rate)

    def _delay(self, body: Body) -> None:
        self._faults.delay_ms = _number(body, "milliseconds", at_least=0, at_most=MAX_DELAY_MS)

    def _errors(self, body: Body) -> None:
        self._faults.error_percent = _number(body, "percent", at_least=0, at_most=100)

    def _cure(self, body: Body) -> None:
        _only(body)
        self._faults.cure()
        self._on_cure()


def _set_probe(probe: ProbeFault, body: Body) -> None:
    mode = body.get("fail")
    if mode == "next":
        _only(body, "fail", "count")
        rest = {name: value for name, value in body.items() if name != "fail"}
        probe.next(_number(rest, "count", at_least=1, at_most=MAX_PROBE_COUNT))
        return
    _only(body, "fail")
    if mode == "always":
        probe.always()
    elif mode == "never":
        probe.never()
    else:
        raise FaultError(f"fail is {json.dumps(mode)}: use always, never, or next with a count")


def _body(request: Request) -> Body:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as exc:
        raise FaultError(f"the body is no JSON ({exc}): send an object such as {{}}") from exc
    if not isinstance(body, dict):
        raise FaultError("the body is no JSON object: send one such as {}")
    return body


def _only(body: Body, *names: str) -> None:
    for name in body:
        if name not in names:
            allowed = f"use {' and '.join(names)}" if names else "send {}"
            raise FaultError(f"{json.dumps(name)} is no field of this fault: {allowed}")


def _number(body: Body, name: str, *, at_least: int, at_most: int) -> int:
    _only(body, name)
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and at_least <= value <= at_most:
        return value
    shown = json.dumps(value)[:40] if name in body else "missing"
    raise FaultError(f"{name} is {shown}: use a whole number from {at_least} to {at_most}")


def _same(given: bytes, expected: bytes) -> bool:
    """Compare in a time that does not tell where the two differ.

    `hmac.compare_digest` does the same and would load OpenSSL, 4 MB of a workload's 12.
    """
    difference = len(given) ^ len(expected)
    for left, right in zip(given, expected, strict=False):
        difference |= left ^ right
    return difference == 0
