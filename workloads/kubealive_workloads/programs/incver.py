"""`incver`: says which version answered, so that a client sees a rollout pass; the broken one serves nobody."""

from __future__ import annotations

from kubealive_workloads._config import BROKEN_VERSION, UNKNOWN
from kubealive_workloads._http import json_reply, refusal, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._router import Routes
    from kubealive_workloads.programs import Context


def routes(context: Context) -> Routes:
    """Answer `GET /` with the version, or with the whole identity where JSON is asked for.

    The broken version answers 503: what it costs to let it in without a readiness probe is then seen.
    """
    version = context.identity.version or UNKNOWN
    broken = refusal(503, f"version {version} serves nobody")
    plain, identity = text(version), json_reply(context.identity.as_json())

    def root(request: Request) -> Response:
        if version == BROKEN_VERSION:
            return broken
        return identity if "application/json" in request.headers.get("accept", "") else plain

    return {("GET", "/"): root}
