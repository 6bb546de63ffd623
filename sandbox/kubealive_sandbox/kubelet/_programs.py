"""Programs by the names that they have in images, and how they find themselves in their pod.

Python, wherever an image keeps it, is this machine's own. It takes its place in the pod while it loads `site`
(see `inside`); where it is told not to, `inside` is run first.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["is_python", "program", "unstartable"]

_PYTHON = re.compile(r"(?:(?:/opt/kubealive|/usr|/usr/local)/bin/)?python(?:3(?:\.\d+)?)?")
_INSIDE = str(Path(__file__).parents[1] / "inside" / "__main__.py")
# Options that keep `site`, or the path on which it finds the pod, from being read.
_BLIND = frozenset("SEI")
_WITH_VALUE = frozenset("XW")


def is_python(name: str) -> bool:
    """Whether that is a name of Python in some image, or this machine's own."""
    return name == sys.executable or bool(_PYTHON.fullmatch(name))


def program(argv: Sequence[str]) -> list[str]:
    """What is run here for that command of an image."""
    if not argv or not is_python(argv[0]):
        return list(argv)
    options, rest = _split(argv[1:])
    led = bool(_BLIND.intersection("".join(each for each in options if each[:2] not in {"-X", "-W", "--"})))
    return [sys.executable, *options, *([_INSIDE] if led else []), *rest]


def unstartable(name: str, why: OSError) -> str:
    """What a container runtime says of a program that it cannot start."""
    if isinstance(why, FileNotFoundError):
        return f'unable to start container process: exec: "{name}": executable file not found in $PATH'
    return f'unable to start container process: exec: "{name}": {(why.strerror or str(why)).lower()}'


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options of the interpreter, and what it is to run: `-c CODE`, `-m MODULE` or a file, with its arguments."""
    options: list[str] = []
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in {"-", "--"}:
        word = words[at]
        if word.startswith("--"):
            options.append(word)
            at += 1
            continue
        for place, letter in enumerate(word[1:], 1):
            if letter in "cm":
                flags = [word[:place]] if place > 1 else []
                return [*options, *flags], [f"-{letter}", *filter(None, [word[place + 1 :]]), *words[at + 1 :]]
            if letter in _WITH_VALUE:
                break
        options.append(word)
        at += 1
        if letter in _WITH_VALUE and place == len(word) - 1:
            options += words[at : at + 1]
            at += 1
    return options, list(words[at:])
