"""Runs a program of a pod in an interpreter that does not do so by itself, since it was started without `site`.

Its words are those behind the interpreter's options: `-c CODE`, `-m MODULE`, a file, or nothing for its input.
"""

import os
import runpy
import sys

# By `os.path`, since pathlib would cost each pod half a megabyte.
_HERE = os.path.abspath(__file__).rpartition(os.sep)[0]  # noqa: PTH100
_CODE = _HERE.rsplit(os.sep, 2)[0]


def main(words: list[str]) -> None:
    """Enter the pod, then run what the words say, as the interpreter itself would."""
    sys.path[:] = [each for each in sys.path if each != _HERE]
    if _CODE not in sys.path:
        sys.path.append(_CODE)  # an interpreter that was told to read no variables does not have it
    from kubealive_sandbox.inside import enter  # noqa: PLC0415 - found by the line above

    enter()
    match words:
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            _run(code, "<string>")
        case [] | ["-", *_]:
            sys.argv = words or [""]
            _run(sys.stdin.read(), "<stdin>")
        case [file, *_]:
            sys.argv = words
            runpy.run_path(file, run_name="__main__")


def _run(code: str, name: str) -> None:
    exec(compile(code, name, "exec"), {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102 - `-c`


main(sys.argv[1:])
