"""What can go wrong with an install, below the errors of the user's side.

UsageError              a namespace or an experiment that cannot be (2)
InstallError
├── ManifestError       the manifests themselves are missing or make no sense (1)
├── PreflightError      found before anything was changed: a right, a version, somebody else's object (2)
├── NotReadyError       what was applied did not come up, or what was deleted did not go (1)
└── ApiError            one request to the Kubernetes API failed (2: no answer, or not let in; else 1)
"""

from kubealive_tui.errors import InstallError


class ManifestError(InstallError):
    """Manifests that cannot be found or rendered."""


class PreflightError(InstallError):
    """The cluster, its state or the user's rights forbid what was asked; nothing was changed."""

    exit_code = 2


class NotReadyError(InstallError):
    """What was applied did not become ready, or what was deleted did not go, in the time given."""


class ApiError(InstallError):
    """A request that failed: `status` is the HTTP status, or 0 where no answer came at all.

    `reason` is Kubernetes' one-word reason (`NotFound`, `Forbidden`, …); for status 0 one of `Unreachable`,
    `Timeout`, `TLS`.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        if status in {0, 401, 403}:
            self.exit_code = 2

    @property
    def missing(self) -> bool:
        """Whether the answer was that there is no such object or resource."""
        return self.status == 404

    @property
    def forbidden(self) -> bool:
        """Whether the user lacks a right, or admission refused the object."""
        return self.status == 403
