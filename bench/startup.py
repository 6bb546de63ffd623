"""A tool that one opens in the middle of an incident is there before one doubts it.

From the start of the program to the first live row, and to the end of `--help`; beside an empty interpreter.
"""

import sys
import time
from collections.abc import Iterator
from statistics import median

from bench._cluster import agent, api_server
from bench._figures import Figure, Finding
from bench._options import Options
from bench._process import environment, run_to_end
from bench._terminal import kubealive, terminal

PODS = 4
PATIENCE_S = 20.0


def run(options: Options) -> Iterator[Finding]:
    """Milliseconds, medians of the rounds."""
    bare = _end_ms([sys.executable, "-c", "pass"], options.rounds)
    help_ms = _end_ms(kubealive("--help"), options.rounds)
    yield Figure(what="kubealive --help", value=help_ms, unit="ms", beside=f"empty interpreter {bare:.0f} ms")
    with api_server(pods=PODS) as api, agent(api) as (_, port):
        found = [_live_ms(port) for _ in range(options.rounds)]
    yield Figure(
        what="start to the first live row", value=median(found), unit="ms", beside=f"at most {max(found):.0f} ms"
    )


def _end_ms(command: list[str], rounds: int) -> float:
    return median(run_to_end(command, within=PATIENCE_S, env=environment()).wall_s for _ in range(rounds)) * 1000


def _live_ms(port: int) -> float:
    began = time.monotonic()
    command = kubealive("tui", "--agent", f"127.0.0.1:{port}", "--experiment", "balance", "--no-clock")
    with terminal(command) as seen:
        return (seen.await_text("Running", within=PATIENCE_S) - began) * 1000
