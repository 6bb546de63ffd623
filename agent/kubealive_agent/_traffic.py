"""The load engine's reports in the contract's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubealive.v1 import facts_pb2
from kubealive.v1.facts_pb2 import (
    LatencyBucket,
    OutageEdge,
    OutcomeCount,
    TrafficBin,
    TrafficRow,
)

if TYPE_CHECKING:
    from kubealive_agent.load import Bin, Edge, Row

__all__ = ["local_errors", "outage_edge", "outcome", "traffic_bin"]

_EDGES = {"begin": OutageEdge.EDGE_BEGIN, "end": OutageEdge.EDGE_END, "open": OutageEdge.EDGE_OPEN}


def outcome(name: str) -> facts_pb2.Outcome.ValueType:
    """`http-5xx` is OUTCOME_HTTP_5XX; a name the contract lacks would be a bug of ours and raises ValueError."""
    return facts_pb2.Outcome.Value("OUTCOME_" + name.upper().replace("-", "_"))


def traffic_bin(report: Bin, load_id: str) -> TrafficBin:
    """A bin of the load that clients know as `load_id`."""
    return TrafficBin(
        load_id=load_id,
        start_us=report.start_us,
        width_us=report.width_us,
        planned=report.planned,
        sent=report.sent,
        rows=[_row(row) for row in report.rows],
        latency=[LatencyBucket(bucket=bucket, count=count) for bucket, count in report.latency],
        lag_max_us=report.lag_max_us,
        ports_quarantined=report.ports_quarantined,
    )


def outage_edge(report: Edge, load_id: str) -> OutageEdge:
    """An edge of an outage of the load that clients know as `load_id`."""
    return OutageEdge(
        load_id=load_id,
        outage_id=report.outage_id,
        edge=_EDGES[report.kind],
        at_us=report.at_us,
        failed=report.failed,
        outcomes=[OutcomeCount(outcome=outcome(name), count=count) for name, count in report.outcomes.items()],
        interval_us=report.interval_us,
    )


def local_errors(report: Bin) -> int:
    """Requests of a bin that the generator itself could not send."""
    return sum(row.count for row in report.rows if row.outcome == "local")


def _row(row: Row) -> TrafficRow:
    return TrafficRow(
        pod_uid=row.pod_uid,
        pod_name=row.pod_name,
        node=row.node,
        version=row.version,
        outcome=outcome(row.outcome),
        count=row.count,
        first_planned_us=row.first_planned_us,
        last_planned_us=row.last_planned_us,
        first_end_us=row.first_end_us,
        last_end_us=row.last_end_us,
        retransmitted=row.retransmitted,
        retried=row.retried,
    )
