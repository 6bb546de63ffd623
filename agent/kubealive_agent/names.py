"""Which names a client asks when it is given one, and which of them may leave the agent.

A name without a trailing dot is not asked as it is: the C library puts the domains of the pod's search list
behind it, in an order that `ndots` decides. The agent walks the same way, but asks nothing outside of the
cluster's own domain: whoever may connect to it must not make it a resolver of the rest of the world.
"""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent._errors import RefusalError

__all__ = ["Names", "Resolution", "Step", "read_resolv_conf", "steps", "why_not_asked", "why_not_inside"]

_DEFAULT_DOMAIN = "cluster.local"

LOOKUP_SECONDS = 3.0
"""For one name: cluster DNS answers within milliseconds, and a client that waits longer has lost its request."""

TYPES = ("A", "AAAA", "SRV")

_MAX_NAME = 253
"""Characters of a name without its last dot (RFC 1035)."""

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")

_DEFAULT_NDOTS = 1
_MAX_SEARCH = 32
"""Domains of a search list that are used: Kubernetes allows so many (glibc before 2.26 took six)."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a pod's resolv.conf says; domains without their last dot."""

    domain: str
    search: tuple[str, ...] = ()
    ndots: int = _DEFAULT_NDOTS
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One question of a walk: the name with its trailing dot, and its place from 1 (0 for no walk)."""

    name: str
    place: int
    asked: bool
    """Whether the agent asks it: names outside of the cluster's domain it does not."""


def read_resolv_conf(text: str, *, namespace: str) -> Resolution:
    """The settings in `text`; as for the C library, the last `search` line counts.

    A text without the cluster's domains, outside of a pod, gives those that the kubelet would have written.
    """
    search: tuple[str, ...] = ()
    servers: list[str] = []
    ndots = _DEFAULT_NDOTS
    for line in text.splitlines():
        match line.split():
            case ["search", *domains]:
                search = tuple(domain.rstrip(".") for domain in domains)[:_MAX_SEARCH]
            case ["nameserver", server, *_]:
                servers.append(server)
            case ["options", *options]:
                given = [option.removeprefix("ndots:") for option in options if option.startswith("ndots:")]
                ndots = next((int(number) for number in given if number.isdecimal()), ndots)
            case _:
                pass
    domain = next((each.removeprefix("svc.") for each in search if each.startswith("svc.")), "")
    if not domain:
        domain = _DEFAULT_DOMAIN
        search = (f"{namespace}.svc.{domain}", f"svc.{domain}", domain, *search)
    return Resolution(domain, search, ndots, tuple(servers))


def steps(name: str, resolution: Resolution) -> tuple[Step, ...]:
    """The questions that a client asks one after the other until one is answered."""
    if name.endswith("."):
        return (Step(name, 0, _inside(name, resolution)),)
    expanded = [f"{name}.{domain}." for domain in resolution.search]
    as_it_is = f"{name}."
    walk = [as_it_is, *expanded] if name.count(".") >= resolution.ndots else [*expanded, as_it_is]
    return tuple(Step(each, place, _inside(each, resolution)) for place, each in enumerate(walk, 1))


def why_not_asked(name: str, kind: str) -> str:
    """The sentence that refuses what is no question; empty for one that is."""
    if kind not in TYPES:
        return f"DNS is asked for {', '.join(TYPES)}, not for {kind[:16]!r}"
    bare = name.removesuffix(".")
    if len(bare) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in bare.split(".")):
        return f"{name[:80]!r} is no domain name; use labels of letters, digits and hyphens with dots between"
    return ""


def why_not_inside(name: str, resolution: Resolution) -> str:
    """The sentence that refuses a name none of whose steps may leave the agent; empty for one that has some."""
    if any(step.asked for step in steps(name, resolution)):
        return ""
    return f"{name} is no name of the cluster's domain {resolution.domain}; only those are asked for"


def _inside(name: str, resolution: Resolution) -> bool:
    return f".{name.lower()}".endswith(f".{resolution.domain.lower()}.") and len(name) <= _MAX_NAME + 1


class Names:
    """Which full names a name stands for, and their addresses."""

    def __init__(self, resolution: Resolution) -> None:
        self._resolution = resolution

    def full(self, name: str) -> list[str]:
        """The full names, each with its trailing dot, in the order in which a resolver asks for them.

        A name with a trailing dot stands for itself. Raises RefusalError for what is no name, and for what leads
        out of the cluster.
        """
        if why := why_not_asked(name, "A"):
            raise RefusalError(Refusal.REASON_INVALID, why)
        if why := why_not_inside(name, self._resolution):
            raise RefusalError(Refusal.REASON_NOT_OURS, why)
        return [step.name.lower() for step in steps(name, self._resolution) if step.asked]

    async def addresses(self, name: str) -> list[str]:
        """The addresses of the first full name that has any; empty where none has one, or nobody answers in time.

        Raises RefusalError as `full` does.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                for full in self.full(name):
                    try:
                        found = await loop.getaddrinfo(full, None, type=socket.SOCK_STREAM)
                    except (OSError, UnicodeError):
                        continue
                    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
        except TimeoutError:
            pass
        return []
