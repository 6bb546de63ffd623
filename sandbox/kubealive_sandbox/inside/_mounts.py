"""A pod's own files: a path below a mount is led to where the sandbox keeps that volume."""

import builtins
import functools
import io
import os
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["enter"]

_ONE_PATH = (
    "open",
    "stat",
    "lstat",
    "listdir",
    "scandir",
    "mkdir",
    "unlink",
    "remove",
    "rmdir",
    "access",
    "statvfs",
)
_TWO_PATHS = ("rename", "replace", "link", "symlink")


def enter(mounts: Sequence[tuple[str, str]]) -> None:
    """Lead paths below the first of each pair to below the second."""
    if not mounts:
        return
    longest_first = sorted(mounts, key=lambda mount: -len(mount[0]))

    def real(path: Any) -> Any:
        if isinstance(path, int):
            return path
        text = os.fspath(path)
        if not isinstance(text, str):
            return path
        for inside, outside in longest_first:
            if text == inside or text.startswith(f"{inside}/"):
                return outside + text[len(inside) :]
        return path

    def leading(function: Callable[..., Any], paths: int) -> Callable[..., Any]:
        @functools.wraps(function)
        def led(*given: Any, **options: Any) -> Any:
            return function(*map(real, given[:paths]), *given[paths:], **options)

        return led

    builtins.open = io.open = leading(builtins.open, 1)
    for names, count in ((_ONE_PATH, 1), (_TWO_PATHS, 2)):
        for name in names:
            setattr(os, name, leading(getattr(os, name), count))
