"""What can go wrong on the user's side, as sentences.

KubealiveError            base; `exit_code` is what a command ends with when nobody catches it
├── UsageError            a flag, a name or a value is wrong (2)
├── LinkError             cluster or agent cannot be reached, or deny it (2)
├── InstallError          something could not be applied, awaited or removed (1)
├── RecordingError        a file is not a recording (2)
└── RefusedError          the agent refused an action (1)

Each message names the thing, the value and the next step. Foreign errors are wrapped once, at the edge where
they arise, and kept as the cause.
"""

__all__ = ["InstallError", "KubealiveError", "LinkError", "RecordingError", "RefusedError", "UsageError"]


class KubealiveError(Exception):
    """One sentence for a person, and the exit code of a command that ends with it."""

    exit_code = 1


class UsageError(KubealiveError):
    """A flag, a name or a value that cannot be used; nothing was done."""

    exit_code = 2


class LinkError(KubealiveError):
    """Cluster or agent cannot be reached or deny access; the link says in `reason` which step failed."""

    exit_code = 2


class InstallError(KubealiveError):
    """An object could not be applied, did not become ready, or could not be removed."""


class RecordingError(KubealiveError):
    """A file that is no recording, or one of a format this version cannot read."""

    exit_code = 2


class RefusedError(KubealiveError):
    """The agent, or Kubernetes behind it, refused an action; nothing was changed unless the message says so."""
