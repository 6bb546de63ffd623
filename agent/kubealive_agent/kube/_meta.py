"""What projections of all kinds have in common: whose an object is, times, conditions."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from kubealive.v1 import state_pb2
from kubealive_agent.kube import _raw as raw

# Label that makes an object part of an experiment; its value is the experiment's name.
EXPERIMENT_LABEL = "kubealive.dev/experiment"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def experiment(meta: raw.Meta) -> str:
    """Return the experiment that the object belongs to, or an empty string."""
    return (meta.labels or {}).get(EXPERIMENT_LABEL, "")


def controller(meta: raw.Meta) -> raw.Owner | None:
    """Return the owner that made the object and would replace it."""
    for owner in meta.owner_references or ():
        if owner.controller:
            return owner
    return None


def micros(moment: datetime | None) -> int | None:
    """Convert a time that Kubernetes wrote to microseconds since the Unix epoch; absent stays absent."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def created(meta: raw.Meta) -> int:
    """Return the creation time in microseconds since the Unix epoch; every stored object has one."""
    return micros(meta.creation_timestamp) or 0


def conditions(given: Iterable[raw.TimedCondition] | None) -> Iterator[state_pb2.Condition]:
    """Project conditions in their order."""
    for condition in given or ():
        yield state_pb2.Condition(
            type=condition.type,
            status=condition.status,
            reason=condition.reason or "",
            message=condition.message or "",
            changed_us=micros(condition.last_transition_time),
            updated_us=micros(condition.last_update_time),
        )
