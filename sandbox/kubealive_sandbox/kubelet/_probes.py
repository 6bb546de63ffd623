"""Probes as the kubelet makes them: HTTP, TCP and a command, each with its own period and thresholds."""

import asyncio
import math
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from kubealive_sandbox.api import Object
from kubealive_sandbox.kubelet._ports import PortError

__all__ = ["Outcome", "Prober", "http_get", "tick"]

# The kubelet spreads first probes over their period; a laboratory waits for its pods instead.
FIRST_S = 0.15
# Probes keep time together: to wake up for each of forty a second costs as much as the probes themselves.
# The first period ends at the last tick within it, so that no probe comes later than it would by itself.
TICK_S = 0.5
# What a timer may be early or a probe may take without moving to another tick.
SLACK_S = 0.02
MOST_REPLY = 8192

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?:\r|$)", re.IGNORECASE)

Run = Callable[[list[str]], Awaitable[int]]
Dial = Callable[[int], Awaitable[socket.socket]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a probe found, with the kubelet's words for a failure."""

    good: bool
    words: str = ""


class Changed(Protocol):
    """Hears that a probe's threshold was reached."""

    def __call__(self, kind: str, *, good: bool) -> None:
        """`good` is what the probe says from now on."""


class Prober:
    """Runs one probe of a container until cancelled, and tells `changed` when its threshold is reached."""

    def __init__(
        self,
        kind: str,
        probe: Object,
        *,
        address: str,
        dial: Dial,
        port: Callable[[Any], int],
        run: Run,
        failed: Callable[[str, str], None],
        changed: Changed,
    ) -> None:
        self._kind = kind
        self._probe = probe
        self._address = address
        self._dial = dial
        self._port = port
        self._run = run
        self._failed = failed
        self._changed = changed

    async def keep(self) -> None:
        """Probe until cancelled; a startup probe ends with its first success."""
        probe, run = self._probe, 0
        state: bool | None = None
        last: bool | None = None
        await asyncio.sleep(probe.get("initialDelaySeconds", 0) or FIRST_S)
        while True:
            try:
                outcome = await self.once()
            except PortError as exc:  # which says nothing about the program, and counts neither way
                self._failed(self._kind, f"errored and resulted in unknown state: {exc}")
            else:
                run, last = run + 1 if outcome.good is last else 1, outcome.good
                if not outcome.good:
                    self._failed(self._kind, f"failed: {outcome.words}")
                threshold = probe["successThreshold"] if outcome.good else probe["failureThreshold"]
                if run >= threshold and state is not outcome.good:
                    state = outcome.good
                    self._changed(self._kind, good=outcome.good)
                    if self._kind == "startup" and outcome.good:
                        return
            await _next_tick(probe["periodSeconds"])

    async def once(self) -> Outcome:
        """Probe once, within the probe's timeout. Raises PortError where the container has no such port."""
        probe = self._probe
        try:
            async with asyncio.timeout(probe["timeoutSeconds"]):
                if action := probe.get("httpGet"):
                    return await self._http(action)
                if action := probe.get("tcpSocket"):
                    (await self._dial(self._port(action["port"]))).close()
                    return Outcome(good=True)
                if action := probe.get("exec"):
                    code = await self._run(action["command"])
                    return Outcome(good=code == 0, words="" if code == 0 else f"command ended with {code}")
        except TimeoutError:
            return Outcome(
                good=False, words="context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            )
        except OSError as exc:
            words = "connect: connection refused" if isinstance(exc, ConnectionRefusedError) else str(exc)
            return Outcome(good=False, words=f"dial tcp {self._address}: {words}")
        return Outcome(good=False, words="the sandbox makes HTTP, TCP and exec probes only")

    async def _http(self, action: Object) -> Outcome:
        port, path = self._port(action["port"]), action.get("path", "/")
        try:
            host = f"{self._address}:{port}"
            code = await http_get(await self._dial(port), path, host=host, headers=action.get("httpHeaders") or ())
        except TimeoutError:
            raise
        except OSError as exc:
            words = "connect: connection refused" if isinstance(exc, ConnectionRefusedError) else str(exc) or "EOF"
            url = f"http://{self._address}:{port}{path}"
            return Outcome(good=False, words=f'Get "{url}": dial tcp {self._address}:{port}: {words}')
        return Outcome(
            200 <= code < 400, "" if 200 <= code < 400 else f"HTTP probe failed with statuscode: {code}"
        )


def tick(now: float, period: float) -> float:
    """The last tick within the period that begins now."""
    return math.floor((now + period + SLACK_S) / TICK_S) * TICK_S


async def _next_tick(period: float) -> None:
    """Wait for it; whoever waits for the same one wakes in the same turn."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    timer = loop.call_at(tick(loop.time(), period), _wake, woken)
    try:
        await woken
    finally:
        timer.cancel()


async def http_get(sock: socket.socket, path: str, *, host: str, headers: Any = ()) -> int:
    """The status of one GET over that connection, which it closes; raises OSError where there is none.

    On a bare socket, since thirty pods are asked each second for as long as the laboratory is open.
    """
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: kube-probe/1.34", "Connection: close"]
    lines += [f"{each['name']}: {each.get('value', '')}" for each in headers]
    reply = b""
    with sock:
        await asyncio.get_running_loop().sock_sendall(sock, ("\r\n".join(lines) + "\r\n\r\n").encode())
        while len(reply) < MOST_REPLY and not _whole(reply) and (piece := await _received(sock)):
            reply += piece
    words = reply.partition(b"\r\n")[0].split()
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionResetError("EOF")
    return int(words[1])


async def _received(sock: socket.socket) -> bytes:
    """What comes next, which is waited for before it is looked for: no program has answered already."""
    # By its number: of a socket itself asyncio writes a description each time, which costs as much as the rest.
    loop, number = asyncio.get_running_loop(), sock.fileno()
    readable = loop.create_future()
    loop.add_reader(number, _wake, readable)
    try:
        await readable
    finally:
        loop.remove_reader(number)
    return sock.recv(MOST_REPLY)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _whole(reply: bytes) -> bool:
    """Whether the reply is complete by its own word; without a length its end is that of the connection."""
    head, end, body = reply.partition(b"\r\n\r\n")
    length = _LENGTH.search(head) if end else None
    return length is not None and len(body) >= int(length[1])
