"""Refusals in the shape of the real API server: a Status object with the reason that clients decide by."""

from typing import Any

from kubealive_sandbox.errors import SandboxError

__all__ = [
    "ApiError",
    "already_exists",
    "bad_request",
    "conflict",
    "expired",
    "failed",
    "invalid",
    "not_found",
    "refused",
    "unsupported_media",
]


class ApiError(SandboxError):
    """A request that is refused, with HTTP code, reason and details as Kubernetes gives them."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> dict[str, Any]:
        """The Status object of the answer."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            **({"reason": self.reason} if self.reason else {}),
            **({"details": self.details} if self.details else {}),
            "code": self.code,
        }


def _details(name: str, group: str, kind: str) -> dict[str, Any]:
    return {"name": name, **({"group": group} if group else {}), "kind": kind}


def _qualified(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, group: str, name: str) -> ApiError:
    """404: there is no such object."""
    message = f'{_qualified(plural, group)} "{name}" not found'
    return ApiError(404, "NotFound", message, _details(name, group, plural))


def already_exists(plural: str, group: str, name: str) -> ApiError:
    """409: the name is taken."""
    message = f'{_qualified(plural, group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(name, group, plural))


def conflict(plural: str, group: str, name: str, why: str = "") -> ApiError:
    """409: the object is not what the request was made for."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {_qualified(plural, group)} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(name, group, plural))


def invalid(kind: str, group: str, name: str, causes: list[tuple[str, str, str]]) -> ApiError:
    """422: the object cannot be; each cause is (field, reason, message)."""
    listed = [{"reason": reason, "message": message, "field": field} for field, reason, message in causes]
    words = [f"{field}: {message}" for field, _, message in causes]
    told = words[0] if len(words) == 1 else f"[{', '.join(words)}]"
    message = f'{_qualified(kind, group)} "{name}" is invalid: {told}'
    return ApiError(422, "Invalid", message, {**_details(name, group, kind), "causes": listed})


def bad_request(message: str) -> ApiError:
    """400: the request cannot be read."""
    return ApiError(400, "BadRequest", message)


def expired(asked: int, oldest: int) -> ApiError:
    """410: what happened since that version is no longer known."""
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def failed(words: str) -> ApiError:
    """500: what a node says of what it could not do."""
    return ApiError(500, "InternalError", f"Internal error occurred: {words}", {"causes": [{"message": words}]})


def unsupported_media(given: str) -> ApiError:
    """415: the body is of a type that is not read here."""
    return ApiError(
        415, "UnsupportedMediaType", f"the body of the request was in an unknown format - {given or 'none'}"
    )


def refused(what: str) -> ApiError:
    """501: a real cluster can do this and the sandbox does not."""
    return ApiError(501, "NotImplemented", f"the sandbox does not serve {what}; a real cluster does")
