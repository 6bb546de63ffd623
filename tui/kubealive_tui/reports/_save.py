"""A run written to disk, as text for people and JSON for programs, never over a file that is there."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from kubealive_tui.errors import UsageError
from kubealive_tui.model import Run
from kubealive_tui.reports._data import SCHEMA_VERSION, run_data
from kubealive_tui.reports._text import run_text

__all__ = ["save_run"]

MOST_NAMES = 100  # runs of one experiment within one second; beyond that something else is wrong


def save_run(
    run: Run,
    *,
    experiment: str,
    folders: Sequence[Path],
    context: str = "",
    namespace: str = "",
    zone: tzinfo = UTC,
) -> tuple[Path, Path]:
    """Write the run to the first of the folders that takes it; returns the text file and the JSON file.

    Nothing is ever overwritten. Raises UsageError naming the folders where none takes it.
    """
    data = {
        "schema_version": SCHEMA_VERSION,
        "context": context,
        "namespace": namespace,
        "experiment": experiment,
        "run": run_data(run),
    }
    contents = {
        ".txt": run_text(run, experiment=experiment, zone=zone),
        ".json": json.dumps(data, indent=2, ensure_ascii=False) + "\n",
    }
    stamp = datetime.fromtimestamp(run.began_us / 1e6, UTC).strftime("%Y%m%dT%H%M%SZ")
    why = ""
    for folder in folders:
        try:
            return _write(folder, f"kubealive-{experiment}-{stamp}", contents)
        except OSError as exc:
            why = exc.strerror or str(exc)
    raise UsageError(
        f"the run cannot be saved in {' or '.join(map(str, folders))}: {why}; "
        "start from a folder that you may write to"
    )


def _write(folder: Path, name: str, contents: dict[str, str]) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, MOST_NAMES + 1):
        suffix = "" if number == 1 else f"-{number}"
        text, data = (folder / f"{name}{suffix}{ending}" for ending in contents)
        if text.exists() or data.exists():
            continue
        for path, content in zip((text, data), contents.values(), strict=True):
            with path.open("x", encoding="utf-8") as file:
                file.write(content)
        return text, data
    raise FileExistsError(0, f"{MOST_NAMES} files named {name} are there already")
