"""What a Python program finds inside a pod: its own addresses, names and mounts.

A container gives them by namespaces of the kernel, which not every machine lets a user make. Here the few calls
by which a Python program listens, connects, resolves names and opens files are led to the pod's own, so that the
same programs run unchanged. It is loaded into every process of a pod (`sitecustomize`), before anything else, and
stands on the standard library alone. It separates, and protects nobody from anybody: whoever runs the sandbox
runs these programs anyway.
"""

import os

from kubealive_sandbox.inside import _life, _mounts, _names, _sockets
from kubealive_sandbox.places import places

__all__ = ["enter"]


def enter() -> None:
    """Make this process a pod's, as its environment says; without that nothing is changed."""
    address = os.environ.get("SANDBOX_POD_IP")
    if not address:
        return
    # Not for children, which do not inherit the pipe: they are of the same group.
    if pipe := os.environ.pop("SANDBOX_PIPE", ""):
        _life.enter(int(pipe), folder=os.environ["SANDBOX_FOLDER"])
    network = os.environ["SANDBOX_NETWORK"]
    _sockets.enter(address=address, network=network, places=places(os.environ.get("SANDBOX_PLACES", "")))
    _names.enter(server=os.environ["SANDBOX_DNS"], search=os.environ.get("SANDBOX_SEARCH", ""))
    mounts = [line.split("=", 1) for line in os.environ.get("SANDBOX_MOUNTS", "").split("\n") if "=" in line]
    _mounts.enter([(inside, outside) for inside, outside in mounts])
