"""A pod's own files: a path below a mount is led to where the sandbox keeps that volume."""

import builtins
import functools
import io
import os
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["enter"]

_ONE_PATH = (
    "open", "stat", "lstat", "listdir", "scandir", "mkdir", "unlink", "remove", "rmdir", "access", "statvfs",
)  # fmt: skip
_TWO_PATHS = ("rename", "replace", "link", "symlink")


class _Tree:
    """Mounts, the innermost first."""

    def __init__(self, mounts: Sequence[tuple[str, str]]) -> None:
        self._mounts = sorted(mounts, key=lambda mount: -len(mount[0]))

    def real(self, path: Any) -> Any:
        if isinstance(path, int):
            return path
        text = os.fspath(path)
        for inside, outside in self._mounts if isinstance(text, str) else ():
            if text == inside or text.startswith(f"{inside}/"):
                return outside + text[len(inside) :]
        return path

    def leading(self, function: Callable[..., Any], paths: int) -> Callable[..., Any]:
        """The function with its first arguments led."""

        @functools.wraps(function)
        def led(*given: Any, **options: Any) -> Any:
            return function(*map(self.real, given[:paths]), *given[paths:], **options)

        return led


def enter(mounts: Sequence[tuple[str, str]]) -> None:
    """Lead paths below the first of each pair to below the second."""
    tree = _Tree(mounts)
    builtins.open = io.open = tree.leading(builtins.open, 1)
    for names, count in ((_ONE_PATH, 1), (_TWO_PATHS, 2)):
        for name in names:
            setattr(os, name, tree.leading(getattr(os, name), count))
