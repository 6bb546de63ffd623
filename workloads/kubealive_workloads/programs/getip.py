"""`getip`: says which pod answered, so that a client sees how a Service spreads its requests."""

from __future__ import annotations

from kubealive_workloads._config import UNKNOWN
from kubealive_workloads._http import json_reply, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._router import Routes
    from kubealive_workloads.programs import Context


def routes(context: Context) -> Routes:
    """Answer `GET /` with the pod's address, or with the whole identity where JSON is asked for."""
    address = text(context.identity.ip or UNKNOWN)
    identity = json_reply(context.identity.as_json())

    def root(request: Request) -> Response:
        return identity if "application/json" in request.headers.get("accept", "") else address

    return {("GET", "/"): root}
