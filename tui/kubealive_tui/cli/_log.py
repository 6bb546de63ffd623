"""Where the program writes what nobody has asked to see: a file of bounded size in the user's state folder."""

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

__all__ = ["log_path", "note", "start_log", "state_folder"]

# A session that goes wrong writes some kilobytes; two files of this size hold months of them.
MOST_BYTES = 1_000_000


def state_folder() -> Path:
    """The folder for what outlives a session, by the XDG rules; it may not exist yet."""
    given = os.environ.get("XDG_STATE_HOME", "")
    return (Path(given) if given else Path("~/.local/state").expanduser()) / "kubealive"


def log_path() -> Path:
    """The log file; it may not exist yet."""
    return state_folder() / "kubealive.log"


def start_log() -> None:
    """Send warnings, and with KUBEALIVE_DEBUG everything, to the file; without a place to write, nowhere.

    Never to the terminal, where a line would land in the middle of the screen or of a report.
    """
    handler: logging.Handler = logging.NullHandler()
    try:
        state_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = RotatingFileHandler(log_path(), maxBytes=MOST_BYTES, backupCount=1, delay=True, encoding="utf-8")
    except (OSError, RuntimeError):
        pass  # a read-only home, or none: the log is a convenience
    level = logging.DEBUG if os.environ.get("KUBEALIVE_DEBUG") else logging.WARNING
    logging.basicConfig(
        handlers=[handler], level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )


def note(error: BaseException) -> str:
    """Write an error with its traceback into the log; returns where, as the end of a sentence."""
    start_log()
    logging.getLogger("kubealive").error("unforeseen", exc_info=error)
    return f" with the end of {log_path()}" if log_path().exists() else " (KUBEALIVE_DEBUG=1 shows the traceback)"
