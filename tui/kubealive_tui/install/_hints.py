"""The commands that a sentence advises, so that they act where the sentence was said: pasted, they run."""

from ._manifests import DEFAULT_NAMESPACE

__all__ = ["own_command", "up_command"]


def own_command(command: str, *names: str, namespace: str) -> str:
    """`kubealive COMMAND NAMES`, with `-n` where the namespace is not the one it would take by itself."""
    where = () if namespace == DEFAULT_NAMESPACE else ("-n", namespace)
    return " ".join(["kubealive", command, *names, *where])


def up_command(*names: str, namespace: str) -> str:
    """The command that installs these experiments there, or everything."""
    return own_command("up", *names, namespace=namespace)
