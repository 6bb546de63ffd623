"""A client that runs out of source ports, or reuses one too early, fails by its own fault and blames the cluster.

100,000 connections to one address without a local error; with KUBECONFIG, to a Service with a pod killed on the
way, beside an outside observer that knows nothing of the engine.
"""

from collections.abc import Iterator

from bench._engine import drive
from bench._figures import Figure, Finding, Skipped
from bench._options import Options
from bench._peers import Absent, nginx

CONNECTIONS = 100_000
OPEN = 32


def run(options: Options) -> Iterator[Finding]:
    """Local errors on loopback; local errors and late failures on the cluster."""
    try:
        with nginx() as (_, port):
            done = drive(port, connections=OPEN, count=CONNECTIONS)
        beside = f"{done.rate.requests:,} ok at {done.rate.per_second:,.0f}/s"
        what = "local errors in 100,000 connections, loopback"
        yield Figure(what=what, value=done.outcomes["local"], unit="errors", most=0, beside=beside)
    except Absent as exc:
        yield Skipped("100,000 connections on loopback", str(exc))
