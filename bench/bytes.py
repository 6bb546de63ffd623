"""Over ssh, bytes are the budget: a change has to cost its own size, and a quiet cluster nothing.

The bytes that `kubealive tui` writes to a terminal of 80x24 when one pod changes, and when nothing does.
"""

from collections.abc import Iterator
from statistics import median

from bench._cluster import Api, agent, api_server
from bench._figures import Figure, Finding
from bench._options import Options
from bench._terminal import Terminal, kubealive, terminal

PODS = 4
CHANGES = 20
RESTARTS = 900
QUIET_S = 0.5
IDLE_S = 10.0
PATIENCE_S = 20.0


def run(_options: Options) -> Iterator[Finding]:
    """Bytes of a start, of a changed pod, and of idling without and with the clock."""
    with api_server(pods=PODS) as api, agent(api) as (_, port):
        tui = ("tui", "--agent", f"127.0.0.1:{port}", "--experiment", "balance")
        with terminal(kubealive(*tui, "--no-clock")) as seen:
            seen.await_text("Running", within=PATIENCE_S)
            seen.settle(quiet=QUIET_S, within=PATIENCE_S)
            yield Figure(what="start", value=seen.bytes, unit="bytes")
            idle = seen.count(IDLE_S)
            yield Figure(what=f"{IDLE_S:.0f} s of nothing, --no-clock", value=idle, unit="bytes", most=0)
            told = [_change(api, seen, f"S{number:04d}") for number in range(CHANGES)]
            what = "one pod changes, and the whole timeline moves on"
            yield Figure(what=what, value=max(told), unit="bytes", beside=f"median {median(told):.0f}")
            # That a count of restarts falls is told nowhere but in its own cell.
            cell = [_change(api, seen, "Steady", restarts) for restarts in range(RESTARTS, RESTARTS - CHANGES, -1)]
            what, beside = "one pod changes one cell, dearest", f"median {median(cell[1:]):.0f}"
            yield Figure(what=what, value=max(cell[1:]), unit="bytes", most=800, beside=beside)
        with terminal(kubealive(*tui)) as seen:
            seen.await_text("Running", within=PATIENCE_S)
            seen.count(2.0)
            yield Figure(what="a second of the clock", value=seen.count(IDLE_S) / IDLE_S, unit="bytes")


def _change(api: Api, seen: Terminal, status: str, restarts: int = 0) -> int:
    """Change the first pod, and return the bytes until the screen has come to rest."""
    before = seen.bytes
    api.change(0, status, restarts)
    seen.await_text(str(restarts) if restarts else status, within=PATIENCE_S)
    seen.settle(quiet=QUIET_S, within=PATIENCE_S)
    return seen.bytes - before
