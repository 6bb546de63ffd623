"""The small HTTP programs that the experiments are made on.

A pod of an experiment has to name itself in every reply, fail in the way it is told to and stop without
losing a request, and fifty of them have to fit on a small node. So this is one HTTP/1.1 server on the standard
library, in one thread, and a program is a file of routes on it (`programs/`).

Memory decides what is imported: `dataclasses`, `typing`, `logging`, `hmac`, `random` and `pathlib` cost 1 to
3 MB each of the 12 a process may take, hence the plain slotted classes and `if TYPE_CHECKING` blocks here.

Nothing of kubealive is imported, and only images and the sandbox run it.
"""

from kubealive_workloads._cli import main

__all__ = ["main"]
