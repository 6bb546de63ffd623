"""What the sandbox raises: one base, so that whoever starts it catches one thing."""

__all__ = ["SandboxError"]


class SandboxError(Exception):
    """What keeps the sandbox from doing what was asked; its text is one sentence for a person."""
