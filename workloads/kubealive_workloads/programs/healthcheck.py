"""`healthcheck`: says whether it is well, and goes on answering when it is not: only its probes suffer.

A liveness probe asks what a client does not: the program may serve everybody and still be restarted, or fail
everybody and be left alone. That is why each fault is its own.
"""

from __future__ import annotations

from kubealive_workloads._http import json_reply, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._router import Routes
    from kubealive_workloads.programs import Context


def routes(context: Context) -> Routes:
    """Answer `GET /` with a word, or with the word and the whole identity where JSON is asked for."""
    words = {True: text("healthy"), False: text("unhealthy")}
    identities = {well: json_reply({"healthy": well, **context.identity.as_json()}) for well in (True, False)}

    def root(request: Request) -> Response:
        well = context.healthy()
        return identities[well] if "application/json" in request.headers.get("accept", "") else words[well]

    return {("GET", "/"): root}
