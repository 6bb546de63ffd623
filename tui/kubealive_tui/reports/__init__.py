"""What was measured, for taking away: as a table for people, as JSON and JUnit for programs, and a run as text.

All are pure functions of data that has been collected; only `save_run` and `write_junit` touch a disk.
"""

from kubealive_tui.reports._data import SCHEMA_VERSION, document, run_data
from kubealive_tui.reports._junit import junit, may_write, write_junit
from kubealive_tui.reports._report import Report, Result, exit_code
from kubealive_tui.reports._save import save_run
from kubealive_tui.reports._table import table
from kubealive_tui.reports._text import printable, run_line, run_text

__all__ = [
    "SCHEMA_VERSION",
    "Report",
    "Result",
    "document",
    "exit_code",
    "junit",
    "may_write",
    "printable",
    "run_data",
    "run_line",
    "run_text",
    "save_run",
    "table",
    "write_junit",
]
