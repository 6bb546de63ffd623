"""The Kubernetes API: objects, the rules for changing them, and HTTP.

`Api` is what controllers and kubelets use, in this process; `build_app` serves the same over HTTP.
"""

from kubealive_sandbox.api._core import Api, Writing, stamp
from kubealive_sandbox.api._errors import ApiError, failed, not_found
from kubealive_sandbox.api._http import build_app
from kubealive_sandbox.api._quantity import amount
from kubealive_sandbox.api._remote import Program
from kubealive_sandbox.api._resources import BY_KIND, RESOURCES, Resource
from kubealive_sandbox.api._selectors import matches
from kubealive_sandbox.api._store import Event, Object, Store, clone
from kubealive_sandbox.api._streams import Streams

__all__ = [
    "BY_KIND",
    "RESOURCES",
    "Api",
    "ApiError",
    "Event",
    "Object",
    "Program",
    "Resource",
    "Store",
    "Streams",
    "Writing",
    "amount",
    "build_app",
    "clone",
    "failed",
    "matches",
    "not_found",
    "stamp",
]
