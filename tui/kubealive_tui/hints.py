"""The commands that a sentence advises, so that they act where the sentence was said: pasted, they run.

Every one that takes a namespace is written here and nowhere else.
"""

__all__ = ["DEFAULT_NAMESPACE", "kubectl_command", "own_command", "up_command"]

DEFAULT_NAMESPACE = "kubealive"
"""Where an install is that nobody gave another place."""


def own_command(command: str, *names: str, namespace: str) -> str:
    """`kubealive COMMAND NAMES`, with `-n` where the namespace is not the one it would take by itself.

    An empty namespace is one that is not known, and is left to whoever runs the command.
    """
    where = () if namespace in {DEFAULT_NAMESPACE, ""} else ("-n", namespace)
    return " ".join(["kubealive", command, *names, *where])


def up_command(*names: str, namespace: str) -> str:
    """The command that installs these experiments there, or everything."""
    return own_command("up", *names, namespace=namespace)


def kubectl_command(*words: str, namespace: str) -> str:
    """`kubectl WORDS` in this namespace, which is not kubectl's own unless somebody chose it."""
    return " ".join(["kubectl", *words, *(("-n", namespace) if namespace else ())])
