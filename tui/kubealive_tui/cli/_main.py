"""From arguments to an exit code: every failure is one sentence on stderr, and every way to leave has its number.

0 done, 1 something is not as it should be, 2 it could not be done, 130 and 143 ended by Ctrl-C or by a signal,
141 the reader of a pipe went away.
"""

import io
import os
import sys
from collections.abc import Sequence

from kubealive_tui.cli._parser import parse
from kubealive_tui.errors import KubealiveError

__all__ = ["main", "main_tui"]

USAGE, INTERRUPTED, PIPE_CLOSED = 2, 130, 141
_OURS = ("kubealive", "kubealive_tui", "kubealive_workloads")


def main_tui(argv: Sequence[str] | None = None) -> int:
    """`kubealive-tui`, which is `kubealive tui`."""
    return main(["tui", *(sys.argv[1:] if argv is None else argv)])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (without the program's name) holds, and return the exit code."""
    _allow_any_character()
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KubealiveError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has no reader; without this the interpreter would complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except ModuleNotFoundError as error:
        return _not_there(error)
    except Exception as error:  # noqa: BLE001 - the root of the program: a person gets a sentence, the log the rest
        return _unforeseen(error)
    return code


def _run(argv: Sequence[str]) -> int:
    try:
        args = parse(argv, os.environ)
    except SystemExit as leaving:  # argparse has printed help or version
        return int(leaving.code or 0)
    # Only now: asyncio alone costs more than `--help`.
    from kubealive_tui.cli._running import run_command  # noqa: PLC0415

    return run_command(args)


def _allow_any_character() -> None:
    """Let a terminal without Unicode show a substitute instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(f"kubealive: {sentence}\n")
    return code


def _not_there(error: ModuleNotFoundError) -> int:
    missing = (error.name or "").partition(".")[0]
    if missing in _OURS:
        return _unforeseen(error)
    return _complain(
        f"the package {missing} is not installed; `pip install 'kubealive[tui]'` brings all that is needed here",
        USAGE,
    )


def _unforeseen(error: Exception) -> int:
    from kubealive_tui.cli._log import note  # noqa: PLC0415 - logging is not loaded for a command that succeeds

    if os.environ.get("KUBEALIVE_DEBUG"):
        import traceback  # noqa: PLC0415

        traceback.print_exception(error)
    said = f"unforeseen {type(error).__name__}: {error}".rstrip(": ")
    return _complain(f"{said}; this is a defect of kubealive, please report it{note(error)}", USAGE)
