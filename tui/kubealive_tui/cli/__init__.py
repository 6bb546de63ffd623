"""The commands of the terminal, one file each: `register` its options, `run` it in an `Environment`.

Importing this package costs next to nothing: a command's file is loaded when it is chosen, and what is heavy
(screen, Kubernetes client, gRPC) when it runs.
"""

from kubealive_tui.cli._main import main, main_tui
from kubealive_tui.cli._parser import Setting, settings

__all__ = ["Setting", "main", "main_tui", "settings"]
