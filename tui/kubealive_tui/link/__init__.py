"""The way from this machine to a cluster: its API, and the agent behind a port-forward."""

import os

# Before gRPC is imported: its C core writes to the terminal, over whatever the screen has drawn there.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from kubealive_tui.link._errors import DeniedError, NotInstalledError
from kubealive_tui.link._kubeconfig import Kubeconfig, LinkOptions, Where
from kubealive_tui.link._link import Link, open_link
from kubealive_tui.link._rest import RestApi

__all__ = [
    "DeniedError",
    "Kubeconfig",
    "Link",
    "LinkOptions",
    "NotInstalledError",
    "RestApi",
    "Where",
    "open_link",
]
