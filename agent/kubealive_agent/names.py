"""Names as a pod's resolver would take them: the search list, and nothing beyond the cluster's own domain.

A name that the agent is told by a client must not become a question to the world's DNS: what does not end in the
cluster's domain is refused before anybody is asked.
"""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent._errors import RefusalError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_NAME", "Names", "read_search"]

MAX_NAME = 253
"""Characters of a domain name (RFC 1035, 2.3.4), without its trailing dot."""

LOOKUP_SECONDS = 3.0
"""For one name: cluster DNS answers within milliseconds, and a client that waits longer has lost its request."""

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?", re.IGNORECASE)


def read_search(resolv_conf: str) -> tuple[str, ...]:
    """The search list of a resolv.conf, without trailing dots; the last line of several counts."""
    found: tuple[str, ...] = ()
    for line in resolv_conf.splitlines():
        words = line.split()
        if words[:1] == ["search"]:
            found = tuple(word.rstrip(".") for word in words[1:])
    return found


class Names:
    """Which full names a name stands for, and their addresses.

    `search` is a pod's search list, `domain` the cluster's domain, both without trailing dots.
    """

    def __init__(self, *, search: Sequence[str], domain: str, namespace: str) -> None:
        self._domain = domain
        own = [one for one in search if self._inside(one)]
        self._search = own or [f"{namespace}.svc.{domain}", f"svc.{domain}", domain]

    def full(self, name: str) -> list[str]:
        """The full names, each with its trailing dot, in the order in which a resolver asks for them.

        A name with a trailing dot stands for itself. Raises RefusalError for what is no name, and for what leads
        out of the cluster.
        """
        if not _NAME.fullmatch(name) or len(name.rstrip(".")) > MAX_NAME:
            raise RefusalError(
                Refusal.REASON_INVALID,
                f"{name[:80]!r} is no domain name; use labels of letters, digits and hyphens with dots between",
            )
        plain = name.rstrip(".").lower()
        if name.endswith("."):
            candidates = [plain]
        else:
            candidates = [f"{plain}.{one}" for one in self._search]
            # A resolver asks for the name as it is as well: first from `ndots` dots on, else at the end.
            candidates.append(plain)
        inside = [f"{one}." for one in dict.fromkeys(candidates) if self._inside(one) and len(one) <= MAX_NAME]
        if not inside:
            raise RefusalError(
                Refusal.REASON_NOT_OURS,
                f"{plain} is no name of the cluster's domain {self._domain}; only those are asked for",
            )
        return inside

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

    def _inside(self, name: str) -> bool:
        return name == self._domain or name.endswith(f".{self._domain}")
