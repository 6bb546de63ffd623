"""What can go wrong between the agent and the Kubernetes API, as one family.

A caller decides by class what to do next (try again, list anew, show a missing right), so every foreign
error is translated once, at the edge of the client, and nothing else leaves this package:

    KubeError
    ├── ConfigurationError      there is no usable address or credential
    ├── UnreachableError        no whole answer came: refused, reset, TLS, DNS, deadline
    ├── MalformedError          an answer came that the API does not promise
    └── StatusError             the API server refused, with a code and its reasons
        ├── UnauthorizedError   401
        ├── ForbiddenError      403
        ├── NotFoundError       404
        ├── ConflictError       409
        ├── GoneError           410
        ├── InvalidError        422
        └── ThrottledError      429
"""

from typing import ClassVar

import msgspec


class KubeError(Exception):
    """Base of everything that this package raises on purpose."""


class ConfigurationError(KubeError):
    """The process lacks an address of the API server or a credential for it."""


class UnreachableError(KubeError):
    """No whole answer came; whether a change was carried out is not known."""


class MalformedError(KubeError):
    """The answer is not what the Kubernetes API promises."""


class StatusError(KubeError):
    """The API server answered with an error; `code`, `reason` and `message` are its own words."""

    by_code: ClassVar[dict[int, type["StatusError"]]] = {}

    def __init__(self, code: int, *, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}" if reason else f"{code}: {message}")
        self.code = code
        self.reason = reason
        self.message = message

    def __init_subclass__(cls, *, code: int) -> None:
        StatusError.by_code[code] = cls


class UnauthorizedError(StatusError, code=401):
    """The credential is missing, wrong or has expired."""


class ForbiddenError(StatusError, code=403):
    """RBAC or an admission plugin does not allow it."""


class NotFoundError(StatusError, code=404):
    """The object, or the whole resource, does not exist."""


class ConflictError(StatusError, code=409):
    """A precondition (UID, resourceVersion) does not hold, or the name is taken."""


class GoneError(StatusError, code=410):
    """The resourceVersion or continue token is older than what the server keeps."""


class InvalidError(StatusError, code=422):
    """The object was understood and is not valid."""


class ThrottledError(StatusError, code=429):
    """The server asks to slow down, or a disruption budget refuses an eviction."""


class Status(msgspec.Struct):
    """The part of a `v1.Status` object that is read."""

    code: int = 0
    reason: str = ""
    message: str = ""


# A body that is no Status object (a proxy's page) is quoted up to here; enough to recognise it.
_QUOTE_CHARS = 200


def status_error(code: int, body: bytes) -> StatusError:
    """Translate an answer into the error of its code; a body that is no Status object is quoted, cut."""
    try:
        status = msgspec.json.decode(body, type=Status)
    except msgspec.DecodeError:
        text = " ".join(body.decode(errors="replace").split())
        status = Status(message=text[:_QUOTE_CHARS] or "the answer has no body")
    return error_of(code, status)


def error_of(code: int, status: Status) -> StatusError:
    """Return the error of that code with the server's words."""
    kind = StatusError.by_code.get(code, StatusError)
    return kind(code, reason=status.reason, message=status.message)
