"""A client that runs out of source ports, or reuses one too early, fails by its own fault and blames the cluster.

100,000 connections to one address without a local error. With KUBECONFIG, to a Service of which one pod is deleted
by force and another crashes on the way, beside an outside observer that knows nothing of the engine; the two are
compared by the clocks of their nodes, which have to agree.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench._engine import drive
from bench._figures import Figure, Finding, Skipped
from bench._installed import Installed, installed
from bench._objects import EXPERIMENT
from bench._options import Options
from bench._peers import Absent, nginx
from bench._process import until
from bench._viewer import Viewer, viewer
from kubealive.v1.agent_pb2 import SetLoadRequest
from kubealive.v1.facts_pb2 import OUTCOME_LOCAL, OUTCOME_OK, Action, LoadTransition, Outcome
from kubealive.v1.state_pb2 import LOAD_MODE_NEW, LoadTarget

CONNECTIONS = 100_000
OPEN = 32
SERVICE, PORT = "getip", 80
WITHIN_S = 180.0
OBSERVED_AFTER_S = 3.0
LATE_S = 2.0


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
    try:
        with installed(options) as install, install.agent_port() as port, viewer(port) as reader:
            yield from _on_cluster(install, reader)
    except Absent as exc:
        yield Skipped("100,000 connections to a Service, pods killed on the way", str(exc))


def _on_cluster(install: Installed, reader: Viewer) -> Iterator[Finding]:
    source = Path(__file__).with_name("_observer.py").read_text(encoding="utf-8")
    with install.pod("observer", "-c", source, SERVICE, str(PORT)):
        target = LoadTarget(service=SERVICE)
        run = SetLoadRequest.Run(target=target, mode=LOAD_MODE_NEW, burst=CONNECTIONS, connections=OPEN)
        load_id = reader.load(run)
        # A deleted pod drains and may lose nothing; one that crashes is sure to fail somebody.
        for share, hurt in ((0.25, reader.kill), (0.5, reader.crash)):
            _await_replies(reader, share)
            hurt(next(uid for uid, pod in reader.pods.items() if pod.experiment == EXPERIMENT and pod.ready))
        until(lambda: _stopped(reader, load_id), what="the end of the load", within=WITHIN_S)
        time.sleep(OBSERVED_AFTER_S)
        seen = [int(line) for line in install.kubectl("logs", "observer").stdout.split() if line.isdigit()]
    yield from _judge(reader, seen)


def _judge(reader: Viewer, seen: list[int]) -> Iterator[Figure]:
    outcomes = _outcomes(reader)
    words = ", ".join(
        f"{Outcome.Name(kind).removeprefix('OUTCOME_').lower()} {n:,}" for kind, n in outcomes.items()
    )
    what = "local errors in 100,000 connections, Service, pods killed"
    yield Figure(what=what, value=outcomes[OUTCOME_LOCAL], unit="errors", most=0, beside=words)
    killed = max(fact.time_us for fact in reader.facts if fact.action.phase == Action.PHASE_ACCEPTED)
    theirs = max([killed, *seen])
    ours = max([killed, *_failures(reader)])
    beside = (
        f"engine's last {(ours - killed) / 1e6:.2f} s after the crash, observer's {(theirs - killed) / 1e6:.2f} s"
    )
    beside += f" ({len(seen)} failures)"
    late = (ours - theirs) / 1e6
    yield Figure(what="last failure after the observer's last", value=late, unit="s", most=LATE_S, beside=beside)


def _await_replies(reader: Viewer, share: float) -> None:
    until(
        lambda: _outcomes(reader).total() >= CONNECTIONS * share, what=f"{share:.0%} of the load", within=WITHIN_S
    )


def _outcomes(reader: Viewer) -> Counter[Outcome.ValueType]:
    found: Counter[Outcome.ValueType] = Counter()
    for fact in tuple(reader.facts):
        for row in fact.traffic.rows:
            found[row.outcome] += row.count
    return found


def _failures(reader: Viewer) -> list[int]:
    rows = (row for fact in reader.facts for row in fact.traffic.rows)
    return [row.last_planned_us for row in rows if row.outcome != OUTCOME_OK]


def _stopped(reader: Viewer, load_id: str) -> bool:
    ends = (fact.load for fact in tuple(reader.facts) if fact.load.state == LoadTransition.STATE_STOPPED)
    return any(end.load_id == load_id for end in ends)
