"""How long a request may take, and what its end is called: the same for every client of the agent."""

import errno
from typing import Final

from kubealive_agent.load._wire import Outcome

CONNECT_TIMEOUT_US: Final = 900_000
"""Under the 1 s after which the kernel sends a SYN again, so that no outage hides as an ok at 1.03 s."""

READ_TIMEOUT_US: Final = 2_000_000
"""From the request to the end of its reply; also how long the server's FIN is waited for."""

_OUTCOMES: Final[dict[int, Outcome]] = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.ETIMEDOUT: "connect-timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.EACCES: "unreachable",
    errno.EPERM: "unreachable",
}


def failure(code: int | None) -> Outcome:
    """The outcome of a request that ended with this errno; "local" for what the cluster is not to blame for."""
    return _OUTCOMES.get(code or 0, "local")


def of_status(status: int) -> Outcome:
    """The outcome of a request that was answered with this HTTP status."""
    if status < 400:
        return "ok"
    return "http-4xx" if status < 500 else "http-5xx"
