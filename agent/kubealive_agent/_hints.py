"""The commands that a refusal advises, so that they act on this install: pasted, they run."""

from __future__ import annotations

__all__ = ["own_command"]

_DEFAULT_NAMESPACE = "kubealive"
"""The one that the command takes by itself."""


def own_command(command: str, *names: str, namespace: str) -> str:
    """`kubealive COMMAND NAMES`, with `-n` where the namespace is another than the default one."""
    where = () if namespace == _DEFAULT_NAMESPACE else ("-n", namespace)
    return " ".join(["kubealive", command, *names, *where])
