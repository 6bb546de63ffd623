"""From a request's method and path to the function that answers it."""

from __future__ import annotations

from kubealive_workloads._http import refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubealive_workloads._deferred import Outcome
    from kubealive_workloads._http import Request, Response

    Handler = Callable[[Request], Outcome]
    Routes = Mapping[tuple[str, str], Handler]


def find(routes: Routes, request: Request) -> Handler | None:
    """Give the handler of a request; HEAD is a GET whose body the connection leaves out."""
    method = "GET" if request.method == "HEAD" else request.method
    return routes.get((method, request.path))


def not_found(routes: Routes, request: Request) -> Response:
    """Answer a request that has no handler: 405 where another method would have one, 404 elsewhere."""
    methods = {method for method, path in routes if path == request.path}
    if "GET" in methods:
        methods.add("HEAD")
    if methods:
        allowed = ", ".join(sorted(methods))
        return refusal(
            405,
            f"{request.path} does not take {request.method}: use {allowed}",
            headers=f"Allow: {allowed}\r\n".encode("ascii"),
        )
    paths = ", ".join(sorted({path for _, path in routes}))
    return refusal(404, f"there is no {request.path} here: ask for one of {paths}")
